/* SPDX-License-Identifier: MIT */
#include "push/push.h"

#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int send_entry(const struct slw_push_options *o, const struct slw_push_entry *e,
                      const struct slw_send_patience *patience, struct slw_send_result *ret_result,
                      struct slw_error *err)
{
    const struct slw_http_request request = {
        .endpoint = o->endpoint,
        .suffix = e->suffix,
        .body = e->body,
        .length = e->length,
        .timeout_ms = o->timeout_ms,
    };

    return slw_send(&request, patience, ret_result, err);
}

/* ---- what earlier runs left ---- */

/* Of this server, of its kind: its secrets are for nobody else. */
static bool is_for(const struct slw_push_entry *e, const struct slw_push_endpoint *to)
{
    return e->kind == to->kind && strcmp(e->url, to->url) == 0;
}

enum next { GO_ON, STOP };

static enum next send_kept(const struct slw_push_options *o, struct slw_push_slot *slot,
                           const struct slw_push_entry *e, struct slw_push_result *r)
{
    static const struct slw_send_patience once = {.tries = 1};
    struct slw_send_result sent;

    if (!is_for(e, o->endpoint)) {
        slw_spool_leave(slot);
        return GO_ON;
    }
    if (send_entry(o, e, &once, &sent, NULL) < 0 || sent.fate == SLW_SEND_LATER) {
        r->waiting++;
        slw_spool_leave(slot);
        return STOP;
    }
    if (sent.fate == SLW_SEND_TAKEN)
        r->sent++;
    else
        r->refused++;
    slw_spool_remove(o->spool, slot);
    return GO_ON;
}

static enum next send_file(const struct slw_push_options *o, const char *name,
                           struct slw_push_result *r)
{
    struct slw_push_slot slot = {.fd = -1};
    struct slw_push_entry e = {0};
    char *bytes = NULL;
    enum next next = GO_ON;
    const int rc = slw_spool_take(o->spool, name, &slot, &bytes, &e, NULL);

    if (rc >= 0) {
        next = send_kept(o, &slot, &e, r);
    } else if (rc == -SLW_E_FORMAT) {
        r->refused++; /* nobody will ever be able to send it */
        slw_spool_remove(o->spool, &slot);
    } else if (rc == -SLW_E_NOMEM || rc == -SLW_E_IO) {
        r->waiting++; /* we could not look at it; another run may */
    }
    slw_spool_leave(&slot); /* a newer slotwise's stays */
    slw_push_entry_release(&e);
    free(bytes);
    return next;
}

static void send_backlog(const struct slw_push_options *o, struct slw_push_result *r)
{
    const uint64_t until_ns = slw_clock_monotonic_ns() + o->backlog_limit_ms * 1000000;
    struct slw_push_files files;

    if (slw_spool_list(o->spool, &files, NULL) < 0)
        return;
    size_t left = files.count;
    while (left > 0 && slw_clock_monotonic_ns() < until_ns)
        if (send_file(o, files.files[files.count - left--].name, r) == STOP)
            break;
    r->waiting += left;
    free(files.files);
}

/* ---- what this one is for ---- */

static void keep(const struct slw_push_options *o, const struct slw_push_entry *e,
                 struct slw_push_slot *slot, struct slw_push_result *r)
{
    struct slw_error why = {0};

    if (o->spool && slw_spool_store(o->spool, e, slot, &r->dropped, &why) < 0)
        (void)snprintf(r->not_kept, sizeof(r->not_kept), "%s", why.text);
}

static void settle(const struct slw_push_options *o, const struct slw_send_result *sent,
                   struct slw_push_slot *slot, struct slw_push_result *r)
{
    const bool kept = slot->fd >= 0;

    r->tries = sent->tries;
    (void)snprintf(r->why, sizeof(r->why), "%s", sent->why);
    if (sent->fate == SLW_SEND_TAKEN)
        r->fate = SLW_PUSH_SENT;
    else if (sent->fate == SLW_SEND_REFUSED)
        r->fate = SLW_PUSH_REFUSED;
    else
        r->fate = kept ? SLW_PUSH_KEPT : SLW_PUSH_LOST;
    if (r->fate == SLW_PUSH_KEPT)
        slw_spool_leave(slot);
    else
        slw_spool_remove(o->spool, slot);
}

static int push_request(const struct slw_push_options *o, struct slw_push_request *request,
                        struct slw_push_result *r, struct slw_error *err)
{
    const struct slw_push_entry e = {
        .kind = o->endpoint->kind,
        .url = o->endpoint->url,
        .suffix = request->suffix.data ? request->suffix.data : "",
        .body = request->body.data,
        .length = request->body.length,
    };
    struct slw_push_slot slot = {.fd = -1};
    struct slw_send_result sent;

    r->body_bytes = e.length;
    keep(o, &e, &slot, r);
    int rc = send_entry(o, &e, &o->patience, &sent, err);
    if (rc < 0) {
        slw_spool_leave(&slot);
        return rc;
    }
    settle(o, &sent, &slot, r);
    if (o->spool && r->fate == SLW_PUSH_SENT)
        send_backlog(o, r);
    return 0;
}

int slw_push(const struct slw_push_options *opts, const struct slw_push_item *item,
             struct slw_push_result *ret_result, struct slw_error *err)
{
    struct slw_push_request request = {0};
    struct slw_push_result result = {0};
    int rc = opts->endpoint->kind->request(item, &request, err);

    if (rc >= 0 && (slw_buf_failed(&request.suffix) || slw_buf_failed(&request.body)))
        rc = slw_fail(err, SLW_E_NOMEM, "no memory for what is to be pushed");
    if (rc >= 0)
        rc = push_request(opts, &request, &result, err);
    slw_push_request_release(&request);
    if (rc >= 0)
        *ret_result = result;
    return rc;
}

/* SPDX-License-Identifier: MIT */
#include "cli/push.h"

#include "base/clock.h"
#include "base/file.h"
#include "cli/cache.h"
#include "cli/metrics.h"
#include "cli/terminal.h"
#include "record/run_dir.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_TIMEOUT_MS  10000
#define MAX_TIMEOUT_MS      600000
#define DEFAULT_TRIES       3
#define MAX_TRIES           20
#define FIRST_PAUSE_MS      500
#define BACKLOG_MS          30000
#define DEFAULT_SPOOL_BYTES (UINT64_C(64) << 20)
#define MAX_SPOOL_BYTES     (UINT64_C(1) << 40)
#define MAX_HEADERS_BYTES   65536

const char *slw_push_kind_name(size_t i)
{
    for (size_t k = 0; k < slw_push_kind_count; k++)
        if (slw_push_kinds[k]->what == SLW_PUSH_PROFILE && i-- == 0)
            return slw_push_kinds[k]->name;
    return NULL;
}

/* ---- settings ---- */

static int read_headers(const char *path, struct slw_push_endpoint *e, struct slw_error *err)
{
    char *text = NULL;
    int rc = path ? slw_file_read(path, MAX_HEADERS_BYTES, &text, NULL, err) : 0;

    if (rc >= 0 && text)
        rc = slw_push_endpoint_add_headers(e, text, path, err);
    free(text);
    return rc;
}

static int set_endpoint(const struct slw_args *a, const char *option, enum slw_push_what what,
                        const char *kind, struct slw_push_endpoint *e, struct slw_error *err)
{
    const char *url = slw_args_get(a, option), *ca = slw_args_get(a, "push-ca");
    char headers[64];

    (void)snprintf(headers, sizeof(headers), "%s-headers", option);
    if (!url) {
        if (slw_args_has(a, headers))
            return slw_fail(err, SLW_E_USAGE, "--%s needs --%s", headers, option);
        return 0;
    }
    int rc = slw_push_endpoint_init(url, what, kind ? slw_push_kind_find(kind) : NULL, e, err);
    if (rc >= 0)
        rc = read_headers(slw_args_get(a, headers), e, err);
    e->ca_file = ca;
    if (rc >= 0 && ca && access(ca, R_OK) < 0)
        rc = slw_fail(err, SLW_E_NOTFOUND, "--push-ca: cannot read '%s'", ca);
    return rc;
}

static int set_spool(const struct slw_args *a, struct slw_pushing *p, struct slw_error *err)
{
    const char *folder = slw_args_get(a, "push-spool");
    int rc;

    p->spool.limit_bytes = DEFAULT_SPOOL_BYTES;
    rc = slw_args_bytes(a, "push-spool-size", MAX_SPOOL_BYTES, &p->spool.limit_bytes, err);
    if (rc < 0 || slw_args_has(a, "no-push-spool"))
        return rc;
    p->spool.folder = folder ? folder : slw_push_dir(p->folder);
    p->options.spool = p->spool.folder ? &p->spool : NULL;
    return 0;
}

static int set_patience(const struct slw_args *a, struct slw_pushing *p, struct slw_error *err)
{
    uint64_t tries = DEFAULT_TRIES, timeout_ms = DEFAULT_TIMEOUT_MS;
    int rc = slw_args_u64(a, "push-tries", 1, MAX_TRIES, &tries, err);

    if (rc >= 0)
        rc = slw_args_duration_ms(a, "push-timeout", &timeout_ms, err);
    if (rc < 0)
        return rc;
    if (timeout_ms == 0 || timeout_ms > MAX_TIMEOUT_MS)
        return slw_fail(err, SLW_E_USAGE, "--push-timeout: from 1ms to 10m");
    p->options.patience = (struct slw_send_patience){(unsigned)tries, FIRST_PAUSE_MS};
    p->options.timeout_ms = timeout_ms;
    p->options.backlog_limit_ms = BACKLOG_MS;
    return 0;
}

/* service_name and instance have places of their own. */
static int add_label(struct slw_pushing *p, const struct slw_label *l, struct slw_error *err)
{
    char **own = strcmp(l->key, "service_name") == 0 ? &p->service : &p->instance;
    int rc = slw_push_label_check(l->key, l->value, err);

    if (rc < 0)
        return rc;
    if (own == &p->service || strcmp(l->key, "instance") == 0) {
        free(*own);
        *own = strdup(l->value);
        return *own ? 0 : slw_fail(err, SLW_E_NOMEM, "no memory for a label");
    }
    for (size_t i = 0; i < p->label_count; i++)
        if (strcmp(p->labels[i].name, l->key) == 0)
            return slw_fail(err, SLW_E_USAGE, "label '%.60s' is there twice, which no server takes",
                            l->key);
    if (p->label_count + 3 == SLW_PUSH_MAX_LABELS) /* and ours */
        return slw_fail(err, SLW_E_USAGE, "more labels than servers take");
    p->labels[p->label_count++] = (struct slw_push_label){l->key, l->value};
    return 0;
}

static int set_labels(struct slw_pushing *p, const struct slw_run *run, const char *stem,
                      struct slw_error *err)
{
    int rc = 0;

    p->service = strdup(stem[0] ? stem : "unknown");
    p->instance = strdup(run->host.hostname ? run->host.hostname : "unknown");
    if (!p->service || !p->instance)
        return slw_fail(err, SLW_E_NOMEM, "no memory for labels");
    for (size_t i = 0; rc >= 0 && i < run->label_count; i++)
        rc = add_label(p, &run->labels[i], err);
    return rc;
}

static struct slw_push_item item_of(const struct slw_pushing *p, const struct slw_run *run)
{
    return (struct slw_push_item){
        .service = p->service,
        .instance = p->instance,
        .labels = p->labels,
        .label_count = p->label_count,
        .start_ns = run->started_realtime_ns,
        .length_ns = run->wall_ns.absent ? 0 : run->wall_ns.value,
    };
}

/* Can this kind of server be told such labels? */
static int try_labels(const struct slw_pushing *p, const struct slw_push_endpoint *e,
                      const struct slw_run *run, struct slw_error *err)
{
    const struct slw_push_item item = item_of(p, run);
    struct slw_push_request request = {0};
    int rc = e->url ? e->kind->request(&item, &request, err) : 0;

    slw_push_request_release(&request);
    return rc;
}

static int check_use(const struct slw_args *a, struct slw_error *err)
{
    static const char *const needs_one[] = {"push-ca",    "push-timeout",    "push-tries",
                                            "push-spool", "push-spool-size", "no-push-spool"};

    if (slw_args_has(a, "push-to") && !slw_args_has(a, "push"))
        return slw_fail(err, SLW_E_USAGE, "--push-to needs --push");
    if (slw_args_has(a, "push") || slw_args_has(a, "push-gateway"))
        return slw_args_exclude(a, "push", "no-sampling", err);
    for (size_t i = 0; i < sizeof(needs_one) / sizeof(needs_one[0]); i++)
        if (slw_args_has(a, needs_one[i]))
            return slw_fail(err, SLW_E_USAGE, "--%s needs --push or --push-gateway", needs_one[i]);
    return 0;
}

static int fill(const struct slw_args *a, const struct slw_run *run, const char *stem,
                struct slw_pushing *p, struct slw_error *err)
{
    int rc =
        set_endpoint(a, "push", SLW_PUSH_PROFILE, slw_args_get(a, "push-to"), &p->profiles, err);

    if (rc >= 0)
        rc = set_endpoint(a, "push-gateway", SLW_PUSH_METRICS, NULL, &p->metrics, err);
    if (rc >= 0)
        rc = set_spool(a, p, err);
    if (rc >= 0)
        rc = set_patience(a, p, err);
    if (rc >= 0 && (p->profiles.url || p->metrics.url))
        rc = set_labels(p, run, stem, err);
    if (rc >= 0)
        rc = try_labels(p, &p->profiles, run, err);
    return rc < 0 ? rc : try_labels(p, &p->metrics, run, err);
}

int slw_pushing_new(const struct slw_args *args, const struct slw_run *run, const char *stem,
                    struct slw_pushing **ret_pushing, struct slw_error *err)
{
    int rc = check_use(args, err);

    if (rc < 0)
        return rc;
    if (!slw_args_has(args, "push") && !slw_args_has(args, "push-gateway")) {
        *ret_pushing = NULL;
        return fill(args, run, stem, &(struct slw_pushing){0}, err); /* --X-headers without --X */
    }
    struct slw_pushing *p = calloc(1, sizeof(*p));
    rc = p ? fill(args, run, stem, p, err) : slw_fail(err, SLW_E_NOMEM, "no memory to push");
    if (rc < 0)
        slw_pushing_free(p);
    else
        *ret_pushing = p;
    return rc;
}

void slw_pushing_free(struct slw_pushing *p)
{
    if (!p)
        return;
    slw_push_endpoint_release(&p->profiles);
    slw_push_endpoint_release(&p->metrics);
    free(p->service);
    free(p->instance);
    free(p);
}

/* ---- sending ---- */

static void say_backlog(const struct slw_push_result *r, const char *url, bool quiet)
{
    if (r->dropped > 0)
        slw_terminal_say("%zu older pushes were dropped: there is no room to keep more (see "
                         "--push-spool-size)",
                         r->dropped);
    if (r->refused > 0)
        slw_terminal_say("%zu pushes kept by earlier runs were refused by %s, or broken, and are "
                         "gone",
                         r->refused, url);
    if (r->sent > 0 && !quiet)
        slw_terminal_say("%zu pushes kept by earlier runs were sent", r->sent);
    if (r->waiting > 0 && !quiet)
        slw_terminal_say("%zu pushes kept by earlier runs go on waiting", r->waiting);
}

static int conclude(const struct slw_push_result *r, const char *what, const char *url, bool quiet,
                    struct slw_error *err)
{
    say_backlog(r, url, quiet);
    switch (r->fate) {
    case SLW_PUSH_SENT:
        if (!quiet)
            slw_terminal_say("%s sent to %s (%zu bytes)", what, url, r->body_bytes);
        return 0;
    case SLW_PUSH_KEPT:
        slw_terminal_say("%s not sent to %s (tried %u times: %s); the next run sends it", what, url,
                         r->tries, r->why);
        return 0;
    case SLW_PUSH_REFUSED:
        slw_error_hint(err, "the run is saved; only the push is missing");
        return slw_fail(err, SLW_E_IO, "%s refused by %.200s: %s", what, url, r->why);
    case SLW_PUSH_LOST:
        break;
    }
    slw_error_hint(err, "the run is saved; only the push is missing");
    return slw_fail(err, SLW_E_IO, "%s not sent to %.100s (tried %u times: %.120s), nor kept: %s",
                    what, url, r->tries, r->why,
                    r->not_kept[0] ? r->not_kept : "keeping was turned off");
}

static int send_one(struct slw_pushing *p, const struct slw_push_endpoint *e,
                    const struct slw_run *run, const char *what, const struct slw_buf *data,
                    bool quiet, struct slw_error *err)
{
    struct slw_push_item item = item_of(p, run);
    struct slw_push_result result;

    item.data = data->data;
    item.length = data->length;
    p->options.endpoint = e;
    int rc = slw_push(&p->options, &item, &result, err);
    return rc < 0 ? rc : conclude(&result, what, e->url, quiet, err);
}

static int send_profile(struct slw_pushing *p, const struct slw_run *run,
                        const struct slw_stacks *stacks, bool quiet, struct slw_error *err)
{
    struct slw_buf data = {0};
    int rc = 0;

    if (!stacks || slw_stacks_count(stacks) == 0) {
        slw_terminal_say("there are no samples: no profile was sent to %s", p->profiles.url);
        return 0;
    }
    rc = slw_stacks_to_pprof_plain(stacks, run, &data, err);
    if (rc >= 0)
        rc = send_one(p, &p->profiles, run, "profile", &data, quiet, err);
    slw_buf_release(&data);
    return rc;
}

static int send_metrics(struct slw_pushing *p, struct slw_run *run, const struct slw_stacks *stacks,
                        bool quiet, struct slw_error *err)
{
    struct slw_buf data = {0};
    int rc = slw_metrics_text(run, stacks, &data, err);

    if (rc >= 0)
        rc = send_one(p, &p->metrics, run, "metrics", &data, quiet, err);
    slw_buf_release(&data);
    return rc;
}

int slw_pushing_send(struct slw_pushing *p, struct slw_run *run, const struct slw_stacks *stacks,
                     bool quiet, struct slw_error *err)
{
    struct slw_error second = {0};
    int rc = p->profiles.url ? send_profile(p, run, stacks, quiet, err) : 0;
    const int metrics = p->metrics.url ? send_metrics(p, run, stacks, quiet, &second) : 0;

    if (metrics >= 0)
        return rc;
    if (rc < 0)
        slw_terminal_error("profile", &second);
    else if (err)
        *err = second;
    return rc < 0 ? rc : metrics;
}

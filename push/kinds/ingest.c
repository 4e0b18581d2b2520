/* SPDX-License-Identifier: MIT */
/* Pyroscope's older /ingest, which every version has: the profile as it is, the rest in the query.
 * Source: Pyroscope, "Server HTTP API", Ingestion, pprof format. */
#include "push/encode.h"
#include "push/kind.h"

#include <inttypes.h>
#include <string.h>

/* NAME{KEY=VALUE,...} has no way to quote. */
static int check(const char *what, const char *value, struct slw_error *err)
{
    const char *bad = strpbrk(value, "{}=,\"' ");

    if (!bad)
        return 0;
    slw_error_hint(err, "push to /push.v1.PusherService/Push, which takes any value");
    return slw_fail(err, SLW_E_USAGE, "%s: /ingest has no way to write a '%c' in '%.60s'", what,
                    *bad, value);
}

static int put_name(struct slw_buf *name, const struct slw_push_item *item, struct slw_error *err)
{
    int rc = check("service_name", item->service, err);

    if (rc >= 0)
        rc = check("instance", item->instance, err);
    slw_buf_printf(name, "%s{instance=%s", item->service, item->instance);
    for (size_t i = 0; rc >= 0 && i < item->label_count; i++) {
        rc = check(item->labels[i].name, item->labels[i].value, err);
        slw_buf_printf(name, ",%s=%s", item->labels[i].name, item->labels[i].value);
    }
    slw_buf_putc(name, '}');
    return rc;
}

#define NS_PER_S UINT64_C(1000000000)

static int request(const struct slw_push_item *item, struct slw_push_request *ret_request,
                   struct slw_error *err)
{
    struct slw_buf *url = &ret_request->suffix;
    const uint64_t end_ns = item->start_ns + item->length_ns + NS_PER_S - 1;
    struct slw_buf name = {0};
    int rc = put_name(&name, item, err);

    slw_buf_puts(url, "?name=");
    slw_push_put_percent(url, name.data ? name.data : "");
    slw_buf_printf(url, "&from=%" PRIu64 "&until=%" PRIu64 "&format=pprof&spyName=slotwise",
                   item->start_ns / NS_PER_S, end_ns / NS_PER_S);
    slw_buf_put(&ret_request->body, item->data, item->length);
    if (slw_buf_failed(&name))
        url->failed = true;
    slw_buf_release(&name);
    return rc;
}

const struct slw_push_kind slw_push_kind_ingest = {
    .name = "ingest",
    .what = SLW_PUSH_PROFILE,
    .summary = "Pyroscope's /ingest",
    .ending = "/ingest",
    .method = "POST",
    .content_type = "application/octet-stream",
    .request = request,
};

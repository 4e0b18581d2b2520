/* SPDX-License-Identifier: MIT */
/* Pyroscope since 1.0, and what takes profiles for it (Grafana Alloy): push.v1.PusherService/Push
 * of its Connect API, in JSON. Source: Pyroscope, "Server HTTP API"; api/push/v1/push.proto. */
#include "push/encode.h"
#include "push/kind.h"

#include <errno.h>
#include <sys/random.h>

static void put_label(struct slw_buf *out, const char *lead, const char *name, const char *value)
{
    slw_buf_printf(out, "%s{\"name\":", lead);
    slw_push_put_json(out, name);
    slw_buf_puts(out, ",\"value\":");
    slw_push_put_json(out, value);
    slw_buf_putc(out, '}');
}

/* RFC 4122, version 4: by its id the server knows a request that was sent twice. */
static int put_id(struct slw_buf *out, struct slw_error *err)
{
    unsigned char b[16];

    if (getrandom(b, sizeof(b), 0) != (ssize_t)sizeof(b))
        return slw_fail_sys(err, SLW_E_INTERNAL, errno, "no random bytes for an id");
    b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
    b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
    for (size_t i = 0; i < sizeof(b); i++)
        slw_buf_printf(out, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", b[i]);
    return 0;
}

static int request(const struct slw_push_item *item, struct slw_push_request *ret_request,
                   struct slw_error *err)
{
    struct slw_buf *out = &ret_request->body;

    slw_buf_puts(out, "{\"series\":[{\"labels\":[");
    put_label(out, "", "__name__", "process_cpu");
    put_label(out, ",", "service_name", item->service);
    put_label(out, ",", "instance", item->instance);
    for (size_t i = 0; i < item->label_count; i++)
        put_label(out, ",", item->labels[i].name, item->labels[i].value);
    slw_buf_puts(out, "],\"samples\":[{\"ID\":\"");
    int rc = put_id(out, err);
    slw_buf_puts(out, "\",\"rawProfile\":\"");
    slw_push_put_base64(out, item->data, item->length, 0);
    slw_buf_puts(out, "\"}]}]}");
    return rc;
}

const struct slw_push_kind slw_push_kind_pyroscope = {
    .name = "pyroscope",
    .what = SLW_PUSH_PROFILE,
    .summary = "Pyroscope's push API",
    .ending = "/push.v1.PusherService/Push",
    .method = "POST",
    .content_type = "application/json",
    .request = request,
};

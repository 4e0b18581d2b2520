/* SPDX-License-Identifier: MIT */
/* Prometheus' push gateway: a group of metrics for each service on each host, replaced as a whole,
 * so that what is unknown this time does not stay as it was. Source: its README, "API". */
#include "push/encode.h"
#include "push/kind.h"

#include <string.h>

/* A key of the group replaces labels of its name in the metrics, whose own say what they are of:
 * where a label is called like one of those it becomes exported_NAME, as Prometheus itself does. */
static bool is_taken(const char *name)
{
    static const char *const own[] = {
        "arm",    "bound",    "command", "copy",   "cpu",   "event",  "experiment", "gated",
        "host",   "imported", "index",   "kernel", "key",   "metric", "mode",       "pmu",
        "reason", "source",   "tool",    "unit",   "value", "word"};

    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
        if (strcmp(name, own[i]) == 0)
            return true;
    return false;
}

/* Base64 is the only way to write a '/'. */
static void put_key(struct slw_buf *url, const char *name, const char *value)
{
    slw_buf_printf(url, "/%s%s@base64/", is_taken(name) ? "exported_" : "", name);
    slw_push_put_base64(url, value, strlen(value), 1);
}

/* The first key of every group has this name. */
static const char *job_of(const struct slw_push_item *item)
{
    for (size_t i = 0; i < item->label_count; i++)
        if (strcmp(item->labels[i].name, "job") == 0)
            return item->labels[i].value;
    return "slotwise";
}

static int request(const struct slw_push_item *item, struct slw_push_request *ret_request,
                   struct slw_error *err)
{
    struct slw_buf *url = &ret_request->suffix;

    (void)err;
    put_key(url, "job", job_of(item));
    put_key(url, "instance", item->instance);
    put_key(url, "service_name", item->service);
    for (size_t i = 0; i < item->label_count; i++)
        if (strcmp(item->labels[i].name, "job") != 0)
            put_key(url, item->labels[i].name, item->labels[i].value);
    slw_buf_put(&ret_request->body, item->data, item->length);
    return 0;
}

const struct slw_push_kind slw_push_kind_pushgateway = {
    .name = "pushgateway",
    .what = SLW_PUSH_METRICS,
    .summary = "Prometheus' push gateway",
    .ending = "/metrics",
    .method = "PUT",
    .content_type = "text/plain; version=0.0.4; charset=utf-8",
    .replace = true,
    .request = request,
};

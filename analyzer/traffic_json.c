/* SPDX-License-Identifier: MIT */
#include "analyzer/traffic_json.h"

#include "analyzer/json_value.h"

#include <jansson.h>

static json_t *quantiles_json(struct slw_json *j, const struct slw_quantiles *q)
{
    json_t *o = json_object();

    slw_json_put(j, o, "count", slw_json_integer(q->count));
    slw_json_put_figure(j, o, "mean", &q->mean);
    slw_json_put_figure(j, o, "p50", &q->p50);
    slw_json_put_figure(j, o, "p90", &q->p90);
    slw_json_put_figure(j, o, "p99", &q->p99);
    slw_json_put_figure(j, o, "p999", &q->p999);
    slw_json_put_figure(j, o, "max", &q->max);
    return o;
}

json_t *slw_traffic_json(const struct slw_traffic *t)
{
    json_t *o = json_object();
    struct slw_json j = {0};

    slw_json_put(&j, o, "present", json_boolean(t->present));
    slw_json_put_text(&j, o, "protocols", t->protocols);
    slw_json_put(&j, o, "connections", slw_json_integer(t->connections));
    slw_json_put(&j, o, "lost", slw_json_integer(t->lost));
    slw_json_put(&j, o, "unknown", slw_json_integer(t->unknown));
    slw_json_put_text(&j, o, "why", t->why);
    slw_json_put(&j, o, "requests_seen", slw_json_integer(t->seen));
    slw_json_put(&j, o, "responses", slw_json_integer(t->responses));
    slw_json_put(&j, o, "errors", slw_json_integer(t->errors));
    slw_json_put(&j, o, "statements", slw_json_integer(t->statements));
    slw_json_put(&j, o, "prepares", slw_json_integer(t->prepares));
    slw_json_put(&j, o, "pushes", slw_json_integer(t->pushes));
    slw_json_put(&j, o, "rows", slw_json_integer(t->rows));
    slw_json_put(&j, o, "flushes", slw_json_integer(t->flushes));
    slw_json_put(&j, o, "max_batch", slw_json_integer(t->max_batch));
    slw_json_put(&j, o, "max_in_flight", slw_json_integer(t->max_depth));
    slw_json_put_figure(&j, o, "per_second", &t->per_second);
    slw_json_put_figure(&j, o, "batch_factor", &t->batch_factor);
    slw_json_put_figure(&j, o, "statements_per_batch", &t->statements_per_batch);
    slw_json_put_figure(&j, o, "bytes_per_flush", &t->bytes_per_flush);
    slw_json_put_figure(&j, o, "reads_per_request", &t->reads_per_request);
    slw_json_put_figure(&j, o, "in_flight", &t->depth);
    slw_json_put(&j, o, "request_latency", quantiles_json(&j, &t->request));
    slw_json_put(&j, o, "batch_latency", quantiles_json(&j, &t->batch));
    return slw_json_done(&j, o);
}

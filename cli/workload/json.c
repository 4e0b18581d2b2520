/* SPDX-License-Identifier: MIT */
/* Results as JSON, for scripts: whole numbers as they were counted, and what people would divide.
 */
#include "cli/workload/workload_int.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static json_t *whole(uint64_t n)
{
    return json_integer((json_int_t)n);
}

/* Absent where nothing was counted. */
static json_t *histogram(const struct slw_histogram *h)
{
    static const struct {
        const char *name;
        double share;
    } quantiles[] = {{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p999", 0.999}};
    json_t *o = json_object();

    json_object_set_new(o, "count", whole(h->count));
    if (h->count == 0)
        return o;
    json_object_set_new(o, "mean", json_real((double)h->sum / (double)h->count));
    json_object_set_new(o, "min", whole(h->low));
    for (size_t i = 0; i < sizeof(quantiles) / sizeof(quantiles[0]); i++)
        json_object_set_new(o, quantiles[i].name,
                            whole(slw_histogram_quantile(h, quantiles[i].share)));
    json_object_set_new(o, "max", whole(h->high));
    return o;
}

static json_t *outcomes(const struct slw_tally *t)
{
    json_t *o = json_object();

    for (size_t i = 0; i <= SLW_OUTCOME_LOST; i++)
        json_object_set_new(o, slw_outcome_name((enum slw_outcome)i), whole(t->outcomes[i]));
    return o;
}

static json_t *extras(const struct slw_workload_result *r)
{
    json_t *o = json_object();

    for (size_t i = 0; i < r->extra_count; i++) {
        const struct slw_extra *e = &r->extras[i];

        if (isfinite(e->value))
            json_object_set_new(o, e->name,
                                json_pack("{s:f, s:s}", "value", e->value, "unit", e->unit));
    }
    return o;
}

static json_t *one_run(const struct slw_workload_result *r)
{
    const struct slw_tally *t = &r->tally;
    json_t *o = json_object();

    json_object_set_new(o, "requests", whole(t->requests));
    json_object_set_new(o, "elapsed_ns", whole(t->elapsed_ns));
    if (t->elapsed_ns)
        json_object_set_new(o, "requests_per_second",
                            json_real((double)t->requests / ((double)t->elapsed_ns * 1e-9)));
    json_object_set_new(o, "outcomes", outcomes(t));
    json_object_set_new(o, "retries", whole(t->retries));
    json_object_set_new(o, "latency_ns", histogram(&t->latency_ns));
    json_object_set_new(o, "batch", histogram(&t->batch));
    json_object_set_new(o, "user_ns", whole(t->user_ns));
    json_object_set_new(o, "system_ns", whole(t->system_ns));
    json_object_set_new(o, "voluntary_switches", whole(t->voluntary));
    json_object_set_new(o, "involuntary_switches", whole(t->involuntary));
    if (t->requests) {
        const double n = (double)t->requests;
        json_object_set_new(o, "cpu_ns_per_request",
                            json_real((double)(t->user_ns + t->system_ns) / n));
        json_object_set_new(o, "switches_per_request",
                            json_real((double)(t->voluntary + t->involuntary) / n));
    }
    if (r->durability[0])
        json_object_set_new(o, "durability", json_string(r->durability));
    json_object_set_new(o, "extras", extras(r));
    return o;
}

/* As they would be typed, so that the run can be repeated. */
static json_t *settings(const struct slw_choices *c)
{
    json_t *o = json_object();

    for (size_t i = 0; i < c->count; i++) {
        const struct slw_chosen *v = &c->rows[i];

        if (strcmp(v->setting->name, "password") == 0)
            continue;
        if (v->setting->kind == SLW_SETTING_FLAG)
            json_object_set_new(o, v->setting->name, json_boolean(v->given));
        else if (v->text)
            json_object_set_new(o, v->setting->name, json_string(v->text));
    }
    return o;
}

int slw_workload_json(struct slw_buf *out, const struct slw_workload_runs *r, struct slw_error *err)
{
    json_t *o = json_object(), *runs = json_array();

    json_object_set_new(o, "workload", json_string(r->command->workload->name));
    if (r->options->driver)
        json_object_set_new(o, "driver", json_string(r->options->driver->name));
    json_object_set_new(o, "requests", whole(r->options->requests));
    json_object_set_new(o, "warm_up", whole(r->options->warm_up));
    json_object_set_new(o, "settings", settings(&r->command->choices));
    for (size_t i = 0; i < r->count; i++)
        json_array_append_new(runs, one_run(&r->results[i]));
    json_object_set_new(o, "runs", runs);
    char *text = json_dumps(o, JSON_INDENT(2));
    json_decref(o);
    if (!text)
        return slw_fail(err, SLW_E_NOMEM, "no memory for JSON");
    slw_buf_puts(out, text);
    slw_buf_putc(out, '\n');
    free(text);
    return 0;
}

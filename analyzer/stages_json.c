/* SPDX-License-Identifier: MIT */
#include "analyzer/stages_json.h"

#include "analyzer/json_value.h"
#include "analyzer/stages.h"

#include <jansson.h>

static json_t *row_json(struct slw_json *j, const struct slw_stage_row *r)
{
    const struct slw_stage *s = r->stage;
    json_t *o = json_object();

    slw_json_put_text(j, o, "name", s->name);
    slw_json_put_text(j, o, "provider", s->provider);
    slw_json_put_provenance(j, o, &s->from);
    slw_json_put(j, o, "calls", slw_json_integer(s->calls));
    slw_json_put(j, o, "requests", slw_json_integer(s->requests));
    slw_json_put_figure(j, o, "mean_batch", &r->mean_batch);
    slw_json_put(j, o, "max_batch", slw_json_integer(s->max_batch));
    slw_json_put(j, o, "wall_ns", slw_json_integer(s->wall_ns));
    slw_json_put(j, o, "self_ns", slw_json_integer(s->self_ns));
    slw_json_put_maybe(j, o, "cpu_ns", &s->cpu_ns);
    slw_json_put_figure(j, o, "share", &r->share);
    slw_json_put_figure(j, o, "per_request", &r->per_request);
    slw_json_put_figure(j, o, "cpu_per_request", &r->cpu_per_request);
    slw_json_put_figure(j, o, "on_cpu", &r->on_cpu);
    slw_json_put_figure(j, o, "ipc", &r->ipc);
    slw_json_put_figure(j, o, "icache_mpki", &r->icache_mpki);
    slw_json_put_figure(j, o, "frontend_bound", &r->frontend);
    slw_json_put_text(j, o, "counted_detail", s->counted_from.detail);
    slw_json_put(j, o, "missed_begins", slw_json_integer(s->missed_begins));
    slw_json_put(j, o, "missed_ends", slw_json_integer(s->missed_ends));
    return o;
}

json_t *slw_stages_json(const struct slw_run *run)
{
    struct slw_stage_row rows[SLW_MAX_STAGES];
    size_t count = slw_stage_rows(run, rows);
    json_t *array = json_array();
    struct slw_json j = {0};

    for (size_t i = 0; i < count; i++)
        slw_json_push(&j, array, row_json(&j, &rows[i]));
    return slw_json_done(&j, array);
}

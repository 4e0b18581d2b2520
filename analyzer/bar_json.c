/* SPDX-License-Identifier: MIT */
#include "analyzer/bar.h"
#include "analyzer/json_value.h"

#include <jansson.h>

static json_t *part_json(struct slw_json *j, const struct slw_bar *bar,
                         const struct slw_bar_part *p)
{
    json_t *o = json_object();
    const bool requests = !bar->per_request.absent;

    slw_json_put_text(j, o, "part", p->key);
    slw_json_put(j, o, "on_cpu", json_boolean(p->state == SLW_WAIT_ON_CPU));
    slw_json_put(j, o, "ns", slw_json_integer(p->ns));
    slw_json_put(j, o, "share", slw_json_real(p->share));
    slw_json_put(j, o, "per_request_ns", requests ? slw_json_real(p->per_request_ns) : json_null());
    return o;
}

json_t *slw_bar_json(const struct slw_bar *bar)
{
    static const char *const splits[] = {"none", "modes", "topdown", "user-topdown"};
    json_t *o = json_object(), *parts = json_array();
    struct slw_json j = {0};

    slw_json_put_text(&j, o, "absent", bar->absent);
    slw_json_put_figure(&j, o, "wall", &bar->wall);
    slw_json_put_figure(&j, o, "per_request", &bar->per_request);
    slw_json_put(&j, o, "threads", slw_json_integer(bar->thread_count));
    slw_json_put(&j, o, "lost_threads", slw_json_integer(bar->lost_threads));
    slw_json_put(&j, o, "on_cpu_split", json_string_nocheck(splits[bar->split]));
    slw_json_put_text(&j, o, "not_by_pipeline", bar->split_absent);
    for (size_t i = 0; i < bar->part_count; i++)
        slw_json_push(&j, parts, part_json(&j, bar, &bar->parts[i]));
    slw_json_put(&j, o, "parts", parts);
    return slw_json_done(&j, o);
}

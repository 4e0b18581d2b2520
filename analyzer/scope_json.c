/* SPDX-License-Identifier: MIT */
#include "analyzer/scope_json.h"

#include "analyzer/json_value.h"

#include <jansson.h>
#include <math.h>

static json_t *figure(struct slw_json *j, const struct slw_figure *f)
{
    json_t *o = json_object();
    const bool known = !f->absent && isfinite(f->value);

    slw_json_put(j, o, "value", known ? json_real(f->value) : json_null());
    slw_json_put(j, o, "absent", slw_json_text(f->absent));
    slw_json_put(j, o, "coverage", known ? json_real(f->coverage) : json_null());
    return o;
}

static json_t *scope(struct slw_json *j, const struct slw_report *r, const struct slw_scope *s)
{
    json_t *o = json_object(), *nodes = json_object();

    slw_json_put(j, o, "cpu_ns", figure(j, &s->cpu));
    slw_json_put(j, o, "ipc", figure(j, &s->ipc));
    slw_json_put(j, o, "context_switches", figure(j, &s->switches));
    for (size_t i = 0; i < r->scopes->node_count; i++)
        slw_json_put(j, nodes, r->scopes->nodes[i]->name, figure(j, &s->nodes[i]));
    slw_json_put(j, o, "level1", nodes);
    return o;
}

static json_t *append(struct slw_json *j, json_t *array, json_t *o)
{
    slw_json_push(j, array, o);
    return o;
}

json_t *slw_scope_tasks_json(const struct slw_report *r)
{
    const struct slw_scopes *all = r->scopes;
    json_t *o = json_object(), *list = json_array();
    struct slw_json j = {0};

    for (size_t i = 0; i < all->task_count; i++) {
        const struct slw_scope *s = &all->tasks[i];
        json_t *t = append(&j, list, scope(&j, r, s));

        slw_json_put(&j, t, "comm", slw_json_text(s->name));
        slw_json_put(&j, t, "pid", s->pid < 0 ? json_null() : json_integer(s->pid));
        slw_json_put(&j, t, "tid", s->tid < 0 ? json_null() : json_integer(s->tid));
        slw_json_put(&j, t, "task_count", slw_json_integer(s->task_count));
        slw_json_put(&j, t, "share", figure(&j, &s->share));
    }
    slw_json_put(&j, o, "list", list);
    slw_json_put(&j, o, "unaccounted_cpu_ns",
                 all->task_count > 0 ? figure(&j, &all->rest) : json_null());
    slw_json_put(&j, o, "unaccounted_most", json_real(all->rest_share));
    slw_json_put(&j, o, "unaccounted_event", slw_json_text(all->rest_event));
    return slw_json_done(&j, o);
}

json_t *slw_scope_modes_json(const struct slw_report *r)
{
    const struct slw_scopes *all = r->scopes;
    json_t *o = json_object();
    struct slw_json j = {0};

    for (size_t i = 0; i < all->mode_count; i++) {
        json_t *m = scope(&j, r, &all->modes[i]);

        slw_json_put(&j, m, "share", figure(&j, &all->modes[i].share));
        slw_json_put(&j, o, all->modes[i].name, m);
    }
    return slw_json_done(&j, o);
}

json_t *slw_scope_intervals_json(const struct slw_report *r)
{
    const struct slw_scopes *all = r->scopes;
    json_t *list = json_array();
    struct slw_json j = {0};

    for (size_t i = 0; i < all->interval_count; i++) {
        const struct slw_scope *s = &all->intervals[i];
        json_t *t = append(&j, list, scope(&j, r, s));

        slw_json_put(&j, t, "start_ns", slw_json_integer(s->when.start_ns));
        slw_json_put(&j, t, "length_ns", slw_json_integer(s->when.length_ns));
        slw_json_put(&j, t, "cpus_busy", figure(&j, &s->share));
    }
    return slw_json_done(&j, list);
}

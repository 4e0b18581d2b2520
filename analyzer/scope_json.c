/* SPDX-License-Identifier: MIT */
#include "analyzer/scope_json.h"

#include "analyzer/json_value.h"

#include <jansson.h>
#include <math.h>

/* Building is sticky: jansson's *_new functions take NULL values as failure. */
static void put(bool *failed, json_t *object, const char *key, json_t *value)
{
    *failed |= json_object_set_new_nocheck(object, key, value) < 0;
}

static json_t *figure(bool *failed, const struct slw_figure *f)
{
    json_t *o = json_object();
    const bool known = !f->absent && isfinite(f->value);

    put(failed, o, "value", known ? json_real(f->value) : json_null());
    put(failed, o, "absent", slw_json_text(f->absent));
    put(failed, o, "coverage", known ? json_real(f->coverage) : json_null());
    return o;
}

static json_t *scope(bool *failed, const struct slw_report *r, const struct slw_scope *s)
{
    json_t *o = json_object(), *nodes = json_object();

    put(failed, o, "cpu_ns", figure(failed, &s->cpu));
    put(failed, o, "ipc", figure(failed, &s->ipc));
    put(failed, o, "context_switches", figure(failed, &s->switches));
    for (size_t i = 0; i < r->scopes->node_count; i++)
        put(failed, nodes, r->scopes->nodes[i]->name, figure(failed, &s->nodes[i]));
    put(failed, o, "level1", nodes);
    return o;
}

static json_t *append(bool *failed, json_t *array, json_t *o)
{
    *failed |= json_array_append_new(array, o) < 0;
    return o;
}

static json_t *done(bool failed, json_t *j)
{
    if (!failed)
        return j;
    json_decref(j);
    return NULL;
}

json_t *slw_scope_tasks_json(const struct slw_report *r)
{
    const struct slw_scopes *all = r->scopes;
    json_t *o = json_object(), *list = json_array();
    bool failed = false;

    for (size_t i = 0; i < all->task_count; i++) {
        const struct slw_scope *s = &all->tasks[i];
        json_t *t = append(&failed, list, scope(&failed, r, s));

        put(&failed, t, "comm", slw_json_text(s->name));
        put(&failed, t, "pid", s->pid < 0 ? json_null() : json_integer(s->pid));
        put(&failed, t, "tid", s->tid < 0 ? json_null() : json_integer(s->tid));
        put(&failed, t, "task_count", slw_json_integer(s->task_count));
        put(&failed, t, "share", figure(&failed, &s->share));
    }
    put(&failed, o, "list", list);
    put(&failed, o, "unaccounted_cpu_ns",
        all->task_count > 0 ? figure(&failed, &all->rest) : json_null());
    put(&failed, o, "unaccounted_most", json_real(all->rest_share));
    put(&failed, o, "unaccounted_event", slw_json_text(all->rest_event));
    return done(failed, o);
}

json_t *slw_scope_modes_json(const struct slw_report *r)
{
    const struct slw_scopes *all = r->scopes;
    json_t *o = json_object();
    bool failed = false;

    for (size_t i = 0; i < all->mode_count; i++) {
        json_t *m = scope(&failed, r, &all->modes[i]);

        put(&failed, m, "share", figure(&failed, &all->modes[i].share));
        put(&failed, o, all->modes[i].name, m);
    }
    return done(failed, o);
}

json_t *slw_scope_intervals_json(const struct slw_report *r)
{
    const struct slw_scopes *all = r->scopes;
    json_t *list = json_array();
    bool failed = false;

    for (size_t i = 0; i < all->interval_count; i++) {
        const struct slw_scope *s = &all->intervals[i];
        json_t *t = append(&failed, list, scope(&failed, r, s));

        put(&failed, t, "start_ns", slw_json_integer(s->when.start_ns));
        put(&failed, t, "length_ns", slw_json_integer(s->when.length_ns));
        put(&failed, t, "cpus_busy", figure(&failed, &s->share));
    }
    return done(failed, list);
}

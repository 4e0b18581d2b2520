/* SPDX-License-Identifier: MIT */
#include "analyzer/waiting_json.h"

#include "analyzer/json_value.h"
#include "analyzer/waiting.h"

#include <jansson.h>

static const char *const keys[] = {
#define SLW_WAIT(id, key, words) #key,
#include "record/waits.def"
#undef SLW_WAIT
};

static json_t *states_json(struct slw_json *j, const struct slw_waiting *w)
{
    struct slw_waiting_part parts[SLW_WAIT_COUNT];
    size_t count = slw_waiting_parts(w, parts);
    json_t *states = json_array();

    for (size_t i = 0; i < count; i++) {
        json_t *o = json_object();

        slw_json_put_text(j, o, "state", keys[parts[i].state]);
        slw_json_put(j, o, "ns", slw_json_integer(parts[i].ns));
        slw_json_put(j, o, "waits", slw_json_integer(parts[i].waits));
        slw_json_put(j, o, "share", slw_json_real(parts[i].share));
        slw_json_push(j, states, o);
    }
    return states;
}

json_t *slw_waiting_json(const struct slw_run *run)
{
    json_t *array = json_array();
    struct slw_json j = {0};

    for (size_t i = 0; i < run->waiting_count; i++) {
        const struct slw_waiting *w = &run->waiting[i];
        json_t *o = json_object();

        slw_json_put_text(&j, o, "comm", w->comm);
        slw_json_put(&j, o, "pid", w->pid < 0 ? json_null() : json_integer(w->pid));
        slw_json_put(&j, o, "tid", w->tid < 0 ? json_null() : json_integer(w->tid));
        slw_json_put_provenance(&j, o, &w->from);
        slw_json_put(&j, o, "by_cause", json_boolean(w->by_cause));
        slw_json_put(&j, o, "wall_ns", slw_json_integer(w->wall_ns));
        slw_json_put(&j, o, "states", states_json(&j, w));
        slw_json_put(&j, o, "context_switches", slw_json_integer(slw_waiting_switches(w)));
        slw_json_put_maybe(&j, o, "syscalls", &w->syscalls);
        slw_json_put(&j, o, "thread_count", slw_json_integer(w->thread_count));
        slw_json_put(&j, o, "lost_threads", slw_json_integer(w->lost_threads));
        slw_json_push(&j, array, o);
    }
    return slw_json_done(&j, array);
}

json_t *slw_waited_for_json(const struct slw_run *run)
{
    json_t *array = json_array();
    struct slw_json j = {0};

    for (size_t i = 0; i < run->waited_for_count; i++) {
        const struct slw_waited_for *w = &run->waited_for[i];
        json_t *o = json_object();

        slw_json_put_text(&j, o, "state", keys[w->state]);
        slw_json_put_text(&j, o, "what", w->what);
        slw_json_put(&j, o, "pid", w->pid < 0 ? json_null() : json_integer(w->pid));
        slw_json_put(&j, o, "ns", slw_json_integer(w->ns));
        slw_json_put(&j, o, "waits", slw_json_integer(w->waits));
        slw_json_push(&j, array, o);
    }
    return slw_json_done(&j, array);
}

/* SPDX-License-Identifier: MIT */
#include "collector/sample_group.h"

#include <linux/perf_event.h>
#include <string.h>

struct draft {
    const struct slw_model *model;
    int reserved_counters;
    int events[SLW_MAX_GROUP_EVENTS];
    size_t count;
};

/* Add what is needed; false and nothing added when it does not fit or cannot be had. */
static bool add_needed(struct draft *d, const bool *needed, const char *const *absent,
                       const char **ret_why)
{
    struct draft more = *d;

    for (size_t i = 0; i < d->model->event_count; i++) {
        bool there = false;

        for (size_t k = 0; k < more.count; k++)
            there |= more.events[k] == (int)i;
        if (!needed[i] || there)
            continue;
        if (absent && absent[i]) {
            *ret_why = absent[i];
            return false;
        }
        if (more.count + 1 >= SLW_MAX_GROUP_EVENTS) { /* one place is for what samples */
            *ret_why = "the events of level 1 are too many for one group";
            return false;
        }
        more.events[more.count++] = (int)i;
    }
    if (!slw_plan_fits(d->model, more.events, more.count, d->reserved_counters)) {
        *ret_why = "the events of level 1 do not fit on the counters together";
        return false;
    }
    *d = more;
    return true;
}

static int slots_event(const struct slw_model *m)
{
    for (size_t i = 0; i < m->event_count; i++)
        if (m->events[i].role == SLW_EVENT_SLOTS)
            return (int)i;
    return -1;
}

/* What level 1 needs, with cycles and, where parts of PERF_METRICS are, their leader. */
static void base_needs(const struct slw_model *m, const struct slw_model_vars *vars, int cycles,
                       bool *needed)
{
    int slots = slots_event(m);

    if (cycles >= 0)
        needed[cycles] = true;
    for (size_t i = 0; i < m->node_count; i++)
        if (m->nodes[i].level == 1)
            slw_model_needs_with(m, i, vars, needed);
    for (size_t i = 0; i < m->event_count; i++)
        if (needed[i] && m->events[i].role == SLW_EVENT_PERF_METRIC && slots >= 0)
            needed[slots] = true;
}

static void add_metrics(struct draft *d, const struct slw_model_vars *vars,
                        const char *const *absent)
{
    static const char *const metrics[] = {"ipc", "icache_mpki"};

    for (size_t i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++) {
        bool needed[SLW_MAX_MODEL_EVENTS] = {false};
        const char *why;
        int node = slw_model_find_node(d->model, metrics[i]);

        if (node < 0)
            continue;
        slw_model_needs_with(d->model, (size_t)node, vars, needed);
        (void)add_needed(d, needed, absent, &why); /* the report says which are missing */
    }
}

static void add_event(struct slw_sample_group *g, const struct slw_model *m, int index)
{
    const struct slw_model_event *e = &m->events[index];

    g->events[g->event_count++] =
        (struct slw_plan_event){.model_event = index,
                                .name = e->name,
                                .unit = e->role == SLW_EVENT_PLAIN ? "events" : "slots",
                                .type = e->type,
                                .config = e->config,
                                .config1 = e->config1,
                                .role = e->role};
}

/* Cycles at the nominal clock have a counter of their own on Intel, the third fixed one. */
static const struct slw_plan_event ref_cycles = {.model_event = -1,
                                                 .name = "ref-cycles",
                                                 .unit = "events",
                                                 .type = PERF_TYPE_HARDWARE,
                                                 .config = PERF_COUNT_HW_REF_CPU_CYCLES};

static bool has_ref_cycles(const struct slw_model *m)
{
    return m->fixed_counters >= 3 && m->match_count > 0 && m->matches[0].vendor &&
           strcmp(m->matches[0].vendor, "GenuineIntel") == 0;
}

/* Slots lead where they are; cycles come next and sample. */
static void take(const struct draft *d, int cycles, struct slw_sample_group *g)
{
    for (size_t i = 0; i < d->count; i++)
        if (d->model->events[d->events[i]].role == SLW_EVENT_SLOTS)
            add_event(g, d->model, d->events[i]);
    g->sampling = g->event_count;
    if (cycles >= 0)
        add_event(g, d->model, cycles);
    else
        g->events[g->event_count++] = ref_cycles;
    for (size_t i = 0; i < d->count; i++)
        if (d->events[i] != cycles && d->model->events[d->events[i]].role != SLW_EVENT_SLOTS)
            add_event(g, d->model, d->events[i]);
}

/* With cycles, or, where hyper-threading leaves no counter for those (Haswell to Cascade Lake count
 * the cycles of both threads in their place), with reference cycles. */
static bool draft_base(struct draft *d, const struct slw_model_vars *vars,
                       const char *const *absent, int *cycles, const char **ret_why)
{
    bool needed[SLW_MAX_MODEL_EVENTS] = {false}, without[SLW_MAX_MODEL_EVENTS] = {false};

    base_needs(d->model, vars, *cycles, needed);
    if (add_needed(d, needed, absent, ret_why))
        return true;
    if (!has_ref_cycles(d->model))
        return false;
    *cycles = -1;
    base_needs(d->model, vars, -1, without);
    return add_needed(d, without, absent, ret_why);
}

void slw_sample_group_plan(const struct slw_model *m, const struct slw_model_vars *vars,
                           int reserved_counters, const char *const *absent,
                           struct slw_sample_group *ret_group)
{
    struct draft d = {.model = m, .reserved_counters = reserved_counters};
    int cycles = slw_model_cycles_event(m);

    *ret_group = (struct slw_sample_group){0};
    if (m->event_count > SLW_MAX_MODEL_EVENTS || cycles < 0) {
        ret_group->why = "the CPU model has no event for cycles";
        return;
    }
    if (!draft_base(&d, vars, absent, &cycles, &ret_group->why))
        return;
    add_metrics(&d, vars, absent);
    if (d.count < 2) {
        ret_group->why = "no event but cycles can be counted";
        return;
    }
    ret_group->why = NULL;
    take(&d, cycles, ret_group);
}

void slw_sample_group_software(struct slw_sample_group *ret_group)
{
    *ret_group = (struct slw_sample_group){.event_count = 3,
                                           .events = {{.model_event = -1,
                                                       .name = "cpu-clock",
                                                       .unit = "nanoseconds",
                                                       .type = PERF_TYPE_SOFTWARE,
                                                       .config = PERF_COUNT_SW_CPU_CLOCK},
                                                      {.model_event = -1,
                                                       .name = "page-faults",
                                                       .unit = "events",
                                                       .type = PERF_TYPE_SOFTWARE,
                                                       .config = PERF_COUNT_SW_PAGE_FAULTS},
                                                      {.model_event = -1,
                                                       .name = "context-switches",
                                                       .unit = "events",
                                                       .type = PERF_TYPE_SOFTWARE,
                                                       .config = PERF_COUNT_SW_CONTEXT_SWITCHES,
                                                       .kernel_only = true}}};
}

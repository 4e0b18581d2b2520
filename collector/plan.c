/* SPDX-License-Identifier: MIT */
#include "collector/plan.h"

#include "base/cleanup.h"

#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>

/* A group under construction: indexes of model events. */
struct draft {
    int events[SLW_MAX_GROUP_EVENTS];
    size_t count;
};

struct planner {
    const struct slw_plan_options *opts;
    const struct slw_model *model;
    struct draft drafts[SLW_MAX_GROUPS];
    size_t draft_count;
    struct slw_plan *plan;
    size_t gap_capacity;
    int slots_event; /* -1: the model has none */
};

static const struct slw_plan_event software_events[] = {
    {-1, "task-clock", "ns", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_TASK_CLOCK, 0, SLW_EVENT_PLAIN,
     false, true, false},
    {-1, "context-switches", "events", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CONTEXT_SWITCHES, 0,
     SLW_EVENT_PLAIN, true, false, false},
    {-1, "cpu-migrations", "events", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_MIGRATIONS, 0,
     SLW_EVENT_PLAIN, true, false, false},
    {-1, "page-faults", "events", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_PAGE_FAULTS, 0, SLW_EVENT_PLAIN,
     false, false, false},
    {-1, "minor-faults", "events", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_PAGE_FAULTS_MIN, 0,
     SLW_EVENT_PLAIN, false, false, false},
    {-1, "major-faults", "events", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_PAGE_FAULTS_MAJ, 0,
     SLW_EVENT_PLAIN, false, false, false},
};

static const struct slw_plan_event generic_events[SLW_PLAN_GENERIC_EVENTS] = {
    {-1, "cycles", "events", PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES, 0, SLW_EVENT_PLAIN,
     false, false, false},
    {-1, "instructions", "events", PERF_TYPE_HARDWARE, PERF_COUNT_HW_INSTRUCTIONS, 0,
     SLW_EVENT_PLAIN, false, false, false},
    {-1, "branches", "events", PERF_TYPE_HARDWARE, PERF_COUNT_HW_BRANCH_INSTRUCTIONS, 0,
     SLW_EVENT_PLAIN, false, false, false},
    {-1, "branch-misses", "events", PERF_TYPE_HARDWARE, PERF_COUNT_HW_BRANCH_MISSES, 0,
     SLW_EVENT_PLAIN, false, false, false},
};

/* On a CPU as a target the task clock never stands still: it tells the length of the measurement,
 * not the CPU time of anybody, and must not be taken for it. */
static void use_cpu_clock(struct slw_plan_event *clock)
{
    clock->name = "cpu-clock";
    clock->config = PERF_COUNT_SW_CPU_CLOCK;
}

static void add_fixed_group(struct slw_plan *p, enum slw_source source,
                            const struct slw_plan_event *events, size_t count)
{
    struct slw_plan_group *g = &p->groups[p->group_count++];

    g->source = source;
    g->event_count = count;
    memcpy(g->events, events, count * sizeof(events[0]));
}

/* Nobody told how many counters this CPU has: all together, or in smaller groups when some of them
 * turned out to be missing. */
static void add_generic(struct slw_plan *p, int reserved_counters)
{
    size_t size = SLW_PLAN_GENERIC_EVENTS - (size_t)reserved_counters;

    for (size_t i = 0; i < SLW_PLAN_GENERIC_EVENTS; i += size)
        add_fixed_group(p, SLW_SOURCE_HARDWARE, generic_events + i,
                        i + size <= SLW_PLAN_GENERIC_EVENTS ? size : SLW_PLAN_GENERIC_EVENTS - i);
}

static bool draft_has(const struct draft *d, int event)
{
    for (size_t i = 0; i < d->count; i++)
        if (d->events[i] == event)
            return true;
    return false;
}

/* The draft with the events of `more` it lacks; false when that does not fit the counters. */
static bool merged(const struct planner *p, const struct draft *d, const struct draft *more,
                   struct draft *ret_draft)
{
    struct draft m = *d;

    for (size_t i = 0; i < more->count; i++) {
        if (draft_has(&m, more->events[i]))
            continue;
        if (m.count == SLW_MAX_GROUP_EVENTS)
            return false;
        m.events[m.count++] = more->events[i];
    }
    if (!slw_plan_fits(p->model, m.events, m.count, p->opts->reserved_counters))
        return false;
    *ret_draft = m;
    return true;
}

static size_t overlap(const struct draft *a, const struct draft *b)
{
    size_t common = 0;

    for (size_t i = 0; i < b->count; i++)
        common += draft_has(a, b->events[i]);
    return common;
}

/* Put the events into the group that shares most with them and has room; else into a new one.
 * 1: done, 0: they do not even fit alone. */
static int put_together(struct planner *p, const struct draft *events, struct slw_error *err)
{
    struct draft best_draft = {0}, trial;
    size_t best = SLW_MAX_GROUPS, best_overlap = 0;

    for (size_t i = 0; i < p->draft_count; i++) {
        size_t common = overlap(&p->drafts[i], events);

        if (common == events->count)
            return 1;
        if ((best == SLW_MAX_GROUPS || common > best_overlap) &&
            merged(p, &p->drafts[i], events, &trial)) {
            best = i;
            best_overlap = common;
            best_draft = trial;
        }
    }
    if (best == SLW_MAX_GROUPS) {
        if (!merged(p, &(struct draft){0}, events, &best_draft))
            return 0;
        if (p->draft_count + 1 >= SLW_MAX_GROUPS)
            return slw_fail(err, SLW_E_LIMIT, "the events need more than %d groups",
                            SLW_MAX_GROUPS);
        best = p->draft_count++;
    }
    p->drafts[best] = best_draft;
    return 1;
}

static int add_gap(struct planner *p, int event, int node, const char *why, struct slw_error *err)
{
    struct slw_plan *plan = p->plan;

    for (size_t i = 0; i < plan->gap_count; i++)
        if (plan->gaps[i].model_event == event && plan->gaps[i].node == node)
            return 0;
    if (plan->gap_count == p->gap_capacity) {
        size_t capacity = p->gap_capacity ? p->gap_capacity * 2 : 16;
        void *more = realloc(plan->gaps, capacity * sizeof(plan->gaps[0]));

        if (!more)
            return slw_fail(err, SLW_E_NOMEM, "no memory for a plan");
        plan->gaps = more;
        p->gap_capacity = capacity;
    }
    plan->gaps[plan->gap_count++] = (struct slw_plan_gap){event, node, why};
    return 0;
}

/* Each on its own where there is room: the ratio will be of different times, which the gap says. */
static int put_apart(struct planner *p, const int *events, size_t count, int node,
                     struct slw_error *err)
{
    int rc = add_gap(p, -1, node, "its events do not fit into one group", err);

    for (size_t i = 0; i < count && rc >= 0; i++) {
        struct draft one = {.events = {events[i]}, .count = 1};

        if (p->model->events[events[i]].role == SLW_EVENT_PERF_METRIC)
            one = (struct draft){.events = {p->slots_event, events[i]}, .count = 2};
        rc = put_together(p, &one, err);
        if (rc == 0)
            rc = add_gap(p, events[i], -1, "no counter of this CPU can hold it", err);
    }
    return rc < 0 ? rc : 0;
}

static bool wanted(const struct planner *p, size_t node)
{
    return p->model->nodes[node].level <= p->opts->level;
}

static void needs_of(const struct planner *p, size_t node, bool *needed)
{
    if (p->opts->vars)
        slw_model_needs_with(p->model, node, p->opts->vars, needed);
    else
        p->opts->needs(p->model, node, needed);
}

/* The events node needs and that can be had, the slots leader first where it must be there. */
static int collect_events(struct planner *p, size_t node, int *events, size_t *ret_count,
                          struct slw_error *err)
{
    bool needed[SLW_MAX_MODEL_EVENTS] = {false};
    size_t count = 0;
    bool metric = false;

    needs_of(p, node, needed);
    for (size_t i = 0; i < p->model->event_count; i++)
        metric |= needed[i] && p->model->events[i].role == SLW_EVENT_PERF_METRIC;
    if (metric && p->slots_event >= 0)
        needed[p->slots_event] = true;
    for (size_t i = 0; i < p->model->event_count; i++) {
        const char *why = p->opts->absent ? p->opts->absent[i] : NULL;

        if (needed[i] && why) {
            int rc = add_gap(p, (int)i, -1, why, err);
            if (rc < 0)
                return rc;
        } else if (needed[i]) {
            events[count++] = (int)i;
        }
    }
    *ret_count = count;
    return 0;
}

static int plan_node(struct planner *p, size_t node, struct slw_error *err)
{
    int events[SLW_MAX_MODEL_EVENTS];
    size_t count = 0;
    int rc = collect_events(p, node, events, &count, err);

    if (rc < 0 || count == 0)
        return rc;
    if (count <= SLW_MAX_GROUP_EVENTS) {
        struct draft d = {.count = count};

        memcpy(d.events, events, count * sizeof(events[0]));
        rc = put_together(p, &d, err);
        if (rc != 0)
            return rc < 0 ? rc : 0;
    }
    return put_apart(p, events, count, (int)node, err);
}

/* All parts of PERF_METRICS are one register: they go into one group from the start, so that no
 * later node splits them. */
static int plan_metric_parts(struct planner *p, struct slw_error *err)
{
    bool needed[SLW_MAX_MODEL_EVENTS] = {false};
    struct draft d = {.events = {p->slots_event}, .count = 1};

    for (size_t i = 0; i < p->model->node_count; i++)
        if (wanted(p, i))
            needs_of(p, i, needed);
    for (size_t i = 0; i < p->model->event_count; i++)
        if (needed[i] && p->model->events[i].role == SLW_EVENT_PERF_METRIC &&
            !(p->opts->absent && p->opts->absent[i]) && d.count < SLW_MAX_GROUP_EVENTS)
            d.events[d.count++] = (int)i;
    if (p->slots_event < 0 || d.count == 1 || (p->opts->absent && p->opts->absent[p->slots_event]))
        return 0;
    int rc = put_together(p, &d, err);
    return rc < 0 ? rc : 0;
}

static struct slw_plan_event model_event(const struct slw_model *m, int index)
{
    const struct slw_model_event *e = &m->events[index];
    bool slots = e->role != SLW_EVENT_PLAIN;

    return (struct slw_plan_event){.model_event = index,
                                   .name = e->name,
                                   .unit = slots ? "slots" : "events",
                                   .type = e->type,
                                   .config = e->config,
                                   .config1 = e->config1,
                                   .role = e->role};
}

/* Drafts become groups; slots leads wherever it is. */
static void take_drafts(struct planner *p)
{
    for (size_t i = 0; i < p->draft_count; i++) {
        struct slw_plan_group *g = &p->plan->groups[p->plan->group_count++];
        const struct draft *d = &p->drafts[i];

        g->source = SLW_SOURCE_HARDWARE;
        for (size_t k = 0; k < d->count; k++)
            g->events[g->event_count++] = model_event(p->model, d->events[k]);
        for (size_t k = 1; k < g->event_count; k++) {
            if (g->events[k].role != SLW_EVENT_SLOTS)
                continue;
            struct slw_plan_event leader = g->events[k];
            g->events[k] = g->events[0];
            g->events[0] = leader;
        }
    }
}

static int plan_model(struct slw_plan *plan, const struct slw_plan_options *opts,
                      struct slw_error *err)
{
    const struct slw_model *m = opts->model;
    struct planner *SLW_AUTO(free) p = calloc(1, sizeof(*p));

    if (!p)
        return slw_fail(err, SLW_E_NOMEM, "no memory for a plan");
    if (m->event_count > SLW_MAX_MODEL_EVENTS)
        return slw_fail(err, SLW_E_LIMIT, "model %s has more than %d events", m->name,
                        SLW_MAX_MODEL_EVENTS);
    p->opts = opts;
    p->model = m;
    p->plan = plan;
    p->slots_event = -1;
    for (size_t i = 0; i < m->event_count; i++)
        if (m->events[i].role == SLW_EVENT_SLOTS)
            p->slots_event = (int)i;
    int rc = plan_metric_parts(p, err);
    for (int level = 0; level <= opts->level && rc == 0; level++)
        for (size_t i = 0; i < m->node_count && rc == 0; i++)
            if (m->nodes[i].level == level)
                rc = plan_node(p, i, err);
    if (rc == 0)
        take_drafts(p);
    return rc;
}

/* A counter counts in one set of modes only: for two, every group is there twice, and where the
 * counters do not hold both sets they take turns. */
static int set_modes(struct slw_plan *p, const struct slw_plan_options *opts, struct slw_error *err)
{
    const size_t planned = p->group_count;

    for (size_t g = 0; g < planned; g++)
        if (p->groups[g].source == SLW_SOURCE_HARDWARE)
            p->groups[g].mode = opts->split_modes ? SLW_MODE_USER : opts->mode;
    for (size_t g = 0; g < planned && opts->split_modes; g++) {
        if (p->groups[g].source != SLW_SOURCE_HARDWARE)
            continue;
        if (p->group_count == SLW_MAX_GROUPS)
            return slw_fail(err, SLW_E_LIMIT, "the events of both modes need more than %d groups",
                            SLW_MAX_GROUPS);
        p->groups[p->group_count] = p->groups[g];
        p->groups[p->group_count++].mode = SLW_MODE_KERNEL;
    }
    return 0;
}

int slw_plan_new(const struct slw_plan_options *opts, struct slw_plan **ret_plan,
                 struct slw_error *err)
{
    struct slw_plan *p = calloc(1, sizeof(*p));
    int rc = 0;

    if (p)
        p->groups = calloc(SLW_MAX_GROUPS, sizeof(p->groups[0]));
    if (!p || !p->groups) {
        slw_plan_free(p);
        return slw_fail(err, SLW_E_NOMEM, "no memory for a plan");
    }
    add_fixed_group(p, SLW_SOURCE_SOFTWARE, software_events,
                    sizeof(software_events) / sizeof(software_events[0]));
    if (opts->system_wide)
        use_cpu_clock(&p->groups[0].events[0]);
    if (opts->hardware && opts->model)
        rc = plan_model(p, opts, err);
    else if (opts->hardware)
        add_generic(p, opts->reserved_counters);
    if (rc == 0)
        rc = set_modes(p, opts, err);
    if (rc < 0) {
        slw_plan_free(p);
        return rc;
    }
    *ret_plan = p;
    return 0;
}

void slw_plan_free(struct slw_plan *p)
{
    if (!p)
        return;
    free(p->groups);
    free(p->gaps);
    free(p);
}

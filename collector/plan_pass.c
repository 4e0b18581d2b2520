/* SPDX-License-Identifier: MIT */
#include "collector/plan_pass.h"

#include "collector/budget.h"
#include "collector/perf_events.h"
#include "models/perf_name.h"

#include <linux/perf_event.h>

size_t slw_plan_hardware_groups(const struct slw_plan *p)
{
    size_t count = 0;

    for (size_t g = 0; g < p->group_count; g++)
        count += p->groups[g].source == SLW_SOURCE_HARDWARE;
    return count;
}

bool slw_plan_counts_instructions(const struct slw_model *m, int model_event)
{
    const int known = m ? slw_model_find_perf_event(m, "instructions") : -1;

    if (known < 0 || model_event < 0)
        return false;
    const struct slw_model_event *a = &m->events[known], *b = &m->events[model_event];
    return a->type == b->type && a->config == b->config && a->config1 == b->config1;
}

static bool group_counts_instructions(const struct slw_plan_group *g, const struct slw_model *m)
{
    for (size_t i = 0; i < g->event_count; i++) {
        const struct slw_plan_event *e = &g->events[i];

        if (slw_plan_counts_instructions(m, e->model_event) ||
            (e->type == PERF_TYPE_HARDWARE && e->config == PERF_COUNT_HW_INSTRUCTIONS))
            return true;
    }
    return false;
}

static bool has_room(const struct slw_plan *p, const struct slw_sys *sys)
{
    static const struct slw_perf_event instructions = {"instructions", "count", SLW_SOURCE_HARDWARE,
                                                       PERF_TYPE_HARDWARE,
                                                       PERF_COUNT_HW_INSTRUCTIONS};

    return p->group_count == SLW_PASS_REFERENCE &&
           slw_budget_opens(sys, instructions.type, instructions.config, 0) &&
           slw_budget_fits(sys, p, &instructions);
}

void slw_plan_keep(struct slw_plan *p, size_t n, const struct slw_model *m,
                   const struct slw_sys *sys)
{
    size_t kept = 0, hardware = 0;

    for (size_t g = 0; g < p->group_count; g++)
        if (p->groups[g].source != SLW_SOURCE_HARDWARE || ++hardware == n)
            p->groups[kept++] = p->groups[g];
    p->group_count = kept;
    /* On a machine with several kinds of core the generic event is another one on each. */
    if (kept != SLW_PASS_REFERENCE || p->groups[SLW_PASS_GROUP].kind ||
        group_counts_instructions(&p->groups[SLW_PASS_GROUP], m) || !has_room(p, sys))
        return;
    p->groups[p->group_count++] =
        (struct slw_plan_group){.source = SLW_SOURCE_HARDWARE,
                                .event_count = 1,
                                .events = {{.model_event = -1,
                                            .name = "instructions",
                                            .unit = "events",
                                            .type = PERF_TYPE_HARDWARE,
                                            .config = PERF_COUNT_HW_INSTRUCTIONS}}};
}

/* SPDX-License-Identifier: MIT */
/* Do events fit on the counters together? A matching of events to counters. */
#include "collector/plan.h"

#include <string.h>

#define MAX_COUNTERS 64

/* Counters for one event each, general ones from bit 0. */
struct matching {
    int holder[MAX_COUNTERS]; /* index of the event on this counter, -1: free */
    const uint64_t *masks;    /* of each event */
};

/* Kuhn's algorithm: find a counter for the event, moving others where that helps. */
static bool place(struct matching *m, int event, uint64_t *visited)
{
    for (int counter = 0; counter < MAX_COUNTERS; counter++) {
        uint64_t bit = UINT64_C(1) << counter;

        if (!(m->masks[event] & bit) || (*visited & bit))
            continue;
        *visited |= bit;
        if (m->holder[counter] < 0 || place(m, m->holder[counter], visited)) {
            m->holder[counter] = event;
            return true;
        }
    }
    return false;
}

static bool match_all(const uint64_t *masks, size_t count)
{
    struct matching m = {.masks = masks};

    for (int i = 0; i < MAX_COUNTERS; i++)
        m.holder[i] = -1;
    for (size_t i = 0; i < count; i++) {
        uint64_t visited = 0;

        if (!place(&m, (int)i, &visited))
            return false;
    }
    return true;
}

static uint64_t low_bits(int count)
{
    return count >= MAX_COUNTERS ? UINT64_MAX : (UINT64_C(1) << count) - 1;
}

static bool has_slots(const struct slw_model *m, const int *events, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (m->events[events[i]].role == SLW_EVENT_SLOTS)
            return true;
    return false;
}

bool slw_plan_fits(const struct slw_model *m, const int *events, size_t count,
                   int reserved_counters)
{
    uint64_t masks[SLW_MAX_GROUP_EVENTS];
    int budget = m->general_counters - reserved_counters;
    uint64_t general = low_bits(m->general_counters > 0 ? m->general_counters : 0), fixed_used = 0;
    size_t on_general = 0;

    if (count > SLW_MAX_GROUP_EVENTS)
        return false;
    for (size_t i = 0; i < count; i++) {
        const struct slw_model_event *e = &m->events[events[i]];

        if (e->role == SLW_EVENT_PERF_METRIC && !has_slots(m, events, count))
            return false;
        if (e->role == SLW_EVENT_PERF_METRIC)
            continue; /* lives in one register beside the slots counter */
        if (e->fixed >= 0 && e->fixed < MAX_COUNTERS && !(fixed_used >> e->fixed & 1)) {
            fixed_used |= UINT64_C(1) << e->fixed;
            continue;
        }
        masks[on_general++] = e->counters ? e->counters & general : general;
    }
    return (int)on_general <= (budget > 0 ? budget : 0) && match_all(masks, on_general);
}

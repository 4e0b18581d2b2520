/* SPDX-License-Identifier: MIT */
/* The accounting of slots: every slot between two allocated micro-ops is charged to one reason, so
 * that their sum is width times cycles by construction. */
#include "sim/core_int.h"

/* Charge `slots` slots to `why`, but no more than are left; what is left. */
static uint64_t charge(struct slw_sim_core *s, enum slw_sim_slot why, uint64_t slots, uint64_t left)
{
    const uint64_t taken = slots < left ? slots : left;

    if (taken > 0)
        slw_sim_lose(s, why, taken);
    return left - taken;
}

/* Slots from the first unused one up to the start of `cycle`; 0 when that is in the past. */
static uint64_t slots_until(const struct slw_sim_core *s, uint64_t cycle, uint64_t left,
                            uint64_t end)
{
    const uint64_t after = cycle < end ? (end - cycle) * s->config.width : 0;

    return left > after ? left - after : 0;
}

/* After a mispredicted branch the slots up to its execution went to the wrong path, as many as the
 * reorder buffer holds; then the branch waited for something itself. Those of the refill are lost
 * to it as well. */
static uint64_t charge_recovery(struct slw_sim_core *s, uint64_t left, uint64_t end)
{
    const struct slw_sim_backend *b = &s->backend;
    const uint64_t unresolved = slots_until(s, b->resolved, left, end);
    const uint64_t wrong = unresolved < s->config.rob_entries ? unresolved : s->config.rob_entries;

    left = charge(s, SLW_SIM_BAD_SPECULATION, wrong, left);
    left = charge(s, (enum slw_sim_slot)b->waited_for, unresolved - wrong, left);
    return charge(s, SLW_SIM_BAD_SPECULATION, slots_until(s, b->resumed, left, end), left);
}

/* What allocation waited for in the back end; a serialising micro-op has no cause of its own. */
static inline enum slw_sim_slot cause_of_wait(uint64_t wait)
{
    const enum slw_sim_slot cause = (enum slw_sim_slot)(wait % SLOTS);

    return cause ? cause : SLW_SIM_CORE_EXECUTION;
}

static void charge_gap(struct slw_sim_core *s, const struct slw_sim_gap *g, bool recovering)
{
    const uint64_t width = s->config.width;
    const uint64_t end = slw_sim_cycle(g->end);
    const uint64_t used = slw_sim_used(g->before, s->backend.first);
    const uint64_t gap = (end - slw_sim_cycle(g->before)) * width - used;
    uint64_t left = gap;

    if (recovering)
        left = charge_recovery(s, left, end);
    left = charge(s, cause_of_wait(g->waited), slots_until(s, slw_sim_cycle(g->waited), left, end),
                  left);
    if (left == 0)
        return;
    /* The rest of a cycle in which something was delivered, then whole cycles without. */
    left = charge(s, SLW_SIM_FETCH_BANDWIDTH, left == gap ? width - used : 0, left);
    if (left > 0)
        slw_sim_lose(s, (enum slw_sim_slot)(g->end % SLOTS), left);
}

void slw_sim_settle(struct slw_sim_core *s)
{
    struct slw_sim_backend *b = &s->backend;
    const bool recovering = b->recovering && b->gaps[0].before == b->started;

    for (uint32_t i = 0; i < b->gap_count; i++)
        charge_gap(s, &b->gaps[i], recovering && i == 0);
    b->gap_count = 0;
    b->recovering = b->recovering && b->allocated == b->started;
}

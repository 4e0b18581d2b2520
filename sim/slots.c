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

/* What kept a mispredicted branch from being executed. */
static enum slw_sim_slot branch_waited_for(const struct slw_sim_backend *b)
{
    return b->long_until + LONG_WAIT >= b->resolved ? (enum slw_sim_slot)b->long_cause
                                                    : SLW_SIM_CORE_EXECUTION;
}

/* After a mispredicted branch the slots up to its execution went to the wrong path, as many as the
 * reorder buffer holds; then the branch waited for something itself. Those of the refill are lost
 * to it as well. */
static uint64_t charge_recovery(struct slw_sim_core *s, uint64_t left, uint64_t end)
{
    struct slw_sim_backend *b = &s->backend;
    const uint64_t unresolved = slots_until(s, b->resolved, left, end);
    const uint64_t wrong = unresolved < s->config.rob_entries ? unresolved : s->config.rob_entries;

    left = charge(s, SLW_SIM_BAD_SPECULATION, wrong, left);
    left = charge(s, branch_waited_for(b), unresolved - wrong, left);
    return charge(s, SLW_SIM_BAD_SPECULATION, slots_until(s, b->resumed, left, end), left);
}

/* What allocation waited for in the back end. */
static inline enum slw_sim_slot cause_of_wait(const struct slw_sim_backend *b, uint64_t waited,
                                              uint64_t *ret_until)
{
    if (b->serial_until > waited >> 8) {
        *ret_until = b->serial_until;
        return SLW_SIM_CORE_EXECUTION;
    }
    *ret_until = waited >> 8;
    return (enum slw_sim_slot)(waited & 0xff);
}

void slw_sim_charge(struct slw_sim_core *s, uint64_t before, uint64_t end, uint64_t waited,
                    bool recovering)
{
    const struct slw_sim_backend *b = &s->backend;
    const uint64_t width = s->config.width;
    const uint64_t used = slw_sim_used(before, b->first);
    const uint64_t gap = (end - slw_sim_cycle(before)) * width - used;
    uint64_t backend = 0;
    const enum slw_sim_slot cause = cause_of_wait(b, waited, &backend);
    uint64_t left = gap;

    if (recovering)
        left = charge_recovery(s, left, end);
    left = charge(s, cause, slots_until(s, backend, left, end), left);
    if (left == 0)
        return;
    /* The rest of a cycle in which something was delivered, then whole cycles without. */
    left = charge(s, SLW_SIM_FETCH_BANDWIDTH, left == gap ? width - used : 0, left);
    if (left > 0)
        slw_sim_lose(s, (enum slw_sim_slot)s->frontend.cause, left);
}

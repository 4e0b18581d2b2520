/* SPDX-License-Identifier: MIT */
/* The ways through the branch predictor that most branches take. Private to sim/. */
#ifndef SLW_SIM_PREDICTOR_INT_H
#define SLW_SIM_PREDICTOR_INT_H

#include "sim/core_int.h"

/* What is known of a conditional branch without its history: two bits that count, which begin to
 * when it went both ways. */
enum slw_sim_known {
    SLW_SIM_NEVER_TAKEN = 0,
    SLW_SIM_NEVER_SEEN = 2,
    SLW_SIM_ALWAYS_TAKEN = 3,
    SLW_SIM_COUNTER = 3, /* mask */
    SLW_SIM_MIXED = 4
};

/* predictor.c: a conditional branch that has not always gone where it goes now; any other branch
 * but conditional ones. Was the direction, or the target, predicted? */
bool slw_sim_predict_mixed(struct slw_sim_predictor *p, uint64_t key, bool taken);
bool slw_sim_predict_target(struct slw_sim_core *s, const struct slw_sim_segment *segment,
                            uint64_t target);

/* Of the branch a segment ends with. */
static inline uint64_t slw_sim_branch_address(const struct slw_sim_segment *segment)
{
    return slw_sim_end_of(segment) - segment->branch_length;
}

/* Predict and learn. */
static inline enum slw_sim_outcome slw_sim_predict(struct slw_sim_core *s,
                                                   struct slw_sim_segment *segment, bool taken,
                                                   uint64_t target)
{
    struct slw_sim_predictor *p = &s->predictor;
    const uint64_t address = slw_sim_branch_address(segment);
    bool right = true;

    s->events[SLW_SIM_BRANCHES]++;
    if (segment->branch == SLW_SIM_CONDITIONAL) {
        const uint64_t key = address ^ address >> 12;
        const uint8_t always = taken ? SLW_SIM_ALWAYS_TAKEN : SLW_SIM_NEVER_TAKEN;

        if (p->bimodal[key & p->bimodal_mask] != always)
            right = slw_sim_predict_mixed(p, key, taken);
        s->events[SLW_SIM_CONDITIONAL_MISSES] += !right;
    } else {
        right = slw_sim_predict_target(s, segment, target);
    }
    if (!taken)
        return right ? SLW_SIM_AS_PREDICTED : SLW_SIM_MISPREDICTED;
    s->events[SLW_SIM_TAKEN]++;
    p->path = (p->path << 3 ^ target >> 2 ^ address >> 1) & 0xffffff;
    if (segment->branch == SLW_SIM_RETURN)
        return right ? SLW_SIM_AS_PREDICTED : SLW_SIM_MISPREDICTED;
    const uint64_t set = address ^ address >> 11;
    const bool near =
        slw_sim_cache_touch(&p->btb_first, address, set, &segment->near_place, s->now);
    const bool known = slw_sim_cache_touch(&p->btb, address, set, &segment->target_place, s->now);

    s->events[SLW_SIM_BTB_MISSES] += !known;
    if (!right)
        return SLW_SIM_MISPREDICTED;
    if (!known)
        return SLW_SIM_RESTEERED;
    return near ? SLW_SIM_AS_PREDICTED : SLW_SIM_LATE;
}

#endif

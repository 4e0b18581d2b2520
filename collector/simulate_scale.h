/* SPDX-License-Identifier: MIT */
/* Where only part of the instructions was timed, cycles and slots are of that part: scaled up to
 * all of them so that sums stay sums. Private to the simulated tier. */
#ifndef SLW_COLLECTOR_SIMULATE_SCALE_H
#define SLW_COLLECTOR_SIMULATE_SCALE_H

#include "base/int128.h"

#include <stdint.h>

/* Hands out `total` in the proportions of parts that sum to `sum`, in the order they come: what is
 * given so far is always the rounded share, so that the last part completes it. */
struct slw_sim_scale {
    uint64_t sum, total; /* total 0 and sum 0: nothing to hand out */
    uint64_t seen, given;
};

static inline uint64_t slw_sim_scaled(struct slw_sim_scale *s, uint64_t part)
{
    s->seen += part;
    const uint64_t now = s->sum ? (uint64_t)((slw_u128)s->seen * s->total / s->sum) : 0;
    const uint64_t share = now - s->given;

    s->given = now;
    return share;
}

/* part * all / of, rounded to the nearest; part where `of` is 0. */
static inline uint64_t slw_sim_extrapolate(uint64_t part, uint64_t all, uint64_t of)
{
    return of ? (uint64_t)(((slw_u128)part * all + of / 2) / of) : part;
}

#endif

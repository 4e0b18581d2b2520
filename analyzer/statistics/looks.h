/* SPDX-License-Identifier: MIT */
/* `--rounds auto`: after how many pairs to look, and at which confidence, so that looking often
 * does not turn noise into a difference: 5 % are spent over all looks, in proportion to the pairs.
 * Does not run anything. docs/statistics.md. */
#ifndef SLW_ANALYZER_STATISTICS_LOOKS_H
#define SLW_ANALYZER_STATISTICS_LOOKS_H

#include "analyzer/statistics/judgement.h"

#include <stdbool.h>
#include <stddef.h>

struct slw_look {
    size_t pairs;
    double alpha; /* of the interval at this look, for one gated metric; divide by their number */
};

#define SLW_LOOK_COUNT 8
#define SLW_LOOK_LAST  40 /* pairs at the last look */

/* The look `index` (0..SLW_LOOK_COUNT-1). Static. Source of the alphas: linear spending (Lan and
 * DeMets 1983, Kim and DeMets 1987), boundaries of Brownian motion by simulation. */
const struct slw_look *slw_look_at(size_t index);

/* Pairs at the first look after so many; 0 when there is none. */
size_t slw_look_next(size_t pairs);

/* Stop when every gated metric is settled (Jennison and Turnbull 1989); the interval to print is
 * the one of this look. */
bool slw_looks_settled(const enum slw_judged *gated, size_t count);

#endif

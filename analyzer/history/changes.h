/* SPDX-License-Identifier: MIT */
/* Where the level of a series of values changed. Made for runs of one metric over months: outliers,
 * skew, steps of a clock and noise that hangs together from run to run are not changes. Knows no
 * runs and no metrics. docs/history.md says what was simulated and what is not repaired. */
#ifndef SLW_ANALYZER_HISTORY_CHANGES_H
#define SLW_ANALYZER_HISTORY_CHANGES_H

#include "base/error.h"

#include <stddef.h>

#define SLW_MIN_LEVEL_RUNS  4   /* values a level has at least */
#define SLW_MIN_CHANGE_RUNS 8   /* fewer values are not looked at */
#define SLW_MAX_CHANGES     256 /* candidates of one series; the first found are the clearest */

/* Fill ret_starts (room for SLW_MAX_CHANGES) with the indices, ascending, at which a new level
 * begins. values are finite, logarithms where they are all above 0; step is what they are resolved
 * to, in their unit: levels that are no farther apart are one. Below SLW_MIN_CHANGE_RUNS there are
 * none. -SLW_E_NOMEM. */
int slw_changes_find(const double *values, size_t n, double step, size_t *ret_starts,
                     size_t *ret_count, struct slw_error *err);

/* Of n > 0 values. */
double slw_changes_median(const double *values, size_t n, double *scratch);

/* ---- what the limits are made with (bench/statistics/bench_changes.c) ---- */

/* The largest score of any two neighbouring stretches of the values; what the first limit is on.
 * -SLW_E_NOMEM. */
int slw_changes_score(const double *values, size_t n, double *ret_score, struct slw_error *err);

/* The smallest second limit at which no change is left. -SLW_E_NOMEM. */
int slw_changes_strength(const double *values, size_t n, double *ret_strength,
                         struct slw_error *err);

/* Scores of white noise of n values stay below the first in 95 %, strengths of noise with a
 * correlation of .7 and of log-normal noise below the second in 96 %: so that 95 % is left where a
 * limit lies between two rows of the table. */
double slw_changes_score_limit(size_t n);
double slw_changes_strength_limit(size_t n);

#endif

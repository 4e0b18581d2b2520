/* SPDX-License-Identifier: MIT */
/* What an interval does not show: that the runs of an arm sit in two regimes, and that the machine
 * drifted over the comparison. Diagnoses to be printed next to a word; no word depends on them.
 * Values are logarithms, in the order of the rounds. */
#ifndef SLW_ANALYZER_STATISTICS_REGIMES_H
#define SLW_ANALYZER_STATISTICS_REGIMES_H

#include <stdbool.h>
#include <stddef.h>

#define SLW_MIN_REGIME_RUNS 15 /* of an arm; fewer split by chance */

/* The split in two with the least scatter inside. Claimed when it leaves little of the scatter and
 * either side has more runs than outliers would be. */
struct slw_regimes {
    bool two;         /* the rest is about the split only when this is set */
    double boundary;  /* values above it are in the upper regime */
    double low, high; /* medians of the regimes */
    size_t low_count, high_count;
};

/* Of n values, at most SLW_MAX_PAIRS. Below SLW_MIN_REGIME_RUNS nothing is claimed. */
struct slw_regimes slw_regimes_of(const double *y, size_t n);

/* Differences by the regime their two runs were in, each arm by its own split. */
struct slw_regime_pairs {
    size_t low_count, high_count, mixed_count;
    double low, high; /* median difference; meaningless where the count is 0 */
};
struct slw_regime_pairs slw_regime_pairs_of(const double *a, const double *b, size_t n,
                                            const struct slw_regimes *of_a,
                                            const struct slw_regimes *of_b);

/* How far the level of both arms moved from the first round to the last: Tukey's resistant line
 * (1977) through (a + b)/2. `sure` by the trend test of Mann and Kendall (1945) at 5 %, which calls
 * regimes that change once a trend, as well it may. */
struct slw_drift {
    double total;
    bool sure;
};
struct slw_drift slw_drift_of(const double *a, const double *b, size_t n);

#endif

/* SPDX-License-Identifier: MIT */
/* The exact law of the capped signed-rank statistic: what T = sum of the scores min(rank, cap) over
 * the negative ones of n values does when every sign is a fair coin. Pure tables; the interval
 * built on them is paired.h. docs/statistics.md says why the scores are capped. */
#ifndef SLW_ANALYZER_STATISTICS_SIGNED_LAW_H
#define SLW_ANALYZER_STATISTICS_SIGNED_LAW_H

#include <stdbool.h>
#include <stddef.h>

/* The cap used for so many pairs: min(ceil(n/2), max(5, ceil(n/4))). 1 is the sign test, n is
 * Wilcoxon's. Source: Winsorised scores, Policello and Hettmansperger 1976. */
size_t slw_signed_cap(size_t pairs);

/* Largest value of the statistic: the sum of min(i, cap) for i = 1..pairs. */
size_t slw_signed_total(size_t pairs, size_t cap);

/* Fill at_most[0..total] with P(T <= t). Exact up to 53 pairs, where every probability is a
 * multiple of 2^-pairs that a double holds; rounded beyond. */
void slw_signed_law(size_t pairs, size_t cap, double *at_most);

/* The largest t with P(T <= t) <= alpha/2; false when even t = 0 is too likely. */
bool slw_signed_critical(const double *at_most, size_t total, double alpha, size_t *ret_t);

#endif

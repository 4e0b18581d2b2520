/* SPDX-License-Identifier: MIT */
/* Quantiles that may be compared: one definition for both arms, enough requests per round, and
 * equal numbers of them, because the quantile of few requests is biased. The quantile of a round is
 * one observation; requests of different rounds are never pooled. docs/statistics.md. */
#ifndef SLW_ANALYZER_STATISTICS_QUANTILE_H
#define SLW_ANALYZER_STATISTICS_QUANTILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Quantile q (0..1) of n > 0 ascending values, interpolated. Source: Hyndman and Fan 1996, type 7.
 */
double slw_quantile_of_sorted(const double *sorted, size_t n, double q);

/* Requests per round below which quantile q < 1 is not compared: 20 / (1 - q). */
uint64_t slw_quantile_least(double q);

struct slw_quantile_plan {
    bool enough;  /* both arms have slw_quantile_least(q) requests after the cut */
    bool cut;     /* the counts differ by more than 10 % of the larger: */
    uint64_t use; /* take the first so many of both arms; without a cut, the smaller count */
};
struct slw_quantile_plan slw_quantile_plan_of(double q, uint64_t requests_a, uint64_t requests_b);

#endif

/* SPDX-License-Identifier: MIT */
/* Does a curve fitted to every block leave the same errors in all of them? A permutation test on
 * whole blocks. Used by sweep_fit.h; knows no curve. */
#ifndef SLW_ANALYZER_STATISTICS_LACK_OF_FIT_H
#define SLW_ANALYZER_STATISTICS_LACK_OF_FIT_H

#include <stddef.h>
#include <stdint.h>

/* error[block * points + point], of at most SLW_MAX_SWEEP_POINTS points. The share of sign choices
 * (one sign per block) under which the errors agree between blocks as well as they do: all of them
 * up to 11 blocks, else 1023 random ones from `seed` and the one seen. Source of the idea: sign
 * flips, Fisher 1935. */
double slw_lack_of_fit(const double *error, size_t blocks, size_t points, uint64_t seed);

/* The largest over the points of the size of the median error over the blocks (at most
 * SLW_MAX_PAIRS). */
double slw_misfit_of(const double *error, size_t blocks, size_t points);

/* Median of n > 0 values, which are sorted on the way. */
double slw_median_of(double *v, size_t n);

#endif

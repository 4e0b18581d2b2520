/* SPDX-License-Identifier: MIT */
/* Many metrics at once: what confidence each gated one needs so that the gate is right 95 % of the
 * time, and which of the others deserve a star. Works on p-values; knows no metrics. */
#ifndef SLW_ANALYZER_STATISTICS_MANY_H
#define SLW_ANALYZER_STATISTICS_MANY_H

#include "base/error.h"

#include <stddef.h>

#define SLW_MAX_STATEMENTS 4096 /* metrics judged together; more are no table anybody reads */

/* Bonferroni: alpha of each of `gated` intervals so that all hold together at 1 - alpha. */
double slw_many_alpha(double alpha, size_t gated);

/* The smallest p-value that n pairs can give is 2^(1-n): pairs it takes so that `statements` of
 * them, made together at `alpha`, can be made at all. */
size_t slw_many_least_pairs(double alpha, size_t statements);

/* Holm's adjusted p-values (1979), in the order of p: right under any dependence. A metric that is
 * another one in other words (requests/s, s/request) must be given once. -SLW_E_LIMIT. */
int slw_many_holm(const double *p, size_t count, double *ret_adjusted, struct slw_error *err);

/* Benjamini and Hochberg's (1995): the share of false ones among the starred, for screening
 * dozens of counters. -SLW_E_LIMIT. */
int slw_many_fdr(const double *p, size_t count, double *ret_adjusted, struct slw_error *err);

#endif

/* SPDX-License-Identifier: MIT */
/* The interval every comparison is judged on: the capped signed-rank interval for the centre of
 * paired differences. Exact whatever the noise does from pair to pair, provided a fair coin decided
 * the order inside each pair (order.h). Knows no ratios, margins or words: pairs.h makes the
 * differences, judgement.h reads the interval. docs/statistics.md. */
#ifndef SLW_ANALYZER_STATISTICS_PAIRED_H
#define SLW_ANALYZER_STATISTICS_PAIRED_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

#define SLW_MIN_PAIRS 6   /* fewer: no interval at 95 % that holds for every distribution */
#define SLW_FEW_PAIRS 10  /* fewer: one outlier against the trend hides any difference */
#define SLW_MAX_PAIRS 400 /* 80,200 averages of two; more rounds than anybody waits for */

struct slw_difference {
    size_t pairs;
    bool enough;      /* false: low..high are the extremes and `level` is what they are worth */
    bool equal;       /* all differences are the same number */
    double estimate;  /* between low and high */
    double low, high; /* closed interval */
    double level;     /* exact confidence of the interval before any widening */
    double p;         /* of "no difference"; <= alpha exactly when 0 is outside low..high */
};

/* Work space for up to max_pairs, so that a look at the data allocates nothing. */
struct slw_paired;

/* -SLW_E_LIMIT (more than SLW_MAX_PAIRS), -SLW_E_NOMEM. */
int slw_paired_new(size_t max_pairs, struct slw_paired **ret_paired, struct slw_error *err);
void slw_paired_free(struct slw_paired *p);

/* Judge n differences at confidence 1 - alpha (0 < alpha < 1). Ties and zeros are allowed.
 * -SLW_E_NODATA (none), -SLW_E_INVAL (one is not finite), -SLW_E_LIMIT (more than the space).
 * Sources: Wilcoxon 1945, Hodges and Lehmann 1963, Walsh averages (Tukey 1949). */
int slw_paired_interval(struct slw_paired *p, const double *d, size_t n, double alpha,
                        struct slw_difference *ret_difference, struct slw_error *err);

/* The same with another cap on the scores, 1 (sign test) .. n (Wilcoxon), to compare methods. */
int slw_paired_interval_capped(struct slw_paired *p, const double *d, size_t n, double alpha,
                               size_t cap, struct slw_difference *ret_difference,
                               struct slw_error *err);

/* Room for what the values themselves could not resolve: low - by .. high + by. The p-value follows
 * the interval: it is 1 when 0 came to lie inside. */
void slw_difference_widen(struct slw_difference *d, double by);

/* 0 is outside the interval, and there were enough pairs to say so. */
bool slw_difference_real(const struct slw_difference *d);

double slw_difference_half(const struct slw_difference *d);

#endif

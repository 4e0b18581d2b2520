/* SPDX-License-Identifier: MIT */
/* From what two arms measured to the differences an interval is made of: logarithms of ratios, or
 * plain differences where there is no ratio, without the rounds in which an arm gave no number. And
 * how finely the values were resolved. Judges nothing. docs/statistics.md. */
#ifndef SLW_ANALYZER_STATISTICS_PAIRS_H
#define SLW_ANALYZER_STATISTICS_PAIRS_H

#include <stddef.h>

enum slw_pairs_kind {
    SLW_PAIRS_NONE,       /* no round in which both arms gave a number */
    SLW_PAIRS_ZERO,       /* identical: 0 in every round of both arms */
    SLW_PAIRS_RATIO,      /* d = log(B/A) */
    SLW_PAIRS_DIFFERENCE, /* d = B - A: a value is 0 or less, so the ratio is undefined */
};

struct slw_pairs {
    enum slw_pairs_kind kind;
    size_t used, dropped; /* rounds; dropped: an arm gave no finite number */
};

/* Fill d[0..used-1] (room for n) from the values of round i in a[i] and b[i]; a value that is not
 * finite is one that was not measured. */
struct slw_pairs slw_pairs_of(const double *a, const double *b, size_t n, double *d);

/* The smallest step between different values of v, which is sorted on the way; 0 when all are
 * equal. What a tool prints or a clock ticks is at least as coarse as that. */
double slw_smallest_step(double *v, size_t n);

/* What an interval of ratios has to be widened by when values come in steps: log(1 + step/median).
 * Half a step is not enough (docs/statistics.md). 0 for a step of 0, as of counts. An interval of
 * plain differences is widened by the step itself. */
double slw_resolution_of_ratio(double step, double median);

#endif

/* SPDX-License-Identifier: MIT */
/* How far a value computed from counts may be off: 95 % intervals from repeated rounds, from counts
 * that were taken part of the time, from fields of 8 bits, and from a sample of the instructions.
 * Pure. docs/reading-a-report.md says what each of them does and does not cover. */
#ifndef SLW_ANALYZER_INTERVAL_H
#define SLW_ANALYZER_INTERVAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What an interval is made of. */
#define SLW_INTERVAL_ROUNDS   1u
#define SLW_INTERVAL_COVERAGE 2u
#define SLW_INTERVAL_BITS     4u
#define SLW_INTERVAL_SAMPLE   8u /* of the instructions; record/replicates.h */

struct slw_interval {
    bool have;
    double low, high; /* low <= value <= high */
    unsigned from;    /* SLW_INTERVAL_x */
};

/* "rounds", "coverage", "8-bit", "sample" or several joined by "+"; NULL when there is no interval.
 */
const char *slw_interval_from(const struct slw_interval *i);

/* Half of the interval, the larger side of an uneven one; 0 when there is none. */
double slw_interval_half(const struct slw_interval *i, double value);

/* 97.5 % quantile of Student's t with so many degrees of freedom (1 or more). */
double slw_student_t(size_t freedom);

/* Values of one quantity, one from each round: add them in turn. Starts as zeros. */
struct slw_series {
    size_t count;
    double mean, squares; /* sum of squared distances from the mean (Welford 1962) */
};
void slw_series_add(struct slw_series *s, double value);

/* Half of the t interval of the mean; meaningless below two values. Equal values give 0. */
double slw_series_half(const struct slw_series *s);

/* A value of which every stretch of time gives one between low and high, seen in some stretches
 * only. */
struct slw_partial {
    double value, low, high; /* low < high */
    double coverage;         /* part of the time, 0 < coverage < 1 */
    double slices;           /* stretches of time it was counted in, 1 or more */
    size_t sources;          /* counts of so many different stretches are in it; 1: one group's */
};

/* Wilson's interval (analyzer/share.h) for the mean of values within bounds, whose variance is at
 * most (high - mean)(mean - low) (Bhatia and Davis 2000), with the correction for a finite number
 * of stretches, of which the part `coverage` was seen. It takes the stretches for a random
 * selection, which turns that the kernel hands out by the clock are, unless the client works in
 * step with them. Several sources: so many times as wide, as their errors may add up. */
struct slw_interval slw_interval_of_partial(const struct slw_partial *p);

/* The interval of `value` widened by `more` to both sides (0: unchanged) for the reason `from`, and
 * kept within low and high. */
void slw_interval_widen(struct slw_interval *i, double value, double more, unsigned from);
void slw_interval_clip(struct slw_interval *i, double value, double low, double high);

#endif

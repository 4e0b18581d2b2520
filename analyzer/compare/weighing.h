/* SPDX-License-Identifier: MIT */
/* Did the cost of a part of the client (a function, a frame of a call tree) change? Weights of
 * parts in each round of two arms that were measured in turn, and what their differences are worth.
 * Parts are numbers of the caller's. docs/differential.md says which rules it follows and why. */
#ifndef SLW_ANALYZER_COMPARE_WEIGHING_H
#define SLW_ANALYZER_COMPARE_WEIGHING_H

#include "analyzer/statistics/paired.h"
#include "record/moments.h"

/* Samples a part needs for each round, in the arm where it has more: with fewer, one round in eight
 * would hold none by chance alone, and the centre of the differences would be 0. */
#define SLW_LEAST_SAMPLES 2

enum slw_weighing_rule {
    SLW_WEIGHING_EVERY, /* Holm: hardly ever one wrong statement among all. Judges the heaviest
                           parts only, as many as so few rounds can tell apart */
    SLW_WEIGHING_MOST,  /* Benjamini and Hochberg: one in twenty statements wrong, for pictures */
};

/* What a part weighs in each pair of rounds. */
struct slw_weighing {
    size_t parts, pairs;
    double *weights[2]; /* of A, of B: parts times pairs */
    double *per[2];     /* what weights of a round are divided by: its requests; NAN: unusable */
    uint64_t *samples[2];
};

struct slw_part_change {
    bool judged; /* false: too few samples or rounds, or too many heavier parts */
    bool real;   /* the interval excludes 0, after correction for all that were judged */
    struct slw_difference difference; /* of B - A, divided; meaningless unless judged */
};

/* per_a[i], per_b[i]: of round i + 1 (struct slw_sampled). -SLW_E_NOMEM. Release in any case. */
int slw_weighing_init(struct slw_weighing *w, size_t parts, const double *per_a, size_t rounds_a,
                      const double *per_b, size_t rounds_b, struct slw_error *err);
void slw_weighing_release(struct slw_weighing *w);

/* Add a moment of arm `which` (0: A, 1: B). Moments of no pair of rounds are left out. */
void slw_weighing_add(struct slw_weighing *w, size_t which, const struct slw_moment *m,
                      size_t part);
/* A round of which no sample is there at all was not sampled: call it when all are added. */
void slw_weighing_close(struct slw_weighing *w);

/* Pairs in which both rounds can be used. */
size_t slw_weighing_good_pairs(const struct slw_weighing *w);

/* changes: one for each part. alpha: of an interval, and of all statements together. -SLW_E_NOMEM.
 */
int slw_weighing_judge(const struct slw_weighing *w, enum slw_weighing_rule rule, double alpha,
                       struct slw_part_change *changes, struct slw_error *err);

#endif

/* SPDX-License-Identifier: MIT */
/* From an interval to a word: regressed, improved, no change beyond the margin, or inconclusive;
 * which margin that was, what would settle it, and what the gate makes of all of them. Reads
 * intervals only, never estimates. Not the verdict of a single run: that is analyzer/verdict.h. */
#ifndef SLW_ANALYZER_STATISTICS_JUDGEMENT_H
#define SLW_ANALYZER_STATISTICS_JUDGEMENT_H

#include "analyzer/statistics/paired.h"

/* In the unit of the differences, so logarithms for ratios: log(1.02) for 2 %. */
enum slw_margin_from { SLW_MARGIN_USER, SLW_MARGIN_FLOOR, SLW_MARGIN_RESOLUTION };
struct slw_margin {
    double size; /* 0 or more */
    enum slw_margin_from from;
};

/* The largest of the three, and which it is; the user's when equal. */
struct slw_margin slw_margin_of(double user, double floor, double resolution);

/* "the margin asked for", "the A/A floor", "the resolution of the values". Static. */
const char *slw_margin_from_text(enum slw_margin_from from);

enum slw_judged {
    SLW_JUDGED_INCONCLUSIVE,
    SLW_JUDGED_NO_CHANGE, /* the whole interval lies within the margin */
    SLW_JUDGED_IMPROVED,  /* the whole interval lies beyond it */
    SLW_JUDGED_REGRESSED,
};

struct slw_judgement {
    enum slw_judged word;
    bool too_few;   /* below SLW_MIN_PAIRS, or below what this confidence takes */
    bool few;       /* below SLW_FEW_PAIRS: one outlier may hide a difference */
    bool unsettled; /* a difference is real, its size is not settled against the margin */
    struct slw_margin margin;
};

/* The strict rule: two one-sided tests (Schuirmann 1987) and a minimum-effect test (Murphy and
 * Myors 1999) on one interval, so that the two conclusions cannot contradict each other. An
 * interval that ends on the margin is inside it. */
struct slw_judgement slw_judge(const struct slw_difference *d, const struct slw_margin *margin,
                               bool higher_is_better);

/* "regressed", "improved", "no change beyond the margin", "inconclusive". Static. */
const char *slw_judged_text(enum slw_judged word);

/* What the gate says of its metrics; cli/ maps this to an exit status. */
enum slw_gate { SLW_GATE_PASSED, SLW_GATE_REGRESSED, SLW_GATE_INCONCLUSIVE };
enum slw_gate slw_gate_of(const enum slw_judged *words, size_t count);

/* ---- the A/A floor: bias that lasts the whole comparison ---- */

#define SLW_FLOOR_RUNS 3 /* A/A comparisons a floor that is not weak rests on */

/* Of one A/A comparison: the end of its interval that is farther from 0. Weak, to be called so:
 * one draw says little about how far arms may lie apart. -SLW_E_NODATA: too few pairs. */
int slw_floor_of_one(const struct slw_difference *aa, double *ret_floor, struct slw_error *err);

/* Of the estimates of several A/As of one machine, workload, metric and number of pairs: the 97.5 %
 * quantile of Student's t, with so many degrees of freedom as the mean is known to be 0, times
 * their root mean square. -SLW_E_NODATA: fewer than SLW_FLOOR_RUNS. */
int slw_floor_of_many(const double *estimates, size_t count, double *ret_floor,
                      struct slw_error *err);

/* ---- planning ---- */

/* The smallest change found in four of five comparisons as good as this one (normal theory). */
double slw_smallest_found(const struct slw_difference *d, double margin);

enum slw_forecast_kind {
    SLW_FORECAST_NONE,   /* settled, or fewer than SLW_FEW_PAIRS pairs: nothing to go by */
    SLW_FORECAST_ROUNDS, /* about `more` rounds, could be a third of that */
    SLW_FORECAST_HARDLY, /* not at this margin; at the maximum of rounds, at `margin` */
};
struct slw_forecast {
    enum slw_forecast_kind kind;
    size_t more;   /* rounds; ROUNDS only */
    double margin; /* that could be settled with the maximum of rounds; HARDLY only */
};

/* How many more rounds would settle it: an order of magnitude and no reason to stop.
 * max_pairs is how many there can be, more than there are. */
struct slw_forecast slw_forecast_of(const struct slw_difference *d, const struct slw_judgement *j,
                                    size_t max_pairs);

#endif

/* SPDX-License-Identifier: MIT */
/* Top-down per function, from counters read with the samples: the model's formulas over what a
 * function's own samples counted. Only differences between two samples in the same function are
 * used, and a function whose stays are so short that even those hold much of its neighbours is
 * refused. Of a described core every context has exact counts of its own, and nothing is refused
 * but for want of them. The method, its accuracy and its limits: docs/per-function.md. */
#ifndef SLW_ANALYZER_FUNCTION_TOPDOWN_H
#define SLW_ANALYZER_FUNCTION_TOPDOWN_H

#include "analyzer/report.h"

/* Fewer readings give no percentages: the interval of one half is then wider than 10 points. */
#define SLW_MIN_FUNCTION_READS 100
/* More of somebody else's counts than this in a function's differences, and they are no longer the
 * function's. */
#define SLW_MAX_FUNCTION_MIXING 0.05

/* Fill r->function_topdowns, in the order of r->functions; nothing when the samples carry no
 * counters or no model is known. -SLW_E_NOMEM. */
int slw_function_topdown_fill(struct slw_report *r, struct slw_error *err);

/* The part of the differences between two samples in one function that others have counted, when
 * stays in and out of the function end at random (a Markov chain of two states): `share` is the
 * function's part of the samples, `stays` the part of its samples whose predecessor was in it too.
 * 0..1. Exposed for the tests. */
double slw_function_mixing(double share, double stays);

/* The row of a function by its name and module as frames have them, or NULL. */
const struct slw_report_function_topdown *
slw_function_topdown_find(const struct slw_report *r, const char *function, const char *module);

/* "front-end bound", ...; "" for none. */
const char *slw_function_category_name(enum slw_function_category c);

#endif

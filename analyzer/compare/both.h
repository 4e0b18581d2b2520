/* SPDX-License-Identifier: MIT */
/* The profiles of two runs as one, so that a function or a stack of both has one name. */
#ifndef SLW_ANALYZER_COMPARE_BOTH_H
#define SLW_ANALYZER_COMPARE_BOTH_H

#include "record/stacks.h"

/* Columns of the one: of both together, then of each. A profile that only counts samples has no
 * weight of its own: it weighs as much as it counts. */
enum slw_both_column {
    SLW_BOTH_SAMPLES,
    SLW_BOTH_WEIGHT,
    SLW_BOTH_A_SAMPLES,
    SLW_BOTH_A_WEIGHT,
    SLW_BOTH_B_SAMPLES,
    SLW_BOTH_B_WEIGHT,
    SLW_BOTH_COLUMNS
};

struct slw_both {
    struct slw_stacks *stacks; /* of threads only the names; files as slw_modules_match has them */
    uint32_t *paths[2];        /* by path of A, of B: the path in stacks */
    const struct slw_column *column; /* of the weight; lent by A */
    bool has_samples; /* false: one of them does not say how many samples it is made of */
};

/* event NULL: the first of A. -SLW_E_NOTFOUND (not sampled in both), -SLW_E_INVAL (in different
 * units, or measured in different ways and not `force`), -SLW_E_NOMEM, -SLW_E_LIMIT, -SLW_E_RANGE.
 * Release in any case. */
int slw_both_init(struct slw_both *both, const struct slw_stacks *a, const struct slw_stacks *b,
                  const char *event, bool force, struct slw_error *err);
void slw_both_release(struct slw_both *both);

#endif

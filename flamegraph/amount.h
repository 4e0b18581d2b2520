/* SPDX-License-Identifier: MIT */
/* Numbers of a flame graph as text, exactly and whatever the locale: integers only. */
#ifndef SLW_FLAMEGRAPH_AMOUNT_H
#define SLW_FLAMEGRAPH_AMOUNT_H

#include "flamegraph/tree.h"

/* How the weight of a tree is shown. Static strings, or lent by the tree. */
struct slw_amount_unit {
    const char *label; /* "samples", "ms of CPU time", "cycles" */
    uint32_t scale;    /* weight units per shown unit: 1, or 1000000 with three decimals */
};
struct slw_amount_unit slw_amount_unit_of(const struct slw_tree *t);

/* "1,234" or, with a scale of 1000000, "1,234.567" (rounded half up). */
void slw_amount_put(struct slw_buf *out, uint64_t value, uint32_t scale);

/* Hundredths of part/whole*times, rounded; 0 when whole is 0. part <= whole. */
uint64_t slw_amount_share(uint64_t part, uint64_t whole, uint32_t times);

/* "12.34" from 1234. */
void slw_amount_put_hundredths(struct slw_buf *out, uint64_t hundredths);

#endif

/* SPDX-License-Identifier: MIT */
/* How far off a value may be that was concluded from a sample, from what it would be without each
 * of the subsamples of that sample: the delete-a-group jackknife. Sources: Wolter, Introduction to
 * Variance Estimation, chapter 4; Kott, Journal of Official Statistics 17 (2001). Pure. */
#ifndef SLW_RECORD_REPLICATES_H
#define SLW_RECORD_REPLICATES_H

#include "record/run.h"

/* One standard error of a value whose distances to `count` replicates have squares of this sum,
 * with count - 1 degrees of freedom; 0 where there are less than two: not known. */
double slw_replicates_error(double squares, size_t count);

/* The same of c->raw. Of a count that is absent, or that is no sample: 0. */
double slw_count_error(const struct slw_count *c);

#endif

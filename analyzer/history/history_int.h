/* SPDX-License-Identifier: MIT */
/* What the parts of a history share. */
#ifndef SLW_ANALYZER_HISTORY_INT_H
#define SLW_ANALYZER_HISTORY_INT_H

#include "analyzer/history/history.h"

/* What differs between two runs that lie next to each other: "kernel 6.1 -> 6.8; slotwise 0.1.0 ->
 * 0.2.0", as text in the arena of h; NULL: nothing. *ret_apart: the CPU, or what the metric was
 * measured with, is another one. -SLW_E_NOMEM. */
int slw_history_unlike(struct slw_history *h, const struct slw_run *before,
                       const struct slw_run *after, const char **ret_text, bool *ret_apart,
                       struct slw_error *err);

/* Mark levels and changes of all points, stretch by stretch. -SLW_E_NOMEM. */
int slw_history_levels(struct slw_history *h, const double *steps, struct slw_error *err);

/* "12.3 us": a value in the unit of the metric. */
void slw_history_put_value(struct slw_buf *out, const struct slw_history *h, double value);

/* "+12 %", "3.2x", "" where there is no ratio. */
void slw_history_put_shift(struct slw_buf *out, double shift);

#endif

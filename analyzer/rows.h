/* SPDX-License-Identifier: MIT */
/* The counts of a run as rows of a report: one per event, scaled, per request. */
#ifndef SLW_ANALYZER_ROWS_H
#define SLW_ANALYZER_ROWS_H

#include "analyzer/report.h"

/* One count of a run. Its events, scaled unless that was done already; NULL, or why there are none.
 */
const char *slw_count_events(struct slw_arena *arena, const struct slw_count *c,
                             uint64_t *ret_events);
/* Part of the time it was counted, 0..1; unknown where has_coverage is false. */
bool slw_count_has_coverage(const struct slw_count *c);
double slw_count_coverage(const struct slw_count *c);
bool slw_count_is_whole(const struct slw_count *c); /* of the whole target */

/* Fill r->rows from r->run's counts, in the order the run first names them. Counts of one event,
 * PMU and mode are one row: the whole-target count when there is one, else the sum of the scaled
 * per-thread or per-CPU parts of the first group that counts the event. A sum with a part that is
 * absent is absent: a smaller number would pass for the whole. Of a run with rounds the mean over
 * all executions that counted the event, with its interval. -SLW_E_NOMEM. */
int slw_rows_fill(struct slw_report *r, struct slw_error *err);

#endif

/* SPDX-License-Identifier: MIT */
/* The counts of a run as rows of a report: one per event, scaled, per request. */
#ifndef SLW_ANALYZER_ROWS_H
#define SLW_ANALYZER_ROWS_H

#include "analyzer/report.h"

/* Fill r->rows from r->run's counts, in the order the run first names them. Counts of one event,
 * PMU and mode are one row: the whole-target count when there is one, else the sum of the scaled
 * per-thread or per-CPU parts. A sum with a part that is absent is absent: a smaller number would
 * pass for the whole. -SLW_E_NOMEM. */
int slw_rows_fill(struct slw_report *r, struct slw_error *err);

#endif

/* SPDX-License-Identifier: MIT */
/* Lines of OpenMetrics that tracked_openmetrics.c and tracked_openmetrics_more.c share. */
#ifndef SLW_ANALYZER_COMPARE_TRACKED_INT_H
#define SLW_ANALYZER_COMPARE_TRACKED_INT_H

#include "analyzer/compare/tracked.h"

/* lead, name="value" */
void slw_tracked_put_label(struct slw_buf *out, const char *lead, const char *name,
                           const char *value);

/* TYPE, UNIT (where it is not empty) and HELP of a gauge. */
void slw_tracked_put_family(struct slw_buf *out, const char *name, const char *unit,
                            const char *help);

/* The difference and the word of each metric; nothing for a run alone. */
void slw_tracked_put_changes(struct slw_buf *out, const struct slw_tracked *series);

/* What was run where, and its labels. */
void slw_tracked_put_runs(struct slw_buf *out, const struct slw_tracked *series);

#endif

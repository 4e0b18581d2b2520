/* SPDX-License-Identifier: MIT */
/* What a run counted, event by event, in Prometheus' text: to stand before slw_tracked_openmetrics,
 * which has the metrics. Gauges, for each run counts from 0. Pure: no I/O. */
#ifndef SLW_ANALYZER_COMPARE_COUNTED_H
#define SLW_ANALYZER_COMPARE_COUNTED_H

#include "analyzer/report.h"
#include "base/buf.h"

/* Append slotwise_counted, one sample a row of the report, scaled to the whole time;
 * slotwise_counted_absent with the reason; slotwise_window_seconds and slotwise_start_seconds where
 * known. No "# EOF". -SLW_E_NOMEM. */
int slw_counted_openmetrics(const struct slw_report *report, struct slw_buf *out,
                            struct slw_error *err);

#endif

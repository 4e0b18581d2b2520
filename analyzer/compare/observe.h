/* SPDX-License-Identifier: MIT */
/* What one execution is worth to a comparison: its report as one value for each metric. The table
 * of metrics is metrics.def; stages, nodes of the top-down tree and what the client printed are
 * found in the report and have no line there. Pure: no I/O. */
#ifndef SLW_ANALYZER_COMPARE_OBSERVE_H
#define SLW_ANALYZER_COMPARE_OBSERVE_H

#include "analyzer/client_output/client_output.h"
#include "analyzer/report.h"

/* Append a round's values to the observations of `arm`, of which `rounds_before` rounds were kept
 * before: a metric that is new gets NAN for them, one that is missing now gets NAN and the reason.
 * `report` is of this execution alone. `client` is what the client printed; NULL: nothing was read.
 * -SLW_E_NOMEM, -SLW_E_LIMIT. */
int slw_observe_round(struct slw_run *arm, size_t rounds_before, const struct slw_report *report,
                      const struct slw_client_readings *client, struct slw_error *err);

/* The same for a run that was saved without observations (an older one, an import, a single
 * profile): one value each; of a run with rounds those that can be had for each of them. A run that
 * has observations stays as it is. */
int slw_observe_run(struct slw_run *run, const struct slw_report *report, struct slw_error *err);

#endif

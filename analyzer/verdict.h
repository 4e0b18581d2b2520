/* SPDX-License-Identifier: MIT */
/* The verdict: one sentence for people who write database clients, and what it rests on. Claims
 * only what the counts and samples say; docs/reading-a-report.md states every rule. */
#ifndef SLW_ANALYZER_VERDICT_H
#define SLW_ANALYZER_VERDICT_H

#include "analyzer/report.h"

#define SLW_MIN_VERDICT_SAMPLES  20  /* fewer: no place is named at all */
#define SLW_FEW_SAMPLES          100 /* fewer: the sentence says so; the interval is +-10 points */
#define SLW_WAITING_BELOW_CPUS   0.5 /* busy CPUs below which a client "mostly waits" */
#define SLW_CPU_BOUND_ABOVE_CPUS 0.9 /* of one CPU, single-threaded clients only */

/* What the shares of the main column are shares of: never "CPU time" when only a part of it was
 * sampled. Static. */
const char *slw_verdict_whole(const struct slw_report *r);

/* Fill r->verdict and r->verdict_basis; everything else of r is there. Both are clean text on one
 * line. -SLW_E_NOMEM. */
int slw_verdict_fill(struct slw_report *r, struct slw_error *err);

#endif

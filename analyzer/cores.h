/* SPDX-License-Identifier: MIT */
/* Hybrid CPUs: a top-down tree for each kind of core, from the counts of that kind alone, and how
 * much of the work each kind did. */
#ifndef SLW_ANALYZER_CORES_H
#define SLW_ANALYZER_CORES_H

#include "analyzer/report.h"
#include "base/buf.h"

/* Fill r->cores from r->others; nothing where the run has one model. r->rows, r->nodes and
 * r->topdown are there and become those of the first kind. -SLW_E_NOMEM. */
int slw_cores_fill(struct slw_report *r, struct slw_error *err);

/* The report as it is for one kind of core: a copy of *r with that kind's model, nodes and topdown,
 * for whatever formats a tree. Lent from r; not to be freed. */
struct slw_report slw_report_of_core(const struct slw_report *r, size_t core);

/* "71 % of the CPU time, 64 % of the cycles", or why neither is known. */
void slw_cores_put_shares(struct slw_buf *out, const struct slw_report_core *c);

/* Was it measured that the target never ran on such cores? */
bool slw_core_unused(const struct slw_report_core *c);

#endif

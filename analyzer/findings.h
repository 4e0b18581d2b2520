/* SPDX-License-Identifier: MIT */
/* Findings: advice with the numbers that justify it. To add one: write its evidence function in
 * findings.c, add a row to findings.def, an example to tests/unit/test_findings.c. */
#ifndef SLW_ANALYZER_FINDINGS_H
#define SLW_ANALYZER_FINDINGS_H

#include "analyzer/report.h"

/* Fill r->findings with the rules that fire, in the order of findings.def; r->facts is there.
 * -SLW_E_NOMEM. */
int slw_findings_fill(struct slw_report *r, struct slw_error *err);

#endif

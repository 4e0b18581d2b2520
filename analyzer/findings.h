/* SPDX-License-Identifier: MIT */
/* Findings: advice with the numbers that justify it. To add one: write its rule in the findings_x.c
 * it belongs to, add a row to findings.def, and two runs to tests/conformance/test_finding_rules.c:
 * one that makes it fire, and one just short of its threshold. */
#ifndef SLW_ANALYZER_FINDINGS_H
#define SLW_ANALYZER_FINDINGS_H

#include "analyzer/report.h"

/* Fill r->findings with the rules that fire, the surest first, among those the one that is about
 * the most of the time; r->facts, r->traffic and r->side are there. -SLW_E_NOMEM. */
int slw_findings_fill(struct slw_report *r, struct slw_error *err);

/* "certain", "likely", "hint" */
const char *slw_finding_sure(enum slw_sure sure);

#endif

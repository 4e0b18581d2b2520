/* SPDX-License-Identifier: MIT */
/* Which functions explain the difference of two runs. */
#ifndef SLW_ANALYZER_COMPARE_FUNCTIONS_H
#define SLW_ANALYZER_COMPARE_FUNCTIONS_H

#include "analyzer/compare/comparison.h"

#define SLW_MAX_FUNCTION_CHANGES 1000 /* those that changed most; nobody reads more */

/* Fill c->functions, the largest change of self weight per request first, or c->functions_absent.
 * Judged where both arms kept the times of their samples, over the rounds of one experiment
 * (c->interleaved), by analyzer/compare/weighing.h. -SLW_E_NOMEM. */
int slw_comparison_functions(struct slw_comparison *c, struct slw_error *err);

#endif

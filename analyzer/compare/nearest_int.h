/* SPDX-License-Identifier: MIT */
/* A gate that names a metric neither run has: which ones it may have meant. */
#ifndef SLW_ANALYZER_COMPARE_NEAREST_INT_H
#define SLW_ANALYZER_COMPARE_NEAREST_INT_H

#include "analyzer/compare/comparison.h"

/* Returns -SLW_E_USAGE. */
int slw_nearest_refuse(const struct slw_side_of *a, const struct slw_side_of *b,
                       const struct slw_gate_rule *rule, struct slw_error *err);

#endif

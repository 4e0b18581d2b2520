/* SPDX-License-Identifier: MIT */
/* Where the samples fell: functions, modules, threads, user and kernel. Exact integer sums over
 * one column of the profile. Not for: call relations (flamegraph/). */
#ifndef SLW_ANALYZER_HOT_H
#define SLW_ANALYZER_HOT_H

#include "analyzer/report.h"

/* Choose the main column and fill r->column, sampling, weight, samples, parts, functions, modules
 * and threads from r->stacks; r->run, stacks and arena are set. The main column is the summed
 * period of the first of cycles, cpu-clock, task-clock that was sampled, else of the first event;
 * its sample count when the periods are all 0 (files without periods).
 *
 * self is the weight of stacks whose leaf is the function, total of stacks that hold it at least
 * once, however deep it recurses. A stack without frames counts for "[no stack]", so that the self
 * weights always sum to the column. -SLW_E_NOMEM, -SLW_E_RANGE. */
int slw_hot_fill(struct slw_report *r, struct slw_error *err);

/* What a function is called in a table: its name, else its module in brackets. Lent by function or
 * module, or in the arena; NULL: no memory. */
const char *slw_hot_shown_name(struct slw_arena *arena, const char *function, const char *module);
#define SLW_HOT_NO_MODULE "[unknown]"
#define SLW_HOT_NO_STACK  "[no stack]"

#endif

/* SPDX-License-Identifier: MIT */
/* Several executions of one client put into one run: what is listed is listed, what is a cost is a
 * mean. Not for: which executions are worth keeping (collector/rounds.h, cli/experiment), nor for
 * their samples (slw_stacks_merge). */
#ifndef SLW_RECORD_RUN_MERGE_H
#define SLW_RECORD_RUN_MERGE_H

#include "record/run.h"

/* The command of another run, strings copied. -SLW_E_NOMEM. */
int slw_run_copy_command(struct slw_run *run, const struct slw_command *from,
                         struct slw_error *err);

/* The models of another run, unless the run names one already. -SLW_E_NOMEM, -SLW_E_LIMIT. */
int slw_run_copy_models(struct slw_run *run, const struct slw_run *from, struct slw_error *err);

/* Notes of another run. With `by_code`, only those whose code the run did not have before: texts
 * that hold numbers differ from execution to execution and say the same. -SLW_E_NOMEM; what there
 * is no more room for is left out. */
int slw_run_merge_notes(struct slw_run *run, const struct slw_run *from, bool by_code);

/* Add what measuring cost and what was lost; `first`: the run holds no such sums yet.
 * -SLW_E_NOMEM. */
int slw_run_merge_costs(struct slw_run *run, const struct slw_run *from, bool first);

/* Add samples to the samplings of the same event; others are appended. -SLW_E_NOMEM. */
int slw_run_merge_samplings(struct slw_run *run, const struct slw_run *from, struct slw_error *err);

/* Sums of what is shown as a mean: the window, requests, connections, waiting, stages; and of the
 * latencies, whose histogram stays a sum. */
struct slw_run_sums;
int slw_run_sums_new(struct slw_run_sums **ret_sums, struct slw_error *err);
void slw_run_sums_free(struct slw_run_sums *s);

/* -SLW_E_NOMEM, -SLW_E_LIMIT. A number one execution does not know is unknown of all. */
int slw_run_sums_add(struct slw_run_sums *s, const struct slw_run *run, struct slw_error *err);
size_t slw_run_sums_count(const struct slw_run_sums *s);

/* Write the means (to nearest; what happened at all is at least 1) and the histogram into the run,
 * in place of what it had there. Threads are told apart only where every execution had the same
 * names as often; a note says when they are not. May be repeated as more is added. Nothing was
 * added: nothing is written. -SLW_E_NOMEM. */
int slw_run_sums_put(const struct slw_run_sums *s, struct slw_run *run, struct slw_error *err);

#endif

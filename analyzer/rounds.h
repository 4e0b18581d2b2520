/* SPDX-License-Identifier: MIT */
/* Values of runs that are made of several executions: each is computed for every round by itself,
 * from counts that belong together, and shown as the mean with its interval. */
#ifndef SLW_ANALYZER_ROUNDS_H
#define SLW_ANALYZER_ROUNDS_H

#include "analyzer/report.h"

/* Does the run hold counts of rounds? */
bool slw_rounds_in(const struct slw_run *run);

/* How many rounds it holds counts of. */
size_t slw_rounds_count(const struct slw_run *run);

/* The counts of the run, executions one after the other, each as the run has it. NULL: no memory.
 */
const struct slw_count **slw_rounds_sorted(const struct slw_run *run, struct slw_arena *arena);

/* Fill r->nodes of a run with rounds. A value is the mean of the rounds that have one, absent where
 * none has; implausible, thin or counted apart in one of them, it is so as a whole. Interval:
 * Student's t over the rounds, which holds 95 % in the noise of real machines where bootstraps do
 * not (docs/reading-a-report.md), widened by what fields of 8 bits leave open; of one round alone
 * what that one has. -SLW_E_NOMEM. */
int slw_rounds_nodes(struct slw_report *r);

#endif

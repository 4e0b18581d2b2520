/* SPDX-License-Identifier: MIT */
/* What driving the executions of a run (rounds.c) hands to making one run of them
 * (rounds_merge.c). */
#ifndef SLW_COLLECTOR_ROUNDS_INT_H
#define SLW_COLLECTOR_ROUNDS_INT_H

#include "collector/rounds.h"

/* One execution: a run of its own until all are done. Strings of its host are lent. */
struct slw_execution {
    struct slw_run *run;
    int round, pass; /* as in struct slw_round */
    bool sampled;
    bool interrupted;   /* the user ended it */
    size_t group_count; /* groups of hardware events that could be had */
    bool kept;
    const char *left_out; /* owned by the run they are merged into, or static */
};

struct slw_executions {
    const struct slw_rounds_options *opts;
    struct slw_execution *all;
    size_t count;
};

/* Decide which rounds are kept, put everything into *run and say in notes what was done.
 * There is at least one execution. -SLW_E_NOMEM, -SLW_E_LIMIT. */
int slw_executions_merge(struct slw_executions *x, struct slw_run *run, struct slw_error *err);

/* Warn where the kept executions did different amounts of work: SLW_MAX_WORK_SPREAD. */
void slw_executions_note_work(const struct slw_executions *x, struct slw_run *run);

#endif

/* SPDX-License-Identifier: MIT */
/* Parts of a measurement looked at by themselves: a thread, a process, a privilege level, a stretch
 * of time. The formulas are those of the whole, over the counts of the part; no part is mixed with
 * another, and what the parts leave of the whole is told. */
#ifndef SLW_ANALYZER_SCOPES_H
#define SLW_ANALYZER_SCOPES_H

#include "analyzer/report.h"

#define SLW_MAX_SCOPE_NODES 8 /* level 1 has four nodes, with SMT contention five */

struct slw_scope {
    const char *name; /* of the task or the mode; NULL: unknown, or an interval */
    int32_t pid, tid;
    uint64_t task_count;        /* threads counted together */
    struct slw_time_slice when; /* of an interval */
    struct slw_figure cpu;      /* CPU time, ns */
    struct slw_figure share;    /* of the CPU time of the whole; of an interval: CPUs busy */
    struct slw_figure ipc, switches;
    struct slw_figure
        nodes[SLW_MAX_SCOPE_NODES]; /* level 1; absent also when not to be judged by */
};

struct slw_scopes {
    const struct slw_model_node *nodes[SLW_MAX_SCOPE_NODES]; /* lent; what scope.nodes are */
    size_t node_count;
    bool split; /* hardware events were counted in user and in kernel mode, not otherwise */
    struct slw_scope *tasks; /* as in the run: by CPU time */
    size_t task_count;
    struct slw_figure rest;  /* CPU time of the whole that is in no task */
    const char *rest_event;  /* the event of which the tasks leave the largest part; NULL: none */
    double rest_share;       /* that part; negative: the tasks have more than the whole */
    struct slw_scope *modes; /* user, kernel; 0: not counted apart */
    size_t mode_count;
    struct slw_scope *intervals;
    size_t interval_count;
};

/* Fill r->nodes and r->topdown as slw_topdown_fill; where hardware events were counted apart in
 * user and in kernel mode, of user mode. */
int slw_scopes_topdown(struct slw_report *r, struct slw_error *err);

/* Fill r->scopes; needs rows, nodes and facts. -SLW_E_NOMEM. */
int slw_scopes_fill(struct slw_report *r, struct slw_error *err);

#endif

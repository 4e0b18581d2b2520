/* SPDX-License-Identifier: MIT */
/* Counts of single threads and processes, beside those of the whole target. A command: every thread
 * that ends leaves a record with its counts (perf_event_attr.inherit_stat), and what no record has
 * belongs to the one that left none. A process attached to: its threads have events of their own.
 * docs/decisions/0007 says why not otherwise. Only for the perf_event engine. */
#ifndef SLW_COLLECTOR_PERF_TASKS_H
#define SLW_COLLECTOR_PERF_TASKS_H

#include "collector/perf_int.h"

#define SLW_MAX_TASK_ROWS 8192 /* threads of one run told apart; later ones are pooled */
#define SLW_MAX_COMM      16   /* TASK_COMM_LEN */

struct slw_task_row {
    int32_t pid, tid, parent_tid; /* parent -1: unknown */
    char comm[SLW_MAX_COMM];
    bool ended;
    uint64_t task_count;
};

struct slw_tasks {
    size_t counter_count;
    struct slw_task_row *rows;
    size_t row_count;
    uint32_t *slots;           /* hash of tid -> row + 1; 0: free */
    struct slw_counted *cells; /* [row * counter_count + counter] */
    bool *told;                /* the same: a record told it */
    uint64_t reads, ended;     /* records of counts, and of ends */
    uint64_t untold;           /* threads that left no trace because something was full */
    uint64_t *ids;             /* of the counters */
    int *fds;                  /* of the ring of each counter, then of each CPU's tracking ring */
    struct slw_ring *rings;
    size_t ring_count; /* 0: no records */
    void *bounce;
};

/* Can this kernel leave records, and is the target one whose threads do? Decides env->records
 * before anything is opened; false with a note where the option cannot be followed. */
bool slw_tasks_records(const struct slw_perf_env *env);

/* Everything is allocated here. Where the kernel refuses, a note says so and no tasks are told
 * apart. -SLW_E_NOMEM. */
int slw_tasks_open(const struct slw_perf_env *env, const struct slw_counting *c,
                   struct slw_tasks *ret_tasks, struct slw_error *err);
/* Take in what threads have left so far. */
void slw_tasks_drain(const struct slw_perf_env *env, struct slw_tasks *t);
/* After slw_counting_collect: add tasks and their counts to the run. */
int slw_tasks_collect(const struct slw_perf_env *env, struct slw_tasks *t, struct slw_counting *c,
                      struct slw_error *err);
void slw_tasks_close(const struct slw_perf_env *env, struct slw_tasks *t);

#endif

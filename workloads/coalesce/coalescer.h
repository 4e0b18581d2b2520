/* SPDX-License-Identifier: MIT */
/* Many callers, one worker: what the callers queue while the worker is busy is what it takes next,
 * merged into few statements (plan.h), executed (execute.h) and answered one by one.
 *
 * Batches are executed one after the other and each takes what was queued first, so that the rules
 * of plan.h hold across batches too. */
#ifndef SLW_WORKLOADS_COALESCE_COALESCER_H
#define SLW_WORKLOADS_COALESCE_COALESCER_H

#include "base/buf.h"
#include "workloads/coalesce/execute.h"
#include "workloads/coalesce/plan.h"

#include <semaphore.h>

/* One request of a caller. Its own until submitted, and again after the wait. */
struct slw_job {
    struct slw_request request;
    struct slw_answer answer; /* payload: in this job, until it is submitted again */
    struct slw_buf payload;
    sem_t answered;
    struct slw_job *next;
};
void slw_job_init(struct slw_job *job);
void slw_job_release(struct slw_job *job);
/* Keep an answer and its payload, for whoever executes without a worker. */
void slw_job_take_answer(struct slw_job *job, const struct slw_answer *answer);

struct slw_coalescer_options {
    size_t batch;       /* requests taken at once, at most */
    uint64_t linger_ns; /* how long to wait for more after the first; 0: take what is there */
    struct slw_merge_limits limits;
    enum slw_batching how;
    unsigned retries;
    uint64_t back_off_ns, back_off_cap_ns;
    size_t cache_rows; /* 0: no cache. Only where nobody else writes the table */
    /* As in struct slw_workload_options. */
    int (*acknowledged)(void *ctx, uint64_t id);
    void *acknowledged_ctx;
};

struct slw_coalescer;

/* Starts the worker. The lane is lent until slw_coalescer_free. SLW_E_NOMEM, SLW_E_LIMIT (no
 * thread). */
int slw_coalescer_new(struct slw_lane *lane, const struct slw_coalescer_options *options,
                      struct slw_coalescer **ret_coalescer, struct slw_error *err);

/* Any thread. The answer always comes. */
void slw_coalescer_submit(struct slw_coalescer *c, struct slw_job *job);
void slw_job_wait(struct slw_job *job);

/* The worker can not go on; all that is queued is answered unsent. Any thread. */
bool slw_coalescer_is_broken(const struct slw_coalescer *c);

struct slw_coalescer_counts {
    struct slw_execute_counts execute;
    uint64_t batches, taken; /* requests taken, and in how many goes */
    uint64_t cache_hits;     /* reads that needed no database */
    uint64_t shared_reads;   /* reads that got the answer of another one in the same batch */
};

/* Answers what is queued, ends the worker and frees. Nobody submits any more. Returns what broke
 * it, or 0. `ret_counts` may be NULL; NULL c is allowed. */
int slw_coalescer_free(struct slw_coalescer *c, struct slw_coalescer_counts *ret_counts,
                       struct slw_error *err);

#endif

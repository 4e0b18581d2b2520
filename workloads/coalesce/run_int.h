/* SPDX-License-Identifier: MIT */
/* One run of the workload: what was chosen, and what its callers share. */
#ifndef SLW_WORKLOADS_COALESCE_RUN_INT_H
#define SLW_WORKLOADS_COALESCE_RUN_INT_H

#include "workloads/coalesce/coalescer.h"
#include "workloads/coalesce/pool.h"

#include <pthread.h>

#define SLW_COALESCE_STATEMENT_BYTES                                                               \
    (1U << 20) /* every server's default takes such a statement                                    \
                */
#define SLW_COALESCE_BACK_OFF_NS     1000000U
#define SLW_COALESCE_BACK_OFF_CAP_NS 100000000U

enum slw_coalesce_mode { SLW_COALESCE_BLOCKING, SLW_COALESCE_POOL, SLW_COALESCE_WORKER };
enum slw_coalesce_load { SLW_COALESCE_INSERT, SLW_COALESCE_READ, SLW_COALESCE_MIXED };

struct slw_coalesce_choices {
    enum slw_coalesce_mode mode;
    enum slw_coalesce_load load;
    size_t callers, payload;
    uint64_t keys; /* rows that are there from the start, ids from first_key; 0: none needed */
    uint64_t first_key;
    bool is_kept;      /* the table may hold rows already */
    uint64_t poison;   /* each so many inserts has an id that is taken; 0: none */
    double read_share; /* of a mixed load */
    struct slw_zipf zipf;
};

struct slw_coalesce_run {
    const struct slw_workload_options *options;
    struct slw_coalesce_choices choices;
    struct slw_lane_options lane;
    enum slw_batching how;           /* of the worker */
    struct slw_pool *pool;           /* BLOCKING, POOL */
    struct slw_coalescer *coalescer; /* WORKER */
    uint64_t first;                  /* number of this phase's first request, of all phases */
    uint64_t count;                  /* requests of this phase */
    atomic_uint_fast64_t next;       /* the next one, from 0 */
    pthread_mutex_t arrivals_lock;   /* open loop */
    struct slw_arrivals arrivals;
    atomic_bool failed;  /* error says why */
    atomic_flag told;    /* the first failure is written down */
    atomic_flag started; /* the first caller starts the clock */
    struct slw_stretch stretch;
    struct slw_error error; /* read when the callers have ended */
};

/* Store the rows that are there from the start, which may be there already. */
int slw_coalesce_preload(const struct slw_coalesce_run *run, struct slw_lane *lane,
                         struct slw_error *err);

/* All requests of one phase by choices.callers threads, until all are answered, the run failed or
 * was stopped. Adds to *tally what was answered, with the times. Negative: run->error too. */
int slw_coalesce_phase(struct slw_coalesce_run *run, struct slw_tally *tally,
                       struct slw_error *err);

#endif

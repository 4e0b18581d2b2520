/* SPDX-License-Identifier: MIT */
/* Execution stages: a request path cut into stages that queue calls and run them together, so that
 * the code of one stage stays in the instruction cache for many requests. A call is handed from
 * each stage to the next; a stage with a limit of 1 queues nothing and runs a call when it comes.
 * One thread. Not for: what the stages do (workloads/stages/), waiting for work (its loop).
 *
 * A stage is run when it has `limit` calls; all that have any, from the first to the last, when the
 * loop polls because it has nothing else to do, or when the task quota has passed since calls began
 * to wait. A run takes all calls of the queue, in their order, and is not interrupted: the limit is
 * what bounds it. Nothing is allocated after init.
 *
 * Sources: M. Welsh, D. Culler, E. Brewer, "SEDA: an architecture for well-conditioned, scalable
 * internet services", SOSP 2001; seastar/core/execution_stage.hh of the Seastar framework. */
#ifndef SLW_WORKLOADS_EXECUTION_H
#define SLW_WORKLOADS_EXECUTION_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

#define SLW_MAX_EXECUTION_STAGES 16    /* a run may fill the next stage: the depth of the stack */
#define SLW_MAX_EXECUTION_LIMIT  65536 /* a call is a pointer: 512 KiB a stage */

/* Do `count` calls, in this order. May not call into the execution it is part of. */
typedef void (*slw_execution_run)(void *ctx, void *const *calls, size_t count);

/* Why the calls of a queue were run. */
enum slw_execution_reason {
    SLW_EXECUTION_FULL, /* the limit was reached */
    SLW_EXECUTION_POLL,
    SLW_EXECUTION_QUOTA,
    SLW_EXECUTION_REASONS
};

/* What a stage is made of; copied, `name` and `ctx` borrowed. */
struct slw_execution_kind {
    const char *name;
    slw_execution_run run;
    void *ctx;
    size_t limit; /* calls in one run: 1 .. SLW_MAX_EXECUTION_LIMIT */
};

struct slw_execution_stage {
    struct slw_execution_kind kind;
    void **queue; /* of kind.limit */
    size_t queued;
    uint64_t *sizes;                         /* [n]: runs of n calls; of kind.limit + 1 */
    uint64_t reasons[SLW_EXECUTION_REASONS]; /* runs; none where nothing is queued */
};

struct slw_execution {
    struct slw_execution_stage *stages;
    size_t count;
    size_t queued; /* in all stages */
    uint64_t quota_ns;
    uint64_t waiting_since_ns; /* while queued > 0: when there was nothing the last time */
    uint64_t (*now_ns)(void *ctx);
    void *now_ctx;
};

/* quota_ns 0: none. now_ns is asked only while a call is queued and there is a quota. SLW_E_INVAL
 * for no stages, too many, or a limit out of range; SLW_E_NOMEM. */
int slw_execution_init(struct slw_execution *e, const struct slw_execution_kind *kinds,
                       size_t count, uint64_t quota_ns, uint64_t (*now_ns)(void *ctx),
                       void *now_ctx, struct slw_error *err);
void slw_execution_release(struct slw_execution *e);

/* Hand a call to the first stage. */
void slw_execution_call(struct slw_execution *e, void *call);

/* Run until nothing is queued: for a loop that has nothing else to do. Returns how many stages
 * were run. */
size_t slw_execution_poll(struct slw_execution *e);

/* Forget what was counted. */
void slw_execution_reset(struct slw_execution *e);

struct slw_execution_count {
    uint64_t calls, runs, largest; /* largest run; 0: there was none */
};
struct slw_execution_count slw_execution_counted(const struct slw_execution_stage *s);

#endif

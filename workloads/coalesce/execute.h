/* SPDX-License-Identifier: MIT */
/* Execute one statement until each of its requests has an answer that is final.
 *
 *  - TRANSIENT: sent again, at most `retries` times, after a back-off that doubles and varies.
 *  - LOST: an INSERT is sent again with `again`, so that it is stored once, and a READ as it is;
 *    both count as retries. An UPDATE is not: somebody else may have written since. Its caller is
 *    told LOST.
 *  - An INSERT that was sent again and is there may be somebody else's row with the same id: it is
 *    read, and where the payload is another one, the caller is told REJECTED.
 *  - REJECTED, of all requests because of one (STATEMENT, TRANSACTION): the statement is cut in
 *    halves until the bad ones are alone: 2 log2(rows) more statements at most for each.
 *  - What may have been stored is never told to be TRANSIENT, but LOST.
 */
#ifndef SLW_WORKLOADS_COALESCE_EXECUTE_H
#define SLW_WORKLOADS_COALESCE_EXECUTE_H

#include "workloads/coalesce/lane.h"
#include "workloads/tally.h"

struct slw_execute_options {
    enum slw_batching how;
    unsigned retries;
    uint64_t back_off_ns, back_off_cap_ns; /* the first one, and the longest; 0: none */
    size_t rows;                           /* of one statement at most */
    /* The final answer of requests[row]; its payload is valid in this call only. */
    void (*answer)(void *ctx, uint32_t row, const struct slw_answer *answer);
    void *ctx;
};

struct slw_executor;

/* NULL when out of memory. The lane is lent. */
struct slw_executor *slw_executor_new(struct slw_lane *lane,
                                      const struct slw_execute_options *options);
void slw_executor_free(struct slw_executor *x);

/* Requests rows[0 .. count) of `requests`, of one op, with ids that differ. Every one is answered,
 * also when the result is negative: then there is no way on, as slw_lane_run() says. */
int slw_execute(struct slw_executor *x, const struct slw_request *const *requests,
                const uint32_t *rows, size_t count, struct slw_error *err);

struct slw_execute_counts {
    uint64_t calls;             /* of the driver, successful or not */
    uint64_t retries;           /* requests sent once more after TRANSIENT or LOST */
    uint64_t halvings;          /* statements cut because of a bad request */
    struct slw_histogram batch; /* requests of each call */
};
const struct slw_execute_counts *slw_executor_counts(const struct slw_executor *x);
void slw_executor_forget_counts(struct slw_executor *x);
void slw_execute_counts_merge(struct slw_execute_counts *c, const struct slw_execute_counts *from);

#endif

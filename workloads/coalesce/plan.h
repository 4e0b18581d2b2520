/* SPDX-License-Identifier: MIT */
/* Which statements the requests a worker has taken become. Pure: no I/O, no clock, no allocation
 * but in new(). Not for: sending them (execute.h).
 *
 * The rules. Requests are given in the order they were queued.
 *  1. Requests on one id are executed in that order: each in a later statement than the one before
 *     it. So a read sees the writes its caller queued before it, and none queued after it.
 *  2. A statement holds requests of one op, with ids that differ, in ascending order of id: two
 *     clients that lock the same rows lock them in the same order.
 *  3. Reads of one id with no write of it between them are one row: the later ones get its answer.
 *  4. Requests on different ids may change places, also those of one caller: nobody has been told
 *     of any of them yet. No two writes are made into one.
 *  5. A statement has at most limits.rows rows and limits.bytes payload bytes, but always one row.
 */
#ifndef SLW_WORKLOADS_COALESCE_PLAN_H
#define SLW_WORKLOADS_COALESCE_PLAN_H

#include "workloads/driver.h"

struct slw_merge_limits {
    size_t rows, bytes; /* of one statement */
};

#define SLW_NO_RIDER UINT32_MAX

/* rows[first .. first + count) of the plan. */
struct slw_merged {
    enum slw_op op;
    uint32_t first, count;
};

struct slw_merge_plan {
    struct slw_merged *statements; /* in the order to execute them */
    size_t statement_count;
    uint32_t *rows;   /* index of the request that is sent */
    uint32_t *riders; /* [index of a request]: the next one that gets the same answer, or none */
    struct slw_merge_key *keys;
    size_t capacity;
};

/* For up to `capacity` requests; NULL when out of memory. */
struct slw_merge_plan *slw_merge_plan_new(size_t capacity);
void slw_merge_plan_free(struct slw_merge_plan *p);

/* Plan `count` requests, at most the plan's capacity. What it held before is gone. */
void slw_merge_plan_make(struct slw_merge_plan *p, const struct slw_request *const *requests,
                         size_t count, const struct slw_merge_limits *limits);

#endif

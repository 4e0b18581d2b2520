/* SPDX-License-Identifier: MIT */
/* What coalescing is compared with: each caller executes its own request, on a connection that is
 * free. With one connection that is the blocking call under a lock. */
#ifndef SLW_WORKLOADS_COALESCE_POOL_H
#define SLW_WORKLOADS_COALESCE_POOL_H

#include "workloads/coalesce/coalescer.h"

struct slw_pool;

/* Opens `connections` of them. Only retries and back-off of `execute` are looked at. Errors are
 * those of driver->open, or SLW_E_NOMEM. */
int slw_pool_new(const struct slw_lane_options *lane, const struct slw_execute_options *execute,
                 size_t connections, uint64_t seed, struct slw_pool **ret_pool,
                 struct slw_error *err);
void slw_pool_free(struct slw_pool *p); /* NULL is allowed */

/* Execute the job's request here and now, and retry as slw_execute() does. Any thread. Negative:
 * there is no way on; the job has an answer all the same. */
int slw_pool_call(struct slw_pool *p, struct slw_job *job, struct slw_error *err);

/* The sum over all connections, and their reconnects. Nobody calls meanwhile. */
void slw_pool_counts(const struct slw_pool *p, struct slw_execute_counts *ret_counts,
                     uint64_t *ret_reconnects);
void slw_pool_forget_counts(struct slw_pool *p);

#endif

/* SPDX-License-Identifier: MIT */
/* Rows that were read or stored, for a worker that is the only one to write them. A new row takes
 * the place of the one with the same remainder. Belongs to one thread. */
#ifndef SLW_WORKLOADS_COALESCE_CACHE_H
#define SLW_WORKLOADS_COALESCE_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct slw_row_cache;

/* NULL when out of memory. */
struct slw_row_cache *slw_row_cache_new(size_t rows);
void slw_row_cache_free(struct slw_row_cache *c);

/* Only what is committed. Out of memory: the row is not kept. */
void slw_row_cache_put(struct slw_row_cache *c, uint64_t id, const void *payload, size_t length);
void slw_row_cache_drop(struct slw_row_cache *c, uint64_t id);
/* Lent until the next put or drop. */
bool slw_row_cache_find(const struct slw_row_cache *c, uint64_t id, const void **ret_payload,
                        size_t *ret_length);

#endif

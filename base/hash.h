/* SPDX-License-Identifier: MIT */
/* Hashing and an index from hash to position in the caller's own array. */
#ifndef SLW_BASE_HASH_H
#define SLW_BASE_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* FNV-1a over bytes, finished with an avalanche step so that low bits are usable. The same on every
 * machine. Source: Fowler/Noll/Vo; finaliser: MurmurHash3 fmix64. */
uint64_t slw_hash_bytes(const void *bytes, size_t length, uint64_t seed);

/* Eight bytes at a time: for tables that are searched often. Depends on the machine's byte order,
 * so nothing that is shown or stored may depend on it. */
uint64_t slw_hash_key(const void *bytes, size_t length, uint64_t seed);

/* An open-addressing index: hash -> position (0 .. UINT32_MAX-1) in an array the caller owns.
 * Zero-initialise; release with slw_index_release. */
struct slw_index {
    struct slw_index_slot *slots;
    uint32_t mask; /* slot count - 1; slot count is a power of two */
    uint32_t count;
};

/* Does the caller's element `position` equal `key`? */
typedef bool (*slw_index_equal)(const void *ctx, uint32_t position, const void *key);

/* True and *ret_position when found. */
bool slw_index_find(const struct slw_index *ix, uint64_t hash, slw_index_equal equal,
                    const void *ctx, const void *key, uint32_t *ret_position);

/* Add a position known to be absent. 0, or -SLW_E_NOMEM. */
int slw_index_add(struct slw_index *ix, uint64_t hash, uint32_t position);

void slw_index_release(struct slw_index *ix);

#endif

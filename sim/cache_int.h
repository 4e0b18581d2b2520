/* SPDX-License-Identifier: MIT */
/* A set-associative store of keys with least-recently-used replacement: caches, TLBs, the micro-op
 * cache, the branch target buffer. The most recent key of a set comes first. Private to sim/. */
#ifndef SLW_SIM_CACHE_INT_H
#define SLW_SIM_CACHE_INT_H

#include "sim/core.h"

struct slw_sim_cache {
    uint64_t *keys; /* 0: empty, so every key is stored plus 1 */
    uint64_t set_mask;
    uint32_t ways;
};

/* `sets` is a power of two. */
static inline void slw_sim_cache_init(struct slw_sim_cache *cache, const struct slw_sim_host *host,
                                      uint64_t sets, uint32_t ways)
{
    cache->keys = host->allocate(sets * ways * sizeof(uint64_t));
    cache->set_mask = sets - 1;
    cache->ways = ways;
}

/* Its set will be asked for soon: into the caches of the host with it. */
static inline void slw_sim_cache_prefetch(const struct slw_sim_cache *cache, uint64_t set)
{
    __builtin_prefetch(cache->keys + (set & cache->set_mask) * cache->ways);
}

/* Is it the most recent one of its set? */
static inline bool slw_sim_cache_is_latest(const struct slw_sim_cache *cache, uint64_t key,
                                           uint64_t set)
{
    return cache->keys[(set & cache->set_mask) * cache->ways] == key + 1;
}

/* Is it there? It is the most recent one of its set afterwards, in any case. */
static inline bool slw_sim_cache_touch(struct slw_sim_cache *cache, uint64_t key, uint64_t set)
{
    uint64_t *const line = cache->keys + (set & cache->set_mask) * cache->ways;
    uint64_t carried = line[0];

    if (carried == key + 1)
        return true;
    for (uint32_t i = 1; i < cache->ways; i++) {
        const uint64_t here = line[i];

        line[i] = carried;
        carried = here;
        if (here == key + 1) {
            line[0] = key + 1;
            return true;
        }
    }
    line[0] = key + 1;
    return false;
}

static inline bool slw_sim_cache_has(const struct slw_sim_cache *cache, uint64_t key, uint64_t set)
{
    const uint64_t *const line = cache->keys + (set & cache->set_mask) * cache->ways;

    for (uint32_t i = 0; i < cache->ways; i++)
        if (line[i] == key + 1)
            return true;
    return false;
}

/* Is it there? Then it is the most recent one of its set afterwards. */
static inline bool slw_sim_cache_refresh(struct slw_sim_cache *cache, uint64_t key, uint64_t set)
{
    uint64_t *const line = cache->keys + (set & cache->set_mask) * cache->ways;

    for (uint32_t i = 0; i < cache->ways; i++) {
        if (line[i] != key + 1)
            continue;
        for (; i > 0; i--)
            line[i] = line[i - 1];
        line[0] = key + 1;
        return true;
    }
    return false;
}

#endif

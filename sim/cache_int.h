/* SPDX-License-Identifier: MIT */
/* A set-associative store of keys with least-recently-used replacement: caches, TLBs, the micro-op
 * cache, the branch target buffer. What is asked for is nearly always where it was last time: who
 * asks remembers the place, and it is looked at first. The order of a set is in the moments of use,
 * so that a hit moves nothing. Private to sim/. */
#ifndef SLW_SIM_CACHE_INT_H
#define SLW_SIM_CACHE_INT_H

#include "sim/core.h"

/* Kept small, as hosts have small caches, too. Of a key and a moment the low bits are enough: lines
 * that are 256 GiB apart are one, and what was not used for 2^32 moments may seem to have been. */
struct slw_sim_place {
    uint32_t key; /* plus 1; 0: empty */
    uint32_t used;
};

struct slw_sim_cache {
    struct slw_sim_place *places; /* those of a set in a row */
    uint32_t set_mask, ways;
};

/* Where something was last time; may be wrong, and is cut where there are more places. */
typedef uint16_t slw_sim_hint;

/* `sets` is a power of two. */
void slw_sim_cache_init(struct slw_sim_cache *cache, const struct slw_sim_host *host, uint64_t sets,
                        uint32_t ways);

/* As touch, where the key is known not to be there. */
void slw_sim_cache_add(struct slw_sim_cache *cache, uint64_t key, uint64_t set, slw_sim_hint *hint,
                       uint32_t now);

bool slw_sim_cache_has(const struct slw_sim_cache *cache, uint64_t key, uint64_t set);

/* As touch and refresh, where the key is not where the hint says. */
bool slw_sim_cache_touch_elsewhere(struct slw_sim_cache *cache, uint64_t key, uint64_t set,
                                   slw_sim_hint *hint, uint32_t now);
bool slw_sim_cache_refresh_elsewhere(struct slw_sim_cache *cache, uint64_t key, uint64_t set,
                                     slw_sim_hint *hint, uint32_t now);

static inline bool slw_sim_place_has(const struct slw_sim_place *place, uint64_t key)
{
    return place->key == (uint32_t)(key + 1);
}

static inline bool slw_sim_cache_is_at(const struct slw_sim_cache *cache, uint64_t key,
                                       slw_sim_hint hint)
{
    return slw_sim_place_has(&cache->places[hint], key);
}

/* Is it there? It is, as the most recent one of its set, afterwards, and the hint is right. Keys of
 * one set that are touched in the same moment have no order. */
static inline bool slw_sim_cache_touch(struct slw_sim_cache *cache, uint64_t key, uint64_t set,
                                       slw_sim_hint *hint, uint32_t now)
{
    if (__builtin_expect(!slw_sim_cache_is_at(cache, key, *hint), 0))
        return slw_sim_cache_touch_elsewhere(cache, key, set, hint, now);
    cache->places[*hint].used = now;
    return true;
}

/* Is it there? Then it is the most recent one of its set afterwards. */
static inline bool slw_sim_cache_refresh(struct slw_sim_cache *cache, uint64_t key, uint64_t set,
                                         slw_sim_hint *hint, uint32_t now)
{
    if (__builtin_expect(!slw_sim_cache_is_at(cache, key, *hint), 0))
        return slw_sim_cache_refresh_elsewhere(cache, key, set, hint, now);
    cache->places[*hint].used = now;
    return true;
}

#endif

/* SPDX-License-Identifier: MIT */
#include "sim/cache_int.h"

void slw_sim_cache_init(struct slw_sim_cache *cache, const struct slw_sim_host *host, uint64_t sets,
                        uint32_t ways)
{
    cache->places = host->allocate(sets * ways * sizeof(*cache->places));
    cache->set_mask = (uint32_t)sets - 1;
    cache->ways = ways;
}

static inline struct slw_sim_place *set_of(const struct slw_sim_cache *cache, uint64_t set)
{
    return cache->places + (set & cache->set_mask) * cache->ways;
}

/* The place of the key in the set that begins at `first`; NULL: it has none. */
static inline struct slw_sim_place *find(const struct slw_sim_cache *cache, uint64_t key,
                                         struct slw_sim_place *first)
{
    struct slw_sim_place *const end = first + cache->ways;

#pragma GCC unroll 4
    for (struct slw_sim_place *p = first; p < end; p++)
        if (p->key == (uint32_t)(key + 1))
            return p;
    return NULL;
}

static inline struct slw_sim_place *oldest_of(const struct slw_sim_cache *cache,
                                              struct slw_sim_place *first, uint32_t now)
{
    struct slw_sim_place *const end = first + cache->ways;
    struct slw_sim_place *oldest = first;
    uint32_t most = now - first->used;

#pragma GCC unroll 4
    for (struct slw_sim_place *p = first + 1; p < end; p++) {
        const uint32_t age = now - p->used;

        oldest = age > most ? p : oldest;
        most = age > most ? age : most;
    }
    return oldest;
}

bool slw_sim_cache_has(const struct slw_sim_cache *cache, uint64_t key, uint64_t set)
{
    return find(cache, key, set_of(cache, set)) != NULL;
}

bool slw_sim_cache_refresh_elsewhere(struct slw_sim_cache *cache, uint64_t key, uint64_t set,
                                     slw_sim_hint *hint, uint32_t now)
{
    struct slw_sim_place *const place = find(cache, key, set_of(cache, set));

    if (!place)
        return false;
    place->used = now;
    *hint = (slw_sim_hint)(place - cache->places);
    return true;
}

bool slw_sim_cache_touch_elsewhere(struct slw_sim_cache *cache, uint64_t key, uint64_t set,
                                   slw_sim_hint *hint, uint32_t now)
{
    struct slw_sim_place *const first = set_of(cache, set);
    struct slw_sim_place *place = find(cache, key, first);
    const bool is_there = place != NULL;

    if (!is_there)
        place = oldest_of(cache, first, now);
    place->key = (uint32_t)(key + 1);
    place->used = now;
    *hint = (slw_sim_hint)(place - cache->places);
    return is_there;
}

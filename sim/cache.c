/* SPDX-License-Identifier: MIT */
#include "sim/cache_int.h"

/* Places that are looked at at once, also behind the last one of a set; and two of them. */
enum { AT_ONCE = 8 };

typedef uint32_t two_places __attribute__((vector_size(16), aligned(4), may_alias));

void slw_sim_cache_init(struct slw_sim_cache *cache, const struct slw_sim_host *host, uint64_t sets,
                        uint32_t ways)
{
    cache->places = host->allocate((sets * ways + AT_ONCE - 1) * sizeof(*cache->places));
    cache->set_mask = (uint32_t)sets - 1;
    cache->ways = ways;
}

static inline struct slw_sim_place *set_of(const struct slw_sim_cache *cache, uint64_t set)
{
    return cache->places + (set & cache->set_mask) * cache->ways;
}

/* Which of the places from `first` on have the key: a bit each. */
static inline uint32_t places_of(const struct slw_sim_place *first, uint32_t key)
{
    const two_places *const at = (const two_places *)first;
    const two_places wanted = {key, key, key, key};
    const two_places found = ((two_places)(at[0] == wanted) & (two_places){1, 0, 2, 0}) |
                             ((two_places)(at[1] == wanted) & (two_places){4, 0, 8, 0}) |
                             ((two_places)(at[2] == wanted) & (two_places){16, 0, 32, 0}) |
                             ((two_places)(at[3] == wanted) & (two_places){64, 0, 128, 0});

    return found[0] | found[2];
}

/* The place of the key in the set that begins at `first`; NULL: it has none. Which place it is a
 * host cannot guess, so that nothing branches on it. */
static inline struct slw_sim_place *find(const struct slw_sim_cache *cache, uint64_t key,
                                         struct slw_sim_place *first)
{
    for (uint32_t way = 0; way < cache->ways; way += AT_ONCE) {
        const uint32_t found = places_of(first + way, (uint32_t)(key + 1));

        if (found) {
            way += (uint32_t)__builtin_ctz(found);
            return way < cache->ways ? first + way : NULL;
        }
    }
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

static inline void occupy(struct slw_sim_cache *cache, struct slw_sim_place *place, uint64_t key,
                          slw_sim_hint *hint, uint32_t now)
{
    place->key = (uint32_t)(key + 1);
    place->used = now;
    *hint = (slw_sim_hint)(place - cache->places);
}

bool slw_sim_cache_touch_elsewhere(struct slw_sim_cache *cache, uint64_t key, uint64_t set,
                                   slw_sim_hint *hint, uint32_t now)
{
    struct slw_sim_place *const first = set_of(cache, set);
    struct slw_sim_place *place = find(cache, key, first);
    const bool is_there = place != NULL;

    if (!is_there)
        place = oldest_of(cache, first, now);
    occupy(cache, place, key, hint, now);
    return is_there;
}

void slw_sim_cache_add(struct slw_sim_cache *cache, uint64_t key, uint64_t set, slw_sim_hint *hint,
                       uint32_t now)
{
    occupy(cache, oldest_of(cache, set_of(cache, set), now), key, hint, now);
}

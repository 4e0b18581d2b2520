/* SPDX-License-Identifier: MIT */
#include "analyzer/mapset.h"

#include <stdlib.h>
#include <string.h>

struct slw_mapset {
    size_t references, count, capacity;
    struct slw_map maps[];
};

struct slw_mapset *slw_mapset_share(struct slw_mapset *s)
{
    if (s)
        s->references++;
    return s;
}

void slw_mapset_put(struct slw_mapset *s)
{
    if (s && --s->references == 0)
        free(s);
}

/* The first mapping that ends behind `address`. */
static size_t lower_bound(const struct slw_mapset *s, uint64_t address)
{
    size_t low = 0, high = s ? s->count : 0;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (s->maps[middle].end <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct slw_map *slw_mapset_find(const struct slw_mapset *s, uint64_t address)
{
    size_t i = lower_bound(s, address);

    return s && i < s->count && s->maps[i].start <= address ? &s->maps[i] : NULL;
}

/* Make *set ours alone with room for two more: an insertion in the middle of a mapping splits it.
 */
static int own(struct slw_mapset **set)
{
    struct slw_mapset *old = *set;
    size_t count = old ? old->count : 0, capacity = count + count / 2 + 16;

    if (old && old->references == 1 && old->capacity >= count + 2)
        return 0;
    struct slw_mapset *s = malloc(sizeof(*s) + capacity * sizeof(s->maps[0]));
    if (!s)
        return -SLW_E_NOMEM;
    *s = (struct slw_mapset){.references = 1, .count = count, .capacity = capacity};
    if (old)
        memcpy(s->maps, old->maps, count * sizeof(s->maps[0]));
    slw_mapset_put(old);
    *set = s;
    return 0;
}

int slw_mapset_add(struct slw_mapset **set, const struct slw_map *map)
{
    if (map->end <= map->start)
        return 0;
    if (*set && (*set)->count + 2 > SLW_MAX_MAPS)
        return -SLW_E_LIMIT;
    if (own(set) < 0)
        return -SLW_E_NOMEM;
    struct slw_mapset *s = *set;
    size_t first = lower_bound(s, map->start), past = first;
    struct slw_map pieces[3];
    size_t piece_count = 0;

    while (past < s->count && s->maps[past].start < map->end)
        past++;
    if (first < past && s->maps[first].start < map->start) {
        pieces[piece_count] = s->maps[first];
        pieces[piece_count++].end = map->start;
    }
    pieces[piece_count++] = *map;
    if (first < past && s->maps[past - 1].end > map->end) {
        pieces[piece_count] = s->maps[past - 1];
        pieces[piece_count].offset += map->end - pieces[piece_count].start;
        pieces[piece_count++].start = map->end;
    }
    memmove(&s->maps[first + piece_count], &s->maps[past], (s->count - past) * sizeof(s->maps[0]));
    memcpy(&s->maps[first], pieces, piece_count * sizeof(pieces[0]));
    s->count = s->count - (past - first) + piece_count;
    return 0;
}

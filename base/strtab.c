/* SPDX-License-Identifier: MIT */
#include "base/strtab.h"

#include "base/arena.h"
#include "base/error.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct key {
    const char *s;
    size_t length;
};

static bool equal(const void *ctx, uint32_t position, const void *key)
{
    const struct slw_strtab *t = ctx;
    const struct key *k = key;

    return t->lengths[position] == k->length && memcmp(t->strings[position], k->s, k->length) == 0;
}

int slw_strtab_init(struct slw_strtab *t, struct slw_arena *arena)
{
    uint32_t id;

    *t = (struct slw_strtab){.arena = arena};
    return slw_strtab_intern(t, "", 0, &id);
}

void slw_strtab_release(struct slw_strtab *t)
{
    free(t->strings);
    free(t->lengths);
    slw_index_release(&t->index);
    *t = (struct slw_strtab){0};
}

static int grow(struct slw_strtab *t)
{
    uint32_t capacity = t->capacity ? t->capacity * 2 : 256;

    if (t->capacity > UINT32_MAX / 4)
        return -SLW_E_NOMEM;
    const char **strings = realloc(t->strings, capacity * sizeof(*strings));
    if (!strings)
        return -SLW_E_NOMEM;
    t->strings = strings;
    uint32_t *lengths = realloc(t->lengths, capacity * sizeof(*lengths));
    if (!lengths)
        return -SLW_E_NOMEM;
    t->lengths = lengths;
    t->capacity = capacity;
    return 0;
}

bool slw_strtab_find(const struct slw_strtab *t, const char *s, size_t length, uint32_t *ret_id)
{
    struct key key = {s, length};

    return slw_index_find(&t->index, slw_hash_key(s, length, 0), equal, t, &key, ret_id);
}

int slw_strtab_intern(struct slw_strtab *t, const char *s, size_t length, uint32_t *ret_id)
{
    struct key key = {s, length};
    uint64_t hash = slw_hash_key(s, length, 0);

    if (length > UINT32_MAX)
        return -SLW_E_NOMEM;
    if (slw_index_find(&t->index, hash, equal, t, &key, ret_id))
        return 0;
    if (t->count == t->capacity && grow(t) < 0)
        return -SLW_E_NOMEM;
    char *copy = slw_arena_strndup(t->arena, s, length);
    if (!copy)
        return -SLW_E_NOMEM;
    if (slw_index_add(&t->index, hash, t->count) < 0)
        return -SLW_E_NOMEM;
    t->strings[t->count] = copy;
    t->lengths[t->count] = (uint32_t)length;
    *ret_id = t->count++;
    return 0;
}

const char *slw_strtab_get(const struct slw_strtab *t, uint32_t id)
{
    assert(id < t->count);
    return t->strings[id];
}

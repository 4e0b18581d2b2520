/* SPDX-License-Identifier: MIT */
#include "workloads/coalesce/cache.h"

#include "base/buf.h"

#include <assert.h>
#include <stdlib.h>

struct kept {
    uint64_t id; /* 0: none */
    struct slw_buf payload;
};

struct slw_row_cache {
    size_t rows;
    struct kept kept[];
};

struct slw_row_cache *slw_row_cache_new(size_t rows)
{
    struct slw_row_cache *c = NULL;

    assert(rows > 0);
    if (rows <= (SIZE_MAX - sizeof(*c)) / sizeof(c->kept[0]))
        c = calloc(1, sizeof(*c) + rows * sizeof(c->kept[0]));
    if (c)
        c->rows = rows;
    return c;
}

void slw_row_cache_free(struct slw_row_cache *c)
{
    for (size_t i = 0; c && i < c->rows; i++)
        slw_buf_release(&c->kept[i].payload);
    free(c);
}

void slw_row_cache_put(struct slw_row_cache *c, uint64_t id, const void *payload, size_t length)
{
    struct kept *k = &c->kept[id % c->rows];

    k->payload.length = 0;
    slw_buf_put(&k->payload, payload, length);
    k->id = id;
    if (slw_buf_failed(&k->payload)) {
        slw_buf_release(&k->payload);
        k->id = 0;
    }
}

void slw_row_cache_drop(struct slw_row_cache *c, uint64_t id)
{
    struct kept *k = &c->kept[id % c->rows];

    if (k->id == id)
        k->id = 0;
}

bool slw_row_cache_find(const struct slw_row_cache *c, uint64_t id, const void **ret_payload,
                        size_t *ret_length)
{
    const struct kept *k = &c->kept[id % c->rows];

    if (k->id != id)
        return false;
    *ret_payload = k->payload.length ? k->payload.data : "";
    *ret_length = k->payload.length;
    return true;
}

/* SPDX-License-Identifier: MIT */
#include "record/moments.h"

#include "base/hash.h"
#include "record/moments_int.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct slw_moments {
    const struct slw_stacks *stacks;
    uint64_t bucket_ns;
    struct slw_moment *rows;
    uint32_t count, capacity;
    struct slw_index index;
    uint64_t samples, weight; /* of all rows: their sums never pass INT64_MAX */
};

/* The first members of a row are what it is found by, without padding. */
#define KEY_BYTES (3 * sizeof(uint32_t))

int slw_moments_new(const struct slw_stacks *stacks, uint64_t bucket_ns,
                    struct slw_moments **ret_moments, struct slw_error *err)
{
    assert(bucket_ns > 0);
    struct slw_moments *m = calloc(1, sizeof(*m));

    if (!m)
        return slw_fail(err, SLW_E_NOMEM, "no memory for the times of samples");
    m->stacks = stacks;
    m->bucket_ns = bucket_ns;
    *ret_moments = m;
    return 0;
}

void slw_moments_free(struct slw_moments *m)
{
    if (!m)
        return;
    free(m->rows);
    slw_index_release(&m->index);
    free(m);
}

static bool row_equal(const void *ctx, uint32_t position, const void *key)
{
    return memcmp(&((const struct slw_moment *)ctx)[position], key, KEY_BYTES) == 0;
}

static uint64_t row_hash(const struct slw_moment *row)
{
    return slw_hash_key(row, KEY_BYTES, 0);
}

/* Rows whose buckets became one are joined; the sums are what they were. */
static int coarsen(struct slw_moments *m)
{
    struct slw_moment *rows = malloc(((size_t)m->capacity + 1) * sizeof(*rows));
    struct slw_index index = {0};
    uint32_t kept = 0, at;
    int rc = rows ? 0 : -SLW_E_NOMEM;

    for (uint32_t i = 0; rc == 0 && i < m->count; i++) {
        struct slw_moment row = m->rows[i];

        row.bucket /= 2;
        const uint64_t hash = row_hash(&row);
        if (slw_index_find(&index, hash, row_equal, rows, &row, &at)) {
            rows[at].samples += row.samples;
            rows[at].weight += row.weight;
            continue;
        }
        rc = slw_index_add(&index, hash, kept);
        rows[kept++] = row;
    }
    if (rc < 0) {
        slw_index_release(&index);
        free(rows);
        return rc;
    }
    free(m->rows);
    slw_index_release(&m->index);
    m->rows = rows;
    m->index = index;
    m->count = kept;
    m->bucket_ns *= 2;
    return 0;
}

static int append(struct slw_moments *m, const struct slw_moment *row, uint64_t hash)
{
    if (m->count >= SLW_MAX_MOMENTS)
        return -SLW_E_LIMIT;
    if (m->count == m->capacity) {
        uint32_t capacity = m->capacity ? m->capacity * 2 : 1024;
        struct slw_moment *rows = realloc(m->rows, capacity * sizeof(*rows));
        if (!rows)
            return -SLW_E_NOMEM;
        m->rows = rows;
        m->capacity = capacity;
    }
    int rc = slw_index_add(&m->index, hash, m->count);
    if (rc == 0)
        m->rows[m->count++] = *row;
    return rc;
}

int slw_moments_add(struct slw_moments *m, uint32_t round, uint64_t time_ns, uint32_t path,
                    uint64_t samples, uint64_t weight)
{
    struct slw_moment row = {.round = round, .path = path, .samples = samples, .weight = weight};
    uint32_t at;
    int rc = 0;

    if (samples > INT64_MAX - m->samples || weight > INT64_MAX - m->weight)
        return -SLW_E_RANGE;
    while (rc == 0 && time_ns / m->bucket_ns >= SLW_MAX_BUCKETS)
        rc = coarsen(m);
    if (rc < 0 || (samples == 0 && weight == 0))
        return rc;
    row.bucket = (uint32_t)(time_ns / m->bucket_ns);
    const uint64_t hash = row_hash(&row);
    if (slw_index_find(&m->index, hash, row_equal, m->rows, &row, &at)) {
        m->rows[at].samples += samples;
        m->rows[at].weight += weight;
    } else {
        rc = append(m, &row, hash);
    }
    if (rc < 0)
        return rc;
    m->samples += samples;
    m->weight += weight;
    return 0;
}

static int merge(struct slw_moments *into, const struct slw_moments *from, const uint32_t *path_map,
                 uint32_t round)
{
    int rc = 0;

    while (rc == 0 && into->bucket_ns < from->bucket_ns)
        rc = coarsen(into);
    for (uint32_t i = 0; rc == 0 && i < from->count; i++) {
        const struct slw_moment *row = &from->rows[i];

        rc = slw_moments_add(into, round == SLW_KEEP_ROUNDS ? row->round : round,
                             row->bucket * from->bucket_ns,
                             path_map ? path_map[row->path] : row->path, row->samples, row->weight);
    }
    return rc;
}

int slw_moments_merge(struct slw_moments *into, const struct slw_moments *from,
                      const uint32_t *path_map, uint32_t round, struct slw_error *err)
{
    int rc = merge(into, from, path_map, round);

    return rc < 0 ? slw_fail(err, (enum slw_code) - rc, "cannot join the times of samples") : 0;
}

uint64_t slw_moments_bucket_ns(const struct slw_moments *m)
{
    return m->bucket_ns;
}

size_t slw_moments_count(const struct slw_moments *m)
{
    return m->count;
}

const struct slw_moment *slw_moments_get(const struct slw_moments *m, size_t index)
{
    assert(index < m->count);
    return &m->rows[index];
}

const struct slw_stacks *slw_moments_stacks(const struct slw_moments *m)
{
    return m->stacks;
}

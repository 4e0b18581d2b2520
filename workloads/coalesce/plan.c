/* SPDX-License-Identifier: MIT */
#include "workloads/coalesce/plan.h"

#include <assert.h>
#include <stdlib.h>

/* Statements have places in a cycle insert, update, read, insert, ...: a request takes the first
 * place of its op that is after the one of the request before it on its id. */
struct slw_merge_key {
    uint64_t id;
    uint32_t index, place;
};

void slw_merge_plan_free(struct slw_merge_plan *p)
{
    if (!p)
        return;
    free(p->statements);
    free(p->rows);
    free(p->riders);
    free(p->keys);
    free(p);
}

struct slw_merge_plan *slw_merge_plan_new(size_t capacity)
{
    struct slw_merge_plan *p = calloc(1, sizeof(*p));

    assert(capacity > 0 && capacity <= SLW_MAX_REQUESTS);
    if (!p)
        return NULL;
    p->capacity = capacity;
    p->statements = calloc(capacity, sizeof(*p->statements));
    p->rows = calloc(capacity, sizeof(*p->rows));
    p->riders = calloc(capacity, sizeof(*p->riders));
    p->keys = calloc(capacity, sizeof(*p->keys));
    if (p->statements && p->rows && p->riders && p->keys)
        return p;
    slw_merge_plan_free(p);
    return NULL;
}

static int by_id(const void *left, const void *right)
{
    const struct slw_merge_key *a = left, *b = right;

    if (a->id != b->id)
        return a->id < b->id ? -1 : 1;
    return a->index < b->index ? -1 : a->index > b->index;
}

static int by_place(const void *left, const void *right)
{
    const struct slw_merge_key *a = left, *b = right;

    return a->place != b->place ? (a->place < b->place ? -1 : 1) : by_id(left, right);
}

/* The place of a request whose predecessor on the same id is at `before`. */
static uint32_t place_after(uint32_t before, enum slw_op op)
{
    const uint32_t at = before % SLW_OP_COUNT;

    if (op == SLW_OP_READ && at == SLW_OP_READ)
        return before; /* rides on it */
    return before - at + (uint32_t)op + ((uint32_t)op > at ? 0 : SLW_OP_COUNT);
}

static void give_places(struct slw_merge_plan *p, const struct slw_request *const *requests,
                        size_t count)
{
    for (size_t i = 0; i < count; i++)
        p->keys[i] = (struct slw_merge_key){.id = requests[i]->id, .index = (uint32_t)i};
    qsort(p->keys, count, sizeof(*p->keys), by_id);
    for (size_t i = 0; i < count; i++) {
        struct slw_merge_key *k = &p->keys[i];
        const enum slw_op op = requests[k->index]->op;

        k->place = i > 0 && k[-1].id == k->id ? place_after(k[-1].place, op) : (uint32_t)op;
    }
    qsort(p->keys, count, sizeof(*p->keys), by_place);
}

void slw_merge_plan_make(struct slw_merge_plan *p, const struct slw_request *const *requests,
                         size_t count, const struct slw_merge_limits *limits)
{
    struct slw_merged *s = p->statements;
    uint32_t rows = 0;
    size_t bytes = 0;

    assert(count <= p->capacity && limits->rows > 0);
    give_places(p, requests, count);
    p->statement_count = 0;
    for (size_t i = 0; i < count; i++) {
        const struct slw_merge_key *k = &p->keys[i];
        const struct slw_request *r = requests[k->index];
        const bool same_place = i > 0 && k[-1].place == k->place;

        p->riders[k->index] = SLW_NO_RIDER;
        if (same_place && k[-1].id == k->id) {
            p->riders[k[-1].index] = k->index;
            continue;
        }
        if (!same_place || s->count == limits->rows || bytes + r->length > limits->bytes) {
            s = &p->statements[p->statement_count++];
            *s = (struct slw_merged){.op = r->op, .first = rows};
            bytes = 0;
        }
        p->rows[rows++] = k->index;
        s->count++;
        bytes += r->length;
    }
}

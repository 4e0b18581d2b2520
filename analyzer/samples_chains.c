/* SPDX-License-Identifier: MIT */
/* Raw call chains as a tree that grows from the threads: chains that begin alike share what they
 * have in common, so that an address is resolved once for all samples that came the same way, and
 * no chain is kept or compared as a whole. Knows nothing of what the addresses mean. */
#include "analyzer/samples_int.h"

#include <stdlib.h>
#include <string.h>

/* 4 GiB of links. The stacks of a profile have a limit of the same kind. */
#define MAX_CHAINS  ((uint32_t)1 << 27)
#define FIRST_SLOTS ((uint32_t)1 << 12)
#define NO_ROW      UINT32_MAX

/* Samples of one thread mostly come the same way for most of it. How far from the root that is
 * remembered, and for how many threads at once. */
#define TRAIL_STEPS 128
#define TRAILS      16 /* power of two */

struct trail {
    uint32_t root, length;
    struct {
        struct slw_chain_step step; /* as in the chain, but here they stand side by side */
        uint64_t hash;              /* of the chain, as extend makes it */
        uint32_t chain;
    } steps[TRAIL_STEPS]; /* the root's callee first */
};

/* The root of a thread that had a sample lately. */
struct known_root {
    struct slw_chain_root root;
    uint64_t hash;
    uint32_t chain_plus_1; /* 0: free */
};

/* A link is looked at only when these bits of its hash are the right ones. */
struct slot {
    uint32_t hash, chain_plus_1; /* 0: free */
};

struct slw_chains {
    struct slw_chain *chains;
    struct slot *slots;  /* power of two; half full at most */
    uint64_t *weights;   /* row-major, and behind those of a row the samples it is of */
    uint32_t *row_chain; /* which chain a row is of */
    size_t columns;
    uint32_t count, capacity, mask, row_count, row_capacity;
    struct trail trails[TRAILS];
    struct known_root roots[TRAILS]; /* by thread */
};

static int rehash(struct slw_chains *c, uint32_t size);

struct slw_chains *slw_chains_new(size_t columns)
{
    struct slw_chains *c = calloc(1, sizeof(*c));

    if (!c)
        return NULL;
    c->columns = columns;
    if (rehash(c, FIRST_SLOTS) < 0) {
        slw_chains_free(c);
        return NULL;
    }
    return c;
}

void slw_chains_free(struct slw_chains *c)
{
    if (!c)
        return;
    free(c->chains);
    free(c->slots);
    free(c->weights);
    free(c->row_chain);
    free(c);
}

/* Of a whole chain, from the root on: that it takes no look at the caller's own place lets the
 * processor search for several links at once. */
static uint64_t extend(uint64_t hash, const struct slw_chain_step *step)
{
    /* 2^64 / golden ratio; the shift brings the high bits back down. */
    hash = (hash ^ step->address ^ (uint64_t)step->kind << 61) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 32;
}

static int rehash(struct slw_chains *c, uint32_t size)
{
    struct slot *slots = calloc(size, sizeof(*slots));

    if (!slots)
        return -SLW_E_NOMEM;
    for (uint32_t i = 0; c->slots && i <= c->mask; i++) {
        uint32_t at = c->slots[i].hash & (size - 1);
        if (c->slots[i].chain_plus_1 == 0)
            continue;
        while (slots[at].chain_plus_1 != 0)
            at = (at + 1) & (size - 1);
        slots[at] = c->slots[i];
    }
    free(c->slots);
    c->slots = slots;
    c->mask = size - 1;
    return 0;
}

static int reserve(void **array, uint32_t capacity, size_t bytes)
{
    void *grown = realloc(*array, capacity * bytes);

    if (!grown)
        return -SLW_E_NOMEM;
    *array = grown;
    return 0;
}

static int make_room(struct slw_chains *c)
{
    uint32_t capacity = c->capacity ? c->capacity * 2 : FIRST_SLOTS / 2;

    if (c->count < c->capacity)
        return 0;
    if (c->count >= MAX_CHAINS)
        return -SLW_E_LIMIT;
    if (reserve((void **)&c->chains, capacity, sizeof(*c->chains)) < 0 ||
        rehash(c, 2 * capacity) < 0)
        return -SLW_E_NOMEM;
    c->capacity = capacity;
    return 0;
}

/* The chain was new to its caller. 1, -SLW_E_NOMEM or -SLW_E_LIMIT. */
static int add(struct slw_chains *c, uint32_t caller, const struct slw_chain_step *step,
               uint32_t hash, uint32_t *ret_chain)
{
    int rc = make_room(c);
    uint32_t at;

    if (rc < 0)
        return rc;
    for (at = hash & c->mask; c->slots[at].chain_plus_1 != 0;)
        at = (at + 1) & c->mask;
    c->chains[c->count] = (struct slw_chain){
        .step = *step, .caller = caller, .location = SLW_NO_LOCATION, .row = NO_ROW};
    *ret_chain = c->count++;
    c->slots[at] = (struct slot){hash, c->count};
    return 1;
}

/* 1 when the step was new to the caller, 0 when it was known. */
static inline int find(struct slw_chains *c, uint32_t caller, const struct slw_chain_step *step,
                       uint64_t chain_hash, uint32_t *ret_chain)
{
    const uint32_t hash = (uint32_t)chain_hash, mask = c->mask;
    const struct slot *slots = c->slots;

    for (uint32_t at = hash & mask; slots[at].chain_plus_1 != 0; at = (at + 1) & mask) {
        const struct slw_chain *known = &c->chains[slots[at].chain_plus_1 - 1];
        if (slots[at].hash == hash && known->step.address == step->address &&
            known->caller == caller && known->step.kind == step->kind) {
            *ret_chain = slots[at].chain_plus_1 - 1;
            return 0;
        }
    }
    return add(c, caller, step, hash, ret_chain);
}

static int find_root(struct slw_chains *c, const struct slw_chain_root *root, uint64_t *ret_hash,
                     uint32_t *ret_chain)
{
    const struct slw_chain_step thread = {root->thread, SLW_STEP_ROOT},
                                generation = {root->generation, SLW_STEP_ROOT};
    struct known_root *k = &c->roots[root->thread & (TRAILS - 1)];

    if (k->chain_plus_1 != 0 && k->root.thread == root->thread &&
        k->root.generation == root->generation) {
        *ret_hash = k->hash;
        *ret_chain = k->chain_plus_1 - 1;
        return 0;
    }
    uint64_t hash = extend(0, &thread);
    int rc = find(c, SLW_NO_CHAIN, &thread, hash, ret_chain);
    *ret_hash = extend(hash, &generation);
    if (rc >= 0)
        rc = find(c, *ret_chain, &generation, *ret_hash, ret_chain);
    if (rc >= 0)
        *k = (struct known_root){*root, *ret_hash, *ret_chain + 1};
    return rc;
}

/* How many steps from the root on are those of the trail. steps: leaf first. */
static size_t retrace(const struct trail *t, const struct slw_chain_step *steps, size_t depth)
{
    size_t most = t->length < depth ? t->length : depth, i = 0;

    for (; i < most; i++) {
        const struct slw_chain_step *a = &t->steps[i].step;
        if (a->address != steps[depth - 1 - i].address || a->kind != steps[depth - 1 - i].kind)
            break;
    }
    return i;
}

int slw_chains_follow(struct slw_chains *c, const struct slw_chain_root *root,
                      const struct slw_chain_step *steps, size_t depth, slw_chain_locate locate,
                      void *ctx, uint32_t *ret_chain)
{
    uint32_t chain = SLW_NO_CHAIN;
    uint64_t hash;
    int rc = find_root(c, root, &hash, &chain);

    if (rc < 0)
        return rc;
    struct trail *t = &c->trails[chain & (TRAILS - 1)];
    size_t i = t->root == chain ? retrace(t, steps, depth) : 0;
    t->root = chain;
    t->length = (uint32_t)i;
    if (i > 0) {
        hash = t->steps[i - 1].hash;
        chain = t->steps[i - 1].chain;
    }
    for (; i < depth && rc >= 0; i++) {
        const struct slw_chain_step *step = &steps[depth - 1 - i];
        hash = extend(hash, step);
        rc = find(c, chain, step, hash, &chain);
        if (rc > 0)
            rc = locate(ctx, step, &c->chains[chain].location);
        if (rc >= 0 && i < TRAIL_STEPS) {
            t->steps[i].step = *step;
            t->steps[i].hash = hash;
            t->steps[i].chain = chain;
            t->length++;
        }
    }
    *ret_chain = chain;
    return rc < 0 ? rc : 0;
}

void slw_chains_seal(struct slw_chains *c)
{
    free(c->slots);
    c->slots = NULL;
}

uint32_t slw_chains_count(const struct slw_chains *c)
{
    return c->count;
}

const struct slw_chain *slw_chains_get(const struct slw_chains *c, uint32_t chain)
{
    return &c->chains[chain];
}

static uint64_t *row_at(const struct slw_chains *c, uint32_t row)
{
    return c->weights + row * (c->columns + 1);
}

static int add_row(struct slw_chains *c, uint32_t chain)
{
    uint32_t capacity = c->row_capacity ? c->row_capacity * 2 : FIRST_SLOTS / 2;

    if (c->row_count == c->row_capacity) {
        if (reserve((void **)&c->weights, capacity, (c->columns + 1) * sizeof(*c->weights)) < 0 ||
            reserve((void **)&c->row_chain, capacity, sizeof(*c->row_chain)) < 0)
            return -SLW_E_NOMEM;
        c->row_capacity = capacity;
    }
    memset(row_at(c, c->row_count), 0, (c->columns + 1) * sizeof(*c->weights));
    c->row_chain[c->row_count] = chain;
    c->chains[chain].row = c->row_count++;
    return 0;
}

int slw_chains_weigh(struct slw_chains *c, uint32_t chain, const uint64_t *weights)
{
    if (c->chains[chain].row == NO_ROW && add_row(c, chain) < 0)
        return -SLW_E_NOMEM;
    uint64_t *row = row_at(c, c->chains[chain].row);
    row[c->columns]++;
    for (size_t i = 0; i < c->columns; i++)
        if (weights[i] > INT64_MAX || row[i] > (uint64_t)INT64_MAX - weights[i])
            return -SLW_E_RANGE;
    for (size_t i = 0; i < c->columns; i++)
        row[i] += weights[i];
    return 0;
}

int slw_chains_weigh_pair(struct slw_chains *c, uint32_t chain, size_t column, uint64_t weight)
{
    if (c->chains[chain].row == NO_ROW && add_row(c, chain) < 0)
        return -SLW_E_NOMEM;
    uint64_t *row = row_at(c, c->chains[chain].row);
    row[c->columns]++;
    if (weight > INT64_MAX || row[column + 1] > (uint64_t)INT64_MAX - weight ||
        row[column] == INT64_MAX)
        return -SLW_E_RANGE;
    row[column]++;
    row[column + 1] += weight;
    return 0;
}

uint64_t slw_chains_hits(const struct slw_chains *c, uint32_t row)
{
    return row_at(c, row)[c->columns];
}

uint32_t slw_chains_row_count(const struct slw_chains *c)
{
    return c->row_count;
}

const uint64_t *slw_chains_row(const struct slw_chains *c, uint32_t row, uint32_t *ret_chain)
{
    *ret_chain = c->row_chain[row];
    return row_at(c, row);
}

/* SPDX-License-Identifier: MIT */
/* Records in the order of their times, without a note of each. Writers leave nearly ordered
 * stretches (one for each buffer and wakeup), so neighbours in the file are kept together as
 * blocks: only a block's place and earliest time is remembered. Blocks whose times overlap are
 * sorted and merged when their turn comes; memory grows with those that overlap, a few per CPU, and
 * with a small part of the number of records. */
#include "analyzer/perfdata_int.h"

#include <stdlib.h>

#define LARGE_RECORD_BYTES 2048 /* no record is but for the copy of a stack, or a long path */

/* A block being read. */
struct slw_perf_open_block {
    uint64_t order;                 /* of the block */
    struct slw_perf_entry *entries; /* by time; heap */
    size_t next, count;
};

static uint64_t next_time(const struct slw_perf_open_block *b)
{
    return b->entries[b->next].time;
}

static bool before(uint64_t time, uint64_t order, const struct slw_perf_open_block *b)
{
    return time != next_time(b) ? time < next_time(b) : order < b->order;
}

/* ---- a heap of the blocks that overlap ---- */

static void sift_down(struct slw_perf_order *o)
{
    struct slw_perf_open_block *heap = o->heap, moving = heap[0];
    size_t at = 0;

    for (;;) {
        size_t child = 2 * at + 1;

        if (child + 1 < o->heap_count &&
            before(next_time(&heap[child + 1]), heap[child + 1].order, &heap[child]))
            child++;
        if (child >= o->heap_count || !before(next_time(&heap[child]), heap[child].order, &moving))
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = moving;
}

static void sift_up(struct slw_perf_order *o, const struct slw_perf_open_block *new)
{
    size_t at = o->heap_count++;

    for (; at > 0 && before(next_time(new), new->order, &o->heap[(at - 1) / 2]); at = (at - 1) / 2)
        o->heap[at] = o->heap[(at - 1) / 2];
    o->heap[at] = *new;
}

/* ---- reading a block ---- */

static bool raw_at(const struct slw_perfdata *pd, uint64_t position, struct slw_perf_raw *ret_raw)
{
    size_t left = 0;
    const uint8_t *at = slw_perf_bytes_at(pd, position, &left);

    return slw_perf_raw_at(pd, at, left, ret_raw);
}

/* Of a record with the copy of a stack: the end, where the length of the copy stands, and what
 * stands before the copy will be looked at when its turn comes. */
static void announce(const struct slw_perf_raw *raw)
{
    const size_t line = 64, before_copy = 256;
    const uint8_t *at = raw->body.end - raw->size;

    if (raw->size < LARGE_RECORD_BYTES)
        return;
    __builtin_prefetch(raw->body.end - 1);
    for (size_t i = line; i < before_copy; i += line)
        __builtin_prefetch(at + i);
}

/* What is no record of a block lies between them and is passed over. */
static void note_records(const struct slw_perfdata *pd, const struct slw_perf_block *b,
                         struct slw_perf_open_block *open)
{
    uint64_t at = b->position, time = b->first_time;
    struct slw_perf_raw raw;

    while (open->count < b->count && raw_at(pd, at, &raw)) {
        if (slw_perf_is_indexed(raw.type)) {
            (void)slw_perf_record_time(pd, &raw, &time);
            open->entries[open->count++] = (struct slw_perf_entry){time, at};
            announce(&raw);
        }
        at += raw.size + slw_perf_payload(&raw);
    }
}

static int open_block(const struct slw_perfdata *pd, struct slw_perf_order *o,
                      const struct slw_perf_block *b)
{
    struct slw_perf_open_block open = {.order = b->order};

    if (slw_perf_reserve((void **)&o->heap, o->heap_count, &o->heap_capacity, sizeof(*o->heap)) < 0)
        return -SLW_E_NOMEM;
    open.entries = malloc(b->count * sizeof(*open.entries));
    if (!open.entries)
        return -SLW_E_NOMEM;
    note_records(pd, b, &open);
    if (open.count == 0 || slw_perf_sort(open.entries, open.count) < 0) {
        free(open.entries);
        return open.count == 0 ? 0 : -SLW_E_NOMEM;
    }
    sift_up(o, &open);
    return 0;
}

/* ---- reading all ---- */

static int compare_blocks(const void *left, const void *right)
{
    const struct slw_perf_block *a = left, *b = right;

    if (a->time != b->time)
        return a->time < b->time ? -1 : 1;
    return a->order < b->order ? -1 : a->order > b->order;
}

void slw_perf_order_blocks(struct slw_perfdata *pd)
{
    if (pd->block_count > 1)
        qsort(pd->blocks, pd->block_count, sizeof(*pd->blocks), compare_blocks);
}

/* Nothing of another block belongs between its records. Large ones are announced instead. */
static bool stands_alone(const struct slw_perfdata *pd, const struct slw_perf_order *o,
                         const struct slw_perf_block *b)
{
    const struct slw_perf_block *next = b + 1;

    if (!b->ordered || pd->has_copies || o->heap_count > 0)
        return false;
    return o->next_block + 1 == pd->block_count || b->last_time < next->time ||
           (b->last_time == next->time && b->order < next->order);
}

static void go_straight(const struct slw_perfdata *pd, struct slw_perf_order *o,
                        const struct slw_perf_block *b)
{
    size_t left = 0;

    o->straight_at = slw_perf_bytes_at(pd, b->position, &left);
    o->straight_end = o->straight_at + left;
    o->straight_position = b->position;
    o->straight_left = b->count;
}

static void step(struct slw_perf_order *o)
{
    struct slw_perf_open_block *first = &o->heap[0];

    if (++first->next == first->count) {
        free(first->entries);
        *first = o->heap[--o->heap_count];
    }
    if (o->heap_count > 0)
        sift_down(o);
}

/* Open the blocks that the next record may be of, or find one that stands alone. */
static int open_blocks(const struct slw_perfdata *pd, struct slw_perf_order *o)
{
    int rc = 0;

    while (rc == 0 && o->straight_left == 0 && o->next_block < pd->block_count) {
        const struct slw_perf_block *b = &pd->blocks[o->next_block];

        if (o->heap_count > 0 && !before(b->time, b->order, &o->heap[0]))
            break;
        if (stands_alone(pd, o, b)) {
            go_straight(pd, o, b);
        } else {
            rc = open_block(pd, o, b);
        }
        o->next_block++;
    }
    return rc;
}

int slw_perf_order_next(const struct slw_perfdata *pd, struct slw_perf_order *o,
                        struct slw_perf_raw *ret_raw, uint64_t *ret_position)
{
    if (slw_perf_order_straight(pd, o, ret_raw, ret_position))
        return 1;
    if (o->started)
        step(o);
    o->started = false;
    int rc = open_blocks(pd, o);
    if (rc < 0 || slw_perf_order_straight(pd, o, ret_raw, ret_position))
        return rc < 0 ? rc : 1;
    if (o->heap_count == 0)
        return 0;
    o->started = true;
    *ret_position = o->heap[0].entries[o->heap[0].next].position;
    return raw_at(pd, *ret_position, ret_raw); /* blocks hold whole records only */
}

void slw_perf_order_release(struct slw_perf_order *o)
{
    for (size_t i = 0; i < o->heap_count; i++)
        free(o->heap[i].entries);
    free(o->heap);
}

/* SPDX-License-Identifier: MIT */
#include "record/stacks.h"

#include "base/arena.h"
#include "base/strtab.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Stored forms hold interned string ids, so that equality is a memcmp. Padding is avoided. */
struct mapping_row {
    uint64_t start, limit, offset;
    uint32_t path, build_id;
};
struct frame_row {
    uint64_t address;
    uint32_t function, linkage, file, line, mapping;
    uint16_t kind, inlined;
};
struct thread_row {
    uint32_t comm;
    int32_t pid, tid;
};
struct sample_row {
    size_t frames; /* offset into frame_ids */
    uint32_t depth, thread;
};

/* Frames of all distinct stacks together: 2 GiB of ids, 10 million stacks of 50 frames. A hostile
 * profile of a few megabytes can otherwise name thousands of frames with every byte. */
#define MAX_FRAME_IDS ((size_t)1 << 29)

/* A doubling array of equally sized rows with a hash index over their bytes. */
struct rows {
    char *data;
    size_t row_bytes;
    uint32_t count, capacity;
    struct slw_index index;
};

struct slw_stacks {
    struct slw_arena *arena;
    struct slw_strtab strings;
    struct slw_column *columns;
    size_t column_count;
    struct rows mappings, frames, threads;
    struct sample_row *samples;
    uint64_t *weights; /* sample-major */
    size_t sample_count, sample_capacity;
    uint32_t *frame_ids;
    size_t frame_id_count, frame_id_capacity;
    struct slw_index sample_index;
};

static bool row_equal(const void *ctx, uint32_t position, const void *key)
{
    const struct rows *r = ctx;

    return memcmp(r->data + (size_t)position * r->row_bytes, key, r->row_bytes) == 0;
}

/* The position of a row with these bytes, added when new. */
static int rows_intern(struct rows *r, const void *row, uint32_t *ret_id)
{
    uint64_t hash = slw_hash_bytes(row, r->row_bytes, 1);

    if (slw_index_find(&r->index, hash, row_equal, r, row, ret_id))
        return 0;
    if (r->count == r->capacity) {
        if (r->capacity > UINT32_MAX / 4)
            return -SLW_E_LIMIT;
        uint32_t capacity = r->capacity ? r->capacity * 2 : 64;
        char *data = realloc(r->data, capacity * r->row_bytes);
        if (!data)
            return -SLW_E_NOMEM;
        r->data = data;
        r->capacity = capacity;
    }
    if (slw_index_add(&r->index, hash, r->count) < 0)
        return -SLW_E_NOMEM;
    memcpy(r->data + (size_t)r->count * r->row_bytes, row, r->row_bytes);
    *ret_id = r->count++;
    return 0;
}

static void rows_release(struct rows *r)
{
    free(r->data);
    slw_index_release(&r->index);
}

static int copy_columns(struct slw_stacks *s, const struct slw_column *columns, size_t count)
{
    s->columns = slw_arena_array(s->arena, count, sizeof(*s->columns));
    if (!s->columns)
        return -SLW_E_NOMEM;
    for (size_t i = 0; i < count; i++) {
        struct slw_column *c = &s->columns[i];

        *c = columns[i];
        c->event = slw_arena_strdup(s->arena, columns[i].event);
        c->unit = slw_arena_strdup(s->arena, columns[i].unit);
        c->from.detail = slw_arena_strdup(s->arena, columns[i].from.detail);
        if (!c->event || !c->unit || (columns[i].from.detail && !c->from.detail))
            return -SLW_E_NOMEM;
    }
    s->column_count = count;
    return 0;
}

int slw_stacks_new(const struct slw_column *columns, size_t column_count,
                   struct slw_stacks **ret_stacks, struct slw_error *err)
{
    if (column_count == 0 || column_count > SLW_MAX_COLUMNS)
        return slw_fail(err, SLW_E_LIMIT, "a stack profile needs 1 to %d columns, not %zu",
                        SLW_MAX_COLUMNS, column_count);
    struct slw_stacks *s = calloc(1, sizeof(*s));
    if (!s)
        return slw_fail(err, SLW_E_NOMEM, "no memory for a stack profile");
    s->mappings.row_bytes = sizeof(struct mapping_row);
    s->frames.row_bytes = sizeof(struct frame_row);
    s->threads.row_bytes = sizeof(struct thread_row);
    s->arena = slw_arena_new();
    if (!s->arena || slw_strtab_init(&s->strings, s->arena) < 0 ||
        copy_columns(s, columns, column_count) < 0) {
        slw_stacks_free(s);
        return slw_fail(err, SLW_E_NOMEM, "no memory for a stack profile");
    }
    *ret_stacks = s;
    return 0;
}

void slw_stacks_free(struct slw_stacks *s)
{
    if (!s)
        return;
    slw_strtab_release(&s->strings);
    rows_release(&s->mappings);
    rows_release(&s->frames);
    rows_release(&s->threads);
    free(s->samples);
    free(s->weights);
    free(s->frame_ids);
    slw_index_release(&s->sample_index);
    slw_arena_free(s->arena);
    free(s);
}

static bool intern(struct slw_stacks *s, const char *text, uint32_t *ret_id)
{
    if (!text)
        text = "";
    return slw_strtab_intern(&s->strings, text, strlen(text), ret_id) == 0;
}

int slw_stacks_add_mapping(struct slw_stacks *s, const struct slw_mapping *m, uint32_t *ret_id)
{
    struct mapping_row row = {.start = m->start, .limit = m->limit, .offset = m->offset};

    if (!intern(s, m->path, &row.path) || !intern(s, m->build_id, &row.build_id))
        return -SLW_E_NOMEM;
    return rows_intern(&s->mappings, &row, ret_id);
}

int slw_stacks_add_frame(struct slw_stacks *s, const struct slw_frame *f, uint32_t *ret_id)
{
    struct frame_row row = {.address = f->address,
                            .line = f->line,
                            .mapping = f->mapping,
                            .kind = (uint16_t)f->kind,
                            .inlined = f->inlined};

    assert(f->mapping == SLW_NO_MAPPING || f->mapping < s->mappings.count);
    if (!intern(s, f->function, &row.function) || !intern(s, f->linkage, &row.linkage) ||
        !intern(s, f->file, &row.file))
        return -SLW_E_NOMEM;
    if (row.linkage == row.function)
        row.linkage = 0; /* id 0 is "": the same */
    return rows_intern(&s->frames, &row, ret_id);
}

int slw_stacks_add_thread(struct slw_stacks *s, const struct slw_thread *t, uint32_t *ret_id)
{
    struct thread_row row = {.pid = t->pid, .tid = t->tid};

    if (!intern(s, t->comm, &row.comm))
        return -SLW_E_NOMEM;
    return rows_intern(&s->threads, &row, ret_id);
}

struct sample_key {
    const uint32_t *frames;
    uint32_t depth, thread;
};

static bool sample_equal(const void *ctx, uint32_t position, const void *key)
{
    const struct slw_stacks *s = ctx;
    const struct sample_key *k = key;
    const struct sample_row *row = &s->samples[position];

    return row->depth == k->depth && row->thread == k->thread &&
           (k->depth == 0 ||
            memcmp(s->frame_ids + row->frames, k->frames, k->depth * sizeof(*k->frames)) == 0);
}

/* A word at a time: this runs once for every sample read, and stacks are long. */
static uint64_t hash_frames(const uint32_t *frames, size_t depth, uint32_t thread)
{
    uint64_t h = UINT64_C(0x9e3779b97f4a7c15) ^ thread;

    for (size_t i = 0; i < depth; i++) {
        h = (h ^ frames[i]) * UINT64_C(0xff51afd7ed558ccd);
        h ^= h >> 32;
    }
    return h ^ depth;
}

static int add_weights(struct slw_stacks *s, uint32_t sample, const uint64_t *weights)
{
    uint64_t *row = s->weights + (size_t)sample * s->column_count;

    /* Check all before changing any, so that a refused sample leaves no half of itself behind. */
    for (size_t i = 0; i < s->column_count; i++)
        if (row[i] > (uint64_t)INT64_MAX - weights[i])
            return -SLW_E_RANGE;
    for (size_t i = 0; i < s->column_count; i++)
        row[i] += weights[i];
    return 0;
}

static int reserve_sample(struct slw_stacks *s)
{
    if (s->sample_count < s->sample_capacity)
        return 0;
    if (s->sample_capacity > UINT32_MAX / 4)
        return -SLW_E_LIMIT;
    size_t capacity = s->sample_capacity ? s->sample_capacity * 2 : 256;
    struct sample_row *samples = realloc(s->samples, capacity * sizeof(*samples));
    if (!samples)
        return -SLW_E_NOMEM;
    s->samples = samples;
    uint64_t *weights = realloc(s->weights, capacity * s->column_count * sizeof(*weights));
    if (!weights)
        return -SLW_E_NOMEM;
    s->weights = weights;
    s->sample_capacity = capacity;
    return 0;
}

static int reserve_frame_ids(struct slw_stacks *s, size_t extra)
{
    size_t need = s->frame_id_count + extra;
    size_t capacity = s->frame_id_capacity ? s->frame_id_capacity : 1024;

    if (s->frame_ids && need <= s->frame_id_capacity)
        return 0;
    if (need > MAX_FRAME_IDS)
        return -SLW_E_LIMIT;
    while (capacity < need)
        capacity *= 2;
    uint32_t *ids = realloc(s->frame_ids, capacity * sizeof(*ids));
    if (!ids)
        return -SLW_E_NOMEM;
    s->frame_ids = ids;
    s->frame_id_capacity = capacity;
    return 0;
}

static int new_sample(struct slw_stacks *s, uint64_t hash, const struct sample_key *key,
                      uint32_t *ret_position)
{
    int rc = reserve_sample(s);

    if (rc == 0)
        rc = reserve_frame_ids(s, key->depth);
    if (rc == 0)
        rc = slw_index_add(&s->sample_index, hash, (uint32_t)s->sample_count);
    if (rc < 0)
        return rc;
    s->samples[s->sample_count] = (struct sample_row){
        .frames = s->frame_id_count, .depth = key->depth, .thread = key->thread};
    if (key->depth > 0)
        memcpy(s->frame_ids + s->frame_id_count, key->frames, key->depth * sizeof(*key->frames));
    s->frame_id_count += key->depth;
    memset(s->weights + s->sample_count * s->column_count, 0,
           s->column_count * sizeof(*s->weights));
    *ret_position = (uint32_t)s->sample_count++;
    return 0;
}

int slw_stacks_add(struct slw_stacks *s, const uint32_t *frames, size_t depth, uint32_t thread,
                   const uint64_t *weights)
{
    if (depth > SLW_MAX_STACK_DEPTH)
        depth = SLW_MAX_STACK_DEPTH;
    struct sample_key key = {frames, (uint32_t)depth, thread};
    uint64_t hash = hash_frames(frames, depth, thread);
    uint32_t position;

    assert(thread == SLW_NO_THREAD || thread < s->threads.count);
    for (size_t i = 0; i < s->column_count; i++)
        if (weights[i] > INT64_MAX) /* before a stack is added that would weigh nothing */
            return -SLW_E_RANGE;
    if (!slw_index_find(&s->sample_index, hash, sample_equal, s, &key, &position)) {
        int rc = new_sample(s, hash, &key, &position);
        if (rc < 0)
            return rc;
    }
    return add_weights(s, position, weights);
}

size_t slw_stacks_column_count(const struct slw_stacks *s)
{
    return s->column_count;
}

const struct slw_column *slw_stacks_column(const struct slw_stacks *s, size_t index)
{
    assert(index < s->column_count);
    return &s->columns[index];
}

int slw_stacks_find_column(const struct slw_stacks *s, const char *event, const char *unit)
{
    int counted = -1;

    for (size_t i = 0; i < s->column_count; i++) {
        const struct slw_column *c = &s->columns[i];

        if (!event)
            event = c->event;
        if (strcmp(c->event, event) != 0)
            continue;
        if (unit ? strcmp(c->unit, unit) == 0 : strcmp(c->unit, "count") != 0)
            return (int)i;
        if (!unit && counted < 0)
            counted = (int)i;
    }
    return counted;
}

size_t slw_stacks_count(const struct slw_stacks *s)
{
    return s->sample_count;
}

struct slw_stack slw_stacks_get(const struct slw_stacks *s, size_t index)
{
    assert(index < s->sample_count);
    const struct sample_row *row = &s->samples[index];

    return (struct slw_stack){.frames = s->frame_ids + row->frames,
                              .depth = row->depth,
                              .thread = row->thread,
                              .weights = s->weights + index * s->column_count};
}

size_t slw_stacks_frame_count(const struct slw_stacks *s)
{
    return s->frames.count;
}

struct slw_frame slw_stacks_frame(const struct slw_stacks *s, uint32_t id)
{
    struct frame_row row;

    assert(id < s->frames.count);
    memcpy(&row, s->frames.data + (size_t)id * sizeof(row), sizeof(row));
    return (struct slw_frame){.function = slw_strtab_get(&s->strings, row.function),
                              .linkage = slw_strtab_get(&s->strings, row.linkage),
                              .file = slw_strtab_get(&s->strings, row.file),
                              .line = row.line,
                              .mapping = row.mapping,
                              .address = row.address,
                              .kind = (enum slw_frame_kind)row.kind,
                              .inlined = row.inlined != 0};
}

size_t slw_stacks_mapping_count(const struct slw_stacks *s)
{
    return s->mappings.count;
}

struct slw_mapping slw_stacks_mapping(const struct slw_stacks *s, uint32_t id)
{
    struct mapping_row row;

    assert(id < s->mappings.count);
    memcpy(&row, s->mappings.data + (size_t)id * sizeof(row), sizeof(row));
    return (struct slw_mapping){.path = slw_strtab_get(&s->strings, row.path),
                                .build_id = slw_strtab_get(&s->strings, row.build_id),
                                .start = row.start,
                                .limit = row.limit,
                                .offset = row.offset};
}

size_t slw_stacks_thread_count(const struct slw_stacks *s)
{
    return s->threads.count;
}

struct slw_thread slw_stacks_thread(const struct slw_stacks *s, uint32_t id)
{
    struct thread_row row;

    assert(id < s->threads.count);
    memcpy(&row, s->threads.data + (size_t)id * sizeof(row), sizeof(row));
    return (struct slw_thread){
        .comm = slw_strtab_get(&s->strings, row.comm), .pid = row.pid, .tid = row.tid};
}

uint64_t slw_stacks_total(const struct slw_stacks *s, size_t column)
{
    uint64_t total = 0;

    for (size_t i = 0; i < s->sample_count; i++)
        if (__builtin_add_overflow(total, s->weights[i * s->column_count + column], &total))
            return UINT64_MAX;
    return total;
}

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
/* Stacks are the leaves of a tree that grows from the threads. */
struct path_row {
    struct slw_path path;
    uint32_t stack; /* that ends here, or NO_STACK */
};
#define NO_STACK UINT32_MAX

/* 1.5 GiB of paths: 10 million stacks that part from each other 13 frames before the leaf. A
 * hostile profile of a few megabytes can otherwise name thousands of frames with every byte. */
#define MAX_PATHS ((size_t)1 << 27)

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
    struct path_row *paths;
    size_t path_count, path_capacity;
    struct slw_index path_index;
    uint32_t *stack_paths; /* where each stack ends */
    uint64_t *weights;     /* stack-major */
    size_t stack_count, stack_capacity;
    uint32_t *unrolled; /* frames of the stack asked for last */
};

static bool row_equal(const void *ctx, uint32_t position, const void *key)
{
    const struct rows *r = ctx;

    return memcmp(r->data + (size_t)position * r->row_bytes, key, r->row_bytes) == 0;
}

static bool rows_find(const struct rows *r, const void *row, uint32_t *ret_id)
{
    return slw_index_find(&r->index, slw_hash_key(row, r->row_bytes, 1), row_equal, r, row, ret_id);
}

/* The position of a row with these bytes, added when new. */
static int rows_intern(struct rows *r, const void *row, uint32_t *ret_id)
{
    uint64_t hash = slw_hash_key(row, r->row_bytes, 1);

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

static int copy_column(struct slw_stacks *s, const struct slw_column *from, struct slw_column *to)
{
    *to = *from;
    to->event = slw_arena_strdup(s->arena, from->event);
    to->unit = slw_arena_strdup(s->arena, from->unit);
    to->from.detail = slw_arena_strdup(s->arena, from->from.detail);
    return to->event && to->unit && (to->from.detail || !from->from.detail) ? 0 : -SLW_E_NOMEM;
}

static int copy_columns(struct slw_stacks *s, const struct slw_column *columns, size_t count)
{
    s->columns = slw_arena_array(s->arena, count, sizeof(*s->columns));
    if (!s->columns)
        return -SLW_E_NOMEM;
    for (size_t i = 0; i < count; i++)
        if (copy_column(s, &columns[i], &s->columns[i]) < 0)
            return -SLW_E_NOMEM;
    s->column_count = count;
    return 0;
}

int slw_stacks_add_column(struct slw_stacks *s, const struct slw_column *column)
{
    const size_t count = s->column_count;

    if (count == SLW_MAX_COLUMNS)
        return -SLW_E_LIMIT;
    struct slw_column *columns = slw_arena_array(s->arena, count + 1, sizeof(*columns));
    uint64_t *weights = calloc(s->stack_capacity + 1, (count + 1) * sizeof(*weights));
    if (!columns || !weights || copy_column(s, column, &columns[count]) < 0) {
        free(weights);
        return -SLW_E_NOMEM;
    }
    memcpy(columns, s->columns, count * sizeof(*columns));
    for (size_t i = 0; i < s->stack_count; i++)
        memcpy(weights + i * (count + 1), s->weights + i * count, count * sizeof(*weights));
    free(s->weights);
    s->columns = columns;
    s->weights = weights;
    s->column_count++;
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
    s->unrolled = malloc(SLW_MAX_STACK_DEPTH * sizeof(*s->unrolled));
    if (!s->arena || !s->unrolled || slw_strtab_init(&s->strings, s->arena) < 0 ||
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
    free(s->paths);
    slw_index_release(&s->path_index);
    free(s->stack_paths);
    free(s->weights);
    free(s->unrolled);
    slw_arena_free(s->arena);
    free(s);
}

static bool intern(struct slw_stacks *s, const char *text, uint32_t *ret_id)
{
    if (!text || *text == '\0') { /* most frames have no file, and the table begins with "" */
        *ret_id = 0;
        return true;
    }
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
    if (!intern(s, f->function, &row.function) || !intern(s, f->file, &row.file) ||
        (f->linkage != f->function && !intern(s, f->linkage, &row.linkage)))
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

static bool path_equal(const void *ctx, uint32_t position, const void *key)
{
    const struct slw_path *a = &((const struct slw_stacks *)ctx)->paths[position].path, *b = key;

    return a->caller == b->caller && a->id == b->id;
}

static int resize(void **array, size_t capacity, size_t bytes)
{
    assert(capacity > 0 && bytes > 0);
    void *grown = realloc(*array, capacity * bytes);

    if (!grown)
        return -SLW_E_NOMEM;
    *array = grown;
    return 0;
}

static int reserve_path(struct slw_stacks *s)
{
    size_t capacity = s->path_capacity ? s->path_capacity * 2 : 256;

    if (s->path_count < s->path_capacity)
        return 0;
    if (s->path_count >= MAX_PATHS)
        return -SLW_E_LIMIT;
    if (resize((void **)&s->paths, capacity, sizeof(*s->paths)) < 0)
        return -SLW_E_NOMEM;
    s->path_capacity = capacity;
    return 0;
}

static int find_path(struct slw_stacks *s, struct slw_path path, uint32_t *ret_path)
{
    uint64_t hash = slw_hash_key(&path, sizeof(path), 0);

    if (slw_index_find(&s->path_index, hash, path_equal, s, &path, ret_path))
        return 0;
    int rc = reserve_path(s);
    if (rc == 0)
        rc = slw_index_add(&s->path_index, hash, (uint32_t)s->path_count);
    if (rc < 0)
        return rc;
    s->paths[s->path_count] = (struct path_row){path, NO_STACK};
    *ret_path = (uint32_t)s->path_count++;
    return 0;
}

int slw_stacks_root(struct slw_stacks *s, uint32_t thread, uint32_t *ret_path)
{
    assert(thread == SLW_NO_THREAD || thread < s->threads.count);
    return find_path(s, (struct slw_path){SLW_NO_PATH, thread}, ret_path);
}

int slw_stacks_step(struct slw_stacks *s, uint32_t caller, uint32_t frame, uint32_t *ret_path)
{
    assert(caller < s->path_count && frame < s->frames.count);
    return find_path(s, (struct slw_path){caller, frame}, ret_path);
}

static int add_weights(struct slw_stacks *s, uint32_t stack, const uint64_t *weights)
{
    uint64_t *row = s->weights + (size_t)stack * s->column_count;

    /* Check all before changing any, so that a refused sample leaves no half of itself behind. */
    for (size_t i = 0; i < s->column_count; i++)
        if (row[i] > (uint64_t)INT64_MAX - weights[i])
            return -SLW_E_RANGE;
    for (size_t i = 0; i < s->column_count; i++)
        row[i] += weights[i];
    return 0;
}

static int new_stack(struct slw_stacks *s, uint32_t path)
{
    if (s->stack_count == s->stack_capacity) {
        size_t capacity = s->stack_capacity ? s->stack_capacity * 2 : 256;
        if (resize((void **)&s->stack_paths, capacity, sizeof(*s->stack_paths)) < 0 ||
            resize((void **)&s->weights, capacity, s->column_count * sizeof(*s->weights)) < 0)
            return -SLW_E_NOMEM;
        s->stack_capacity = capacity;
    }
    memset(s->weights + s->stack_count * s->column_count, 0, s->column_count * sizeof(*s->weights));
    s->stack_paths[s->stack_count] = path;
    s->paths[path].stack = (uint32_t)s->stack_count++;
    return 0;
}

int slw_stacks_weigh(struct slw_stacks *s, uint32_t path, const uint64_t *weights)
{
    assert(path < s->path_count);
    for (size_t i = 0; i < s->column_count; i++)
        if (weights[i] > INT64_MAX) /* before a stack is added that would weigh nothing */
            return -SLW_E_RANGE;
    if (s->paths[path].stack == NO_STACK && new_stack(s, path) < 0)
        return -SLW_E_NOMEM;
    return add_weights(s, s->paths[path].stack, weights);
}

int slw_stacks_add(struct slw_stacks *s, const uint32_t *frames, size_t depth, uint32_t thread,
                   const uint64_t *weights)
{
    uint32_t path = 0;
    int rc = slw_stacks_root(s, thread, &path);

    if (depth > SLW_MAX_STACK_DEPTH)
        depth = SLW_MAX_STACK_DEPTH;
    while (rc == 0 && depth > 0)
        rc = slw_stacks_step(s, path, frames[--depth], &path);
    return rc < 0 ? rc : slw_stacks_weigh(s, path, weights);
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
    return s->stack_count;
}

uint32_t slw_stacks_leaf(const struct slw_stacks *s, size_t index)
{
    assert(index < s->stack_count);
    return s->stack_paths[index];
}

const uint64_t *slw_stacks_weights(const struct slw_stacks *s, size_t index)
{
    assert(index < s->stack_count);
    return s->weights + index * s->column_count;
}

struct slw_stack slw_stacks_get(const struct slw_stacks *s, size_t index)
{
    struct slw_stack stack = slw_stacks_at(s, slw_stacks_leaf(s, index));

    stack.weights = slw_stacks_weights(s, index);
    return stack;
}

bool slw_stacks_is_inlined(const struct slw_stacks *s, uint32_t id)
{
    struct frame_row row;

    assert(id < s->frames.count);
    memcpy(&row, s->frames.data + (size_t)id * sizeof(row), sizeof(row));
    return row.inlined;
}

size_t slw_stack_function(const struct slw_stacks *s, const struct slw_stack *k)
{
    for (size_t i = 0; i < k->depth; i++)
        if (!slw_stacks_is_inlined(s, k->frames[i]))
            return i;
    return 0;
}

uint32_t slw_stacks_function(const struct slw_stacks *s, uint32_t path)
{
    for (uint32_t at = path;;) {
        const struct slw_path p = slw_stacks_path(s, at);

        if (p.caller == SLW_NO_PATH)
            return path;
        if (!slw_stacks_is_inlined(s, p.id))
            return at;
        at = p.caller;
    }
}

struct slw_stack slw_stacks_at(const struct slw_stacks *s, uint32_t path)
{
    assert(path < s->path_count);
    const struct slw_path *at = &s->paths[path].path;
    struct slw_stack stack = {.frames = s->unrolled};

    for (; at->caller != SLW_NO_PATH; at = &s->paths[at->caller].path)
        if (stack.depth < SLW_MAX_STACK_DEPTH)
            s->unrolled[stack.depth++] = at->id;
    stack.thread = at->id;
    return stack;
}

size_t slw_stacks_path_count(const struct slw_stacks *s)
{
    return s->path_count;
}

struct slw_path slw_stacks_path(const struct slw_stacks *s, uint32_t path)
{
    assert(path < s->path_count);
    return s->paths[path].path;
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

/* ---- finding what is there ---- */

static bool find_text(const struct slw_stacks *s, const char *text, uint32_t *ret_id)
{
    return slw_strtab_find(&s->strings, text ? text : "", text ? strlen(text) : 0, ret_id);
}

bool slw_stacks_find_mapping(const struct slw_stacks *s, const struct slw_mapping *m,
                             uint32_t *ret_id)
{
    struct mapping_row row = {.start = m->start, .limit = m->limit, .offset = m->offset};

    return find_text(s, m->path, &row.path) && find_text(s, m->build_id, &row.build_id) &&
           rows_find(&s->mappings, &row, ret_id);
}

bool slw_stacks_find_frame(const struct slw_stacks *s, const struct slw_frame *f, uint32_t *ret_id)
{
    struct frame_row row = {.address = f->address,
                            .line = f->line,
                            .mapping = f->mapping,
                            .kind = (uint16_t)f->kind,
                            .inlined = f->inlined};

    if (!find_text(s, f->function, &row.function) || !find_text(s, f->file, &row.file) ||
        !find_text(s, f->linkage, &row.linkage))
        return false;
    if (row.linkage == row.function)
        row.linkage = 0;
    return rows_find(&s->frames, &row, ret_id);
}

bool slw_stacks_find_thread(const struct slw_stacks *s, const struct slw_thread *t,
                            uint32_t *ret_id)
{
    struct thread_row row = {.pid = t->pid, .tid = t->tid};

    return find_text(s, t->comm, &row.comm) && rows_find(&s->threads, &row, ret_id);
}

bool slw_stacks_find_path(const struct slw_stacks *s, struct slw_path path, uint32_t *ret_path)
{
    return slw_index_find(&s->path_index, slw_hash_key(&path, sizeof(path), 0), path_equal, s,
                          &path, ret_path);
}

uint64_t slw_stacks_total(const struct slw_stacks *s, size_t column)
{
    uint64_t total = 0;

    for (size_t i = 0; i < s->stack_count; i++)
        if (__builtin_add_overflow(total, s->weights[i * s->column_count + column], &total))
            return UINT64_MAX;
    return total;
}

/* SPDX-License-Identifier: MIT */
#include "analyzer/hot.h"

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/hash.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* What one frame id counts for. `function` and `path` are interned by the stacks, so that equal
 * pointers are equal strings. */
struct key {
    const char *function, *path;
    uintptr_t kind; /* as wide as the pointers: no padding to hash */
};

/* Merged functions (or modules): rows of the report plus, per row, the last stack that counted. */
struct table {
    struct slw_report_function *rows;
    struct key *keys;
    size_t *last_stack;
    uint32_t count;
    uint32_t *of_frame; /* frame id -> row; the last entry is for stacks without frames */
    struct slw_index index;
};

static const char no_path[] = SLW_HOT_NO_MODULE;
static const char no_stack[] = SLW_HOT_NO_STACK;

static bool key_equal(const void *ctx, uint32_t position, const void *key)
{
    const struct table *t = ctx;

    return memcmp(&t->keys[position], key, sizeof(struct key)) == 0;
}

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash && slash[1] ? slash + 1 : path;
}

const char *slw_hot_shown_name(struct slw_arena *arena, const char *function, const char *module)
{
    if (function[0])
        return function;
    return module[0] == '[' ? module : slw_arena_printf(arena, "[%s]", last_part(module));
}

static int table_row(struct table *t, struct slw_arena *arena, const struct key *key,
                     bool by_function, uint32_t *ret_row)
{
    uint64_t hash = slw_hash_bytes(key, sizeof(*key), 7);

    if (slw_index_find(&t->index, hash, key_equal, t, key, ret_row))
        return 0;
    if (slw_index_add(&t->index, hash, t->count) < 0)
        return -SLW_E_NOMEM;
    struct slw_report_function *row = &t->rows[t->count];
    row->module = key->path;
    row->module_name = last_part(key->path);
    row->kind = (enum slw_frame_kind)key->kind;
    row->symbol = by_function ? key->function : "";
    if (by_function) {
        row->function = slw_hot_shown_name(arena, key->function, key->path);
        if (!row->function)
            return -SLW_E_NOMEM;
    }
    t->keys[t->count] = *key;
    *ret_row = t->count++;
    return 0;
}

static struct key frame_key(const struct slw_stacks *s, uint32_t id, bool by_function)
{
    struct slw_frame f = slw_stacks_frame(s, id);
    const char *path =
        f.mapping == SLW_NO_MAPPING ? no_path : slw_stacks_mapping(s, f.mapping).path;

    if (!path[0] || strcmp(path, no_path) == 0)
        path = no_path; /* one pointer for all of them */
    return (struct key){
        .function = by_function ? f.function : no_path, .path = path, .kind = (uintptr_t)f.kind};
}

static int map_frames(struct table *t, const struct slw_report *r, bool by_function)
{
    size_t frames = slw_stacks_frame_count(r->stacks);
    const struct key none = {
        .function = by_function ? no_stack : no_path, .path = no_path, .kind = SLW_FRAME_OTHER};

    for (size_t i = 0; i < frames; i++) {
        struct key key = frame_key(r->stacks, (uint32_t)i, by_function);
        if (table_row(t, r->arena, &key, by_function, &t->of_frame[i]) < 0)
            return -SLW_E_NOMEM;
    }
    return table_row(t, r->arena, &none, by_function, &t->of_frame[frames]);
}

static int table_init(struct table *t, const struct slw_report *r, bool by_function)
{
    size_t most = slw_stacks_frame_count(r->stacks) + 1;

    t->rows = slw_arena_array(r->arena, most, sizeof(*t->rows));
    t->keys = calloc(most, sizeof(*t->keys));
    t->last_stack = calloc(most, sizeof(*t->last_stack));
    t->of_frame = calloc(most, sizeof(*t->of_frame));
    if (!t->rows || !t->keys || !t->last_stack || !t->of_frame)
        return -SLW_E_NOMEM;
    return map_frames(t, r, by_function);
}

static void table_release(struct table *t)
{
    free(t->keys);
    free(t->last_stack);
    free(t->of_frame);
    slw_index_release(&t->index);
}

static uint64_t samples_of(const struct slw_report *r, const struct slw_stack *k)
{
    return r->samples_column < 0 ? 0 : k->weights[r->samples_column];
}

/* No sum here can overflow: each is at most the column's total, which was checked. */
static void count_stack(struct table *t, const struct slw_report *r, size_t index)
{
    struct slw_stack k = slw_stacks_get(r->stacks, index);
    uint64_t weight = k.weights[r->main_column], samples = samples_of(r, &k);
    const size_t frames = slw_stacks_frame_count(r->stacks);
    const size_t first = k.depth > 0 ? slw_stack_function(r->stacks, &k) : 0;
    struct slw_report_function *leaf =
        &t->rows[t->of_frame[k.depth > 0 ? k.frames[first] : (uint32_t)frames]];

    leaf->self += weight;
    leaf->self_samples += samples;
    if (k.depth == 0) {
        leaf->total += weight;
        leaf->total_samples += samples;
    }
    for (size_t i = first; i < k.depth; i++) {
        uint32_t row = t->of_frame[k.frames[i]];

        if (t->last_stack[row] == index + 1 ||
            (i > first && slw_stacks_is_inlined(r->stacks, k.frames[i])))
            continue; /* recursion: this stack was counted; or no function of its own */
        t->last_stack[row] = index + 1;
        t->rows[row].total += weight;
        t->rows[row].total_samples += samples;
    }
}

static int by_self(const void *a, const void *b)
{
    const struct slw_report_function *x = a, *y = b;

    if (x->self != y->self)
        return x->self > y->self ? -1 : 1;
    if (x->total != y->total)
        return x->total > y->total ? -1 : 1;
    int order = x->function ? strcmp(x->function, y->function) : 0;
    if (order == 0)
        order = strcmp(x->module, y->module);
    return order ? order : (int)x->kind - (int)y->kind;
}

static int fill_table(struct slw_report *r, bool by_function, struct slw_report_function **ret_rows,
                      size_t *ret_count)
{
    struct table t = {0};
    int rc = table_init(&t, r, by_function);
    size_t count = 0;

    for (size_t i = 0; rc == 0 && i < slw_stacks_count(r->stacks); i++)
        count_stack(&t, r, i);
    if (rc == 0) {
        for (size_t i = 0; i < t.count; i++) {
            if (t.rows[i].total == 0 && t.rows[i].total_samples == 0)
                continue; /* frames that never carried weight in this column */
            struct slw_report_function row = t.rows[i];
            row.self_share = slw_share_of(row.self, r->weight, r->samples);
            row.total_share = slw_share_of(row.total, r->weight, r->samples);
            t.rows[count++] = row;
        }
        if (count > 1)
            qsort(t.rows, count, sizeof(*t.rows), by_self);
        *ret_rows = t.rows;
        *ret_count = count;
    }
    table_release(&t);
    return rc;
}

static void fill_parts(struct slw_report *r)
{
    for (size_t i = 0; i < slw_stacks_count(r->stacks); i++) {
        struct slw_stack k = slw_stacks_get(r->stacks, i);
        enum slw_frame_kind kind =
            k.depth > 0 ? slw_stacks_frame(r->stacks, k.frames[0]).kind : SLW_FRAME_OTHER;
        struct slw_report_part *part = &r->parts[kind];

        part->weight += k.weights[r->main_column];
        part->samples += samples_of(r, &k);
    }
    for (size_t i = 0; i < 3; i++)
        r->parts[i].share = slw_share_of(r->parts[i].weight, r->weight, r->samples);
}

static int by_weight(const void *a, const void *b)
{
    const struct slw_report_thread *x = a, *y = b;

    if (x->weight != y->weight)
        return x->weight > y->weight ? -1 : 1;
    if (x->tid != y->tid)
        return x->tid < y->tid ? -1 : 1;
    return strcmp(x->comm, y->comm);
}

static int fill_threads(struct slw_report *r)
{
    size_t named = slw_stacks_thread_count(r->stacks), count = 0;
    struct slw_report_thread *rows = slw_arena_array(r->arena, named + 1, sizeof(*rows));

    if (!rows)
        return -SLW_E_NOMEM;
    for (size_t i = 0; i < slw_stacks_count(r->stacks); i++) {
        struct slw_stack k = slw_stacks_get(r->stacks, i);
        size_t row = k.thread == SLW_NO_THREAD ? named : k.thread;

        rows[row].weight += k.weights[r->main_column];
        rows[row].samples += samples_of(r, &k);
    }
    for (size_t i = 0; i <= named; i++) {
        struct slw_thread who = {.comm = "", .pid = -1, .tid = -1};

        if (rows[i].weight == 0 && rows[i].samples == 0)
            continue;
        if (i < named)
            who = slw_stacks_thread(r->stacks, (uint32_t)i);
        rows[i].comm = who.comm;
        rows[i].pid = who.pid;
        rows[i].tid = who.tid;
        rows[i].share = slw_share_of(rows[i].weight, r->weight, r->samples);
        rows[count++] = rows[i];
    }
    if (count > 1)
        qsort(rows, count, sizeof(*rows), by_weight);
    r->threads = rows;
    r->thread_count = count;
    return 0;
}

/* ---- which column ---- */

static bool column_total(const struct slw_stacks *s, size_t column, uint64_t *ret_total)
{
    uint64_t total = 0;

    for (size_t i = 0; i < slw_stacks_count(s); i++)
        if (__builtin_add_overflow(total, slw_stacks_weights(s, i)[column], &total))
            return false;
    *ret_total = total;
    return true;
}

static const struct slw_sampling *find_sampling(const struct slw_run *run, const char *event)
{
    for (size_t i = 0; i < run->sampling_count; i++)
        if (strcmp(run->samplings[i].event, event) == 0)
            return &run->samplings[i];
    return NULL;
}

static int choose_column(const struct slw_stacks *s)
{
    static const char *const preferred[] = {"cycles", "cpu-clock", "task-clock"};

    /* Every slot of a described core is accounted for: nothing is more exact. */
    int slots = slw_stacks_find_column(s, "slots", "slots");
    if (slots >= 0 && slw_stacks_column(s, (size_t)slots)->from.source == SLW_SOURCE_SIMULATED)
        return slots;
    for (size_t i = 0; i < sizeof(preferred) / sizeof(preferred[0]); i++) {
        int column = slw_stacks_find_column(s, preferred[i], NULL);
        if (column >= 0 && slw_stacks_total(s, (size_t)column) > 0)
            return column;
    }
    int first = slw_stacks_find_column(s, NULL, NULL);
    return first >= 0 && strcmp(slw_stacks_column(s, (size_t)first)->event, SLW_EVENT_OFFCPU) == 0
               ? -1
               : first;
}

static int fill_columns(struct slw_report *r, struct slw_error *err)
{
    int column = choose_column(r->stacks);

    r->main_column = r->samples_column = -1;
    if (column < 0)
        return 0;
    const char *event = slw_stacks_column(r->stacks, (size_t)column)->event;
    int samples = slw_stacks_find_column(r->stacks, event, "count");
    if (samples >= 0 && slw_stacks_total(r->stacks, (size_t)column) == 0)
        column = samples;
    uint64_t weight = 0, sample_total = 0;
    if (!column_total(r->stacks, (size_t)column, &weight) ||
        (samples >= 0 && !column_total(r->stacks, (size_t)samples, &sample_total)))
        return slw_fail(err, SLW_E_RANGE, "the weights of the profile sum past 64 bits");
    if (weight == 0)
        return 0;
    r->main_column = column;
    r->samples_column = samples;
    r->column = slw_stacks_column(r->stacks, (size_t)column);
    r->sampling = find_sampling(r->run, event);
    r->weight = weight;
    r->samples = sample_total;
    return 0;
}

int slw_hot_fill(struct slw_report *r, struct slw_error *err)
{
    assert(r && r->run && r->arena);
    r->main_column = r->samples_column = -1;
    if (!r->stacks || slw_stacks_count(r->stacks) == 0)
        return 0;
    int rc = fill_columns(r, err);
    if (rc < 0 || r->main_column < 0)
        return rc;
    fill_parts(r);
    rc = fill_table(r, true, &r->functions, &r->function_count);
    if (rc == 0)
        rc = fill_table(r, false, &r->modules, &r->module_count);
    if (rc == 0)
        rc = fill_threads(r);
    return rc < 0 ? slw_fail(err, SLW_E_NOMEM, "no memory for the function table") : 0;
}

/* SPDX-License-Identifier: MIT */
/* Which functions explain the difference of two runs. */
#include "analyzer/compare/comparison_int.h"

#include "analyzer/compare/both.h"
#include "analyzer/compare/sampled.h"
#include "analyzer/compare/weighing.h"
#include "analyzer/hot.h"
#include "base/arena.h"
#include "base/hash.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_CHANGES 1000 /* those that changed most; nobody reads more */

static const char no_module[] = SLW_HOT_NO_MODULE; /* one pointer for all of them */

/* Strings are interned by the profile: equal pointers are equal strings. As wide as the pointers,
 * so that there is no padding to hash. */
struct key {
    const char *function, *module;
    uintptr_t kind;
};

struct function {
    struct key key;
    double weight[2]; /* of A, of B */
    uint64_t samples[2];
};

struct work {
    struct slw_comparison *c;
    struct slw_error *err;
    struct slw_both both;
    struct slw_sampled sampled[2];
    struct function *functions; /* heap */
    uint32_t count;
    uint32_t *of_frame; /* heap; the last is of stacks without frames */
    struct slw_index index;
    struct slw_part_change *changes; /* heap, of functions */
};

static const struct slw_side_of *side(const struct work *w, size_t which)
{
    return which ? &w->c->in.b : &w->c->in.a;
}

static int no_memory(const struct work *w)
{
    return slw_fail(w->err, SLW_E_NOMEM, "no memory for the functions of a comparison");
}

/* ---- functions ---- */

static bool function_equal(const void *ctx, uint32_t position, const void *key)
{
    return memcmp(&((const struct work *)ctx)->functions[position].key, key, sizeof(struct key)) ==
           0;
}

static int find_function(struct work *w, const struct key *key, uint32_t *ret_function)
{
    const uint64_t hash = slw_hash_bytes(key, sizeof(*key), 0);

    if (slw_index_find(&w->index, hash, function_equal, w, key, ret_function))
        return 0;
    if (slw_index_add(&w->index, hash, w->count) < 0)
        return no_memory(w);
    w->functions[w->count].key = *key;
    *ret_function = w->count++;
    return 0;
}

static struct key key_of(const struct slw_stacks *s, uint32_t frame)
{
    const struct slw_frame f = slw_stacks_frame(s, frame);
    const char *module =
        f.mapping == SLW_NO_MAPPING ? no_module : slw_stacks_mapping(s, f.mapping).path;

    if (!module[0] || strcmp(module, no_module) == 0)
        module = no_module;
    return (struct key){f.function, module, (uintptr_t)f.kind};
}

static int map_frames(struct work *w)
{
    const struct slw_stacks *s = w->both.stacks;
    const size_t frames = slw_stacks_frame_count(s);
    const struct key no_stack = {SLW_HOT_NO_STACK, no_module, SLW_FRAME_OTHER};
    int rc = 0;

    w->functions = calloc(frames + 1, sizeof(*w->functions));
    w->of_frame = calloc(frames + 1, sizeof(*w->of_frame));
    if (!w->functions || !w->of_frame)
        return no_memory(w);
    for (uint32_t i = 0; rc == 0 && i < frames; i++) {
        const struct key key = key_of(s, i);
        rc = find_function(w, &key, &w->of_frame[i]);
    }
    return rc < 0 ? rc : find_function(w, &no_stack, &w->of_frame[frames]);
}

/* The function that a stack ends in. */
static uint32_t function_at(const struct work *w, uint32_t path)
{
    const struct slw_path p = slw_stacks_path(w->both.stacks, path);

    return w->of_frame[p.caller == SLW_NO_PATH ? slw_stacks_frame_count(w->both.stacks) : p.id];
}

static void weigh(struct work *w)
{
    const struct slw_stacks *s = w->both.stacks;

    for (size_t i = 0; i < slw_stacks_count(s); i++) {
        const uint64_t *weights = slw_stacks_weights(s, i);
        struct function *f =
            &w->functions[function_at(w, slw_stacks_function(s, slw_stacks_leaf(s, i)))];

        f->weight[0] += (double)weights[SLW_BOTH_A_WEIGHT];
        f->weight[1] += (double)weights[SLW_BOTH_B_WEIGHT];
        f->samples[0] += weights[SLW_BOTH_A_SAMPLES];
        f->samples[1] += weights[SLW_BOTH_B_SAMPLES];
    }
}

/* ---- rounds ---- */

/* Moments are of the first event. */
static bool has_moments(const struct work *w, size_t which)
{
    const struct slw_side_of *s = side(w, which);

    return s->moments && strcmp(slw_stacks_column(s->stacks, 0)->event, w->both.column->event) == 0;
}

static int judge(struct work *w)
{
    struct slw_weighing weighing = {0};

    w->changes = calloc((size_t)w->count + 1, sizeof(*w->changes));
    if (!w->changes)
        return no_memory(w);
    if (!w->c->interleaved || !has_moments(w, 0) || !has_moments(w, 1))
        return 0;
    int rc = slw_weighing_init(&weighing, w->count, w->sampled[0].rounds, w->sampled[0].round_count,
                               w->sampled[1].rounds, w->sampled[1].round_count, w->err);
    for (size_t which = 0; rc == 0 && which < 2; which++) {
        const struct slw_moments *moments = side(w, which)->moments;

        for (size_t i = 0; i < slw_moments_count(moments); i++) {
            const struct slw_moment *m = slw_moments_get(moments, i);
            slw_weighing_add(&weighing, which, m, function_at(w, w->both.paths[which][m->path]));
        }
    }
    if (rc == 0) {
        slw_weighing_close(&weighing);
        rc = slw_weighing_judge(&weighing, SLW_WEIGHING_EVERY, w->c->alpha, w->changes, w->err);
    }
    slw_weighing_release(&weighing);
    return rc;
}

/* ---- the table ---- */

static int by_change(const void *left, const void *right)
{
    const struct slw_function_change *a = left, *b = right;
    const double x = fabs(a->b - a->a), y = fabs(b->b - b->a);

    if (x != y)
        return x > y ? -1 : 1;
    int order = strcmp(a->function, b->function);
    if (order == 0)
        order = strcmp(a->module, b->module);
    return order ? order : (int)a->kind - (int)b->kind;
}

/* Every slot of a function on a described core was counted, and is counted so again. */
static bool is_exact(const struct slw_comparison *c)
{
    return c->main_row < c->row_count && c->rows[c->main_row].exact;
}

static void be_exact(struct slw_function_change *row)
{
    const double change = row->b - row->a;

    row->difference = (struct slw_difference){.enough = true,
                                              .equal = true,
                                              .estimate = change,
                                              .low = change,
                                              .high = change,
                                              .level = 1,
                                              .p = change == 0 ? 1 : 0};
    row->judged = true;
    row->real = change != 0;
}

static int describe(struct work *w, uint32_t index, struct slw_function_change *row)
{
    const struct function *f = &w->functions[index];
    const struct slw_part_change *change = &w->changes[index];
    struct slw_arena *arena = w->c->arena;
    const char *name = slw_hot_shown_name(arena, f->key.function, f->key.module);

    *row = (struct slw_function_change){
        .function = slw_arena_strdup(arena, name),
        .module = slw_arena_strdup(arena, f->key.module),
        .kind = (enum slw_frame_kind)f->key.kind,
        .a = f->weight[0] / w->sampled[0].total,
        .b = f->weight[1] / w->sampled[1].total,
        .difference = change->difference,
        .judged = change->judged,
        .real = change->real,
        .only_a = f->weight[1] == 0 && f->samples[1] == 0,
        .only_b = f->weight[0] == 0 && f->samples[0] == 0,
    };
    if (is_exact(w->c))
        be_exact(row);
    return row->function && row->module ? 0 : no_memory(w);
}

static int fill(struct work *w)
{
    struct slw_function_change *rows = calloc((size_t)w->count + 1, sizeof(*rows));
    size_t count = 0;
    int rc = rows ? 0 : no_memory(w);

    for (uint32_t i = 0; rc == 0 && i < w->count; i++) {
        const struct function *f = &w->functions[i];
        if (f->weight[0] > 0 || f->weight[1] > 0)
            rc = describe(w, i, &rows[count++]);
        if (rc == 0 && count > 0 && is_exact(w->c) && !rows[count - 1].real)
            count--;
    }
    if (rc == 0 && count > 1)
        qsort(rows, count, sizeof(*rows), by_change);
    if (count > MAX_CHANGES)
        count = MAX_CHANGES;
    if (rc == 0 && count > 0) {
        w->c->functions = slw_arena_array(w->c->arena, count, sizeof(*rows));
        rc = w->c->functions ? 0 : no_memory(w);
    }
    if (rc == 0 && count > 0) {
        memcpy(w->c->functions, rows, count * sizeof(*rows));
        w->c->function_count = count;
    }
    free(rows);
    return rc;
}

/* ---- what keeps a table from being made ---- */

static const char *event_of(const struct slw_side_of *s)
{
    return s->report && s->report->column ? s->report->column->event : NULL;
}

static int absent(struct work *w, const char *why)
{
    w->c->functions_absent = slw_arena_strdup(w->c->arena, why);
    return w->c->functions_absent ? 0 : no_memory(w);
}

static int make(struct work *w)
{
    const struct slw_comparison_input *in = &w->c->in;
    const char *a = event_of(&in->a), *b = event_of(&in->b);
    struct slw_error why = {0};

    if (!in->a.stacks || !in->b.stacks || !a || !b)
        return absent(w, "no samples were taken");
    if (strcmp(a, b) != 0)
        return absent(w, "A and B were sampled by different events");
    for (size_t i = 0; i < 2; i++)
        if (slw_sampled_init(&w->sampled[i], side(w, i)->run, w->err) < 0)
            return -SLW_E_NOMEM;
    for (size_t i = 0; i < 2; i++)
        if (w->sampled[i].absent)
            return absent(w, w->sampled[i].absent);
    int rc = slw_both_init(&w->both, in->a.stacks, in->b.stacks, a, in->force, &why);
    if (rc == -SLW_E_NOMEM)
        return no_memory(w);
    if (rc < 0)
        return absent(w, why.text);
    rc = map_frames(w);
    if (rc < 0)
        return rc;
    weigh(w);
    rc = judge(w);
    return rc < 0 ? rc : fill(w);
}

int slw_comparison_functions(struct slw_comparison *c, struct slw_error *err)
{
    struct work w = {.c = c, .err = err};

    c->functions = NULL;
    c->function_count = 0;
    c->functions_absent = NULL;
    int rc = make(&w);
    slw_both_release(&w.both);
    slw_sampled_release(&w.sampled[0]);
    slw_sampled_release(&w.sampled[1]);
    slw_index_release(&w.index);
    free(w.functions);
    free(w.of_frame);
    free(w.changes);
    return rc;
}

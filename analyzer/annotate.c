/* SPDX-License-Identifier: MIT */
/* Which function is meant, and what each of its addresses weighs. */
#include "analyzer/annotate_int.h"
#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

static bool is_named(const struct slw_frame *f, const char *name)
{
    return strcmp(f->function, name) == 0 || (f->linkage[0] && strcmp(f->linkage, name) == 0);
}

static bool is_module(const char *path, const char *wanted)
{
    const char *slash = strrchr(path, '/');

    return !wanted || strcmp(path, wanted) == 0 || (slash && strcmp(slash + 1, wanted) == 0);
}

/* Sums over the stacks, by frame. */
struct tally {
    uint64_t *self, *total;
    uint32_t *seen; /* stack + 1 that was counted last: recursion counts once */
    bool *exact;    /* execution stood at the address: a leaf, or what the kernel interrupted */
};

/* The real frame around frames[i], which may be inlined into it. */
static size_t outer(const struct slw_stacks *s, const struct slw_stack *stack, size_t i)
{
    while (i + 1 < stack->depth && slw_stacks_frame(s, stack->frames[i]).inlined)
        i++;
    return i;
}

static enum slw_frame_kind kind(const struct slw_stacks *s, uint32_t frame)
{
    return slw_stacks_frame(s, frame).kind;
}

static void count_stack(const struct slw_stacks *s, size_t index, size_t column, struct tally *t)
{
    const struct slw_stack stack = slw_stacks_get(s, index);
    const uint64_t weight = stack.weights[column];

    for (size_t i = 0; i < stack.depth; i++) {
        const size_t real = outer(s, &stack, i);
        const uint32_t frame = stack.frames[real];
        if (i == 0)
            t->self[frame] += weight;
        if (i == 0 || kind(s, stack.frames[i - 1]) != kind(s, frame))
            t->exact[frame] = true;
        if (t->seen[frame] != index + 1)
            t->total[frame] += weight;
        t->seen[frame] = (uint32_t)index + 1;
        i = real;
    }
}

static int count(const struct slw_stacks *s, size_t column, struct slw_arena *arena,
                 struct tally *ret_tally)
{
    const size_t frames = slw_stacks_frame_count(s) + 1;
    struct tally t = {slw_arena_array(arena, frames, sizeof(*t.self)),
                      slw_arena_array(arena, frames, sizeof(*t.total)),
                      slw_arena_array(arena, frames, sizeof(*t.seen)),
                      slw_arena_array(arena, frames, sizeof(*t.exact))};

    if (!t.self || !t.total || !t.seen || !t.exact)
        return -SLW_E_NOMEM;
    for (size_t i = 0; i < slw_stacks_count(s); i++)
        count_stack(s, i, column, &t);
    *ret_tally = t;
    return 0;
}

/* The mapping in which the function weighs most; SLW_NO_MAPPING: no sample has it. */
static uint32_t choose_mapping(const struct slw_stacks *s, const struct slw_annotate_request *q,
                               const struct tally *t, struct slw_arena *arena)
{
    const size_t mappings = slw_stacks_mapping_count(s);
    uint64_t *weights = slw_arena_array(arena, mappings + 1, sizeof(*weights));
    uint32_t best = SLW_NO_MAPPING;

    for (uint32_t i = 0; weights && i < slw_stacks_frame_count(s); i++) {
        const struct slw_frame f = slw_stacks_frame(s, i);
        if (f.inlined || f.mapping == SLW_NO_MAPPING || !is_named(&f, q->function) ||
            !is_module(slw_stacks_mapping(s, f.mapping).path, q->module))
            continue;
        weights[f.mapping] += t->total[i] + t->self[i];
        if (best == SLW_NO_MAPPING || weights[f.mapping] > weights[best])
            best = f.mapping;
    }
    return best;
}

static int add_weight(struct slw_annotate_weights *w, const struct slw_annotate_weight *weight)
{
    if (w->count == w->capacity) {
        size_t capacity = w->capacity ? w->capacity * 2 : 256;
        struct slw_annotate_weight *grown = realloc(w->weights, capacity * sizeof(*grown));
        if (!grown)
            return -SLW_E_NOMEM;
        w->weights = grown;
        w->capacity = capacity;
    }
    w->weights[w->count++] = *weight;
    return 0;
}

static int by_address(const void *a, const void *b)
{
    const struct slw_annotate_weight *x = a, *y = b;

    return (x->address > y->address) - (x->address < y->address);
}

/* A return address lies behind its call. */
static int weigh(const struct slw_stacks *s, const struct slw_annotate_request *q,
                 const struct tally *t, uint32_t mapping, struct slw_annotation *a,
                 struct slw_annotate_weights *w)
{
    int rc = 0;

    for (uint32_t i = 0; rc == 0 && i < slw_stacks_frame_count(s); i++) {
        const struct slw_frame f = slw_stacks_frame(s, i);
        if (f.inlined || f.mapping != mapping || !is_named(&f, q->function) || f.address == 0)
            continue;
        a->function = slw_arena_strdup(a->arena, f.function);
        a->linkage = slw_arena_strdup(a->arena, f.linkage[0] ? f.linkage : f.function);
        a->self += t->self[i];
        rc = a->function && a->linkage
                 ? add_weight(w, &(struct slw_annotate_weight){f.address - !t->exact[i], t->self[i],
                                                               t->total[i]})
                 : -SLW_E_NOMEM;
    }
    if (w->count > 1)
        qsort(w->weights, w->count, sizeof(*w->weights), by_address);
    return rc;
}

/* Stacks that come by the function, be it several times. */
static uint64_t weigh_total(const struct slw_stacks *s, const struct slw_annotate_request *q,
                            uint32_t mapping)
{
    uint64_t total = 0;

    for (size_t i = 0; i < slw_stacks_count(s); i++) {
        const struct slw_stack stack = slw_stacks_get(s, i);
        for (size_t j = 0; j < stack.depth; j++) {
            const struct slw_frame f = slw_stacks_frame(s, stack.frames[j]);
            if (!f.inlined && f.mapping == mapping && is_named(&f, q->function)) {
                total += stack.weights[q->column];
                break;
            }
        }
    }
    return total;
}

/* Where a function that was inlined everywhere is to be looked for. */
static const char *container(const struct slw_stacks *s, const char *name)
{
    for (size_t i = 0; i < slw_stacks_count(s); i++) {
        const struct slw_stack stack = slw_stacks_get(s, i);
        for (size_t j = 0; j < stack.depth; j++) {
            const struct slw_frame f = slw_stacks_frame(s, stack.frames[j]);
            if (f.inlined && is_named(&f, name))
                return slw_stacks_frame(s, stack.frames[outer(s, &stack, j)]).function;
        }
    }
    return NULL;
}

static int not_found(const struct slw_stacks *s, const char *name, struct slw_error *err)
{
    const char *around = container(s, name);

    if (around) {
        slw_error_hint(err, "it was inlined, for instance into '%.100s': annotate that", around);
        return slw_fail(err, SLW_E_NOTFOUND, "'%.100s' has no code of its own", name);
    }
    slw_error_hint(err, "'slotwise report' lists the functions with samples");
    return slw_fail(err, SLW_E_NOTFOUND, "no sample has a function '%.100s'", name);
}

static int annotate(const struct slw_stacks *s, const struct slw_annotate_request *q,
                    struct slw_annotation *a, struct slw_annotate_weights *w, struct slw_error *err)
{
    struct tally t;

    if (count(s, q->column, a->arena, &t) < 0)
        return slw_fail(err, SLW_E_NOMEM, "no memory for the weights of functions");
    uint32_t mapping = choose_mapping(s, q, &t, a->arena);
    if (mapping == SLW_NO_MAPPING)
        return not_found(s, q->function, err);
    const struct slw_mapping m = slw_stacks_mapping(s, mapping);
    if (weigh(s, q, &t, mapping, a, w) < 0)
        return slw_fail(err, SLW_E_NOMEM, "no memory for the weights of addresses");
    if (w->count == 0)
        return slw_fail(err, SLW_E_NODATA, "the samples of '%.100s' have no addresses",
                        q->function);
    a->module = slw_arena_strdup(a->arena, m.path);
    a->total = weigh_total(s, q, mapping);
    if (!a->module)
        return slw_fail(err, SLW_E_NOMEM, "no memory for a path");
    return slw_annotate_code(a, &m, w, q->debug_dir, err);
}

int slw_annotate(const struct slw_stacks *s, const struct slw_annotate_request *request,
                 struct slw_annotation **ret_annotation, struct slw_error *err)
{
    struct slw_annotation *a = calloc(1, sizeof(*a));
    struct slw_annotate_weights w = {0};

    if (a)
        a->arena = slw_arena_new();
    if (!a || !a->arena) {
        slw_annotation_free(a);
        return slw_fail(err, SLW_E_NOMEM, "no memory to annotate a function");
    }
    const struct slw_column *column = slw_stacks_column(s, request->column);
    a->event = slw_arena_strdup(a->arena, column->event);
    a->unit = slw_arena_strdup(a->arena, column->unit);
    a->all = slw_stacks_total(s, request->column);
    int rc = a->event && a->unit ? annotate(s, request, a, &w, err)
                                 : slw_fail(err, SLW_E_NOMEM, "no memory to annotate a function");
    free(w.weights);
    if (rc < 0)
        slw_annotation_free(a);
    else
        *ret_annotation = a;
    return rc;
}

void slw_annotation_free(struct slw_annotation *a)
{
    if (!a)
        return;
    slw_arena_free(a->arena);
    free(a);
}

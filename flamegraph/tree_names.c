/* SPDX-License-Identifier: MIT */
#include "flamegraph/tree_names.h"

#include "base/arena.h"
#include "base/hash.h"

#include <stdlib.h>
#include <string.h>

/* While filling: names in the order met, found again by content. */
struct table {
    struct slw_arena *arena;
    struct slw_tree_name *names;
    uint32_t count, capacity;
    struct slw_index index;
};

struct slw_tree_label slw_tree_frame_label(const char *function, const char *module)
{
    const char *slash = strrchr(module, '/');
    const char *base = slash && slash[1] ? slash + 1 : module;

    if (function[0])
        return (struct slw_tree_label){"", function, ""};
    if (!base[0])
        return (struct slw_tree_label){"", "[unknown]", ""};
    if (base[0] == '[') /* "[vdso]" */
        return (struct slw_tree_label){"", base, ""};
    return (struct slw_tree_label){"[", base, "]"};
}

static bool name_equal(const void *ctx, uint32_t position, const void *key)
{
    const struct slw_tree_name *a = &((const struct table *)ctx)->names[position];
    const struct slw_tree_name *b = key;

    return a->kind == b->kind && strcmp(a->label, b->label) == 0 &&
           strcmp(a->module, b->module) == 0;
}

static int table_grow(struct table *t)
{
    uint32_t capacity = t->capacity ? t->capacity * 2 : 256;

    if (t->capacity > UINT32_MAX / 4)
        return -SLW_E_NOMEM;
    struct slw_tree_name *names = realloc(t->names, capacity * sizeof(*names));
    if (!names)
        return -SLW_E_NOMEM;
    t->names = names;
    t->capacity = capacity;
    return 0;
}

/* Strings are copied, so that the tree outlives the profile. */
static int table_intern(struct table *t, const struct slw_tree_name *key, uint32_t *ret_position)
{
    uint64_t hash = slw_hash_key(key->label, strlen(key->label), (uint64_t)key->kind);

    hash = slw_hash_key(key->module, strlen(key->module), hash);
    if (slw_index_find(&t->index, hash, name_equal, t, key, ret_position))
        return 0;
    if (t->count == t->capacity && table_grow(t) < 0)
        return -SLW_E_NOMEM;
    struct slw_tree_name name = {.label = slw_arena_strdup(t->arena, key->label),
                                 .module = slw_arena_strdup(t->arena, key->module),
                                 .kind = key->kind};
    if (!name.label || !name.module || slw_index_add(&t->index, hash, t->count) < 0)
        return -SLW_E_NOMEM;
    t->names[t->count] = name;
    *ret_position = t->count++;
    return 0;
}

static enum slw_tree_kind kind_of(const struct slw_frame *f)
{
    if (f->inlined)
        return SLW_TREE_INLINED;
    switch (f->kind) {
    case SLW_FRAME_USER:
        return SLW_TREE_USER;
    case SLW_FRAME_KERNEL:
        return SLW_TREE_KERNEL;
    case SLW_FRAME_OTHER:
        break;
    }
    return SLW_TREE_OTHER;
}

static int name_frames(struct table *t, const struct slw_stacks *s, uint32_t *of_frame)
{
    for (uint32_t i = 0; i < slw_stacks_frame_count(s); i++) {
        const struct slw_frame f = slw_stacks_frame(s, i);
        struct slw_tree_name key = {.module = "", .kind = kind_of(&f)};

        if (f.mapping != SLW_NO_MAPPING)
            key.module = slw_stacks_mapping(s, f.mapping).path;
        const struct slw_tree_label l = slw_tree_frame_label(f.function, key.module);
        key.label =
            l.open[0] ? slw_arena_printf(t->arena, "%s%s%s", l.open, l.text, l.close) : l.text;
        if (!key.label || table_intern(t, &key, &of_frame[i]) < 0)
            return -SLW_E_NOMEM;
    }
    return 0;
}

static int name_threads(struct table *t, const struct slw_stacks *s, bool by_thread,
                        uint32_t *of_thread)
{
    for (uint32_t i = 0; i < slw_stacks_thread_count(s); i++) {
        const struct slw_thread thread = slw_stacks_thread(s, i);
        struct slw_tree_name key = {.module = "", .kind = SLW_TREE_THREAD};

        key.label = thread.comm[0] ? thread.comm : "[unknown]";
        if (by_thread)
            key.label = slw_arena_printf(t->arena, "%s-%d/%d", key.label, thread.pid, thread.tid);
        if (!key.label || table_intern(t, &key, &of_thread[i]) < 0)
            return -SLW_E_NOMEM;
    }
    return 0;
}

struct ordered {
    struct slw_tree_name name;
    uint32_t met;
};

static int compare(const void *left, const void *right)
{
    const struct slw_tree_name *a = &((const struct ordered *)left)->name;
    const struct slw_tree_name *b = &((const struct ordered *)right)->name;

    if ((a->kind == SLW_TREE_ALL) != (b->kind == SLW_TREE_ALL))
        return a->kind == SLW_TREE_ALL ? -1 : 1;
    int order = strcmp(a->label, b->label);
    if (order == 0)
        order = strcmp(a->module, b->module);
    return order != 0 ? order : (int)a->kind - (int)b->kind;
}

static void renumber(uint32_t *ids, size_t count, const uint32_t *rank)
{
    for (size_t i = 0; i < count; i++)
        ids[i] = rank[ids[i]];
}

/* Names get their place in the order as their number, so that nodes sort by an integer. */
static int sort_names(struct slw_tree_names *n, const struct table *t, const struct slw_stacks *s)
{
    struct ordered *sorted = calloc(t->count, sizeof(*sorted));
    uint32_t *rank = calloc(t->count, sizeof(*rank));

    n->names = slw_arena_array(t->arena, t->count, sizeof(*n->names));
    if (sorted && rank && n->names) {
        for (uint32_t i = 0; i < t->count; i++)
            sorted[i] = (struct ordered){t->names[i], i};
        qsort(sorted, t->count, sizeof(*sorted), compare);
        for (uint32_t i = 0; i < t->count; i++) {
            n->names[i] = sorted[i].name;
            rank[sorted[i].met] = i;
        }
        n->count = t->count;
        renumber(n->of_frame, slw_stacks_frame_count(s), rank);
        renumber(n->of_thread, slw_stacks_thread_count(s), rank);
    }
    free(sorted);
    free(rank);
    return n->count > 0 ? 0 : -SLW_E_NOMEM;
}

int slw_tree_names_init(struct slw_tree_names *n, const struct slw_stacks *s, bool by_thread,
                        struct slw_arena *arena)
{
    struct table t = {.arena = arena};
    const struct slw_tree_name root = {.label = "all", .module = "", .kind = SLW_TREE_ALL};
    uint32_t position;

    *n = (struct slw_tree_names){0};
    /* One more than needed, because calloc(0) may be NULL. */
    n->of_frame = calloc(slw_stacks_frame_count(s) + 1, sizeof(*n->of_frame));
    n->of_thread = calloc(slw_stacks_thread_count(s) + 1, sizeof(*n->of_thread));
    int rc = n->of_frame && n->of_thread ? table_intern(&t, &root, &position) : -SLW_E_NOMEM;
    if (rc == 0)
        rc = name_frames(&t, s, n->of_frame);
    if (rc == 0)
        rc = name_threads(&t, s, by_thread, n->of_thread);
    if (rc == 0)
        rc = sort_names(n, &t, s);
    slw_index_release(&t.index);
    free(t.names);
    return rc;
}

void slw_tree_names_release(struct slw_tree_names *n)
{
    free(n->of_frame);
    free(n->of_thread);
    *n = (struct slw_tree_names){0};
}

/* SPDX-License-Identifier: MIT */
#include "analyzer/page/tree.h"

#include "analyzer/compare/modules.h"
#include "analyzer/hot.h"
#include "analyzer/report.h"
#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

/* ---- frames ---- */

static bool frame_equal(const void *ctx, uint32_t position, const void *key)
{
    const struct slw_page_frame *a = &((const struct slw_page_tree *)ctx)->frames[position];
    const struct slw_page_frame *b = key;

    return a->kind == b->kind && strcmp(a->name, b->name) == 0 && strcmp(a->module, b->module) == 0;
}

static int grow_frames(struct slw_page_tree *t)
{
    const uint32_t capacity = t->frame_capacity ? t->frame_capacity * 2 : 256;

    if (t->frame_capacity > UINT32_MAX / 4)
        return -SLW_E_LIMIT;
    struct slw_page_frame *frames = realloc(t->frames, capacity * sizeof(*frames));
    if (!frames)
        return -SLW_E_NOMEM;
    t->frames = frames;
    t->frame_capacity = capacity;
    return 0;
}

static int intern(struct slw_page_tree *t, const struct slw_page_frame *key, uint32_t *ret_frame)
{
    uint64_t hash = slw_hash_key(key->name, strlen(key->name), (uint64_t)key->kind);
    int rc = 0;

    hash = slw_hash_key(key->module, strlen(key->module), hash);
    if (slw_index_find(&t->frame_index, hash, frame_equal, t, key, ret_frame))
        return 0;
    if (t->frame_count == t->frame_capacity && (rc = grow_frames(t)) < 0)
        return rc;
    struct slw_page_frame f = {.name = slw_arena_strdup(t->arena, key->name),
                               .module = slw_arena_strdup(t->arena, key->module),
                               .kind = key->kind};
    if (!f.name || !f.module || slw_index_add(&t->frame_index, hash, t->frame_count) < 0)
        return -SLW_E_NOMEM;
    t->frames[t->frame_count] = f;
    *ret_frame = t->frame_count++;
    return 0;
}

static enum slw_page_frame_kind kind_of(const struct slw_frame *f)
{
    if (f->inlined)
        return SLW_PAGE_INLINED;
    return f->kind == SLW_FRAME_USER     ? SLW_PAGE_USER
           : f->kind == SLW_FRAME_KERNEL ? SLW_PAGE_KERNEL
                                         : SLW_PAGE_OTHER;
}

/* modules[mapping]: what a mapping is called; NULL: its path. */
static int name_frames(struct slw_page_tree *t, const struct slw_stacks *s,
                       const char *const *modules, uint32_t *of_frame)
{
    int rc = 0;

    for (uint32_t i = 0; rc == 0 && i < slw_stacks_frame_count(s); i++) {
        const struct slw_frame f = slw_stacks_frame(s, i);
        struct slw_page_frame key = {.module = "", .kind = kind_of(&f)};

        if (f.mapping != SLW_NO_MAPPING)
            key.module = modules ? modules[f.mapping] : slw_stacks_mapping(s, f.mapping).path;
        key.name = slw_hot_shown_name(t->arena, f.function,
                                      key.module[0] ? key.module : SLW_HOT_NO_MODULE);
        rc = key.name ? intern(t, &key, &of_frame[i]) : -SLW_E_NOMEM;
    }
    return rc;
}

static int name_threads(struct slw_page_tree *t, const struct slw_stacks *s, uint32_t *of_thread)
{
    int rc = 0;

    for (uint32_t i = 0; rc == 0 && i < slw_stacks_thread_count(s); i++) {
        const struct slw_thread thread = slw_stacks_thread(s, i);
        const struct slw_page_frame key = {.name = thread.comm[0] ? thread.comm : "[unknown]",
                                           .module = "",
                                           .kind = SLW_PAGE_THREAD};
        rc = intern(t, &key, &of_thread[i]);
    }
    return rc;
}

/* ---- nodes ---- */

static bool node_equal(const void *ctx, uint32_t position, const void *key)
{
    const struct slw_page_node *a = &((const struct slw_page_tree *)ctx)->nodes[position];
    const struct slw_page_node *b = key;

    return position > 0 && a->parent == b->parent && a->frame == b->frame;
}

static int grow_nodes(struct slw_page_tree *t)
{
    const uint32_t capacity = t->node_capacity ? t->node_capacity * 2 : 1024;

    if (t->node_count >= SLW_MAX_PAGE_NODES)
        return -SLW_E_LIMIT;
    struct slw_page_node *nodes = realloc(t->nodes, capacity * sizeof(*nodes));
    if (!nodes)
        return -SLW_E_NOMEM;
    t->nodes = nodes;
    t->node_capacity = capacity;
    return 0;
}

static int add_node(struct slw_page_tree *t, const struct slw_page_node *node)
{
    int rc = 0;

    if (t->node_count == t->node_capacity && (rc = grow_nodes(t)) < 0)
        return rc;
    t->nodes[t->node_count++] = *node;
    return 0;
}

static int child_of(struct slw_page_tree *t, uint32_t parent, uint32_t frame, uint32_t *ret_node)
{
    const uint64_t both = (uint64_t)parent << 32 | frame;
    const uint64_t hash = slw_hash_key(&both, sizeof(both), 0);
    const struct slw_page_node node = {
        .parent = parent, .frame = frame, .depth = t->nodes[parent].depth + 1};

    if (slw_index_find(&t->node_index, hash, node_equal, t, &node, ret_node))
        return 0;
    *ret_node = t->node_count;
    int rc = add_node(t, &node);
    return rc < 0 ? rc : slw_index_add(&t->node_index, hash, *ret_node);
}

/* Paths that lead to a stack that weighs something; any number but SLW_PAGE_NO_NODE. */
static void mark_paths(const struct slw_stacks *s, int column, uint32_t *of_path)
{
    const size_t count = slw_stacks_path_count(s);

    memset(of_path, 0xff, count * sizeof(*of_path));
    for (size_t i = 0; i < slw_stacks_count(s); i++)
        if (slw_stacks_weights(s, i)[column] != 0)
            of_path[slw_stacks_leaf(s, i)] = 0;
    for (size_t i = count; i-- > 0;) {
        const uint32_t caller = slw_stacks_path(s, (uint32_t)i).caller;
        if (of_path[i] != SLW_PAGE_NO_NODE && caller != SLW_NO_PATH)
            of_path[caller] = 0;
    }
}

static int add_paths(struct slw_page_tree *t, const struct slw_stacks *s, const uint32_t *of_frame,
                     const uint32_t *of_thread, uint32_t *of_path)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < slw_stacks_path_count(s); i++) {
        const struct slw_path p = slw_stacks_path(s, (uint32_t)i);

        if (of_path[i] == SLW_PAGE_NO_NODE)
            continue;
        if (p.caller != SLW_NO_PATH)
            rc = child_of(t, of_path[p.caller], of_frame[p.id], &of_path[i]);
        else if (p.id != SLW_NO_THREAD)
            rc = child_of(t, 0, of_thread[p.id], &of_path[i]);
        else
            of_path[i] = 0;
    }
    return rc;
}

static void add_weights(struct slw_page_tree *t, const struct slw_stacks *s, size_t side,
                        int samples)
{
    for (size_t i = 0; i < slw_stacks_count(s); i++) {
        const uint64_t *weights = slw_stacks_weights(s, i);
        const uint32_t node = t->node_of_path[side][slw_stacks_leaf(s, i)];

        if (node == SLW_PAGE_NO_NODE)
            continue;
        t->nodes[node].weight[side] += weights[t->column[side]];
        if (samples >= 0)
            t->nodes[node].samples[side] += weights[samples];
    }
}

/* The files of the second side as the first one calls them: a client that was built anew has
 * another path, and nothing of it is new for that. NULL stays NULL: there is one side. */
static int match_modules(struct slw_page_tree *t, const struct slw_page *page, size_t index,
                         const char ***ret_modules)
{
    const struct slw_stacks *first = page->sides[0].stacks, *own = page->sides[index].stacks;

    if (index == 0 || !first)
        return 0;
    *ret_modules = slw_arena_array(t->arena, slw_stacks_mapping_count(own) + 1, sizeof(char *));
    return *ret_modules ? slw_modules_match(first, own, *ret_modules) : -SLW_E_NOMEM;
}

static int add_side(struct slw_page_tree *t, const struct slw_page *page, size_t index)
{
    const struct slw_page_side *side = &page->sides[index];
    const struct slw_stacks *s = side->stacks;
    const int samples = side->report ? side->report->samples_column : -1;
    uint32_t *of_frame = slw_arena_array(t->arena, slw_stacks_frame_count(s) + 1, sizeof(uint32_t));
    uint32_t *of_thread =
        slw_arena_array(t->arena, slw_stacks_thread_count(s) + 1, sizeof(uint32_t));
    uint32_t *of_path = slw_arena_array(t->arena, slw_stacks_path_count(s) + 1, sizeof(uint32_t));
    const char **modules = NULL;
    int rc =
        of_frame && of_thread && of_path ? match_modules(t, page, index, &modules) : -SLW_E_NOMEM;

    if (rc == 0)
        rc = name_frames(t, s, modules, of_frame);
    if (rc == 0)
        rc = name_threads(t, s, of_thread);
    if (rc < 0)
        return rc;
    t->node_of_path[index] = of_path;
    mark_paths(s, t->column[index], of_path);
    rc = add_paths(t, s, of_frame, of_thread, of_path);
    if (rc == 0)
        add_weights(t, s, index, samples);
    return rc;
}

/* ---- the order they are written in: callees after their caller, in the alphabet ---- */

static int by_name(const void *a, const void *b)
{
    const struct slw_page_frame *x = *(const struct slw_page_frame *const *)a;
    const struct slw_page_frame *y = *(const struct slw_page_frame *const *)b;
    const int names = strcmp(x->name, y->name);
    const int modules = names ? names : strcmp(x->module, y->module);

    return modules ? modules : (int)x->kind - (int)y->kind;
}

static int rank_frames(struct slw_page_tree *t)
{
    struct slw_page_frame **sorted = slw_arena_array(t->arena, t->frame_count, sizeof(*sorted));

    if (!sorted)
        return -SLW_E_NOMEM;
    for (uint32_t i = 0; i < t->frame_count; i++)
        sorted[i] = &t->frames[i];
    qsort(sorted, t->frame_count, sizeof(struct slw_page_frame *), by_name);
    for (uint32_t i = 0; i < t->frame_count; i++)
        sorted[i]->rank = i;
    return 0;
}

struct sibling {
    uint32_t parent, rank, node;
};

/* The root first, then siblings together; of siblings the last in the alphabet first, so that a
 * stack gives them back in the alphabet. */
static int by_parent(const void *a, const void *b)
{
    const struct sibling *x = a, *y = b;

    if (x->parent != y->parent)
        return x->parent < y->parent ? -1 : 1;
    return x->rank < y->rank ? 1 : x->rank > y->rank ? -1 : 0;
}

static void walk(struct slw_page_tree *t, const struct sibling *siblings, const uint32_t *first,
                 uint32_t *stack)
{
    uint32_t written = 0, waiting = 0;

    stack[waiting++] = 0;
    while (waiting > 0) {
        const uint32_t node = stack[--waiting];

        t->place[node] = written;
        t->order[written++] = node;
        for (uint32_t i = first[node]; i < first[node + 1]; i++)
            stack[waiting++] = siblings[i].node;
    }
}

static int order_nodes(struct slw_page_tree *t)
{
    const uint32_t count = t->node_count - 1; /* all but the root */
    struct sibling *siblings = slw_arena_array(t->arena, count + 1, sizeof(*siblings));
    uint32_t *first = slw_arena_array(t->arena, t->node_count + 1, sizeof(*first));
    uint32_t *stack = slw_arena_array(t->arena, t->node_count, sizeof(*stack));

    t->order = slw_arena_array(t->arena, t->node_count, sizeof(*t->order));
    t->place = slw_arena_array(t->arena, t->node_count, sizeof(*t->place));
    if (!siblings || !first || !stack || !t->order || !t->place)
        return -SLW_E_NOMEM;
    for (uint32_t i = 1; i < t->node_count; i++) {
        const struct slw_page_node *n = &t->nodes[i];
        siblings[i - 1] = (struct sibling){n->parent, t->frames[n->frame].rank, i};
        first[n->parent + 1]++;
    }
    for (uint32_t i = 0; i < t->node_count; i++)
        first[i + 1] += first[i];
    qsort(siblings, count, sizeof(*siblings), by_parent);
    walk(t, siblings, first, stack);
    return 0;
}

/* ---- all of it ---- */

static int column_of(const struct slw_page_side *side)
{
    if (!side->stacks)
        return -1;
    return side->report ? side->report->main_column
                        : slw_stacks_find_column(side->stacks, NULL, NULL);
}

static int build(struct slw_page_tree *t, const struct slw_page *page)
{
    const struct slw_page_frame all = {.name = "all", .module = "", .kind = SLW_PAGE_ROOT};
    const struct slw_page_node root = {0};
    uint32_t frame;
    int rc = intern(t, &all, &frame);

    t->side_count = page->side_count;
    if (rc == 0)
        rc = add_node(t, &root);
    for (size_t i = 0; rc == 0 && i < page->side_count; i++) {
        t->column[i] = column_of(&page->sides[i]);
        if (t->column[i] >= 0)
            rc = add_side(t, page, i);
    }
    if (rc == 0)
        rc = rank_frames(t);
    return rc == 0 ? order_nodes(t) : rc;
}

int slw_page_tree_build(struct slw_page_tree *t, const struct slw_page *page, struct slw_error *err)
{
    t->arena = slw_arena_new();
    const int rc = t->arena ? build(t, page) : -SLW_E_NOMEM;

    if (rc == -SLW_E_LIMIT)
        return slw_fail(err, SLW_E_LIMIT,
                        "the samples have more than %u different frames in their "
                        "call tree: too many for a page",
                        SLW_MAX_PAGE_NODES);
    return rc < 0 ? slw_fail(err, SLW_E_NOMEM, "no memory for the call tree of a page") : 0;
}

void slw_page_tree_release(struct slw_page_tree *t)
{
    slw_index_release(&t->frame_index);
    slw_index_release(&t->node_index);
    free(t->frames);
    free(t->nodes);
    slw_arena_free(t->arena);
    *t = (struct slw_page_tree){0};
}

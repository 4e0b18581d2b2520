/* SPDX-License-Identifier: MIT */
#include "flamegraph/tree.h"

#include "base/arena.h"
#include "base/hash.h"
#include "flamegraph/tree_names.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* What building needs and the finished tree does not. */
struct builder {
    struct slw_tree *tree;
    const struct slw_stacks *stacks;
    size_t column;
    int sample_column; /* -1: none beside the weight */
    struct slw_tree_names names;
    struct slw_index children; /* (parent, name) -> node */
    uint32_t *ends;            /* by stack; NULL: nobody asks */
};

static bool child_equal(const void *ctx, uint32_t position, const void *key)
{
    const struct slw_tree_node *node = &((const struct slw_tree *)ctx)->nodes[position];
    const struct slw_tree_node *k = key;

    return node->parent == k->parent && node->name == k->name;
}

static int reserve_node(struct slw_tree *t)
{
    if (t->node_count < t->node_capacity)
        return 0;
    if (t->node_count >= SLW_MAX_TREE_NODES)
        return -SLW_E_LIMIT;
    uint32_t capacity = t->node_capacity ? t->node_capacity * 2 : 1024;
    struct slw_tree_node *nodes = realloc(t->nodes, capacity * sizeof(*nodes));
    if (!nodes)
        return -SLW_E_NOMEM;
    t->nodes = nodes;
    t->node_capacity = capacity;
    return 0;
}

static int add_node(struct slw_tree *t, uint32_t parent, uint32_t name, uint32_t *ret_node)
{
    int rc = reserve_node(t);

    if (rc < 0)
        return rc;
    t->nodes[t->node_count] = (struct slw_tree_node){
        .parent = parent, .name = name, .first_child = SLW_NO_NODE, .next_sibling = SLW_NO_NODE};
    *ret_node = t->node_count++;
    return 0;
}

static int find_child(struct builder *b, uint32_t parent, uint32_t name, uint32_t *ret_node)
{
    const struct slw_tree_node key = {.parent = parent, .name = name};
    const uint64_t both = (uint64_t)parent << 32 | name;
    const uint64_t hash = slw_hash_key(&both, sizeof(both), 0);

    if (slw_index_find(&b->children, hash, child_equal, b->tree, &key, ret_node))
        return 0;
    int rc = add_node(b->tree, parent, name, ret_node);
    return rc < 0 ? rc : slw_index_add(&b->children, hash, *ret_node);
}

static void add_own(struct builder *b, size_t stack, uint32_t node)
{
    const uint64_t *weights = slw_stacks_weights(b->stacks, stack);

    if (b->ends)
        b->ends[stack] = node;
    b->tree->nodes[node].own += weights[b->column];
    if (b->sample_column >= 0)
        b->tree->nodes[node].samples += weights[b->sample_column];
}

/* Leaves first, so the stack is walked as it is. */
static int add_inverted(struct builder *b, size_t index)
{
    const struct slw_stack stack = slw_stacks_get(b->stacks, index);
    uint32_t node = SLW_ROOT_NODE;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < stack.depth; i++)
        rc = find_child(b, node, b->names.of_frame[stack.frames[i]], &node);
    if (rc == 0 && stack.thread != SLW_NO_THREAD)
        rc = find_child(b, node, b->names.of_thread[stack.thread], &node);
    if (rc == 0)
        add_own(b, index, node);
    return rc;
}

static bool weighs(const struct builder *b, size_t stack)
{
    /* A stack that weighs nothing here was seen by another event only. */
    return slw_stacks_weights(b->stacks, stack)[b->column] != 0;
}

static int add_all_inverted(struct builder *b)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < slw_stacks_count(b->stacks); i++)
        if (weighs(b, i))
            rc = add_inverted(b, i);
    return rc;
}

#define WANTED 0 /* any node number: it is replaced before it is read as one */

/* Paths below stacks that weigh something; the others stay SLW_NO_NODE. */
static void mark_paths(const struct builder *b, uint32_t *node_of_path)
{
    const size_t count = slw_stacks_path_count(b->stacks);

    memset(node_of_path, 0xff, count * sizeof(*node_of_path));
    for (size_t i = 0; i < slw_stacks_count(b->stacks); i++)
        if (weighs(b, i))
            node_of_path[slw_stacks_leaf(b->stacks, i)] = WANTED;
    for (size_t i = count; i-- > 0;) {
        const uint32_t caller = slw_stacks_path(b->stacks, (uint32_t)i).caller;

        if (node_of_path[i] != SLW_NO_NODE && caller != SLW_NO_PATH)
            node_of_path[caller] = WANTED;
    }
}

/* The profile's own tree of paths, with what has one name made one: each path is a child of the
 * node that its caller became. */
static int add_paths(struct builder *b, uint32_t *node_of_path)
{
    int rc = 0;

    mark_paths(b, node_of_path);
    for (size_t i = 0; rc == 0 && i < slw_stacks_path_count(b->stacks); i++) {
        const struct slw_path path = slw_stacks_path(b->stacks, (uint32_t)i);

        if (node_of_path[i] == SLW_NO_NODE)
            continue;
        if (path.caller != SLW_NO_PATH)
            rc = find_child(b, node_of_path[path.caller], b->names.of_frame[path.id],
                            &node_of_path[i]);
        else if (path.id != SLW_NO_THREAD)
            rc = find_child(b, SLW_ROOT_NODE, b->names.of_thread[path.id], &node_of_path[i]);
        else
            node_of_path[i] = SLW_ROOT_NODE;
    }
    for (size_t i = 0; rc == 0 && i < slw_stacks_count(b->stacks); i++)
        if (weighs(b, i))
            add_own(b, i, node_of_path[slw_stacks_leaf(b->stacks, i)]);
    return rc;
}

static int add_upright(struct builder *b)
{
    /* One more than needed, because malloc(0) may be NULL. */
    uint32_t *node_of_path = malloc((slw_stacks_path_count(b->stacks) + 1) * sizeof(*node_of_path));
    int rc = node_of_path ? add_paths(b, node_of_path) : -SLW_E_NOMEM;

    free(node_of_path);
    return rc;
}

/* Sums over the whole tree cannot overflow once the total does not. */
static int check_total(const struct builder *b, size_t column)
{
    uint64_t total = 0;

    for (size_t i = 0; i < slw_stacks_count(b->stacks); i++)
        if (__builtin_add_overflow(total, slw_stacks_weights(b->stacks, i)[column], &total))
            return -SLW_E_RANGE;
    return 0;
}

static int add_stacks(struct builder *b)
{
    uint32_t root;
    int rc = check_total(b, b->column);

    if (rc == 0 && b->sample_column >= 0)
        rc = check_total(b, (size_t)b->sample_column);
    if (rc == 0)
        rc = add_node(b->tree, SLW_NO_NODE, 0, &root);
    if (rc == 0)
        rc = b->tree->inverted ? add_all_inverted(b) : add_upright(b);
    return rc;
}

/* The depth of each node fits where its first child will be linked in. */
static void measure_depth(struct slw_tree *t)
{
    t->nodes[SLW_ROOT_NODE].first_child = 0;
    for (uint32_t i = 1; i < t->node_count; i++) {
        struct slw_tree_node *node = &t->nodes[i];

        node->first_child = t->nodes[node->parent].first_child + 1;
        if (node->first_child > t->depth)
            t->depth = node->first_child;
    }
    for (uint32_t i = 0; i < t->node_count; i++)
        t->nodes[i].first_child = SLW_NO_NODE;
}

static void sum_weights(struct slw_tree *t)
{
    for (uint32_t i = t->node_count; i-- > 0;) {
        struct slw_tree_node *node = &t->nodes[i];

        node->weight += node->own;
        if (i != SLW_ROOT_NODE) {
            t->nodes[node->parent].weight += node->weight;
            t->nodes[node->parent].samples += node->samples;
        }
    }
}

/* Link children in the order of their names: a counting sort of all nodes by name, then each is
 * put in front of its parent's list, the last name first. No comparison, no recursion. */
static int link_children(struct slw_tree *t)
{
    uint32_t *start = calloc((size_t)t->name_count + 1, sizeof(*start));
    uint32_t *sorted = calloc(t->node_count, sizeof(*sorted));

    if (start && sorted) {
        for (uint32_t i = 0; i < t->node_count; i++)
            start[t->nodes[i].name + 1]++;
        for (uint32_t i = 0; i < t->name_count; i++)
            start[i + 1] += start[i];
        for (uint32_t i = 0; i < t->node_count; i++)
            sorted[start[t->nodes[i].name]++] = i;
        for (uint32_t i = t->node_count; i-- > 0;) {
            struct slw_tree_node *node = &t->nodes[sorted[i]];

            if (node->parent == SLW_NO_NODE)
                continue;
            node->next_sibling = t->nodes[node->parent].first_child;
            t->nodes[node->parent].first_child = sorted[i];
        }
    }
    const int rc = start && sorted ? 0 : -SLW_E_NOMEM;
    free(start);
    free(sorted);
    return rc;
}

/* The column that counts samples of the same event: the first of the pair (stacks.h). */
static int find_sample_column(const struct slw_stacks *s, size_t column)
{
    const char *event = slw_stacks_column(s, column)->event;

    for (size_t i = 0; i < slw_stacks_column_count(s); i++) {
        const struct slw_column *c = slw_stacks_column(s, i);

        if (strcmp(c->event, event) == 0 && strcmp(c->unit, "count") == 0)
            return (int)i;
    }
    return -1;
}

static int describe(struct builder *b)
{
    const struct slw_column *c = slw_stacks_column(b->stacks, b->column);
    struct slw_tree *t = b->tree;

    t->event = slw_arena_strdup(t->arena, c->event);
    t->unit = slw_arena_strdup(t->arena, c->unit);
    t->from = c->from;
    t->from.detail = slw_arena_strdup(t->arena, c->from.detail);
    b->sample_column = find_sample_column(b->stacks, b->column);
    t->counts_samples = b->sample_column == (int)b->column;
    if (t->counts_samples)
        b->sample_column = -1;
    t->has_samples = b->sample_column >= 0;
    return t->event && t->unit && (t->from.detail || !c->from.detail) ? 0 : -SLW_E_NOMEM;
}

static int build(struct builder *b, bool by_thread)
{
    struct slw_tree *t = b->tree;
    int rc = describe(b);

    if (rc == 0)
        rc = slw_tree_names_init(&b->names, b->stacks, by_thread, t->arena);
    t->names = b->names.names;
    t->name_count = b->names.count;
    if (rc == 0)
        rc = add_stacks(b);
    if (rc == 0)
        sum_weights(t);
    if (rc == 0)
        measure_depth(t);
    if (rc == 0)
        rc = link_children(t);
    return rc;
}

static int fail(struct slw_error *err, int rc)
{
    if (rc == -SLW_E_LIMIT)
        return slw_fail(err, SLW_E_LIMIT, "the call tree has more than %d nodes",
                        SLW_MAX_TREE_NODES);
    if (rc == -SLW_E_RANGE)
        return slw_fail(err, SLW_E_RANGE, "the weights of this profile add up to more than 2^64");
    return slw_fail(err, SLW_E_NOMEM, "no memory for the call tree");
}

int slw_tree_new(const struct slw_stacks *s, size_t column, const struct slw_tree_options *opts,
                 struct slw_tree **ret_tree, struct slw_error *err)
{
    return slw_tree_new_ends(s, column, opts, NULL, ret_tree, err);
}

int slw_tree_new_ends(const struct slw_stacks *s, size_t column,
                      const struct slw_tree_options *opts, uint32_t *ret_ends,
                      struct slw_tree **ret_tree, struct slw_error *err)
{
    assert(s && column < slw_stacks_column_count(s));
    struct slw_tree *t = calloc(1, sizeof(*t));
    struct builder b = {.tree = t, .stacks = s, .column = column, .ends = ret_ends};

    for (size_t i = 0; ret_ends && i < slw_stacks_count(s); i++)
        ret_ends[i] = SLW_NO_NODE;

    if (t) {
        t->arena = slw_arena_new();
        t->inverted = opts && opts->inverted;
    }
    int rc = t && t->arena ? build(&b, opts && opts->by_thread) : -SLW_E_NOMEM;
    slw_tree_names_release(&b.names);
    slw_index_release(&b.children);
    if (rc < 0) {
        slw_tree_free(t);
        return fail(err, rc);
    }
    *ret_tree = t;
    return 0;
}

void slw_tree_free(struct slw_tree *t)
{
    if (!t)
        return;
    free(t->nodes);
    slw_arena_free(t->arena);
    free(t);
}

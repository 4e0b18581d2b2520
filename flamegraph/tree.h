/* SPDX-License-Identifier: MIT */
/* The call tree behind flamegraph.h, open to the files of this room: names, nodes and how they hang
 * together. Not for drawing: that is layout.h and svg.c. */
#ifndef SLW_FLAMEGRAPH_TREE_H
#define SLW_FLAMEGRAPH_TREE_H

#include "flamegraph/flamegraph.h"

#include <stddef.h>
#include <stdint.h>

struct slw_arena;

#define SLW_NO_NODE   UINT32_MAX
#define SLW_ROOT_NODE 0
/* About 3 GB of nodes: more than a screen, a browser or a reader can tell apart by far. */
#define SLW_MAX_TREE_NODES 50000000

/* What a node stands for, as a reader is shown it. An inlined call is a place of its own. */
enum slw_tree_kind {
    SLW_TREE_ALL,    /* the root */
    SLW_TREE_THREAD, /* a thread name */
    SLW_TREE_USER,
    SLW_TREE_INLINED,
    SLW_TREE_KERNEL,
    SLW_TREE_OTHER
};

struct slw_tree_name {
    const char *label;  /* the function, else "[module]", else "[unknown]" */
    const char *module; /* path as mapped, "" when unknown */
    enum slw_tree_kind kind;
};

/* Children are a list in the order of their names (label, then module, then kind). */
struct slw_tree_node {
    uint64_t weight;  /* own + the weights of all children */
    uint64_t own;     /* of stacks that end here */
    uint64_t samples; /* same sum over the sample column; 0 in a tree without one */
    uint32_t name, parent, first_child, next_sibling;
};

struct slw_tree {
    struct slw_arena *arena; /* holds names and their strings */
    struct slw_tree_name *names;
    uint32_t name_count;
    struct slw_tree_node *nodes; /* parents before their children; [0] is the root */
    uint32_t node_count, node_capacity;
    uint32_t depth; /* levels below the root */
    const char *event, *unit;
    struct slw_provenance from;
    bool counts_samples; /* the weight is a number of samples */
    bool has_samples;    /* nodes carry samples beside another weight */
    bool inverted;
};

/* slw_tree_new that also tells where stacks end: ret_ends has room for slw_stacks_count(s), the
 * node whose own weight the stack is part of, or SLW_NO_NODE where it weighs nothing. */
int slw_tree_new_ends(const struct slw_stacks *s, size_t column,
                      const struct slw_tree_options *opts, uint32_t *ret_ends,
                      struct slw_tree **ret_tree, struct slw_error *err);

#endif

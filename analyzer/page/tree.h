/* SPDX-License-Identifier: MIT */
/* The call trees of one or two profiles as one tree: equal names below equal callers are one node
 * that carries the weight of each side, so that graphs drawn from it zoom and search together.
 * Not for: drawing (assets/, flamegraph/). */
#ifndef SLW_ANALYZER_PAGE_TREE_H
#define SLW_ANALYZER_PAGE_TREE_H

#include "analyzer/page/page.h"
#include "base/hash.h"

struct slw_arena;

enum slw_page_frame_kind {
    SLW_PAGE_ROOT,
    SLW_PAGE_THREAD,
    SLW_PAGE_USER,
    SLW_PAGE_INLINED,
    SLW_PAGE_KERNEL,
    SLW_PAGE_OTHER
};

struct slw_page_frame {
    const char *name, *module; /* "[libpq.so.5]" where there is no symbol; module: a path or "" */
    enum slw_page_frame_kind kind;
    uint32_t rank; /* in the alphabet; ties by module and kind */
};

struct slw_page_node {
    uint32_t parent; /* position; of the root its own, 0 */
    uint32_t frame;
    uint32_t depth;
    uint64_t weight[SLW_MAX_PAGE_SIDES]; /* its own, in the unit of the side's column */
    uint64_t samples[SLW_MAX_PAGE_SIDES];
};

struct slw_page_tree {
    struct slw_arena *arena;
    struct slw_page_frame *frames;
    uint32_t frame_count, frame_capacity;
    struct slw_index frame_index;
    struct slw_page_node *nodes; /* callers before what they call */
    uint32_t node_count, node_capacity;
    struct slw_index node_index;
    uint32_t *order;                            /* order[i]: the node that is written i-th */
    uint32_t *place;                            /* its inverse */
    uint32_t *node_of_path[SLW_MAX_PAGE_SIDES]; /* SLW_PAGE_NO_NODE: weighs nothing */
    int column[SLW_MAX_PAGE_SIDES];             /* of the stacks; -1: none */
    size_t side_count;
};
#define SLW_PAGE_NO_NODE UINT32_MAX

/* Zero-initialise; release with slw_page_tree_release also after a failure. -SLW_E_NOMEM,
 * -SLW_E_LIMIT. */
int slw_page_tree_build(struct slw_page_tree *t, const struct slw_page *page,
                        struct slw_error *err);
void slw_page_tree_release(struct slw_page_tree *t);

#endif

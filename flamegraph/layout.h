/* SPDX-License-Identifier: MIT */
/* Which frames of a call tree are worth drawing, and where, in units of weight. Pixels, colours and
 * text belong to svg.c. */
#ifndef SLW_FLAMEGRAPH_LAYOUT_H
#define SLW_FLAMEGRAPH_LAYOUT_H

#include "flamegraph/tree.h"

/* A browser stays quick with this many elements; a graph that has more is drawn coarser. */
#define SLW_MAX_LAYOUT_FRAMES 60000

/* One box. Boxes come in depth-first order, a parent before its children, siblings from left to
 * right, so that depth alone tells who is whose parent. */
struct slw_layout_frame {
    uint64_t start; /* weight to the left of it */
    uint64_t weight;
    uint64_t samples;
    uint32_t node;         /* SLW_NO_NODE: stands for neighbours too narrow to draw one by one */
    uint32_t depth;        /* the root is 0 */
    uint32_t narrow_count; /* siblings such a box stands for; else 0 */
};

struct slw_layout {
    struct slw_layout_frame *frames;
    size_t frame_count, frame_capacity;
    uint32_t level_count;   /* rows needed; 0 when there is nothing to draw */
    double min_width_px;    /* the culling width used: the one asked for, or a coarser one */
    uint64_t culled_weight; /* of all frames not drawn, nested ones counted once */
    uint64_t culled_nodes;  /* siblings culled; what is above them is not counted again */
};

/* Lay out `t` for a drawing width_px wide. Frames narrower than min_width_px are culled; a run of
 * culled neighbours that together is wide enough becomes one box, a narrower one leaves its place
 * empty, so that every box stays where it would be without culling. A total of 0 gives no boxes.
 * -SLW_E_NOMEM. Release in any case. */
int slw_layout_init(struct slw_layout *l, const struct slw_tree *t, int width_px,
                    double min_width_px, struct slw_error *err);
void slw_layout_release(struct slw_layout *l);

#endif

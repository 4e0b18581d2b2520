/* SPDX-License-Identifier: MIT */
#include "flamegraph/layout.h"

#include <assert.h>
#include <stdlib.h>

/* Siblings being walked at one depth. */
struct level {
    uint32_t node;                  /* next sibling to place */
    uint64_t start;                 /* where it goes */
    struct slw_layout_frame narrow; /* culled neighbours waiting for a wide one or the end */
};

struct walk {
    const struct slw_tree *tree;
    struct slw_layout *layout;
    uint64_t min_weight; /* lighter frames are culled */
    struct level *levels;
};

static int push(struct slw_layout *l, const struct slw_layout_frame *f)
{
    if (l->frame_count == l->frame_capacity) {
        size_t capacity = l->frame_capacity ? l->frame_capacity * 2 : 1024;
        struct slw_layout_frame *frames = realloc(l->frames, capacity * sizeof(*frames));
        if (!frames)
            return -SLW_E_NOMEM;
        l->frames = frames;
        l->frame_capacity = capacity;
    }
    l->frames[l->frame_count++] = *f;
    if (f->depth >= l->level_count)
        l->level_count = f->depth + 1;
    return 0;
}

/* The run of culled neighbours ends here: draw it as one box when it is wide enough. */
static int flush_narrow(struct walk *w, struct level *level, uint32_t depth)
{
    struct slw_layout_frame run = level->narrow;

    level->narrow = (struct slw_layout_frame){0};
    if (run.weight == 0 || run.weight < w->min_weight)
        return 0;
    run.node = SLW_NO_NODE;
    run.depth = depth;
    return push(w->layout, &run);
}

static void cull(struct walk *w, struct level *level, const struct slw_tree_node *node)
{
    struct slw_layout_frame *run = &level->narrow;

    if (run->weight == 0)
        run->start = level->start;
    run->weight += node->weight;
    run->samples += node->samples;
    run->narrow_count++;
    w->layout->culled_weight += node->weight;
    w->layout->culled_nodes++;
}

/* Place the next sibling at `depth`. Returns 1 when its children come next, 0 when they do not. */
static int place(struct walk *w, uint32_t depth)
{
    struct level *level = &w->levels[depth];
    const uint32_t index = level->node;
    const struct slw_tree_node *node = &w->tree->nodes[index];
    const struct slw_layout_frame frame = {.start = level->start,
                                           .weight = node->weight,
                                           .samples = node->samples,
                                           .node = index,
                                           .depth = depth};

    if (node->weight < w->min_weight) {
        cull(w, level, node);
        level->start += node->weight;
        level->node = node->next_sibling;
        return 0;
    }
    int rc = flush_narrow(w, level, depth);
    if (rc == 0)
        rc = push(w->layout, &frame);
    if (rc < 0)
        return rc;
    level->start += node->weight;
    level->node = node->next_sibling;
    w->levels[depth + 1] = (struct level){.node = node->first_child, .start = frame.start};
    return 1;
}

static int walk_tree(struct walk *w)
{
    uint32_t depth = 0;

    w->levels[0] = (struct level){.node = SLW_ROOT_NODE};
    for (;;) {
        int rc;

        if (w->levels[depth].node == SLW_NO_NODE) {
            rc = flush_narrow(w, &w->levels[depth], depth);
            if (rc < 0 || depth-- == 0)
                return rc;
            continue;
        }
        rc = place(w, depth);
        if (rc < 0)
            return rc;
        depth += (uint32_t)rc;
    }
}

/* The lightest frame that is still min_width_px wide. Never 0, so that a frame has a width. */
static uint64_t min_weight(uint64_t total, int width_px, double min_width_px)
{
    const double exact = (double)total * min_width_px / width_px;
    uint64_t weight;

    if (exact <= 1)
        return 1;
    if (exact >= 0x1p63) /* wider than the drawing: the conversion would be undefined */
        return UINT64_MAX;
    weight = (uint64_t)exact;
    return (double)weight < exact ? weight + 1 : weight;
}

int slw_layout_init(struct slw_layout *l, const struct slw_tree *t, int width_px,
                    double min_width_px, struct slw_error *err)
{
    assert(width_px > 0 && min_width_px > 0);
    const uint64_t total = t->nodes[SLW_ROOT_NODE].weight;
    struct walk w = {.tree = t, .layout = l};
    int rc = 0;

    *l = (struct slw_layout){.min_width_px = min_width_px};
    if (total == 0)
        return 0;
    /* The root, its levels, and the empty level above the deepest frame. */
    w.levels = calloc((size_t)t->depth + 2, sizeof(*w.levels));
    if (!w.levels)
        return slw_fail(err, SLW_E_NOMEM, "no memory to lay out the flame graph");
    for (;;) {
        w.min_weight = min_weight(total, width_px, l->min_width_px);
        rc = walk_tree(&w);
        if (rc < 0 || l->frame_count <= SLW_MAX_LAYOUT_FRAMES || l->min_width_px > width_px)
            break;
        l->frame_count = 0;
        l->level_count = 0;
        l->culled_weight = l->culled_nodes = 0;
        l->min_width_px *= 2;
    }
    free(w.levels);
    return rc < 0 ? slw_fail(err, SLW_E_NOMEM, "no memory to lay out the flame graph") : 0;
}

void slw_layout_release(struct slw_layout *l)
{
    free(l->frames);
    *l = (struct slw_layout){0};
}

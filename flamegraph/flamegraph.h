/* SPDX-License-Identifier: MIT */
/* Stacks as a call tree, and the call tree as an interactive SVG that needs nothing but a browser.
 * Idea and colours after Brendan Gregg's flame graphs; the writing is our own. */
#ifndef SLW_FLAMEGRAPH_FLAMEGRAPH_H
#define SLW_FLAMEGRAPH_FLAMEGRAPH_H

#include "base/buf.h"
#include "record/stacks.h"

struct slw_tree;

struct slw_tree_options {
    bool by_thread; /* one root child per pid/tid instead of per comm */
    bool inverted;  /* callers below callees (icicle of leaves) */
};

/* A call tree over one column of the profile. Children are merged by function name, module and kind
 * (an inlined call is a kind of its own); the weight of a node is the sum over its children plus
 * its own. opts NULL: none set. SLW_E_NOMEM, SLW_E_LIMIT (too many nodes), SLW_E_RANGE (the weights
 * add up to more than 2^64). */
int slw_tree_new(const struct slw_stacks *s, size_t column, const struct slw_tree_options *opts,
                 struct slw_tree **ret_tree, struct slw_error *err);
void slw_tree_free(struct slw_tree *t);

/* What the colour of a frame says, when it is not the kind of code. */
enum slw_svg_category {
    SLW_SVG_UNKNOWN, /* grey: no numbers, or too few samples */
    SLW_SVG_UNDECIDED,
    SLW_SVG_FRONTEND,
    SLW_SVG_BACKEND,
    SLW_SVG_BAD_SPECULATION,
    SLW_SVG_RETIRING,
    SLW_SVG_CATEGORY_COUNT
};
/* function and module as the frames of the profile have them; module "" when unknown. */
typedef enum slw_svg_category (*slw_svg_category_fn)(const void *ctx, const char *function,
                                                     const char *module);

struct slw_svg_options {
    const char *title;            /* NULL: "Flame graph" */
    const char *subtitle;         /* NULL: none; up to 12 lines below the total: command, notes */
    int width_px;                 /* 0: 1200 */
    double min_width_px;          /* frames narrower than this are culled; 0: 0.1 */
    slw_svg_category_fn category; /* NULL: colour by the kind of code */
    const void *category_ctx;
};

/* Append a complete SVG document, fit for a file of its own and for pasting into HTML. Hostile
 * names are escaped; no outside resource is referenced. The text also says the total, the unit and
 * the provenance of the column, and what was too narrow to draw. opts NULL: defaults. SLW_E_NOMEM,
 * SLW_E_INVAL (a width nobody can mean). */
int slw_svg_render(const struct slw_tree *t, const struct slw_svg_options *opts,
                   struct slw_buf *out, struct slw_error *err);

#endif

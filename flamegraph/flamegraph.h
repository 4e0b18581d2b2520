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

/* A call tree over one column of the profile. Children are merged by function name, module and
 * kind; the weight of a node is the sum over its children plus its own. SLW_E_NOMEM, SLW_E_LIMIT.
 */
int slw_tree_new(const struct slw_stacks *s, size_t column, const struct slw_tree_options *opts,
                 struct slw_tree **ret_tree, struct slw_error *err);
void slw_tree_free(struct slw_tree *t);

struct slw_svg_options {
    const char *title;    /* NULL: "Flame graph" */
    const char *subtitle; /* NULL: none; provenance and note text goes here */
    int width_px;         /* 0: 1200 */
    double min_width_px;  /* frames narrower than this are culled; 0: 0.1 */
};

/* Append a complete SVG document. Hostile names are escaped; no outside resource is referenced. */
int slw_svg_render(const struct slw_tree *t, const struct slw_svg_options *opts,
                   struct slw_buf *out, struct slw_error *err);

#endif

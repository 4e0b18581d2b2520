/* SPDX-License-Identifier: MIT */
/* How a drawing that is no plain flame graph looks: its colours, its words and its legend.
 * Geometry, escaping and everything a reader can do with it stay those of svg.c. */
#ifndef SLW_FLAMEGRAPH_SVG_INT_H
#define SLW_FLAMEGRAPH_SVG_INT_H

#include "flamegraph/tree.h"

#define SLW_SVG_SWATCHES 3

/* A line of the legend. Words may be hostile. */
struct slw_svg_key {
    const char *classes[SLW_SVG_SWATCHES]; /* of svg/style.css; NULL: fewer */
    const char *words;
};

struct slw_svg_skin {
    const void *ctx;
    const char *wide;         /* "what A and B cost together": that is what width means */
    const char *const *lines; /* below the title, in place of the total; may be hostile */
    size_t line_count;
    const struct slw_svg_key *keys; /* the legend, below the lines */
    size_t key_count;
    const char *(*class_of)(const void *ctx, uint32_t node);
    /* What stands in front of the name in a frame: ASCII that needs no escaping, or nothing. */
    void (*put_mark)(const void *ctx, uint32_t node, struct slw_buf *out);
    /* Lines of the tooltip, each after a newline; escaped. */
    void (*put_facts)(const void *ctx, uint32_t node, struct slw_buf *out);
};

/* skin NULL: slw_svg_render. */
int slw_svg_draw(const struct slw_tree *t, const struct slw_svg_options *opts,
                 const struct slw_svg_skin *skin, struct slw_buf *out, struct slw_error *err);

#endif

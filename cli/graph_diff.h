/* SPDX-License-Identifier: MIT */
/* Two runs -> the SVG of their difference. */
#ifndef SLW_CLI_GRAPH_DIFF_H
#define SLW_CLI_GRAPH_DIFF_H

#include "base/buf.h"
#include "cli/load.h"

struct slw_graph_diff_request {
    const char *event; /* NULL: the first */
    const char *title; /* NULL: says what it is */
    const char *width; /* "both", "base", "candidate"; NULL: both */
    bool inverted;
    bool force;
};

/* Names for width; NULL past the last. */
const char *slw_graph_diff_width(size_t i);

/* Append a complete SVG. SLW_E_NODATA when a run has no samples; else as slw_diff_new. */
int slw_graph_diff_render(const struct slw_loaded *base, const struct slw_loaded *candidate,
                          const struct slw_graph_diff_request *request, struct slw_buf *out,
                          struct slw_error *err);

#endif

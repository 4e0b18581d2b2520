/* SPDX-License-Identifier: MIT */
/* Stacks -> the SVG of a flame graph, titled after the run they come from. */
#ifndef SLW_CLI_GRAPH_H
#define SLW_CLI_GRAPH_H

#include "base/buf.h"
#include "record/run.h"
#include "record/stacks.h"

struct slw_report;

struct slw_graph_request {
    const char *event; /* NULL: the first */
    const char *title; /* NULL: the command of the run */
    bool inverted;
    bool by_thread;
    const struct slw_report *topdown; /* colour frames by what bounds them; NULL: by kind */
};

/* Append a complete SVG. SLW_E_NODATA when there are no samples, SLW_E_NOTFOUND when the event was
 * not sampled (the text lists what was). */
int slw_graph_render(const struct slw_run *run, const struct slw_stacks *stacks,
                     const struct slw_graph_request *request, struct slw_buf *out,
                     struct slw_error *err);

/* The column of an event's weight (NULL: the first event's). Fails as above. */
int slw_graph_column(const struct slw_stacks *stacks, const char *event, size_t *ret_column,
                     struct slw_error *err);

#endif

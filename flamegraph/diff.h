/* SPDX-License-Identifier: MIT */
/* The call trees of two runs as one, with what each frame costs in both, and its drawing. Costs are
 * per request where both runs know their requests. docs/differential.md says how changes are judged
 * and drawn. */
#ifndef SLW_FLAMEGRAPH_DIFF_H
#define SLW_FLAMEGRAPH_DIFF_H

#include "base/buf.h"
#include "record/moments.h"
#include "record/run.h"

struct slw_diff;

/* One run. Everything is lent. */
struct slw_diff_side {
    const char *name;    /* "A", "B" */
    const char *role;    /* "base", "candidate" */
    const char *command; /* may be hostile; "": unknown */
    const struct slw_run *run;
    const struct slw_stacks *stacks;
    const struct slw_moments *moments; /* NULL: not kept */
};

/* What the width of a frame is. Of one side alone, code that only the other has cannot be seen. */
enum slw_diff_width {
    SLW_DIFF_WIDTH_BOTH, /* what both cost together */
    SLW_DIFF_WIDTH_A,
    SLW_DIFF_WIDTH_B,
};

struct slw_diff_options {
    const char *event; /* NULL: the first of A */
    bool inverted;
    bool force; /* although the runs were not measured in the same way */
    enum slw_diff_width width;
};

/* -SLW_E_NOTFOUND (the event was not sampled in both), -SLW_E_INVAL (in different units or ways),
 * -SLW_E_NODATA (it weighs nothing in a run), -SLW_E_NOMEM, -SLW_E_LIMIT, -SLW_E_RANGE. opts NULL:
 * none set. The sides may go once it is made, but for their strings. */
int slw_diff_new(const struct slw_diff_side *a, const struct slw_diff_side *b,
                 const struct slw_diff_options *opts, struct slw_diff **ret_diff,
                 struct slw_error *err);
void slw_diff_free(struct slw_diff *d);

struct slw_diff_svg_options {
    const char *title, *subtitle; /* as in struct slw_svg_options */
    int width_px;
    double min_width_px;
};

/* Append a complete SVG, as slw_svg_render. */
int slw_diff_svg(const struct slw_diff *d, const struct slw_diff_svg_options *opts,
                 struct slw_buf *out, struct slw_error *err);

#endif

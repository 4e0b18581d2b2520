/* SPDX-License-Identifier: MIT */
/* The flame graph as an SVG in the manner of Brendan Gregg's: one file, opened by any browser, that
 * searches and zooms. 'slotwise flamegraph' has more options for the same picture. */
#include "flamegraph/export_parts.h"
#include "flamegraph/flamegraph.h"

static int export(const struct slw_run *run, const struct slw_stacks *stacks,
                  const struct slw_export_options *opts, struct slw_buf *out, struct slw_error *err)
{
    struct slw_tree *tree = NULL;
    size_t column = 0;
    int rc = slw_export_column(stacks, opts, &column, err);

    (void)run;
    if (rc >= 0)
        rc = slw_tree_new(stacks, column, NULL, &tree, err);
    if (rc >= 0)
        rc = slw_svg_render(tree, NULL, out, err);
    slw_tree_free(tree);
    return rc;
}

const struct slw_exporter slw_exporter_svg = {
    .name = "svg",
    .summary = "flame graph for a browser",
    .extension = "svg",
    .needs_stacks = true,
    .export = export,
};

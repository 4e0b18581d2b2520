/* SPDX-License-Identifier: MIT */
/* A comparison as Bencher Metric Format: see tracked.h. */
#include "analyzer/compare/renderer.h"
#include "analyzer/compare/tracked.h"

static int render(const struct slw_comparison *comparison, const struct slw_render_options *opts,
                  struct slw_buf *out, struct slw_error *err)
{
    const struct slw_tracked series = slw_tracked_of_comparison(comparison);

    (void)opts;
    return slw_tracked_bencher(&series, out, err);
}

const struct slw_comparison_renderer slw_comparison_renderer_bencher = {
    .name = "bencher",
    .summary = "Bencher Metric Format, for bencher run --adapter json",
    .extension = "json",
    .render = render,
};

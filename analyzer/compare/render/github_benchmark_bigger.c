/* SPDX-License-Identifier: MIT */
/* A comparison as JSON of github-action-benchmark: see tracked.h. */
#include "analyzer/compare/renderer.h"
#include "analyzer/compare/tracked.h"

static int render(const struct slw_comparison *comparison, const struct slw_render_options *opts,
                  struct slw_buf *out, struct slw_error *err)
{
    const struct slw_tracked series = slw_tracked_of_comparison(comparison);

    (void)opts;
    return slw_tracked_github(&series, SLW_BETTER_HIGHER, out, err);
}

const struct slw_comparison_renderer slw_comparison_renderer_github_benchmark_bigger = {
    .name = "github-benchmark-bigger",
    .summary = "github-action-benchmark, tool customBiggerIsBetter",
    .extension = "json",
    .render = render,
};

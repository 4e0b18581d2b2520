/* SPDX-License-Identifier: MIT */
/* A comparison as OpenMetrics text: see tracked.h. */
#include "analyzer/compare/renderer.h"
#include "analyzer/compare/tracked.h"

static int render(const struct slw_comparison *comparison, const struct slw_render_options *opts,
                  struct slw_buf *out, struct slw_error *err)
{
    const struct slw_tracked series = slw_tracked_of_comparison(comparison);

    (void)opts;
    return slw_tracked_openmetrics(&series, out, err);
}

const struct slw_comparison_renderer slw_comparison_renderer_openmetrics = {
    .name = "openmetrics",
    .summary = "OpenMetrics text, for Prometheus",
    .extension = "txt",
    .render = render,
};

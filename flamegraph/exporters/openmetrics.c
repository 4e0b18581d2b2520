/* SPDX-License-Identifier: MIT */
/* The observations of a run as OpenMetrics text: see analyzer/compare/tracked.h. */
#include "analyzer/compare/tracked.h"
#include "flamegraph/exporter.h"

static int export(const struct slw_run *run, const struct slw_stacks *stacks,
                  const struct slw_export_options *opts, struct slw_buf *out, struct slw_error *err)
{
    const struct slw_tracked series = slw_tracked_of_run(run);

    (void)stacks;
    (void)opts;
    return slw_tracked_openmetrics(&series, out, err);
}

const struct slw_exporter slw_exporter_openmetrics = {
    .name = "openmetrics",
    .summary = "OpenMetrics text, for Prometheus",
    .extension = "txt",
    .needs_observations = true,
    .export = export,
};

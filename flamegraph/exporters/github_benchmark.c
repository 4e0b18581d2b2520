/* SPDX-License-Identifier: MIT */
/* The observations of a run as JSON of github-action-benchmark: see analyzer/compare/tracked.h. */
#include "analyzer/compare/tracked.h"
#include "flamegraph/exporter.h"

static int export(const struct slw_run *run, const struct slw_stacks *stacks,
                  const struct slw_export_options *opts, struct slw_buf *out, struct slw_error *err)
{
    const struct slw_tracked series = slw_tracked_of_run(run);

    (void)stacks;
    (void)opts;
    return slw_tracked_github(&series, SLW_BETTER_LOWER, out, err);
}

const struct slw_exporter slw_exporter_github_benchmark = {
    .name = "github-benchmark",
    .summary = "github-action-benchmark, tool customSmallerIsBetter",
    .extension = "json",
    .needs_observations = true,
    .export = export,
};

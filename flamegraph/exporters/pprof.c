/* SPDX-License-Identifier: MIT */
/* pprof's gzip-compressed Profile: what a run directory holds as profile.pb.gz, for `go tool
 * pprof`, Pyroscope, Parca, Grafana and speedscope. Every column goes in, so no event is chosen. */
#include "flamegraph/exporter.h"

#include "record/run_dir.h"

static int export(const struct slw_run *run, const struct slw_stacks *stacks,
                  const struct slw_export_options *opts, struct slw_buf *out, struct slw_error *err)
{
    (void)opts;
    return slw_stacks_to_pprof(stacks, run, out, err);
}

const struct slw_exporter slw_exporter_pprof = {
    .name = "pprof",
    .summary = "pprof profile with every event, for go tool pprof, Parca, Grafana",
    .extension = "pb.gz",
    .needs_stacks = true,
    .export = export,
};

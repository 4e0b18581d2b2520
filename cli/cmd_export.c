/* SPDX-License-Identifier: MIT */
/* slotwise export RUN: samples and metrics in another tool's format. */
#include "cli/command.h"
#include "cli/graph.h"
#include "cli/load.h"
#include "cli/metrics.h"
#include "flamegraph/exporter.h"

static const char *formats(size_t i)
{
    return i < slw_exporter_count ? slw_exporters[i]->name : NULL;
}

static const struct slw_option options[] = {
    SLW_OPTION_FORMAT(formats, "Format to write; required."),
    SLW_OPTION_EVENT(
        "Export this sampled event, where the format holds one only (default: the first)."),
    {.name = "unit",
     .kind = SLW_OPTION_TEXT,
     .value = "UNIT",
     .text = "Export the event's weight in this unit, such as 'count' for samples (default: its "
             "period)."},
    SLW_OPTION_OUTPUT("Write to FILE; '-' is standard output (the default)."),
    SLW_OPTION_HELP,
    SLW_OPTION_END,
};

static const struct slw_example examples[] = {
    {"slotwise export pgbench.slotwise --format folded | sort", "Stacks as text, one a line."},
    {"slotwise export pgbench.slotwise --format pprof -o p.pb.gz", "For go tool pprof."},
    {"slotwise export pgbench.slotwise -f firefox -o p.json", "For the Firefox Profiler."},
    {"slotwise export baseline.slotwise/run.json --format openmetrics", "Metrics for Prometheus."},
    {NULL, NULL},
};

static int export_loaded(const struct slw_args *args, struct slw_loaded *l, struct slw_buf *out,
                         struct slw_error *err)
{
    const struct slw_exporter *exporter = slw_exporter_find(slw_args_get(args, "format"));
    const struct slw_export_options opts = {
        .event = slw_args_get(args, "event"),
        .unit = slw_args_get(args, "unit"),
    };
    size_t column = 0;

    if (exporter->needs_stacks) {
        int rc = slw_graph_column(l->stacks, opts.event, &column, err);
        if (rc < 0)
            return rc;
    }
    if (exporter->needs_observations) {
        int rc = slw_metrics_observe(l->run, l->stacks, err);
        if (rc < 0)
            return rc;
    }
    return exporter->export(l->run, l->stacks, &opts, out, err);
}

static int run(const struct slw_args *args, const struct slw_terminal *t, struct slw_error *err)
{
    struct slw_loaded loaded = {0};
    struct slw_buf out = {0};
    int rc = slw_args_operands(args, 1, 1, "a run", err);

    if (rc >= 0 && !slw_args_has(args, "format"))
        rc = slw_fail(err, SLW_E_USAGE, "--format is missing");
    if (rc >= 0)
        rc = slw_load(args->operands[0], NULL, &loaded, err);
    if (rc >= 0)
        rc = export_loaded(args, &loaded, &out, err);
    if (rc >= 0)
        rc = slw_output_write(slw_args_get(args, "output"), t, &out, err);
    slw_buf_release(&out);
    slw_loaded_release(&loaded);
    return rc;
}

const struct slw_command_entry slw_command_export = {
    .name = "export",
    .summary = "Write the samples or the metrics of a run in another tool's format.",
    .usage = "RUN --format FORMAT [--event EVENT] [-o FILE|-]",
    .about =
        "The weights are exported exactly as they were measured; docs/formats.md says what each "
        "format keeps and what not. csv, openmetrics, bencher and "
        "github-benchmark hold metrics: of a baseline or an arm the values of its rounds, else "
        "one value each. A comparison is written so by 'slotwise report'.",
    .options = options,
    .examples = examples,
    .operand = SLW_OPERAND_FILE,
    .run = run,
};

/* SPDX-License-Identifier: MIT */
/* slotwise report RUN: what a saved run means. */
#include "analyzer/annotate.h"
#include "analyzer/renderer.h"
#include "cli/command.h"
#include "cli/experiment/experiment.h"
#include "cli/graph.h"
#include "cli/load.h"
#include "cli/render.h"

#include <string.h>

static const struct slw_option options[] = {
    SLW_OPTION_FORMAT(slw_report_formats, "Format of the report (default term)."),
    SLW_OPTION_OUTPUT("Write to FILE instead of standard output."),
    {.name = "functions",
     .kind = SLW_OPTION_NUMBER,
     .value = "N",
     .text = "Rows of the function table (default 20)."},
    {.name = "model",
     .kind = SLW_OPTION_TEXT,
     .value = "NAME|FILE",
     .choices = slw_model_builtin_name_or_null,
     .text = "Interpret the counts with this CPU model instead of the one the run names."},
    {.name = "verbose", .letter = 'v', .text = "Show every count, note and provenance."},
    {.name = "no-code",
     .text = "With --format html: without the source and instructions of hot functions, which are "
             "read from where they are now."},
    SLW_OPTION_COLOR,
    SLW_OPTION_HELP,
    SLW_OPTION_END,
};

static const struct slw_example examples[] = {
    {"slotwise report pgbench.slotwise", "The report on the terminal."},
    {"slotwise report pgbench.slotwise --format md -o report.md", "The same for a review."},
    {"slotwise report pgbench.compare", "A saved comparison, or a sweep."},
    {"slotwise report pgbench.compare --format html -o report.html",
     "One file for a browser, with flame graphs and time line."},
    {NULL, NULL},
};

#define MAX_CODE 8 /* functions whose code a page shows */

static int annotate(const struct slw_stacks *stacks, struct slw_annotations *ret_code,
                    struct slw_error *err)
{
    size_t column;
    int rc = slw_graph_column(stacks, NULL, &column, err);

    return rc < 0 ? rc : slw_annotate_hottest(stacks, column, MAX_CODE, ret_code, err);
}

static int report_run(const char *path, struct slw_render_request *request, struct slw_buf *out,
                      struct slw_error *err)
{
    /* Only a page shows when stacks were sampled. */
    const struct slw_load_options how = {
        .lines = true, .moments = request->format && strcmp(request->format, "html") == 0};
    struct slw_loaded loaded = {0};
    struct slw_annotations code = {0};

    if (request->format && !slw_renderer_find(request->format))
        return slw_fail(err, SLW_E_USAGE, "there is no format '%.40s' for a run", request->format);
    int rc = slw_load_with(path, &how, &loaded, err);
    request->moments = loaded.moments;
    if (rc >= 0 && how.moments && request->code_wanted && loaded.stacks)
        rc = annotate(loaded.stacks, &code, err);
    request->code = code.list ? &code : NULL;
    if (rc >= 0)
        rc = slw_render_run(loaded.run, loaded.stacks, NULL, request, out, err);
    request->moments = NULL;
    request->code = NULL;
    slw_annotations_release(&code);
    slw_loaded_release(&loaded);
    return rc;
}

static int report_experiment(const char *path, const struct slw_render_request *request,
                             struct slw_buf *out, struct slw_error *err)
{
    const struct slw_render_options opts = {.color = request->color,
                                            .width = request->width,
                                            .function_max = (size_t)request->function_max,
                                            .verbose = request->verbose};
    struct slw_loaded_experiment loaded = {0};

    if (request->model)
        return slw_fail(err, SLW_E_USAGE, "--model is for the report of a single run");
    int rc = slw_experiment_load(path, &loaded, err);
    if (rc >= 0)
        rc = slw_experiment_render(&loaded, request->format, &opts, out, err);
    slw_loaded_experiment_release(&loaded);
    return rc;
}

static int run(const struct slw_args *args, const struct slw_terminal *t, struct slw_error *err)
{
    const char *output = slw_args_get(args, "output");
    struct slw_render_request request = {
        .format = slw_args_get(args, "format"),
        .model = slw_args_get(args, "model"),
        .color = t->out.color && !output,
        .width = output ? 0 : t->out.width,
        .verbose = slw_args_has(args, "verbose"),
        .code_wanted = !slw_args_has(args, "no-code"),
    };
    struct slw_buf out = {0};
    int rc = slw_args_operands(args, 1, 1, "a run", err);

    if (rc >= 0)
        rc = slw_args_u64(args, "functions", 1, 100000, &request.function_max, err);
    if (rc >= 0)
        rc = slw_is_experiment(args->operands[0])
                 ? report_experiment(args->operands[0], &request, &out, err)
                 : report_run(args->operands[0], &request, &out, err);
    if (rc >= 0)
        rc = slw_output_write(output, t, &out, err);
    slw_buf_release(&out);
    return rc;
}

const struct slw_command_entry slw_command_report = {
    .name = "report",
    .summary = "Print what a saved run means.",
    .usage = "RUN [--format FORMAT] [-o FILE] [--verbose]",
    .about =
        "RUN is a directory that 'slotwise profile' or 'slotwise import' wrote; a perf.data, "
        "folded stacks or a pprof profile will do as well, or a directory of 'slotwise compare' "
        "or 'slotwise sweep'. Nothing is measured: the report can be made on another machine.",
    .options = options,
    .examples = examples,
    .operand = SLW_OPERAND_FILE,
    .run = run,
};

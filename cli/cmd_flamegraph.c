/* SPDX-License-Identifier: MIT */
/* slotwise flamegraph RUN|FILE [--diff BASE]: an interactive SVG of a run, or of the difference of
 * two.
 */
#include "analyzer/report.h"
#include "cli/command.h"
#include "cli/experiment/experiment.h"
#include "cli/graph.h"
#include "cli/graph_diff.h"
#include "cli/load.h"
#include "cli/render.h"

#include <stdio.h>
#include <string.h>

static const char *colors(size_t i)
{
    static const char *const names[] = {"kind", "topdown", NULL};

    return names[i];
}

static const struct slw_option options[] = {
    SLW_OPTION_OUTPUT(
        "Write to FILE; '-' is standard output (default: the name of the run with .svg)."),
    SLW_OPTION_EVENT("Draw this sampled event (default: the first)."),
    {.name = "title",
     .kind = SLW_OPTION_TEXT,
     .value = "TEXT",
     .text = "Title (default: the measured command)."},
    {.name = "inverted", .letter = 'i', .text = "Start from the leaves: who calls this?"},
    {.name = "color",
     .kind = SLW_OPTION_CHOICE,
     .choices = colors,
     .text =
         "Colour by the kind of code (default), or by what bounds each function itself; needs a "
         "run made with --per-function."},
    {.name = "model",
     .kind = SLW_OPTION_TEXT,
     .value = "NAME|FILE",
     .choices = slw_model_builtin_name_or_null,
     .text = "With --color topdown: this CPU model instead of the one the run names."},
    {.name = "inline",
     .text = "From perf.data: also draw what was inlined at hot addresses, from DWARF, as runs of "
             "'slotwise profile' have it. Costs time."},
    {.name = "by-thread", .text = "One tower per thread instead of per thread name."},
    {.name = "diff",
     .kind = SLW_OPTION_FILE,
     .value = "BASE",
     .text = "Draw what changed from BASE, a run or a file, to RUN|FILE, per request."},
    {.name = "diff-width",
     .kind = SLW_OPTION_CHOICE,
     .choices = slw_graph_diff_width,
     .text = "With --diff: the width of a frame is what both cost (default), or one of them; then "
             "code that only the other has cannot be seen."},
    {.name = "force", .text = "With --diff: although the two were not measured in the same way."},
    SLW_OPTION_HELP,
    SLW_OPTION_END,
};

static const struct slw_example examples[] = {
    {"slotwise flamegraph pgbench.slotwise", "Write pgbench.svg; open it in a browser."},
    {"slotwise flamegraph perf.data -o - > out.svg", "Somebody else's samples."},
    {"slotwise flamegraph new.slotwise --diff old.slotwise", "What changed, per request."},
    {NULL, NULL},
};

static int write_svg(const struct slw_args *args, const struct slw_terminal *t,
                     const struct slw_buf *svg, struct slw_error *err)
{
    const char *output = slw_args_get(args, "output");
    char stem[SLW_MAX_STEM], name[SLW_MAX_STEM + 16];

    if (!output) {
        slw_path_stem(args->operands[0], stem);
        (void)snprintf(name, sizeof(name), "%s%s.svg", stem,
                       slw_args_get(args, "diff") ? "-diff" : "");
        output = name;
    }
    int rc = slw_output_write(output, t, svg, err);
    if (rc >= 0 && strcmp(output, "-") != 0)
        slw_terminal_say("wrote %s", output);
    return rc;
}

/* The report whose per-function numbers give the colours; *ret_report stays NULL where colours are
 * not asked for. */
static int load_colors(const struct slw_args *args, const struct slw_loaded *loaded,
                       struct slw_model **ret_model, struct slw_report **ret_report,
                       struct slw_error *err)
{
    const char *color = slw_args_get(args, "color"), *model = slw_args_get(args, "model");

    if (!color || strcmp(color, "topdown") != 0)
        return 0;
    if (!model)
        model = loaded->run->model.name;
    if (!model) {
        slw_error_hint(err, "name one with --model; see 'slotwise models list'");
        return slw_fail(err, SLW_E_NODATA, "this run was not interpreted with a CPU model");
    }
    int rc = slw_load_model(model, ret_model, err);
    if (rc >= 0)
        rc = slw_report_new(loaded->run, loaded->stacks, *ret_model, ret_report, err);
    return rc;
}

static int draw_run(const struct slw_args *args, struct slw_buf *svg, struct slw_error *err)
{
    struct slw_graph_request request = {
        .event = slw_args_get(args, "event"),
        .title = slw_args_get(args, "title"),
        .inverted = slw_args_has(args, "inverted"),
        .by_thread = slw_args_has(args, "by-thread"),
    };
    struct slw_loaded loaded = {0};
    struct slw_report *report = NULL;
    struct slw_model *model = NULL;
    const struct slw_load_options how = {.lines = slw_args_has(args, "inline")};
    int rc = slw_load_with(args->operands[0], &how, &loaded, err);

    if (rc >= 0)
        rc = load_colors(args, &loaded, &model, &report, err);
    request.topdown = report;
    if (rc >= 0)
        rc = slw_graph_render(loaded.run, loaded.stacks, &request, svg, err);
    slw_report_free(report);
    slw_model_free(model);
    slw_loaded_release(&loaded);
    return rc;
}

static struct slw_graph_diff_request diff_request(const struct slw_args *args)
{
    return (struct slw_graph_diff_request){
        .event = slw_args_get(args, "event"),
        .title = slw_args_get(args, "title"),
        .width = slw_args_get(args, "diff-width"),
        .inverted = slw_args_has(args, "inverted"),
        .force = slw_args_has(args, "force"),
    };
}

/* A saved comparison is the difference of its arms. */
static int draw_comparison(const struct slw_args *args, struct slw_buf *svg, struct slw_error *err)
{
    const struct slw_graph_diff_request request = diff_request(args);
    struct slw_loaded_experiment loaded = {0};
    int rc = slw_experiment_load(args->operands[0], &loaded, err);

    if (rc >= 0 && loaded.arm_count != 2) {
        slw_error_hint(err, "name the runs of two of its points: CANDIDATE --diff BASE");
        rc = slw_fail(err, SLW_E_USAGE, "a difference is of two arms, this experiment has %zu",
                      loaded.arm_count);
    }
    if (rc >= 0) {
        struct slw_loaded arms[2];

        for (size_t i = 0; i < 2; i++)
            arms[i] = (struct slw_loaded){.run = loaded.arms[i].run,
                                          .stacks = loaded.arms[i].stacks,
                                          .moments = loaded.arms[i].moments};
        rc = slw_graph_diff_render(&arms[0], &arms[1], &request, svg, err);
    }
    slw_loaded_experiment_release(&loaded);
    return rc;
}

static int draw_difference(const struct slw_args *args, struct slw_buf *svg, struct slw_error *err)
{
    const struct slw_graph_diff_request request = diff_request(args);
    const struct slw_load_options with_moments = {.moments = true};
    struct slw_loaded base = {0}, candidate = {0};
    int rc = slw_load_with(slw_args_get(args, "diff"), &with_moments, &base, err);

    if (rc >= 0)
        rc = slw_load_with(args->operands[0], &with_moments, &candidate, err);
    if (rc >= 0)
        rc = slw_graph_diff_render(&base, &candidate, &request, svg, err);
    slw_loaded_release(&base);
    slw_loaded_release(&candidate);
    return rc;
}

/* An option that would do nothing is a mistake. */
static int check_options(const struct slw_args *args, struct slw_error *err)
{
    static const char *const only_diff[] = {"diff-width", "force"};
    static const char *const never_diff[] = {"color", "model", "by-thread"};
    const bool comparison = slw_is_experiment(args->operands[0]);
    const bool diff = slw_args_has(args, "diff") || comparison;

    if (comparison && slw_args_has(args, "diff"))
        return slw_fail(err, SLW_E_USAGE, "'%.200s' is a comparison: it has its own base",
                        args->operands[0]);
    for (size_t i = 0; i < 2 && !diff; i++)
        if (slw_args_has(args, only_diff[i]))
            return slw_fail(err, SLW_E_USAGE, "--%s needs --diff", only_diff[i]);
    for (size_t i = 0; i < 3 && diff; i++)
        if (slw_args_has(args, never_diff[i]))
            return slw_fail(err, SLW_E_USAGE, "--%s cannot be had for a difference", never_diff[i]);
    return 0;
}

static int run(const struct slw_args *args, const struct slw_terminal *t, struct slw_error *err)
{
    struct slw_buf svg = {0};
    int rc = slw_args_operands(args, 1, 1, "a run or a file of samples", err);

    if (rc >= 0)
        rc = check_options(args, err);
    if (rc >= 0 && slw_is_experiment(args->operands[0]))
        rc = draw_comparison(args, &svg, err);
    else if (rc >= 0)
        rc = slw_args_has(args, "diff") ? draw_difference(args, &svg, err)
                                        : draw_run(args, &svg, err);
    if (rc >= 0)
        rc = write_svg(args, t, &svg, err);
    slw_buf_release(&svg);
    return rc;
}

const struct slw_command_entry slw_command_flamegraph = {
    .name = "flamegraph",
    .summary = "Draw the samples of a run as an interactive SVG.",
    .usage = "RUN|FILE [-o FILE.svg|-] [--event EVENT] [--inverted] [--color topdown]\n"
             "RUN|FILE --diff BASE [-o FILE.svg|-] [--event EVENT] [--inverted]\n"
             "NAME.compare [-o FILE.svg|-] [--event EVENT] [--inverted]",
    .about =
        "FILE may be a perf.data, folded stacks (one 'a;b;c 42' a line) or a pprof profile. "
        "The SVG needs nothing but a browser: click to zoom, '/' to search. Of a saved comparison "
        "the difference of its arms is drawn.",
    .options = options,
    .examples = examples,
    .operand = SLW_OPERAND_FILE,
    .run = run,
};

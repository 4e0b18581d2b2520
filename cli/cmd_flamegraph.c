/* SPDX-License-Identifier: MIT */
/* slotwise flamegraph RUN|FILE: an interactive SVG. */
#include "cli/command.h"
#include "cli/graph.h"
#include "cli/load.h"

#include <stdio.h>
#include <string.h>

static const struct slw_option options[] = {
    {.name = "output",
     .letter = 'o',
     .kind = SLW_OPTION_FILE,
     .value = "FILE",
     .text = "Write to FILE; '-' is standard output (default: the name of the run with .svg)."},
    {.name = "event",
     .letter = 'e',
     .kind = SLW_OPTION_TEXT,
     .value = "EVENT",
     .text = "Draw this sampled event (default: the first)."},
    {.name = "title",
     .kind = SLW_OPTION_TEXT,
     .value = "TEXT",
     .text = "Title (default: the measured command)."},
    {.name = "inverted", .letter = 'i', .text = "Start from the leaves: who calls this?"},
    {.name = "by-thread", .text = "One tower per thread instead of per thread name."},
    SLW_OPTION_HELP,
    SLW_OPTION_END,
};

static const struct slw_example examples[] = {
    {"slotwise flamegraph pgbench.slotwise", "Write pgbench.svg; open it in a browser."},
    {"slotwise flamegraph perf.data -o - > out.svg", "Somebody else's samples."},
    {NULL, NULL},
};

static int write_svg(const struct slw_args *args, const struct slw_terminal *t,
                     const struct slw_buf *svg, struct slw_error *err)
{
    const char *output = slw_args_get(args, "output");
    char stem[SLW_MAX_STEM], name[SLW_MAX_STEM + 8];

    if (!output) {
        slw_path_stem(args->operands[0], stem);
        (void)snprintf(name, sizeof(name), "%s.svg", stem);
        output = name;
    }
    int rc = slw_output_write(output, t, svg, err);
    if (rc >= 0 && strcmp(output, "-") != 0)
        slw_terminal_say("wrote %s", output);
    return rc;
}

static int run(const struct slw_args *args, const struct slw_terminal *t, struct slw_error *err)
{
    const struct slw_graph_request request = {
        .event = slw_args_get(args, "event"),
        .title = slw_args_get(args, "title"),
        .inverted = slw_args_has(args, "inverted"),
        .by_thread = slw_args_has(args, "by-thread"),
    };
    struct slw_loaded loaded = {0};
    struct slw_buf svg = {0};
    int rc = slw_args_operands(args, 1, 1, "a run or a file of samples", err);

    if (rc >= 0)
        rc = slw_load(args->operands[0], NULL, &loaded, err);
    if (rc >= 0)
        rc = slw_graph_render(loaded.run, loaded.stacks, &request, &svg, err);
    if (rc >= 0)
        rc = write_svg(args, t, &svg, err);
    slw_buf_release(&svg);
    slw_loaded_release(&loaded);
    return rc;
}

const struct slw_command_entry slw_command_flamegraph = {
    .name = "flamegraph",
    .summary = "Draw the samples of a run as an interactive SVG.",
    .usage = "RUN|FILE [-o FILE.svg|-] [--event EVENT] [--inverted]",
    .about = "FILE may be a perf.data, folded stacks (one 'a;b;c 42' a line) or a pprof profile. "
             "The SVG needs nothing but a browser: click to zoom, '/' to search.",
    .options = options,
    .examples = examples,
    .operand = SLW_OPERAND_FILE,
    .run = run,
};

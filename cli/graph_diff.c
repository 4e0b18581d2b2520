/* SPDX-License-Identifier: MIT */
#include "cli/graph_diff.h"

#include "flamegraph/diff.h"

#include <string.h>

#define MAX_COMMAND 200 /* bytes; longer command lines are cut */

static const char *const widths[] = {
    [SLW_DIFF_WIDTH_BOTH] = "both",
    [SLW_DIFF_WIDTH_A] = "base",
    [SLW_DIFF_WIDTH_B] = "candidate",
};

const char *slw_graph_diff_width(size_t i)
{
    return i < sizeof(widths) / sizeof(widths[0]) ? widths[i] : NULL;
}

static enum slw_diff_width width_named(const char *name)
{
    for (size_t i = 0; name && i < sizeof(widths) / sizeof(widths[0]); i++)
        if (strcmp(widths[i], name) == 0)
            return (enum slw_diff_width)i;
    return SLW_DIFF_WIDTH_BOTH;
}

static void put_command(const struct slw_run *run, struct slw_buf *out)
{
    for (size_t i = 0; i < run->command.argc && out->length < MAX_COMMAND; i++)
        slw_buf_printf(out, "%s%.*s", i ? " " : "", MAX_COMMAND, run->command.argv[i]);
}

static int check_samples(const struct slw_loaded *l, const char *role, struct slw_error *err)
{
    if (l->stacks && slw_stacks_column_count(l->stacks) > 0)
        return 0;
    slw_error_hint(err, "profile without --no-sampling, or for longer");
    return slw_fail(err, SLW_E_NODATA, "the %s has no samples", role);
}

static int render(const struct slw_diff_side sides[2], const struct slw_graph_diff_request *request,
                  struct slw_buf *out, struct slw_error *err)
{
    const struct slw_diff_options opts = {.event = request->event,
                                          .inverted = request->inverted,
                                          .force = request->force,
                                          .width = width_named(request->width)};
    const struct slw_diff_svg_options svg = {.title = request->title};
    struct slw_diff *diff = NULL;
    int rc = slw_diff_new(&sides[0], &sides[1], &opts, &diff, err);

    if (rc == 0)
        rc = slw_diff_svg(diff, &svg, out, err);
    slw_diff_free(diff);
    return rc;
}

int slw_graph_diff_render(const struct slw_loaded *base, const struct slw_loaded *candidate,
                          const struct slw_graph_diff_request *request, struct slw_buf *out,
                          struct slw_error *err)
{
    const struct slw_loaded *loaded[2] = {base, candidate};
    static const char *const names[] = {"A", "B"}, *const roles[] = {"base", "candidate"};
    struct slw_buf commands[2] = {{0}, {0}};
    struct slw_diff_side sides[2];
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < 2; i++) {
        rc = check_samples(loaded[i], roles[i], err);
        put_command(loaded[i]->run, &commands[i]);
        if (rc == 0 && slw_buf_failed(&commands[i]))
            rc = slw_fail(err, SLW_E_NOMEM, "no memory for the legend of the graph");
        sides[i] = (struct slw_diff_side){.name = names[i],
                                          .role = roles[i],
                                          .command = commands[i].data ? commands[i].data : "",
                                          .run = loaded[i]->run,
                                          .stacks = loaded[i]->stacks,
                                          .moments = loaded[i]->moments};
    }
    if (rc == 0)
        rc = render(sides, request, out, err);
    slw_buf_release(&commands[0]);
    slw_buf_release(&commands[1]);
    return rc;
}

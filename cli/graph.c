/* SPDX-License-Identifier: MIT */
#include "cli/graph.h"

#include "analyzer/function_topdown.h"
#include "flamegraph/flamegraph.h"

#include <inttypes.h>
#include <string.h>

#define MAX_TITLE 200 /* bytes; longer command lines are cut */

int slw_graph_column(const struct slw_stacks *stacks, const char *event, size_t *ret_column,
                     struct slw_error *err)
{
    if (!stacks || slw_stacks_column_count(stacks) == 0) {
        slw_error_hint(err, "profile without --no-sampling, or for longer");
        return slw_fail(err, SLW_E_NODATA, "there are no samples");
    }
    int column = slw_stacks_find_column(stacks, event, NULL);
    if (column < 0)
        column = slw_stacks_find_column(stacks, event, "count");
    if (column >= 0) {
        *ret_column = (size_t)column;
        return 0;
    }
    struct slw_buf events = {0};
    for (size_t i = 0; i < slw_stacks_column_count(stacks); i++) {
        const struct slw_column *c = slw_stacks_column(stacks, i);
        if (slw_stacks_find_column(stacks, c->event, NULL) == (int)i)
            slw_buf_printf(&events, " %s", c->event);
    }
    slw_error_hint(err, "sampled were:%.200s", events.data ? events.data : " none");
    slw_buf_release(&events);
    return slw_fail(err, SLW_E_NOTFOUND, "the event '%.60s' was not sampled", event);
}

static void put_title(const struct slw_run *run, struct slw_buf *out)
{
    for (size_t i = 0; i < run->command.argc && out->length < MAX_TITLE; i++)
        slw_buf_printf(out, "%s%.*s", i ? " " : "", MAX_TITLE, run->command.argv[i]);
    if (run->command.argc == 0)
        slw_buf_puts(out, "Flame graph");
}

/* Where it was measured; the graph itself says what and how much. */
static void put_subtitle(const struct slw_host *host, struct slw_buf *out)
{
    if (host->cpu.name)
        slw_buf_printf(out, "%.80s", host->cpu.name);
    if (host->kernel)
        slw_buf_printf(out, "%sLinux %.80s", out->length ? ", " : "", host->kernel);
    if (host->hypervisor)
        slw_buf_printf(out, "%s%.80s guest", out->length ? ", " : "", host->hypervisor);
}

static enum slw_svg_category category(const void *ctx, const char *function, const char *module)
{
    static const enum slw_svg_category of[] = {
        [SLW_CATEGORY_UNKNOWN] = SLW_SVG_UNKNOWN,
        [SLW_CATEGORY_UNDECIDED] = SLW_SVG_UNDECIDED,
        [SLW_CATEGORY_FRONTEND] = SLW_SVG_FRONTEND,
        [SLW_CATEGORY_BACKEND] = SLW_SVG_BACKEND,
        [SLW_CATEGORY_BAD_SPECULATION] = SLW_SVG_BAD_SPECULATION,
        [SLW_CATEGORY_RETIRING] = SLW_SVG_RETIRING,
    };
    const struct slw_report_function_topdown *t = slw_function_topdown_find(ctx, function, module);

    return t ? of[t->category] : SLW_SVG_UNKNOWN;
}

/* Without numbers every frame would be grey: a picture of nothing. */
static int check_topdown(const struct slw_report *r, struct slw_error *err)
{
    if (r->function_topdowns)
        return 0;
    slw_error_hint(err, "profile with --per-function on a CPU whose model is known");
    return slw_fail(err, SLW_E_NODATA, "the samples of this run carry no top-down counters");
}

int slw_graph_render(const struct slw_run *run, const struct slw_stacks *stacks,
                     const struct slw_graph_request *request, struct slw_buf *out,
                     struct slw_error *err)
{
    const struct slw_tree_options tree_opts = {.by_thread = request->by_thread,
                                               .inverted = request->inverted};
    struct slw_buf title = {0}, subtitle = {0};
    struct slw_tree *tree = NULL;
    size_t column = 0;
    int rc = slw_graph_column(stacks, request->event, &column, err);

    if (rc >= 0 && request->topdown)
        rc = check_topdown(request->topdown, err);
    if (rc >= 0)
        rc = slw_tree_new(stacks, column, &tree_opts, &tree, err);
    if (rc >= 0) {
        put_title(run, &title);
        put_subtitle(&run->host, &subtitle);
        if (slw_buf_failed(&title) || slw_buf_failed(&subtitle))
            rc = slw_fail(err, SLW_E_NOMEM, "no memory for the title of the graph");
    }
    if (rc >= 0) {
        const struct slw_svg_options opts = {
            .title = request->title ? request->title : title.data,
            .subtitle = subtitle.data,
            .category = request->topdown ? category : NULL,
            .category_ctx = request->topdown,
        };
        rc = slw_svg_render(tree, &opts, out, err);
    }
    slw_tree_free(tree);
    slw_buf_release(&title);
    slw_buf_release(&subtitle);
    return rc;
}

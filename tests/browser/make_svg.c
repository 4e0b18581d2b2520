/* SPDX-License-Identifier: MIT */
/* usage: make_svg FOLDED [--icicle] [--clock] [--topdown] [--title T] [--subtitle T]
 *                 [--diff BASE] [--requests N] > x.svg: the drawing alone, for the browser tests
 * and for looking at it; --clock takes every count for as many samples of 1.001001 ms of cpu-clock;
 * --topdown colours functions named after a category by it. Prints to stderr how long each step
 * took. --diff: what changed from BASE, folded too, --requests of each run. Not a command for
 * people: that is `slotwise flamegraph`. */
#include "base/clock.h"
#include "cli/graph_diff.h"
#include "collector/importer.h"
#include "flamegraph/flamegraph.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int stop(const struct slw_error *err)
{
    fprintf(stderr, "%s: %s\n", err->where, err->text);
    return 1;
}

static void tell(const char *what, uint64_t *since)
{
    const uint64_t now = slw_clock_monotonic_ns();

    fprintf(stderr, "%s %llu ms\n", what, (unsigned long long)((now - *since) / 1000000));
    *since = now;
}

/* The same stacks as a sampled clock gives them: a pair of columns, and the first name a thread. */
static int as_clock(struct slw_stacks **stacks, struct slw_error *err)
{
    const struct slw_provenance software = {.source = SLW_SOURCE_SOFTWARE};
    const struct slw_column columns[] = {{"cpu-clock", "count", software},
                                         {"cpu-clock", "nanoseconds", software}};
    const struct slw_stacks *from = *stacks;
    struct slw_stacks *to = NULL;
    uint32_t id;
    int rc = slw_stacks_new(columns, 2, &to, err);

    for (uint32_t i = 0; rc == 0 && i < slw_stacks_frame_count(from); i++) {
        const struct slw_frame f = slw_stacks_frame(from, i);
        rc = slw_stacks_add_frame(to, &f, &id); /* dense ids: the same again */
    }
    for (size_t i = 0; rc == 0 && i < slw_stacks_count(from); i++) {
        const struct slw_stack s = slw_stacks_get(from, i);
        const uint64_t weights[] = {s.weights[0], s.weights[0] * 1001001};
        const struct slw_thread thread = {slw_stacks_frame(from, s.frames[s.depth - 1]).function, 1,
                                          1};
        rc = slw_stacks_add_thread(to, &thread, &id);
        if (rc == 0)
            rc = slw_stacks_add(to, s.frames, s.depth - 1, id, weights);
    }
    slw_stacks_free(*stacks);
    *stacks = to;
    return rc;
}

static enum slw_svg_category category(const void *ctx, const char *function, const char *module)
{
    static const char *const names[SLW_SVG_CATEGORY_COUNT] = {"few",     "undecided",   "frontend",
                                                              "backend", "speculation", "retiring"};

    (void)ctx;
    (void)module;
    for (int i = 0; i < SLW_SVG_CATEGORY_COUNT; i++)
        if (strcmp(function, names[i]) == 0)
            return (enum slw_svg_category)i;
    return SLW_SVG_UNKNOWN;
}

static int draw(const struct slw_stacks *stacks, const struct slw_tree_options *tree_options,
                const struct slw_svg_options *svg_options, struct slw_error *err)
{
    struct slw_tree *tree = NULL;
    struct slw_buf out = {0};
    uint64_t since = slw_clock_monotonic_ns();
    int rc = slw_tree_new(stacks, slw_stacks_column_count(stacks) - 1, tree_options, &tree, err);

    tell("tree", &since);
    if (rc == 0)
        rc = slw_svg_render(tree, svg_options, &out, err);
    tell("svg", &since);
    if (rc == 0 && fwrite(out.data, 1, out.length, stdout) != out.length)
        rc = slw_fail(err, SLW_E_IO, "cannot write");
    slw_buf_release(&out);
    slw_tree_free(tree);
    return rc;
}

/* Both are called what their files are. */
static int draw_difference(struct slw_imported *candidate, const char *path, const char *base_path,
                           uint64_t requests, const struct slw_graph_diff_request *request,
                           struct slw_error *err)
{
    struct slw_imported base = {0};
    struct slw_buf out = {0};
    int rc = slw_import(base_path, NULL, &base, err);

    if (rc == 0) {
        const char *paths[2] = {base_path, path};
        struct slw_loaded loaded[2] = {{.run = base.run, .stacks = base.stacks},
                                       {.run = candidate->run, .stacks = candidate->stacks}};
        for (size_t i = 0; i < 2; i++) {
            loaded[i].run->command.argv = &paths[i];
            loaded[i].run->command.argc = 1;
            if (requests > 0)
                loaded[i].run->requests = (struct slw_maybe_u64){requests, NULL};
        }
        rc = slw_graph_diff_render(&loaded[0], &loaded[1], request, &out, err);
        if (rc == 0 && fwrite(out.data, 1, out.length, stdout) != out.length)
            rc = slw_fail(err, SLW_E_IO, "cannot write");
    }
    slw_buf_release(&out);
    slw_stacks_free(base.stacks);
    slw_run_free(base.run);
    return rc;
}

int main(int argc, char **argv)
{
    struct slw_graph_diff_request diff = {0};
    const char *base = NULL;
    uint64_t requests = 0;
    struct slw_tree_options tree_options = {0};
    struct slw_svg_options svg_options = {0};
    struct slw_imported imported = {0};
    struct slw_error err = {0};
    uint64_t since = slw_clock_monotonic_ns();
    bool clock = false;

    for (int i = 2; i < argc; i++) {
        if (strcmp(argv[i], "--icicle") == 0)
            tree_options.inverted = diff.inverted = true;
        else if (strcmp(argv[i], "--diff") == 0 && i + 1 < argc)
            base = argv[++i];
        else if (strcmp(argv[i], "--requests") == 0 && i + 1 < argc)
            requests = strtoull(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--diff-width") == 0 && i + 1 < argc)
            diff.width = argv[++i];
        else if (strcmp(argv[i], "--clock") == 0)
            clock = true;
        else if (strcmp(argv[i], "--topdown") == 0)
            svg_options.category = category;
        else if (strcmp(argv[i], "--title") == 0 && i + 1 < argc)
            svg_options.title = argv[++i];
        else if (strcmp(argv[i], "--subtitle") == 0 && i + 1 < argc)
            svg_options.subtitle = argv[++i];
    }
    if (argc < 2 || slw_import(argv[1], NULL, &imported, &err) < 0)
        return stop(&err);
    tell("import", &since);
    int rc = clock ? as_clock(&imported.stacks, &err) : 0;
    if (rc == 0 && base)
        rc = draw_difference(&imported, argv[1], base, requests, &diff, &err);
    else if (rc == 0)
        rc = draw(imported.stacks, &tree_options, &svg_options, &err);
    slw_stacks_free(imported.stacks);
    slw_run_free(imported.run);
    return rc < 0 ? stop(&err) : 0;
}

/* SPDX-License-Identifier: MIT */
#include "flamegraph/diff_int.h"

#include "analyzer/compare/both.h"
#include "analyzer/compare/sampled.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NS_PER_S 1e9
/* Widths are whole numbers: this many for the whole graph, so that no frame is a hair off. */
#define WIDTH_UNITS 0x1p40

static int no_memory(struct slw_error *err)
{
    return slw_fail(err, SLW_E_NOMEM, "no memory for the difference of two runs");
}

/* ---- sums ---- */

static void sum_up(struct slw_diff *d)
{
    for (uint32_t i = d->tree->node_count; i-- > 0;) {
        struct slw_diff_node *node = &d->nodes[i];

        for (size_t side = 0; side < 2; side++) {
            node->weight[side] += node->own[side];
            if (i == SLW_ROOT_NODE)
                continue;
            d->nodes[d->tree->nodes[i].parent].weight[side] += node->weight[side];
            d->nodes[d->tree->nodes[i].parent].samples[side] += node->samples[side];
        }
    }
}

static void add_stacks(struct slw_diff *d, const struct slw_stacks *s, const uint32_t *ends)
{
    for (size_t i = 0; i < slw_stacks_count(s); i++) {
        const uint64_t *weights = slw_stacks_weights(s, i);

        if (ends[i] == SLW_NO_NODE)
            continue;
        struct slw_diff_node *node = &d->nodes[ends[i]];
        node->own[0] += weights[SLW_BOTH_A_WEIGHT];
        node->own[1] += weights[SLW_BOTH_B_WEIGHT];
        node->samples[0] += weights[SLW_BOTH_A_SAMPLES];
        node->samples[1] += weights[SLW_BOTH_B_SAMPLES];
    }
    sum_up(d);
}

/* ---- what costs are divided by ---- */

static bool is_time(const struct slw_column *c)
{
    return strcmp(c->unit, "nanoseconds") == 0 || strcmp(c->unit, "ns") == 0;
}

static int choose_divisors(struct slw_diff *d, struct slw_error *err)
{
    d->per = SLW_DIFF_PER_REQUEST;
    for (size_t side = 0; side < 2; side++) {
        struct slw_sampled sampled;
        int rc = slw_sampled_init(&sampled, d->sides[side].run, err);

        if (rc < 0)
            return rc;
        d->divisor[side] = sampled.total;
        if (sampled.absent && !d->per_absent)
            d->per_absent = sampled.absent;
        slw_sampled_release(&sampled);
    }
    if (!d->per_absent)
        return 0;
    d->per = is_time(&d->column) ? SLW_DIFF_PER_CPU_SECOND : SLW_DIFF_PER_THOUSAND;
    for (size_t side = 0; side < 2; side++)
        d->divisor[side] = (double)d->nodes[SLW_ROOT_NODE].weight[side] /
                           (d->per == SLW_DIFF_PER_CPU_SECOND ? NS_PER_S : 1000);
    return 0;
}

/* ---- widths ---- */

static double cost_shown(const struct slw_diff *d, const uint64_t weight[2])
{
    double cost = 0;

    if (d->opts.width != SLW_DIFF_WIDTH_B)
        cost += (double)weight[0] / d->divisor[0];
    if (d->opts.width != SLW_DIFF_WIDTH_A)
        cost += (double)weight[1] / d->divisor[1];
    return cost;
}

/* The tree's own weights become widths; those of children still sum to their parent's. */
static void set_widths(struct slw_diff *d)
{
    const double scale = WIDTH_UNITS / cost_shown(d, d->nodes[SLW_ROOT_NODE].weight);

    for (uint32_t i = 0; i < d->tree->node_count; i++) {
        struct slw_tree_node *node = &d->tree->nodes[i];
        const double width = cost_shown(d, d->nodes[i].own) * scale;

        node->own = width > 0 && width < 1 ? 1 : (uint64_t)llround(width);
        node->weight = 0;
        node->samples = 0;
    }
    for (uint32_t i = d->tree->node_count; i-- > 0;) {
        struct slw_tree_node *node = &d->tree->nodes[i];

        node->weight += node->own;
        if (i != SLW_ROOT_NODE)
            d->tree->nodes[node->parent].weight += node->weight;
    }
    d->tree->has_samples = false;
}

/* ---- all of it ---- */

static int make_ends(const struct slw_both *both, const struct slw_diff *d, const uint32_t *ends,
                     struct slw_diff_ends *ret_ends, struct slw_error *err)
{
    const size_t paths = slw_stacks_path_count(both->stacks);
    uint32_t *of_path = malloc((paths + 1) * sizeof(*of_path));

    if (!of_path)
        return no_memory(err);
    memset(of_path, 0xff, (paths + 1) * sizeof(*of_path)); /* SLW_NO_NODE */
    for (size_t i = 0; i < slw_stacks_count(both->stacks); i++)
        of_path[slw_stacks_leaf(both->stacks, i)] = ends[i];
    int rc = 0;
    for (size_t side = 0; rc == 0 && side < 2; side++) {
        const size_t own = slw_stacks_path_count(d->sides[side].stacks);

        ret_ends->of_path[side] = calloc(own + 1, sizeof(uint32_t));
        if (!ret_ends->of_path[side])
            rc = no_memory(err);
        for (size_t i = 0; rc == 0 && i < own; i++)
            ret_ends->of_path[side][i] = of_path[both->paths[side][i]];
    }
    free(of_path);
    return rc;
}

static int check_weights(const struct slw_diff *d, struct slw_error *err)
{
    for (size_t side = 0; side < 2; side++)
        if (d->nodes[SLW_ROOT_NODE].weight[side] == 0)
            return slw_fail(err, SLW_E_NODATA, "%s (%s) has no samples of %.60s",
                            d->sides[side].name, d->sides[side].role, d->column.event);
    return 0;
}

static int fill(struct slw_diff *d, const struct slw_both *both, uint32_t *ends,
                struct slw_error *err)
{
    const struct slw_tree_options opts = {.inverted = d->opts.inverted};
    struct slw_diff_ends of_paths = {0};
    int rc = slw_tree_new_ends(both->stacks, SLW_BOTH_WEIGHT, &opts, ends, &d->tree, err);

    if (rc < 0)
        return rc;
    d->column = (struct slw_column){d->tree->event, d->tree->unit, d->tree->from};
    d->has_samples = both->has_samples;
    d->nodes = calloc(d->tree->node_count, sizeof(*d->nodes));
    if (!d->nodes)
        return no_memory(err);
    add_stacks(d, both->stacks, ends);
    rc = check_weights(d, err);
    if (rc == 0)
        rc = choose_divisors(d, err);
    if (rc == 0)
        rc = make_ends(both, d, ends, &of_paths, err);
    if (rc == 0)
        rc = slw_diff_judge(d, &of_paths, err);
    free(of_paths.of_path[0]);
    free(of_paths.of_path[1]);
    if (rc == 0)
        set_widths(d);
    return rc;
}

static int make(struct slw_diff *d, struct slw_error *err)
{
    struct slw_both both;
    uint32_t *ends = NULL;
    int rc = slw_both_init(&both, d->sides[0].stacks, d->sides[1].stacks, d->opts.event,
                           d->opts.force, err);

    if (rc == 0) {
        ends = calloc(slw_stacks_count(both.stacks) + 1, sizeof(*ends));
        rc = ends ? fill(d, &both, ends, err) : no_memory(err);
    }
    free(ends);
    slw_both_release(&both);
    return rc;
}

int slw_diff_new(const struct slw_diff_side *a, const struct slw_diff_side *b,
                 const struct slw_diff_options *opts, struct slw_diff **ret_diff,
                 struct slw_error *err)
{
    struct slw_diff *d = calloc(1, sizeof(*d));

    if (!d)
        return no_memory(err);
    d->sides[0] = *a;
    d->sides[1] = *b;
    if (opts)
        d->opts = *opts;
    int rc = make(d, err);
    if (rc < 0) {
        slw_diff_free(d);
        return rc;
    }
    *ret_diff = d;
    return 0;
}

void slw_diff_free(struct slw_diff *d)
{
    if (!d)
        return;
    slw_tree_free(d->tree);
    free(d->nodes);
    free(d);
}

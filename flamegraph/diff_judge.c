/* SPDX-License-Identifier: MIT */
/* Which frames changed beyond the noise: by the rounds of an experiment where there are any, else
 * by the numbers of samples alone. */
#include "analyzer/compare/sampled.h"
#include "analyzer/statistics/many.h"
#include "flamegraph/diff_int.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ALPHA       0.05
#define Z95         1.959963984540054 /* 97.5 % quantile of the normal distribution */
#define LEAST_COUNT 10 /* samples in the run that has more: below, a count is not near normal */
#define NO_PART     UINT32_MAX

/* The frames that are judged, the heaviest first when there are too many. */
struct chosen {
    uint32_t *nodes; /* heap */
    size_t count;
    uint32_t *part_of; /* heap, by node */
};

struct heavy {
    uint32_t node;
    double size;
};

static int heaviest_first(const void *left, const void *right)
{
    const struct heavy *a = left, *b = right;

    if (a->size != b->size)
        return a->size > b->size ? -1 : 1;
    return (a->node > b->node) - (a->node < b->node);
}

static int no_memory(struct slw_error *err)
{
    return slw_fail(err, SLW_E_NOMEM, "no memory to judge the frames of two runs");
}

static uint64_t more_samples(const struct slw_diff *d, uint32_t node)
{
    const uint64_t *samples = d->nodes[node].samples;

    return samples[0] > samples[1] ? samples[0] : samples[1];
}

static size_t list_heavy(const struct slw_diff *d, uint64_t least, struct heavy *all)
{
    size_t count = 0;

    for (uint32_t i = 0; i < d->tree->node_count; i++)
        if (more_samples(d, i) >= least)
            all[count++] = (struct heavy){i, slw_diff_cost(d, i, 0) + slw_diff_cost(d, i, 1)};
    if (count > 1)
        qsort(all, count, sizeof(*all), heaviest_first);
    return count;
}

static int choose(const struct slw_diff *d, uint64_t least, struct chosen *c, struct slw_error *err)
{
    const size_t nodes = d->tree->node_count;
    struct heavy *all = calloc(nodes, sizeof(*all));

    c->part_of = malloc(nodes * sizeof(*c->part_of));
    c->nodes = calloc(SLW_MAX_STATEMENTS, sizeof(*c->nodes));
    if (!all || !c->part_of || !c->nodes) {
        free(all);
        return no_memory(err);
    }
    memset(c->part_of, 0xff, nodes * sizeof(*c->part_of)); /* NO_PART */
    c->count = list_heavy(d, least, all);
    if (c->count > SLW_MAX_STATEMENTS)
        c->count = SLW_MAX_STATEMENTS;
    for (size_t i = 0; i < c->count; i++) {
        c->nodes[i] = all[i].node;
        c->part_of[all[i].node] = (uint32_t)i;
    }
    free(all);
    return 0;
}

static void chosen_release(struct chosen *c)
{
    free(c->nodes);
    free(c->part_of);
}

static void set_state(struct slw_diff *d, uint32_t node, const struct slw_part_change *change)
{
    struct slw_diff_node *n = &d->nodes[node];

    n->difference = change->difference;
    n->has_interval = change->judged;
    if (change->judged)
        n->state = change->real ? SLW_DIFF_CHANGED : SLW_DIFF_INSIDE;
}

static void all_are(struct slw_diff *d, enum slw_diff_state state)
{
    for (uint32_t i = 0; i < d->tree->node_count; i++)
        d->nodes[i].state = state;
}

/* ---- by rounds ---- */

/* A moment belongs to the frame its stack ends in and to all that called it. */
static void weigh_moment(const struct slw_diff *d, const struct chosen *c, struct slw_weighing *w,
                         size_t side, const struct slw_moment *m, uint32_t node)
{
    for (; node != SLW_NO_NODE; node = d->tree->nodes[node].parent)
        if (c->part_of[node] != NO_PART)
            slw_weighing_add(w, side, m, c->part_of[node]);
}

/* Where costs are shares, a round is divided by all of its own samples. */
static void divide_by_totals(const struct slw_diff *d, struct slw_weighing *w, size_t root_part)
{
    for (size_t side = 0; side < 2; side++)
        for (size_t i = 0; i < w->pairs; i++) {
            const double total = w->weights[side][root_part * w->pairs + i];

            w->per[side][i] =
                total > 0 ? total * d->divisor[side] / (double)d->nodes[SLW_ROOT_NODE].weight[side]
                          : (double)NAN;
        }
}

static int weigh(const struct slw_diff *d, const struct slw_diff_ends *ends, const struct chosen *c,
                 struct slw_sampled sampled[2], struct slw_weighing *w, struct slw_error *err)
{
    if (d->per != SLW_DIFF_PER_REQUEST)
        for (size_t side = 0; side < 2; side++)
            for (size_t i = 0; i < sampled[side].round_count; i++)
                sampled[side].rounds[i] = 1; /* replaced by divide_by_totals */
    int rc = slw_weighing_init(w, c->count, sampled[0].rounds, sampled[0].round_count,
                               sampled[1].rounds, sampled[1].round_count, err);
    for (size_t side = 0; rc == 0 && side < 2; side++) {
        const struct slw_moments *moments = d->sides[side].moments;

        for (size_t i = 0; i < slw_moments_count(moments); i++) {
            const struct slw_moment *m = slw_moments_get(moments, i);
            weigh_moment(d, c, w, side, m, ends->of_path[side][m->path]);
        }
    }
    if (rc < 0)
        return rc;
    slw_weighing_close(w);
    if (d->per != SLW_DIFF_PER_REQUEST && c->part_of[SLW_ROOT_NODE] != NO_PART)
        divide_by_totals(d, w, c->part_of[SLW_ROOT_NODE]);
    return 0;
}

static int judge_rounds(struct slw_diff *d, const struct slw_diff_ends *ends,
                        struct slw_sampled sampled[2], struct slw_error *err)
{
    struct slw_weighing w = {0};
    struct slw_part_change *changes = NULL;
    struct chosen c = {0};
    int rc = choose(d, LEAST_COUNT, &c, err);

    if (rc == 0)
        rc = weigh(d, ends, &c, sampled, &w, err);
    d->rounds = rc == 0 ? slw_weighing_good_pairs(&w) : 0;
    if (rc == 0 && d->rounds >= SLW_MIN_PAIRS) {
        changes = calloc(c.count + 1, sizeof(*changes));
        rc = changes ? slw_weighing_judge(&w, SLW_WEIGHING_MOST, ALPHA, changes, err)
                     : no_memory(err);
        d->basis = SLW_DIFF_BY_ROUNDS;
        all_are(d, SLW_DIFF_FEW);
        for (size_t i = 0; rc == 0 && i < c.count; i++)
            set_state(d, c.nodes[i], &changes[i]);
    }
    free(changes);
    slw_weighing_release(&w);
    chosen_release(&c);
    return rc;
}

/* NULL, or why the rounds of the runs are no pairs. */
static const char *why_no_rounds(const struct slw_diff *d, const struct slw_sampled sampled[2])
{
    const char *a = d->sides[0].run->experiment.id, *b = d->sides[1].run->experiment.id;

    if (!a || !b || strcmp(a, b) != 0)
        return "the runs were not measured in turn";
    for (size_t side = 0; side < 2; side++) {
        const struct slw_diff_side *s = &d->sides[side];

        if (!s->moments)
            return "it was not kept which round a sample is of";
        if (strcmp(slw_stacks_column(s->stacks, 0)->event, d->column.event) != 0)
            return "which round a sample is of is known of the first event only";
        if (sampled[side].round_count < SLW_MIN_PAIRS)
            return "there are too few rounds";
    }
    return NULL;
}

/* ---- by counts ---- */

/* The noise of a count is its root, if only chance decides where a sample falls (Poisson); one more
 * than were seen, so that none is not taken for certain. A sample weighs what they weigh on
 * average.
 */
static double count_noise(const struct slw_diff *d, uint32_t node, size_t side)
{
    const struct slw_diff_node *root = &d->nodes[SLW_ROOT_NODE];
    const double weight = (double)root->weight[side] / (double)root->samples[side];

    return weight * sqrt((double)d->nodes[node].samples[side] + 1) / d->divisor[side];
}

static struct slw_part_change change_by_counts(const struct slw_diff *d, uint32_t node)
{
    const double estimate = slw_diff_cost(d, node, 1) - slw_diff_cost(d, node, 0);
    const double noise = hypot(count_noise(d, node, 0), count_noise(d, node, 1));

    return (struct slw_part_change){.judged = true,
                                    .difference = {.enough = true,
                                                   .estimate = estimate,
                                                   .low = estimate - Z95 * noise,
                                                   .high = estimate + Z95 * noise,
                                                   .level = 1 - ALPHA,
                                                   .p = erfc(fabs(estimate) / noise / sqrt(2))}};
}

static int judge_chosen(struct slw_diff *d, const struct chosen *c, double *p, double *adjusted,
                        struct slw_error *err)
{
    for (size_t i = 0; i < c->count; i++)
        p[i] = change_by_counts(d, c->nodes[i]).difference.p;
    int rc = slw_many_fdr(p, c->count, adjusted, err);
    for (size_t i = 0; rc == 0 && i < c->count; i++) {
        struct slw_part_change change = change_by_counts(d, c->nodes[i]);

        change.real = adjusted[i] <= ALPHA && slw_difference_real(&change.difference);
        set_state(d, c->nodes[i], &change);
    }
    return rc;
}

static int judge_counts(struct slw_diff *d, struct slw_error *err)
{
    double *p = calloc((size_t)2 * SLW_MAX_STATEMENTS, sizeof(*p));
    struct chosen c = {0};
    int rc = p ? choose(d, LEAST_COUNT, &c, err) : no_memory(err);

    d->basis = SLW_DIFF_BY_COUNTS;
    all_are(d, SLW_DIFF_FEW);
    if (rc == 0)
        rc = judge_chosen(d, &c, p, p + SLW_MAX_STATEMENTS, err);
    free(p);
    chosen_release(&c);
    return rc;
}

static bool has_counts(const struct slw_diff *d)
{
    const struct slw_diff_node *root = &d->nodes[SLW_ROOT_NODE];

    return d->has_samples && root->samples[0] > 0 && root->samples[1] > 0;
}

int slw_diff_judge(struct slw_diff *d, const struct slw_diff_ends *ends, struct slw_error *err)
{
    struct slw_sampled sampled[2] = {0};
    int rc = 0;

    d->basis = SLW_DIFF_NOT_JUDGED;
    for (size_t side = 0; rc == 0 && side < 2; side++)
        rc = slw_sampled_init(&sampled[side], d->sides[side].run, err);
    if (rc == 0) {
        d->basis_why = why_no_rounds(d, sampled);
        if (!d->basis_why)
            rc = judge_rounds(d, ends, sampled, err);
        if (rc == 0 && d->basis != SLW_DIFF_BY_ROUNDS) {
            d->basis_why = d->basis_why ? d->basis_why : "too few rounds can be used";
            if (has_counts(d))
                rc = judge_counts(d, err);
        }
    }
    slw_sampled_release(&sampled[0]);
    slw_sampled_release(&sampled[1]);
    return rc;
}

/* SPDX-License-Identifier: MIT */
#include "analyzer/rounds.h"

#include "analyzer/topdown.h"
#include "base/arena.h"

#include <math.h>
#include <stdlib.h>

bool slw_rounds_in(const struct slw_run *run)
{
    for (size_t i = 0; i < run->count_count; i++)
        if (run->counts[i].round > 0)
            return true;
    return false;
}

/* Of one run: the place in its array tells which came first. */
static int by_execution(const void *a, const void *b)
{
    const struct slw_count *x = *(const struct slw_count *const *)a;
    const struct slw_count *y = *(const struct slw_count *const *)b;

    if (x->round != y->round)
        return x->round < y->round ? -1 : 1;
    if (x->pass != y->pass)
        return x->pass < y->pass ? -1 : 1;
    return x < y ? -1 : x > y;
}

const struct slw_count **slw_rounds_sorted(const struct slw_run *run, struct slw_arena *arena)
{
    const struct slw_count **sorted =
        slw_arena_array(arena, run->count_count + 1, sizeof(sorted[0]));

    for (size_t i = 0; sorted && i < run->count_count; i++)
        sorted[i] = &run->counts[i];
    if (sorted && slw_rounds_in(run))
        qsort(sorted, run->count_count, sizeof(sorted[0]), by_execution);
    return sorted;
}

static size_t end_of_round(const struct slw_count *const *sorted, size_t count, size_t first)
{
    size_t end = first;

    while (end < count && sorted[end]->round == sorted[first]->round)
        end++;
    return end;
}

size_t slw_rounds_count(const struct slw_run *run)
{
    bool seen[SLW_MAX_ROUNDS + 1] = {false};
    size_t rounds = 0;

    for (size_t i = 0; i < run->count_count; i++) {
        const int round = run->counts[i].round;
        if (round < 1 || round > SLW_MAX_ROUNDS || seen[round])
            continue;
        seen[round] = true;
        rounds++;
    }
    return rounds;
}

/* ---- nodes ---- */

struct sums { /* of one node */
    struct slw_series series;
    struct slw_report_node node; /* of the first round that has a value, else of the first */
    double quantum, sample_half;
};

static const char *kept_text(struct slw_arena *arena, const char *text)
{
    const char *copy = slw_arena_strdup(arena, text);

    return copy || !text ? copy : "not computed";
}

static void add_node(struct slw_arena *arena, struct sums *s, const struct slw_report_node *n,
                     bool first_round)
{
    if (first_round || (s->series.count == 0 && !n->value.absent)) {
        const struct slw_report_node before = s->node;
        s->node = *n;
        s->node.value.absent = kept_text(arena, n->value.absent);
        s->node.mismeasured = s->node.mismeasured || before.mismeasured;
    }
    if (n->value.absent)
        return;
    slw_series_add(&s->series, n->value.value);
    s->quantum = fmax(s->quantum, n->quantum);
    s->sample_half = fmax(s->sample_half, n->sample_half);
    s->node.value.coverage = fmin(s->node.value.coverage, n->value.coverage);
    s->node.mismeasured = s->node.mismeasured || n->mismeasured;
    s->node.thin = s->node.thin || n->thin;
    s->node.in_passes = s->node.in_passes || n->in_passes;
}

/* The nodes of one round, as if it were a run. */
static int add_round(struct slw_report *r, const struct slw_count *const *counts, size_t count,
                     bool first_round, struct sums *sums)
{
    struct slw_run view = *r->run;
    struct slw_report sub = {.arena = slw_arena_new(), .run = &view, .model = r->model};
    int rc = -SLW_E_NOMEM;

    if (!sub.arena)
        return rc;
    view.counts = slw_arena_array(sub.arena, count, sizeof(view.counts[0]));
    view.count_count = count;
    view.printed_count = 0;
    for (size_t i = 0; view.counts && i < count; i++)
        view.counts[i] = *counts[i];
    if (view.counts)
        rc = slw_topdown_nodes(&sub);
    for (size_t i = 0; rc == 0 && i < sub.node_count; i++)
        add_node(r->arena, &sums[i], &sub.nodes[i], first_round);
    slw_arena_free(sub.arena);
    return rc;
}

static void finish_node(const struct slw_model_node *m, struct sums *s)
{
    struct slw_report_node *n = &s->node;
    struct slw_interval *interval = &n->value.interval;

    n->round_count = s->series.count;
    if (s->series.count < 2)
        return;
    n->value.value = s->series.mean;
    n->quantum = s->quantum;
    n->sample_half = s->sample_half;
    *interval = (struct slw_interval){0};
    if (n->mismeasured)
        return;
    slw_interval_widen(interval, s->series.mean, slw_series_half(&s->series), SLW_INTERVAL_ROUNDS);
    if (s->quantum > 0)
        slw_interval_widen(interval, s->series.mean, s->quantum, SLW_INTERVAL_BITS);
    if (s->sample_half > 0)
        slw_interval_widen(interval, s->series.mean, s->sample_half, SLW_INTERVAL_SAMPLE);
    slw_interval_clip(interval, s->series.mean, m->low, m->high);
}

/* Thresholds are held against the means. */
static int flag(struct slw_report *r)
{
    struct slw_model_value *values =
        slw_arena_array(r->arena, r->node_count + 1, sizeof(values[0]));

    if (!values)
        return -SLW_E_NOMEM;
    for (size_t i = 0; i < r->node_count; i++)
        values[i] = (struct slw_model_value){.have = !r->nodes[i].value.absent,
                                             .mismeasured = r->nodes[i].mismeasured,
                                             .value = r->nodes[i].value.value};
    slw_model_flag(r->model, values);
    for (size_t i = 0; i < r->node_count; i++)
        r->nodes[i].flagged = values[i].have && values[i].flagged;
    return 0;
}

int slw_rounds_nodes(struct slw_report *r)
{
    const size_t count = r->run->count_count, nodes = r->model->node_count;
    const struct slw_count **sorted = slw_rounds_sorted(r->run, r->arena);
    struct sums *sums = slw_arena_array(r->arena, nodes + 1, sizeof(sums[0]));
    int rc = 0;

    r->nodes = slw_arena_array(r->arena, nodes + 1, sizeof(r->nodes[0]));
    if (!sorted || !sums || !r->nodes)
        return -SLW_E_NOMEM;
    for (size_t i = 0, end; i < count && rc == 0; i = end) {
        end = end_of_round(sorted, count, i);
        rc = add_round(r, &sorted[i], end - i, i == 0, sums);
    }
    for (size_t i = 0; rc == 0 && i < nodes; i++) {
        finish_node(&r->model->nodes[i], &sums[i]);
        r->nodes[i] = sums[i].node;
    }
    r->node_count = nodes;
    return rc == 0 ? flag(r) : rc;
}

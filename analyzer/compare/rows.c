/* SPDX-License-Identifier: MIT */
/* The rows of a comparison: which metrics, in which order, with which differences. Not for: what
 * they mean (judge.c). */
#include "analyzer/compare/comparison_int.h"
#include "analyzer/compare/metrics.h"
#include "analyzer/compare/nearest_int.h"
#include "analyzer/simulated.h"
#include "analyzer/statistics/lack_of_fit.h"
#include "analyzer/statistics/many.h"
#include "analyzer/statistics/quantile.h"
#include "base/arena.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- which metrics ---- */

static bool listed(const struct slw_comparison *c, const char *metric)
{
    return slw_comparison_find(c, metric) != NULL;
}

static void add_row(struct slw_comparison *c, const char *metric, enum slw_metric_rank rank,
                    const struct slw_gate_rule *gate)
{
    const struct slw_observation *a = slw_run_find_observation(c->in.a.run, metric);
    const struct slw_observation *b = slw_run_find_observation(c->in.b.run, metric);
    const struct slw_observation *any = a ? a : b;
    const struct slw_metric *known = slw_metric_find(metric);

    if (!any || listed(c, metric))
        return;
    c->rows[c->row_count++] = (struct slw_metric_row){
        .a = a,
        .b = b,
        .metric = any->metric,
        .title = any->title && any->title[0] ? any->title : any->metric,
        .unit = any->unit ? any->unit : "",
        .from = any->from,
        .better = any->better,
        .rank = rank,
        .gate = gate,
        .drift = (double)NAN,
        .headline = known ? known->use == SLW_METRIC_HEADLINE : false,
    };
}

static int add_gates(struct slw_comparing *w)
{
    const struct slw_comparison_input *in = &w->c->in;

    for (size_t i = 0; in->gates && i < in->gates->count; i++) {
        const struct slw_gate_rule *rule = &in->gates->all[i];
        const size_t before = w->c->row_count;

        add_row(w->c, rule->metric, SLW_METRIC_GATED, rule);
        if (w->c->row_count == before)
            return slw_nearest_refuse(&in->a, &in->b, rule, w->err);
        const struct slw_metric_row *row = &w->c->rows[before];
        if (!(row->a ? row->a : row->b)->gateable)
            return slw_fail(w->err, SLW_E_USAGE,
                            "--fail-on: '%s' is one extreme value and never gated", rule->metric);
    }
    return 0;
}

static bool have_both(const struct slw_comparison *c, const char *metric)
{
    const struct slw_observation *sides[2] = {slw_run_find_observation(c->in.a.run, metric),
                                              slw_run_find_observation(c->in.b.run, metric)};

    for (int s = 0; s < 2; s++) {
        bool any = false;

        for (size_t i = 0; sides[s] && i < sides[s]->length; i++)
            any = any || isfinite(sides[s]->values[i]);
        if (!any)
            return false;
    }
    return true;
}

/* Without gates one metric is judged: what the client costs, as well as it is known. */
static void add_main(struct slw_comparison *c)
{
    static const char *const order[] = {"cpu_per_request",     "cpu_time",
                                        "cycles_per_request",  "simulated_cycles",
                                        "requests_per_second", "client_requests_per_second",
                                        "wall_time",           "client_mean_latency"};

    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
        if (have_both(c, order[i])) {
            add_row(c, order[i], SLW_METRIC_GATED, NULL);
            return;
        }
}

static int list_rows(struct slw_comparing *w)
{
    struct slw_comparison *c = w->c;
    const struct slw_run *a = c->in.a.run, *b = c->in.b.run;

    c->rows = slw_arena_array(c->arena, a->observation_count + b->observation_count + 1,
                              sizeof(c->rows[0]));
    if (!c->rows)
        return slw_comparison_nomem(w->err);
    const int rc = add_gates(w);
    if (rc < 0)
        return rc;
    if (c->row_count == 0)
        add_main(c);
    c->gated_count = c->row_count;
    for (size_t i = 0; i < slw_metric_count; i++)
        add_row(c, slw_metrics[i].key, SLW_METRIC_SHOWN, NULL);
    for (size_t i = 0; i < a->observation_count; i++)
        add_row(c, a->observations[i].metric, SLW_METRIC_SHOWN, NULL);
    for (size_t i = 0; i < b->observation_count; i++)
        add_row(c, b->observations[i].metric, SLW_METRIC_SHOWN, NULL);
    return 0;
}

/* ---- values ---- */

bool slw_row_median(const double *values, size_t n, double *space, double *ret_median)
{
    size_t kept = 0;

    for (size_t i = 0; i < n; i++)
        if (isfinite(values[i]))
            space[kept++] = values[i];
    if (kept == 0)
        return false;
    *ret_median = slw_median_of(space, kept);
    return true;
}

static struct slw_figure centre_of(const struct slw_comparing *w, const struct slw_observation *o)
{
    struct slw_figure f = {.coverage = 1};

    if (!o) {
        f.absent = "not measured";
        return f;
    }
    f.unit = o->unit;
    f.from = o->from;
    const size_t n = o->length < w->room ? o->length : w->room;
    if (!slw_row_median(o->values, n, w->a, &f.value))
        f.absent = o->absent ? o->absent : "no round has a value";
    return f;
}

static bool all_equal(const struct slw_observation *o)
{
    for (size_t i = 0; i < o->length; i++)
        if (!isfinite(o->values[i]) || o->values[i] != o->values[0])
            return false;
    return o->length > 1;
}

/* ---- quantiles ---- */

#define SLACK_OF_COUNTS 0.10 /* of the larger count: fewer differ by less than the quantiles do */
/* A quantile of so many times the least number of requests is biased by a thousandth at most,
 * whatever the other arm has (docs/compare.md). */
#define PLENTY_OF_COUNTS 5

static double quantile_of(const char *metric)
{
    static const struct {
        const char *metric;
        double q;
    } all[] = {{"p50", .5},       {"p90", .9},       {"p99", .99},       {"p999", .999},
               {"batch_p50", .5}, {"batch_p90", .9}, {"batch_p99", .99}, {"batch_p999", .999}};

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        if (strcmp(all[i].metric, metric) == 0)
            return all[i].q;
    return 0;
}

/* Requests of a round, or batches where the quantile is of those. */
static bool count_of(struct slw_comparing *w, const struct slw_run *run, const char *metric,
                     double *ret_count)
{
    const struct slw_observation *n = slw_run_find_observation(run, "requests");
    const struct slw_observation *per = slw_run_find_observation(run, "requests_per_flush");
    double factor = 1;

    if (!n ||
        !slw_row_median(n->values, n->length < w->room ? n->length : w->room, w->a, ret_count))
        return false;
    if (strncmp(metric, "batch_", 6) != 0)
        return true;
    if (!per ||
        !slw_row_median(per->values, per->length < w->room ? per->length : w->room, w->a, &factor))
        return false;
    *ret_count /= factor > 1 ? factor : 1;
    return true;
}

static const char *unequal_counts(struct slw_comparing *w, const char *metric)
{
    const double q = quantile_of(metric);
    double a, b;

    if (q == 0 || !count_of(w, w->c->in.a.run, metric, &a) ||
        !count_of(w, w->c->in.b.run, metric, &b))
        return NULL;
    const double more = a > b ? a : b, less = a > b ? b : a;
    if (more - less <= SLACK_OF_COUNTS * more ||
        less >= PLENTY_OF_COUNTS * (double)slw_quantile_least(q))
        return NULL;
    const char *text = slw_arena_printf(
        w->c->arena,
        "a round of A has about %.0f requests, of B %.0f: quantiles of so few and so unequal "
        "numbers are not alike; bound the rounds by requests, not by time",
        a, b);
    return text ? text : "the arms have unequal numbers of requests";
}

/* ---- differences ---- */

/* What the kernel or the wire counted of a client that repeats does so as well, or not. */
static bool is_one_number(const struct slw_observation *o, const struct slw_run *run)
{
    if (o->from.source == SLW_SOURCE_SOFTWARE)
        return all_equal(o) && slw_simulated_repeats(run);
    if (o->from.source != SLW_SOURCE_SIMULATED)
        return false;
    return all_equal(o) || (o->length == 1 && isfinite(o->values[0]) && slw_simulated_repeats(run));
}

static double step_of(const struct slw_observation *o)
{
    return o->step > 0 && isfinite(o->step) ? o->step : 0;
}

/* Of nothing seen in any part, nothing is what is expected. */
static bool is_unknown(const struct slw_observation *o, const struct slw_figure *value)
{
    return step_of(o) == 0 && value->value != 0;
}

/* Equal values are of executions that are equal, which are timed in the same places. */
static bool is_sampled(const struct slw_metric_row *row)
{
    if (row->a_value.value == row->b_value.value)
        return false;
    return slw_simulated_sampled(&row->a->from) || slw_simulated_sampled(&row->b->from);
}

/* Executions of a client that repeats are timed in the same places, so that nothing is learnt from
 * more of them: what one of them leaves open is the interval. What both arms have in common is
 * timed alike, so it is rather too wide. */
static void be_sampled(struct slw_metric_row *row)
{
    struct slw_difference *d = &row->difference;
    const double a = step_of(row->a), b = step_of(row->b);
    const double apart = row->kind != SLW_PAIRS_RATIO
                             ? hypot(a, b)
                             : hypot(slw_resolution_of_ratio(a, fmax(row->a_value.value, DBL_MIN)),
                                     slw_resolution_of_ratio(b, fmax(row->b_value.value, DBL_MIN)));

    row->sampled = true;
    d->low = d->estimate - apart;
    d->high = d->estimate + apart;
    d->enough = d->equal = true;
    d->level = 0.95;
    d->p = apart > 0 ? erfc(fabs(d->estimate) / apart * M_SQRT2) : 1;
}

/* What repeats to the last digit has no interval. */
static void be_exact(const struct slw_comparing *w, struct slw_metric_row *row)
{
    struct slw_difference *d = &row->difference;

    if (!is_one_number(row->a, w->c->in.a.run) || !is_one_number(row->b, w->c->in.b.run))
        return;
    if (is_sampled(row)) {
        be_sampled(row);
        return;
    }
    row->exact = true;
    d->low = d->high = d->estimate;
    d->enough = d->equal = true;
    d->level = 1;
    d->p = d->estimate == 0 ? 1 : 0;
}

static const char *why_incomparable(struct slw_comparing *w, const struct slw_metric_row *row)
{
    const bool force = w->c->in.force;

    if (!row->a || !row->b)
        return row->a ? "only A has it" : "only B has it";
    if (row->a_value.absent || row->b_value.absent)
        return row->a_value.absent ? row->a_value.absent : row->b_value.absent;
    if (strcmp(row->a->unit ? row->a->unit : "", row->b->unit ? row->b->unit : "") != 0)
        return "the units differ";
    if (!force && (row->a->from.source != row->b->from.source ||
                   row->a->from.imported != row->b->from.imported))
        return "A and B were measured in different ways";
    if (is_sampled(row) && (is_unknown(row->a, &row->a_value) || is_unknown(row->b, &row->b_value)))
        return "a part of the instructions was timed, and how far off it is is not known: simulate "
               "with --full";
    return unequal_counts(w, row->metric);
}

/* Beyond this a ratio is no number: nothing is known of such values, which is still no infinity. */
#define LARGEST_LOG 700

/* The arm that is known less finely counts: steps may grow with the values. */
double slw_row_resolution(const struct slw_metric_row *row)
{
    const double a = step_of(row->a), b = step_of(row->b);

    if (row->kind != SLW_PAIRS_RATIO)
        return fmax(a, b);
    return fmin(LARGEST_LOG, fmax(slw_resolution_of_ratio(a, fmax(row->a_value.value, DBL_MIN)),
                                  slw_resolution_of_ratio(b, fmax(row->b_value.value, DBL_MIN))));
}

static const struct slw_floor *floor_of(const struct slw_comparison *c, const char *metric)
{
    const struct slw_experiment *e = c->in.experiment;

    for (size_t i = 0; e && c->interleaved && i < e->floor_count; i++)
        if (strcmp(e->floors[i].metric, metric) == 0)
            return &e->floors[i];
    return NULL;
}

static void describe(struct slw_comparing *w, struct slw_metric_row *row, const double *a,
                     const double *b, size_t n)
{
    size_t used = 0;

    row->deterministic = all_equal(row->a) && all_equal(row->b);
    row->floor = floor_of(w->c, row->metric);
    if (row->kind != SLW_PAIRS_RATIO)
        return;
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(a[i]) || !isfinite(b[i]))
            continue;
        w->a[used] = log(a[i]);
        w->b[used++] = log(b[i]);
    }
    row->regimes_a = slw_regimes_of(w->a, used);
    row->regimes_b = slw_regimes_of(w->b, used);
    if (used >= SLW_MIN_PAIRS) {
        const struct slw_drift drift = slw_drift_of(w->a, w->b, used);
        row->drift = drift.total;
        row->drift_sure = drift.sure;
    }
}

static int fill_difference(struct slw_comparing *w, struct slw_metric_row *row, double **ret_d)
{
    const size_t longer = row->a->length > row->b->length ? row->a->length : row->b->length;
    size_t n = row->a->length < row->b->length ? row->a->length : row->b->length;

    n = n < w->room ? n : w->room;
    double *d = calloc(n + 1, sizeof(*d));
    if (!d)
        return slw_comparison_nomem(w->err);
    *ret_d = d;
    row->pairs = slw_pairs_of(row->a->values, row->b->values, n, d);
    row->pairs.dropped += longer - n;
    row->kind = row->pairs.kind;
    if (row->kind == SLW_PAIRS_NONE) {
        row->absent = "no round in which both gave a number";
        return 0;
    }
    const double alpha = row->rank == SLW_METRIC_GATED ? w->c->alpha_gated : w->c->alpha;
    const int rc =
        slw_paired_interval(w->paired, d, row->pairs.used, alpha, &row->difference, NULL);
    if (rc < 0) { /* the only thing left that can go wrong */
        row->absent = "the values are too far apart to be told as a number";
        return 0;
    }
    slw_difference_widen(&row->difference, slw_row_resolution(row));
    be_exact(w, row);
    describe(w, row, row->a->values, row->b->values, n);
    return 0;
}

static int fill_row(struct slw_comparing *w, size_t index)
{
    struct slw_metric_row *row = &w->c->rows[index];

    row->a_value = centre_of(w, row->a);
    row->b_value = centre_of(w, row->b);
    row->absent = why_incomparable(w, row);
    return row->absent ? 0 : fill_difference(w, row, &w->differences[index]);
}

/* ---- aliases and stars ---- */

/* The same number in other words gives the same differences, or their negatives. */
static bool same_differences(const struct slw_comparing *w, size_t one, size_t other)
{
    const struct slw_metric_row *x = &w->c->rows[one], *y = &w->c->rows[other];
    const double *d = w->differences[one], *e = w->differences[other];
    const size_t n = x->pairs.used;
    double largest = 0, apart = 0, mirrored = 0;

    if (!d || !e || x->absent || y->absent || x->kind != SLW_PAIRS_RATIO ||
        y->kind != SLW_PAIRS_RATIO || n != y->pairs.used || n < 2)
        return false;
    for (size_t i = 0; i < n; i++) {
        largest = fmax(largest, fabs(d[i]));
        apart = fmax(apart, fabs(d[i] - e[i]));
        mirrored = fmax(mirrored, fabs(d[i] + e[i]));
        if (apart > 1e-9 * (1 + largest) && mirrored > 1e-9 * (1 + largest))
            return false;
    }
    return largest > 0;
}

static void find_aliases(struct slw_comparing *w)
{
    struct slw_comparison *c = w->c;

    for (size_t i = 0; i < c->row_count; i++) {
        struct slw_metric_row *row = &c->rows[i];
        const struct slw_metric *known = slw_metric_find(row->metric);
        const struct slw_metric_row *base =
            known && known->alias_of[0] ? slw_comparison_find(c, known->alias_of) : NULL;

        if (row->rank != SLW_METRIC_SHOWN || row->absent)
            continue;
        for (size_t k = 0; k < i && !base; k++)
            if (c->rows[k].rank != SLW_METRIC_ALIAS && same_differences(w, i, k))
                base = &c->rows[k];
        if (!base || base->absent)
            continue;
        row->rank = SLW_METRIC_ALIAS;
        row->alias_of = base->metric;
    }
}

static bool counts_in_holm(const struct slw_metric_row *row)
{
    return row->rank == SLW_METRIC_SHOWN && !row->absent && row->kind != SLW_PAIRS_ZERO;
}

static int star(struct slw_comparing *w)
{
    struct slw_comparison *c = w->c;
    double *p = calloc(2 * c->row_count + 1, sizeof(*p));
    size_t count = 0;

    if (!p)
        return slw_comparison_nomem(w->err);
    double *adjusted = p + c->row_count;
    for (size_t i = 0; i < c->row_count; i++)
        if (counts_in_holm(&c->rows[i]))
            p[count++] = c->rows[i].difference.p;
    const bool held = slw_many_holm(p, count, adjusted, NULL) == 0; /* else there are no stars */
    count = 0;
    for (size_t i = 0; i < c->row_count; i++) {
        struct slw_metric_row *row = &c->rows[i];

        if (counts_in_holm(row))
            row->starred = held && adjusted[count++] <= c->alpha && slw_metric_row_real(row);
        else if (row->rank == SLW_METRIC_GATED)
            row->starred = slw_metric_row_real(row);
    }
    for (size_t i = 0; i < c->row_count; i++)
        if (c->rows[i].alias_of)
            c->rows[i].starred = slw_comparison_find(c, c->rows[i].alias_of)->starred;
    free(p);
    return 0;
}

int slw_comparison_rows(struct slw_comparing *w)
{
    int rc = list_rows(w);

    if (rc < 0)
        return rc;
    w->c->alpha_gated = slw_many_alpha(w->c->alpha, w->c->gated_count ? w->c->gated_count : 1);
    w->differences = calloc(w->c->row_count + 1, sizeof(*w->differences));
    if (!w->differences)
        return slw_comparison_nomem(w->err);
    for (size_t i = 0; i < w->c->row_count && rc == 0; i++)
        rc = fill_row(w, i);
    if (rc < 0)
        return rc;
    find_aliases(w);
    return star(w);
}

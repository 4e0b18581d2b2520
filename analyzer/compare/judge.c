/* SPDX-License-Identifier: MIT */
/* From the intervals of a comparison to its words and to what the gate says. */
#include "analyzer/compare/comparison_int.h"
#include "analyzer/statistics/looks.h"
#include "analyzer/statistics/many.h"
#include "base/arena.h"

#include <math.h>

static double floor_size(const struct slw_metric_row *row)
{
    const struct slw_floor *f = row->floor;

    return f && row->kind == SLW_PAIRS_RATIO && f->floor > 0 && isfinite(f->floor) ? f->floor : 0;
}

static double size_of(const struct slw_figure *f)
{
    return f->absent ? 0 : fabs(f->value);
}

static struct slw_margin margin_of(const struct slw_comparison *c, const struct slw_metric_row *row)
{
    /* Where there is no ratio: so much of the larger side. */
    const double user = row->kind == SLW_PAIRS_RATIO
                            ? log1p(c->in.margin)
                            : c->in.margin * fmax(size_of(&row->a_value), size_of(&row->b_value));

    /* A sample's is in the interval already. */
    return slw_margin_of(user, floor_size(row), row->sampled ? 0 : slw_row_resolution(row));
}

/* What no interval can mend; NULL: nothing. */
static const char *forbidden(const struct slw_comparing *w, const struct slw_metric_row *row)
{
    if (row->floor && row->floor->differs)
        return "two A/A tests in a row found a difference between the same command and itself: "
               "the order or the state of the machine shows in this metric";
    return w->downgrade;
}

static const char *too_few_text(struct slw_comparing *w, const struct slw_metric_row *row)
{
    const double alpha = row->rank == SLW_METRIC_GATED ? w->c->alpha_gated : w->c->alpha;
    size_t least = slw_many_least_pairs(alpha, 1);

    if (least < SLW_MIN_PAIRS)
        least = SLW_MIN_PAIRS;
    const char *text = slw_arena_printf(w->c->arena, "needs >= %zu rounds", least);
    return text ? text : "needs more rounds";
}

/* ---- equivalence at 90 % ---- */

/* Is the interval of twice the alpha within the margin? */
static bool same_at_90(struct slw_comparing *w, const struct slw_metric_row *row)
{
    const double alpha = row->rank == SLW_METRIC_GATED ? w->c->alpha_gated : w->c->alpha;
    const double *d = w->differences[row - w->c->rows];
    const double margin = row->judgement.margin.size;
    struct slw_difference narrower;

    if (slw_paired_interval(w->paired, d, row->pairs.used, 2 * alpha, &narrower, NULL) < 0 ||
        !narrower.enough)
        return false;
    slw_difference_widen(&narrower, slw_row_resolution(row));
    return -margin <= narrower.low && narrower.high <= margin;
}

/* ---- rows ---- */

static struct slw_forecast forecast_of(const struct slw_metric_row *row,
                                       const struct slw_difference *d,
                                       const struct slw_judgement *j)
{
    const size_t pairs = d->pairs;
    size_t most = pairs < SLW_LOOK_LAST ? SLW_LOOK_LAST : 2 * pairs;

    if (most > SLW_MAX_PAIRS)
        most = SLW_MAX_PAIRS;
    if (most <= pairs || row->sampled)
        return (struct slw_forecast){.kind = SLW_FORECAST_NONE};
    return slw_forecast_of(d, j, most);
}

void slw_row_judge(struct slw_comparing *w, struct slw_metric_row *row)
{
    if (row->absent) {
        row->why = row->absent;
        return;
    }
    const struct slw_margin margin = margin_of(w->c, row);
    if (row->exact && row->difference.estimate == 0) { /* identical: there is nothing to settle */
        row->judgement = (struct slw_judgement){.word = SLW_JUDGED_NO_CHANGE, .margin = margin};
        return;
    }
    row->judgement = slw_judge(&row->difference, &margin, row->better == SLW_BETTER_HIGHER);
    if (w->c->in.equivalence_90 && row->judgement.word == SLW_JUDGED_INCONCLUSIVE &&
        !row->judgement.too_few && same_at_90(w, row)) {
        row->judgement.word = SLW_JUDGED_NO_CHANGE;
        row->judgement.unsettled = false;
    }
    row->forecast = forecast_of(row, &row->difference, &row->judgement);
    if (row->judgement.too_few)
        row->why = too_few_text(w, row);
    const char *why = forbidden(w, row);
    if (!why)
        return;
    row->why = why;
    row->judgement.word = SLW_JUDGED_INCONCLUSIVE;
    row->forecast = (struct slw_forecast){.kind = SLW_FORECAST_NONE};
}

/* ---- gates ---- */

/* The bound in the unit of the differences, above 0 or 0: for '<' of the mirrored interval. A
 * change smaller than what two arms of one command differ by is no reason to fail. */
static double bound_of(const struct slw_metric_row *row)
{
    const struct slw_gate_rule *rule = row->gate;

    if (row->kind != SLW_PAIRS_RATIO)
        return rule->bound * fabs(row->a_value.value);
    return rule->above ? log1p(rule->bound) : -log1p(-rule->bound);
}

static enum slw_judged gate_word_of(const struct slw_comparing *w, const struct slw_metric_row *row)
{
    const struct slw_difference *d = &row->difference;

    if (row->absent || !d->enough || forbidden(w, row))
        return SLW_JUDGED_INCONCLUSIVE;
    if (!row->gate)
        return row->judgement.word;
    const double bound = bound_of(row);
    const double low = row->gate->above ? d->low : -d->high;
    const double high = row->gate->above ? d->high : -d->low;

    if (low > fmax(bound, floor_size(row)))
        return SLW_JUDGED_REGRESSED;
    return high <= bound ? SLW_JUDGED_NO_CHANGE : SLW_JUDGED_INCONCLUSIVE;
}

/* What would settle the gate, which may ask for another bound than the word's margin. */
static struct slw_forecast gate_forecast(const struct slw_metric_row *row)
{
    const double bound = bound_of(row);
    const double worse = row->gate->above ? row->difference.estimate : -row->difference.estimate;
    struct slw_difference d = row->difference;
    struct slw_judgement j = row->judgement;

    d.estimate = fmax(worse, 0);
    j.word = SLW_JUDGED_INCONCLUSIVE;
    j.margin.size = worse < 0 ? bound - worse : bound; /* as far from the bound on one side */
    return forecast_of(row, &d, &j);
}

void slw_comparison_judge(struct slw_comparing *w)
{
    struct slw_comparison *c = w->c;
    enum slw_judged words[SLW_MAX_GATES + 1] = {SLW_JUDGED_INCONCLUSIVE};
    size_t count = 0;

    for (size_t i = 0; i < c->row_count; i++) {
        struct slw_metric_row *row = &c->rows[i];

        slw_row_judge(w, row);
        if (row->rank != SLW_METRIC_GATED)
            continue;
        row->gate_word = gate_word_of(w, row);
        if (row->gate && row->gate_word == SLW_JUDGED_INCONCLUSIVE && !row->why)
            row->forecast = gate_forecast(row);
        words[count++] = row->gate_word;
    }
    c->gate = slw_gate_of(words, count);
    if (count == 0) /* nothing that is gated by default was measured on both sides */
        c->gate = SLW_GATE_INCONCLUSIVE;
}

/* SPDX-License-Identifier: MIT */
/* What a sweep says in words: a sentence for each curve, and the verdict. */
#include "analyzer/format.h"
#include "analyzer/simulated.h"
#include "analyzer/sweep/sweep_int.h"
#include "analyzer/sweep/text.h"

#include <math.h>
#include <string.h>

/* ---- curves ---- */

static void put_bracketed(struct slw_buf *out, const struct slw_sweep_curve *c,
                          const struct slw_difference *d)
{
    slw_sweep_put_value(out, c->unit, slw_sweep_no_dust(c, d->estimate));
    slw_buf_puts(out, " [");
    slw_sweep_put_value(out, c->unit, slw_sweep_no_dust(c, d->low));
    slw_buf_puts(out, ", ");
    slw_sweep_put_value(out, c->unit, slw_sweep_no_dust(c, d->high));
    slw_buf_putc(out, ']');
}

/* "16 requests a flush", "batch=16": a place on the x axis */
static void put_x(struct slw_buf *out, const struct slw_sweep_report *r, double x)
{
    if (!r->observed_x)
        slw_buf_printf(out, "%s=", r->parameter);
    slw_sweep_put_number(out, x);
    if (r->observed_x)
        slw_buf_puts(out, " requests a flush");
}

static void put_knee(struct slw_buf *out, const struct slw_sweep_report *r,
                     const struct slw_sweep_curve *c)
{
    const struct slw_knee *k = &c->knee;

    if (slw_sweep_knee_before_all(c)) {
        slw_buf_printf(out, "The smallest is within %.0f %% of the marginal cost already.",
                       100 * SLW_SWEEP_EXCESS);
        return;
    }
    slw_buf_puts(out, k->beyond ? "Gains had not ended at the largest one tried; they end near "
                                : "Gains end near ");
    put_x(out, r, k->at);
    slw_buf_puts(out, " [");
    slw_sweep_put_number(out, k->low);
    slw_buf_puts(out, ", ");
    slw_sweep_put_number(out, k->high);
    slw_buf_printf(out, "]%s: within %.0f %% of the marginal cost.",
                   k->beyond ? " (extrapolated)" : "", 100 * SLW_SWEEP_EXCESS);
}

/* Without a model: against the cost at the largest batch. */
static void put_knee_seen(struct slw_buf *out, const struct slw_sweep_report *r,
                          const struct slw_sweep_curve *c)
{
    const size_t last = c->point_count - 1;
    const size_t possible = c->knee_seen.first_possible, sure = c->knee_seen.first_sure;
    const double percent = 100 * SLW_SWEEP_EXCESS;

    if (sure == 0) {
        slw_buf_printf(out, "No value is more than %.0f %% dearer than the largest.", percent);
    } else if (possible == last) {
        slw_buf_printf(out, "Every smaller value is surely more than %.0f %% dearer than ",
                       percent);
        slw_sweep_put_point(out, r, c->points[last]);
        slw_buf_puts(out, ", the largest: gains had not ended.");
    } else {
        slw_buf_puts(out, "Seen without a model, gains end ");
        slw_buf_puts(out, possible == sure ? "at " : "between ");
        slw_sweep_put_point(out, r, c->points[possible]);
        if (possible != sure) {
            slw_buf_puts(out, " and ");
            slw_sweep_put_point(out, r, c->points[sure]);
        }
        slw_buf_printf(out, ": within %.0f %% of the cost at ", percent);
        slw_sweep_put_point(out, r, c->points[last]);
        slw_buf_putc(out, '.');
    }
}

static void put_fit(struct slw_buf *out, const struct slw_sweep_report *r,
                    const struct slw_sweep_curve *c)
{
    slw_buf_puts(out, "Fixed cost ");
    put_bracketed(out, c, &c->fit.fixed);
    slw_buf_puts(out, r->observed_x ? ", shared by the requests of a flush; marginal cost "
                                    : "; marginal cost ");
    put_bracketed(out, c, &c->fit.marginal);
    slw_buf_puts(out, ". ");
    if (c->knee_known)
        put_knee(out, r, c);
    else if (c->fit.knee == SLW_KNEE_NO_FIXED)
        slw_buf_puts(out, "A block showed no fixed cost, so that it cannot be told where gains "
                          "end.");
    else
        slw_buf_puts(out, "A block showed no marginal cost: more always gained, and no end can be "
                          "told.");
}

static void put_misfit(struct slw_buf *out, const struct slw_sweep_report *r,
                       const struct slw_sweep_curve *c)
{
    slw_buf_puts(out, "cost = fixed/x + marginal does not fit: it is off by up to ");
    slw_format_percent(out, c->fit.misfit);
    slw_buf_printf(out,
                   " in the same places in all blocks (p %.2g), so that neither cost is given. ",
                   c->fit.lack_p);
    put_knee_seen(out, r, c);
}

static int tell_curve(struct slw_sweep_build *b, struct slw_sweep_curve *c, struct slw_error *err)
{
    struct slw_buf text = {0};

    if (c->absent)
        slw_buf_printf(&text, "No fit: %s.", c->absent);
    else if (c->fit.fits)
        put_fit(&text, b->r, c);
    else
        put_misfit(&text, b->r, c);
    c->text = slw_sweep_keep(b->r->arena, &text);
    return c->text ? 0 : slw_fail(err, SLW_E_NOMEM, "no memory for a sentence");
}

/* ---- the verdict ---- */

/* "batching", where it is known to be that; else what was changed. */
static void put_actor(struct slw_buf *out, const struct slw_sweep_report *r,
                      const struct slw_sweep_curve *c, bool begins)
{
    if (r->observed_x || slw_sweep_asks_for_batches(r)) {
        slw_buf_puts(out, begins ? "Batching" : "batching");
        return;
    }
    slw_buf_puts(out, begins ? "Going from " : "going from ");
    slw_sweep_put_point(out, r, c->points[0]);
    slw_buf_puts(out, " to ");
    slw_sweep_put_point(out, r, c->points[c->point_count - 1]);
}

static void put_removed(struct slw_buf *out, const struct slw_sweep_report *r,
                        const struct slw_sweep_curve *c, bool begins)
{
    const double first = c->cost[0].value;

    put_actor(out, r, c, begins);
    slw_buf_puts(out, " removed ");
    slw_sweep_put_value(out, c->unit, c->removed * first);
    slw_buf_puts(out, " of ");
    slw_sweep_put_value(out, c->unit, first);
    slw_buf_printf(out, " %s (", c->title);
    slw_sweep_put_part(out, c->removed, c->removed_low, c->removed_high);
    slw_buf_putc(out, ')');
    if (!c->part_of)
        return;
    if (c->part >= .995) { /* more than all: the rest became dearer */
        slw_buf_printf(out, ", all of which was %s", c->part_of);
        return;
    }
    slw_buf_puts(out, ", of which ");
    slw_sweep_put_part(out, c->part, c->part_low, c->part_high);
    slw_buf_printf(out, " was %s", c->part_of);
}

static void put_added(struct slw_buf *out, const struct slw_sweep_report *r,
                      const struct slw_sweep_curve *c, bool begins)
{
    put_actor(out, r, c, begins);
    slw_buf_printf(out, " made %s dearer: ", c->title);
    slw_sweep_put_value(out, c->unit, c->cost[0].value);
    slw_buf_puts(out, " -> ");
    slw_sweep_put_value(out, c->unit, c->cost[c->point_count - 1].value);
    slw_buf_printf(out, " (%.1f %% more [%.1f, %.1f])", -100 * c->removed, -100 * c->removed_high,
                   -100 * c->removed_low);
}

static void put_unsure(struct slw_buf *out, const struct slw_sweep_report *r,
                       const struct slw_sweep_curve *c)
{
    slw_buf_printf(out, "%s went from ", c->title);
    slw_sweep_put_value(out, c->unit, c->cost[0].value);
    slw_buf_puts(out, " at ");
    slw_sweep_put_point(out, r, c->points[0]);
    slw_buf_puts(out, " to ");
    slw_sweep_put_value(out, c->unit, c->cost[c->point_count - 1].value);
    slw_buf_puts(out, " at ");
    slw_sweep_put_point(out, r, c->points[c->point_count - 1]);
    if (isfinite(c->removed_low)) {
        slw_buf_puts(out, ", which is not beyond chance: removed ");
        slw_sweep_put_part(out, c->removed, c->removed_low, c->removed_high);
    } else if (c->from.source == SLW_SOURCE_SIMULATED &&
               slw_simulated_repeats(r->points[c->points[0]].run)) {
        slw_buf_puts(out, ", which is counted and no estimate");
    } else {
        slw_buf_printf(out,
                       " in %zu block%s: too few to tell a difference from chance (%d are "
                       "the least)",
                       r->blocks, r->blocks == 1 ? "" : "s", SLW_MIN_PAIRS);
    }
}

static void put_change(struct slw_buf *out, const struct slw_sweep_report *r,
                       const struct slw_sweep_curve *c, bool begins)
{
    if (c->point_count < 2)
        slw_buf_printf(out, "%s value of %s: there is nothing to compare with",
                       begins ? "One" : "one", r->parameter);
    else if (c->cost[0].absent || c->cost[c->point_count - 1].absent || !isfinite(c->removed))
        slw_buf_printf(out, "%s is unknown: %s", c->title,
                       c->cost[0].absent                    ? c->cost[0].absent
                       : c->cost[c->point_count - 1].absent ? c->cost[c->point_count - 1].absent
                                                            : "no block has both ends");
    else if (c->removed_low > 0)
        put_removed(out, r, c, begins);
    else if (c->removed_high < 0)
        put_added(out, r, c, begins);
    else
        put_unsure(out, r, c);
}

/* Of what the costs are, before what they are: fewer requests for the same work are no gain. */
static bool put_falling(struct slw_buf *out, const struct slw_sweep_build *b,
                        const struct slw_sweep_range *range)
{
    double first, last;

    if (!slw_sweep_count_falls(b, range, &first, &last))
        return false;
    slw_buf_puts(out,
                 "Costs are told for a request as the wire tap counts it, of which there were ");
    slw_sweep_put_number(out, first);
    slw_buf_puts(out, " at ");
    slw_sweep_put_point(out, b->r, range->first);
    slw_buf_puts(out, " and ");
    slw_sweep_put_number(out, last);
    slw_buf_puts(out, " at ");
    slw_sweep_put_point(out, b->r, range->first + range->count - 1);
    slw_buf_puts(out, ", which may be another thing; ");
    return true;
}

/* It asked for batches and sent none: the first thing a reader has to know. */
static bool put_no_batches(struct slw_buf *out, const struct slw_sweep_build *b,
                           const struct slw_sweep_range *range)
{
    const struct slw_sweep_report *r = b->r;
    const size_t last = range->first + range->count - 1;

    if (put_falling(out, b, range))
        return true;
    if (!slw_sweep_asks_for_batches(r) || !slw_sweep_flat(b, range))
        return false;
    slw_buf_puts(out, "It does not batch: ");
    slw_sweep_put_point(out, r, last);
    slw_buf_printf(out, " asked for, %.1f requests a flush observed; ",
                   r->points[last].batch_factor.value);
    return true;
}

static int tell_verdict(struct slw_sweep_build *b, struct slw_error *err)
{
    struct slw_sweep_report *r = b->r;
    struct slw_buf text = {0};

    for (size_t k = 0; k < b->range_count; k++) {
        const struct slw_sweep_range *range = &b->ranges[k];
        bool begins = true;

        if (k == SLW_SWEEP_SPOKEN) {
            slw_buf_printf(&text, " %zu more series.", b->range_count - k);
            break;
        }
        slw_buf_puts(&text, k ? " " : "");
        if (range->series)
            slw_buf_printf(&text, "%s: ", range->series);
        begins = !put_no_batches(&text, b, range) && !range->series;
        put_change(&text, r, slw_sweep_cpu_curve(r, range->series), begins);
        slw_buf_putc(&text, '.');
    }
    r->verdict = slw_sweep_keep(r->arena, &text);
    return r->verdict ? 0 : slw_fail(err, SLW_E_NOMEM, "no memory for a verdict");
}

static int tell_basis(struct slw_sweep_build *b, struct slw_error *err)
{
    struct slw_sweep_report *r = b->r;
    const struct slw_sweep_curve *cpu = &r->curves[0];
    struct slw_buf text = {0};

    slw_buf_printf(&text, "%zu block%s, each of which ran all %zu arms once in random order",
                   r->blocks, r->blocks == 1 ? "" : "s", r->point_count);
    if (r->blocks >= SLW_MIN_PAIRS)
        slw_buf_puts(&text, "; 95 % intervals over the blocks");
    slw_buf_printf(&text, "; %s: %s%s%s%s. %s%s%s",
                   cpu->from.source == SLW_SOURCE_SIMULATED ? "cycles" : "CPU time",
                   slw_format_source(cpu->from.source), cpu->from.imported ? ", imported" : "",
                   cpu->from.detail ? ", " : "", cpu->from.detail ? cpu->from.detail : "",
                   r->x_basis, r->count_basis ? " " : "", r->count_basis ? r->count_basis : "");
    r->verdict_basis = slw_sweep_keep(r->arena, &text);
    return r->verdict_basis ? 0 : slw_fail(err, SLW_E_NOMEM, "no memory for a verdict");
}

int slw_sweep_make_texts(struct slw_sweep_build *b, struct slw_error *err)
{
    int status = 0;

    for (size_t i = 0; status >= 0 && i < b->r->curve_count; i++)
        status = tell_curve(b, &b->r->curves[i], err);
    if (status >= 0)
        status = tell_verdict(b, err);
    return status < 0 ? status : tell_basis(b, err);
}

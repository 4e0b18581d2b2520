/* SPDX-License-Identifier: MIT */
#include "analyzer/sweep/text.h"

#include "analyzer/format.h"

#include <math.h>
#include <string.h>

#define LEAST_SHOWN                                                                                \
    2e-4 /* of the largest cost of a curve; a smaller fixed or marginal cost is 0                  \
          */

#define DUST 1e-12 /* rounding errors of a fit without noise; nothing is measured that finely */

void slw_sweep_put_number(struct slw_buf *out, double value)
{
    if (fabs(value) < 1000)
        slw_buf_printf(out, "%.3g", fabs(value) < DUST ? 0 : value);
    else
        slw_format_number(out, value);
}

void slw_sweep_put_value(struct slw_buf *out, const char *unit, double value)
{
    const struct slw_figure f = {.value = fabs(value) < DUST ? 0 : fabs(value), .unit = unit};

    if (isfinite(value) && value <= -DUST)
        slw_buf_putc(out, '-');
    if (unit && strcmp(unit, "ns") == 0 && fabs(value) < 100) /* whole ns are too coarse here */
        slw_buf_printf(out, "%.3g ns", f.value);
    else if (unit && strcmp(unit, "1") == 0)
        slw_format_number(out, f.value);
    else
        slw_format_figure(out, &f);
}

void slw_sweep_put_figure(struct slw_buf *out, const struct slw_figure *f)
{
    if (f->absent) {
        slw_buf_puts(out, f->absent);
        return;
    }
    slw_sweep_put_value(out, f->unit, f->value);
    if (!f->interval.have)
        return;
    slw_buf_puts(out, " [");
    slw_sweep_put_value(out, strcmp(f->unit ? f->unit : "", "ns") == 0 ? "ns" : "1",
                        f->interval.low);
    slw_buf_puts(out, ", ");
    slw_sweep_put_value(out, strcmp(f->unit ? f->unit : "", "ns") == 0 ? "ns" : "1",
                        f->interval.high);
    slw_buf_putc(out, ']');
}

void slw_sweep_put_point(struct slw_buf *out, const struct slw_sweep_report *r, size_t point)
{
    slw_buf_printf(out, "%s=", r->parameter);
    slw_sweep_put_number(out, r->points[point].parameter);
}

/* Without a minus before a 0. */
static double percent(double part, int decimals)
{
    const double scale = decimals ? 1000 : 100;

    return round(part * scale) / scale * 100 + 0.0;
}

void slw_sweep_put_part(struct slw_buf *out, double part, double low, double high)
{
    if (!isfinite(part)) {
        slw_buf_puts(out, "unknown");
        return;
    }
    const int decimals = fabs(part) < .0995;

    slw_buf_printf(out, "%.*f %%", decimals, percent(part, decimals));
    if (isfinite(low) && isfinite(high))
        slw_buf_printf(out, " [%.*f, %.*f]", decimals, percent(low, decimals), decimals,
                       percent(high, decimals));
}

static void put_seen_cell(struct slw_buf *out, const struct slw_sweep_report *r,
                          const struct slw_sweep_curve *c)
{
    const struct slw_knee_seen *k = &c->knee_seen;

    slw_sweep_put_number(out, r->points[c->points[k->first_possible]].parameter);
    if (k->first_sure != k->first_possible) {
        slw_buf_puts(out, "-");
        slw_sweep_put_number(out, r->points[c->points[k->first_sure]].parameter);
    }
}

double slw_sweep_no_dust(const struct slw_sweep_curve *c, double value)
{
    double most = 0;

    for (size_t i = 0; i < c->point_count; i++)
        if (!c->cost[i].absent)
            most = fmax(most, fabs(c->cost[i].value));
    return fabs(value) < most * LEAST_SHOWN ? 0 : value;
}

bool slw_sweep_knee_before_all(const struct slw_sweep_curve *c)
{
    return c->knee_known && c->knee.high <= c->x[0];
}

static void put_known_cell(struct slw_buf *out, const struct slw_sweep_curve *c, bool interval)
{
    if (slw_sweep_knee_before_all(c)) {
        slw_buf_puts(out, "< ");
        slw_sweep_put_number(out, c->x[0]);
        return;
    }
    if (c->knee.beyond && !interval) {
        slw_buf_puts(out, "> ");
        slw_sweep_put_number(out, c->x[c->point_count - 1]);
        return;
    }
    slw_buf_puts(out, c->knee.beyond ? "beyond: " : "");
    slw_sweep_put_number(out, c->knee.at);
    if (!interval)
        return;
    slw_buf_puts(out, " [");
    slw_sweep_put_number(out, c->knee.low);
    slw_buf_puts(out, ", ");
    slw_sweep_put_number(out, c->knee.high);
    slw_buf_putc(out, ']');
}

void slw_sweep_put_knee(struct slw_buf *out, const struct slw_sweep_report *r,
                        const struct slw_sweep_curve *c, bool interval)
{
    if (c->knee_known) {
        put_known_cell(out, c, interval);
    } else if (c->absent || !c->knee_seen_known) {
        slw_buf_puts(out, "unknown");
    } else if (!c->fit.fits) {
        put_seen_cell(out, r, c);
    } else {
        slw_buf_puts(out, c->fit.knee == SLW_KNEE_NO_FIXED ? "no fixed" : "no end");
    }
}

double slw_sweep_fitted(const struct slw_sweep_curve *c, double x)
{
    if (c->absent || !c->fit.fits)
        return (double)NAN;
    return c->fit.fixed.estimate / x + c->fit.marginal.estimate;
}

const char *slw_sweep_command(const struct slw_sweep_report *r, size_t point)
{
    const char *command = r->points[point].arm->command;

    return command ? command : "unknown command";
}

const char *slw_sweep_stopped(const struct slw_experiment *e)
{
    switch (e->stopped) {
    case SLW_STOPPED_BUDGET:
        return "The time given by --budget was up before all blocks were measured.";
    case SLW_STOPPED_INTERRUPTED:
        return "It was stopped by a signal before all blocks were measured.";
    case SLW_STOPPED_FAILED:
        return "It ended early, because a round could not be measured.";
    case SLW_STOPPED_ROUNDS:
    case SLW_STOPPED_SETTLED:
        break;
    }
    return NULL;
}

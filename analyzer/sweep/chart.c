/* SPDX-License-Identifier: MIT */
#include "analyzer/sweep/chart.h"

#include "analyzer/sweep/text.h"
#include "analyzer/text.h"

#include <math.h>
#include <string.h>

#define ROWS        9
#define LABEL       10 /* columns of the cost axis */
#define MAX_COLUMNS 72
#define MIN_COLUMNS 20

struct canvas {
    char cell[ROWS][MAX_COLUMNS];
    size_t columns;
    double low_x, high_x, high; /* of the axes; cost begins at 0 */
};

static size_t column_of(const struct canvas *v, double x)
{
    const double share = (log(x) - log(v->low_x)) / (log(v->high_x) - log(v->low_x));

    return (size_t)lround(fmin(fmax(share, 0), 1) * (double)(v->columns - 1));
}

/* Row 0 is the highest. */
static size_t row_of(const struct canvas *v, double cost)
{
    const double share = fmin(fmax(cost / v->high, 0), 1);

    return (size_t)(ROWS - 1 - lround(share * (ROWS - 1)));
}

static bool axes(struct canvas *v, const struct slw_sweep_curve *c)
{
    v->low_x = (double)INFINITY;
    for (size_t i = 0; i < c->point_count; i++) {
        const struct slw_figure *f = &c->cost[i];

        if (f->absent || !(c->x[i] > 0))
            continue;
        v->low_x = fmin(v->low_x, c->x[i]);
        v->high_x = fmax(v->high_x, c->x[i]);
        v->high = fmax(v->high, f->interval.have ? f->interval.high : f->value);
    }
    return v->high > 0 && isfinite(v->high) && v->high_x > v->low_x;
}

static void draw_fit(struct canvas *v, const struct slw_sweep_curve *c)
{
    for (size_t i = 0; i < v->columns; i++) {
        const double share = (double)i / (double)(v->columns - 1);
        const double x = v->low_x * pow(v->high_x / v->low_x, share);
        const double cost = slw_sweep_fitted(c, x);

        if (isfinite(cost))
            v->cell[row_of(v, cost)][i] = '.';
    }
}

static void draw_points(struct canvas *v, const struct slw_sweep_curve *c)
{
    for (size_t i = 0; i < c->point_count; i++) {
        const struct slw_figure *f = &c->cost[i];

        if (f->absent)
            continue;
        const size_t column = column_of(v, c->x[i]);
        if (f->interval.have)
            for (size_t k = row_of(v, f->interval.high); k <= row_of(v, f->interval.low); k++)
                v->cell[k][column] = '|';
        v->cell[row_of(v, f->value)][column] = 'o';
    }
}

static void put_label(struct slw_buf *out, const char *unit, double value)
{
    struct slw_buf label = {0};

    slw_sweep_put_value(&label, unit, value);
    slw_text_cell(out, label.data ? label.data : "", LABEL);
    if (slw_buf_failed(&label))
        out->failed = true;
    slw_buf_release(&label);
}

static void put_rows(struct slw_buf *out, const struct canvas *v, const char *unit)
{
    for (size_t k = 0; k < ROWS; k++) {
        size_t end = v->columns;

        slw_buf_puts(out, "  ");
        if (k % 4 == 0)
            put_label(out, unit, v->high * (double)(ROWS - 1 - k) / (ROWS - 1));
        else
            slw_buf_printf(out, "%*s", LABEL, "");
        while (end > 0 && v->cell[k][end - 1] == ' ')
            end--;
        slw_buf_puts(out, " |");
        slw_buf_put(out, v->cell[k], end);
        slw_buf_putc(out, '\n');
    }
}

/* Below the axis, the x of as many points as there is room for. */
static void put_ticks(struct slw_buf *out, const struct canvas *v, const struct slw_sweep_curve *c)
{
    size_t at = 0;

    slw_buf_printf(out, "  %*s +", LABEL, "");
    for (size_t i = 0; i < v->columns; i++)
        slw_buf_putc(out, '-');
    slw_buf_printf(out, "\n  %*s  ", LABEL, "");
    for (size_t i = 0; i < c->point_count; i++) {
        struct slw_buf tick = {0};
        const size_t column = column_of(v, c->x[i]);

        slw_sweep_put_number(&tick, c->x[i]);
        if ((at == 0 || column > at) && column + tick.length <= v->columns + 6) {
            for (; at < column; at++)
                slw_buf_putc(out, ' ');
            slw_buf_puts(out, tick.data ? tick.data : "");
            at += tick.length;
        }
        if (slw_buf_failed(&tick))
            out->failed = true;
        slw_buf_release(&tick);
    }
    slw_buf_putc(out, '\n');
}

void slw_sweep_chart(struct slw_buf *out, const struct slw_sweep_report *r,
                     const struct slw_sweep_curve *c, size_t width)
{
    struct canvas v = {0};
    const size_t frame = LABEL + 10;

    memset(v.cell, ' ', sizeof(v.cell));
    v.columns = width > frame + MIN_COLUMNS ? width - frame : MIN_COLUMNS;
    if (v.columns > MAX_COLUMNS)
        v.columns = MAX_COLUMNS;
    if (!axes(&v, c))
        return;
    draw_fit(&v, c);
    draw_points(&v, c);
    put_rows(out, &v, c->unit);
    put_ticks(out, &v, c);
    slw_buf_puts(out, "  x: ");
    slw_text_clean(out, r->observed_x ? "requests a flush" : r->parameter);
    slw_buf_puts(out, " (logarithmic); o measured, | its interval");
    slw_buf_puts(out, c->absent || !c->fit.fits ? "\n" : ", . fixed/x + marginal\n");
}

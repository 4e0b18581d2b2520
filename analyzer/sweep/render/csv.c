/* SPDX-License-Identifier: MIT */
/* A sweep for spreadsheets and plotting: RFC 4180, one line for each value of each metric. Text
 * that a spreadsheet would run as a formula is led by an apostrophe. */
#include "analyzer/sweep/sweep.h"
#include "analyzer/sweep/text.h"
#include "analyzer/text.h"

#include <math.h>
#include <string.h>

static void put_text(struct slw_buf *out, const char *text)
{
    struct slw_buf clean = {0};

    slw_text_clean(&clean, text ? text : "");
    const char *s = clean.data ? clean.data : "";
    slw_buf_putc(out, '"');
    if (s[0] && strchr("=+-@", s[0]))
        slw_buf_putc(out, '\'');
    for (; *s; s++)
        slw_buf_puts(out, *s == '"' ? "\"\"" : (const char[]){*s, '\0'});
    slw_buf_putc(out, '"');
    if (slw_buf_failed(&clean))
        out->failed = true;
    slw_buf_release(&clean);
}

/* Empty for what is not known. */
static void put_number(struct slw_buf *out, double value)
{
    slw_buf_putc(out, ',');
    if (isfinite(value))
        slw_buf_printf(out, "%.12g", value);
}

struct line {
    const char *metric, *unit;
    const struct slw_figure *value;
    double fitted;
};

static void put_line(struct slw_buf *out, const struct slw_sweep_point *p, const struct line *l)
{
    const struct slw_figure *f = l->value;
    const bool have = !f->absent && f->interval.have;

    put_text(out, l->metric);
    slw_buf_putc(out, ',');
    put_text(out, l->unit);
    slw_buf_putc(out, ',');
    put_text(out, p->arm->name);
    slw_buf_putc(out, ',');
    put_text(out, p->series);
    put_number(out, p->parameter);
    put_number(out, p->x);
    put_number(out, f->absent ? (double)NAN : f->value);
    put_number(out, have ? f->interval.low : (double)NAN);
    put_number(out, have ? f->interval.high : (double)NAN);
    put_number(out, l->fitted);
    slw_buf_putc(out, ',');
    put_text(out, f->absent);
    slw_buf_puts(out, "\r\n");
}

static void put_curve(struct slw_buf *out, const struct slw_sweep_report *r,
                      const struct slw_sweep_curve *c)
{
    for (size_t i = 0; i < c->point_count; i++)
        put_line(out, &r->points[c->points[i]],
                 &(struct line){c->metric, c->unit, &c->cost[i], slw_sweep_fitted(c, c->x[i])});
}

static void put_point(struct slw_buf *out, const struct slw_sweep_point *p)
{
    const struct line lines[] = {
        {"requests_per_flush", "requests", &p->batch_factor, (double)NAN},
        {"requests_per_second", "requests/s", &p->throughput, (double)NAN},
        {"p50", "ns", &p->p50, (double)NAN},
        {"p99", "ns", &p->p99, (double)NAN},
    };

    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        put_line(out, p, &lines[i]);
}

static int render(const struct slw_sweep_report *sweep, const struct slw_render_options *opts,
                  struct slw_buf *out, struct slw_error *err)
{
    (void)opts;
    slw_buf_puts(out, "metric,unit,arm,series,parameter,x,value,low,high,fitted,absent\r\n");
    for (size_t i = 0; i < sweep->curve_count; i++)
        put_curve(out, sweep, &sweep->curves[i]);
    for (size_t i = 0; i < sweep->point_count; i++)
        put_point(out, &sweep->points[i]);
    return slw_buf_failed(out) ? slw_fail(err, SLW_E_NOMEM, "no memory for the report") : 0;
}

const struct slw_sweep_renderer slw_sweep_renderer_csv = {
    .name = "csv",
    .summary = "for spreadsheets: a line for each value",
    .extension = "csv",
    .render = render,
};

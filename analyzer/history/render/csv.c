/* SPDX-License-Identifier: MIT */
/* A history as a table: a row for each run. Sources: RFC 4180; what spreadsheets do with a field
 * that starts with a formula's sign: OWASP, "CSV injection". */
#include "analyzer/csv_text.h"
#include "analyzer/format.h"
#include "analyzer/history/history.h"
#include "base/clock.h"

#include <math.h>
#include <string.h>

static void put_real(struct slw_buf *out, double value)
{
    slw_buf_putc(out, ',');
    if (isfinite(value))
        slw_buf_printf(out, "%.12g", value);
}

static void put_labels(struct slw_buf *out, const struct slw_history_point *p)
{
    struct slw_buf labels = {0};

    for (size_t i = 0; i < p->label_count; i++)
        slw_buf_printf(&labels, "%s%s=%s", i ? " " : "", p->labels[i].key, p->labels[i].value);
    slw_csv_put_text(out, labels.data);
    out->failed |= slw_buf_failed(&labels);
    slw_buf_release(&labels);
}

static void put_point(struct slw_buf *out, const struct slw_history *h,
                      const struct slw_history_point *p)
{
    const struct slw_figure *f = &p->value;
    char started[SLW_CLOCK_ISO_BYTES] = "";

    if (p->started_ns)
        slw_clock_iso(p->started_ns, started);
    slw_csv_put_text(out, p->path);
    slw_buf_printf(out, ",%s,", started);
    slw_csv_put_text(out, p->arm);
    slw_buf_putc(out, ',');
    slw_csv_put_text(out, h->metric);
    slw_buf_putc(out, ',');
    slw_csv_put_text(out, h->unit);
    put_real(out, f->value);
    put_real(out, f->interval.have ? f->interval.low : (double)NAN);
    put_real(out, f->interval.have ? f->interval.high : (double)NAN);
    slw_buf_printf(out, ",%zu,%s%s,%d", p->rounds, slw_format_source(f->from.source),
                   f->from.imported ? " imported" : "", p->change);
    put_real(out, p->level);
    put_real(out, p->shift);
    slw_buf_printf(out, ",%d,", p->apart);
    slw_csv_put_text(out, p->unlike);
    slw_buf_putc(out, ',');
    put_labels(out, p);
    slw_buf_puts(out, "\r\n");
}

static int render(const struct slw_history *h, const struct slw_render_options *opts,
                  struct slw_buf *out, struct slw_error *err)
{
    (void)opts;
    slw_buf_puts(out, "run,started,arm,metric,unit,value,low,high,rounds,source,change,level,shift,"
                      "apart,unlike,labels\r\n");
    for (size_t i = 0; i < h->point_count; i++)
        put_point(out, h, &h->points[i]);
    return slw_buf_failed(out) ? slw_fail(err, SLW_E_NOMEM, "no memory for CSV") : 0;
}

const struct slw_history_renderer slw_history_renderer_csv = {
    .name = "csv",
    .summary = "a row for each run",
    .extension = "csv",
    .render = render,
};

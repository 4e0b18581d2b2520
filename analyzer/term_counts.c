/* SPDX-License-Identifier: MIT */
/* The counts of a terminal report, whole and per request. */
#include "analyzer/format.h"
#include "analyzer/rounds.h"
#include "analyzer/term_int.h"
#include "analyzer/text.h"

static void append_figure(struct slw_buf *line, const struct slw_figure *f)
{
    slw_format_figure(line, f);
    if (f->absent)
        return;
    slw_term_mark(line, &f->from);
    if (f->interval.have)
        slw_buf_putc(line, ' ');
    slw_format_half(line, f);
}

/* Where events carry the name of their PMU there is more to tell apart. */
static size_t count_columns(const struct slw_term_page *t)
{
    for (size_t i = 0; i < t->r->row_count; i++)
        if (t->r->rows[i].count->pmu && t->width >= SLW_TERM_DEFAULT_WIDTH)
            return 42;
    return 25;
}

static void put_count(const struct slw_term_page *t, const struct slw_report_row *row,
                      size_t columns)
{
    struct slw_buf name = {0}, line = {0};

    if (row->count->pmu)
        slw_buf_printf(&name, "%s/", row->count->pmu);
    slw_buf_puts(&name, row->name);
    if (row->count->mode != SLW_MODE_ALL)
        slw_buf_printf(&name, " (%s)", slw_format_mode(row->count->mode));
    append_figure(&line, &row->total);
    if (!row->per_request.absent) {
        slw_buf_puts(&line, "; per request ");
        append_figure(&line, &row->per_request);
    }
    if (!row->total.absent && row->total.coverage < 1) {
        slw_buf_puts(&line, " (");
        slw_format_percent(&line, row->total.coverage);
        slw_buf_puts(&line, " of the time)");
    }
    slw_buf_puts(t->out, "  ");
    slw_text_cell(t->out, name.data ? name.data : "", columns);
    slw_buf_putc(t->out, ' ');
    slw_text_wrap(t->out, line.data ? line.data : "", t->width, columns + 3);
    slw_buf_putc(t->out, '\n');
    if (slw_buf_failed(&name) || slw_buf_failed(&line))
        t->out->failed = true;
    slw_buf_release(&name);
    slw_buf_release(&line);
}

void slw_term_counts(const struct slw_term_page *t)
{
    const struct slw_report *r = t->r;
    const struct slw_maybe_u64 *requests = &r->run->requests;

    if (r->row_count == 0)
        return;
    slw_term_heading(t, "COUNTS",
                     slw_rounds_in(r->run) ? "of one execution: mean ± 95 % interval" : NULL);
    const size_t columns = count_columns(t);
    for (size_t i = 0; i < r->row_count; i++)
        put_count(t, &r->rows[i], columns);
    if (requests->absent)
        slw_term_paragraph(t, 2, "per request: not shown, ", requests->absent);
    else if (requests->value == 0)
        slw_term_paragraph(t, 2, "per request: not shown, ", "no request was observed");
}

/* What another tool computed stands for itself only where there is nothing of our own. */
void slw_term_printed(const struct slw_term_page *t)
{
    const struct slw_run *run = t->r->run;

    if (run->printed_count == 0 || (t->r->topdown.status != SLW_TOPDOWN_NONE && !t->verbose))
        return;
    slw_term_heading(t, "PRINTED", "by the tool it was imported from; not computed here");
    for (size_t i = 0; i < run->printed_count; i++)
        slw_format_printed(t->out, &run->printed[i]);
}

/* SPDX-License-Identifier: MIT */
/* The counts of a terminal report, whole and per request. */
#include "analyzer/costs.h"
#include "analyzer/format.h"
#include "analyzer/rounds.h"
#include "analyzer/term_int.h"
#include "analyzer/text.h"

#define NAME_COLUMNS      25 /* at least, and where the page is wide enough at most */
#define LONG_NAME_COLUMNS 42
#define TOTAL_COLUMNS     18
#define MIN_TABLE_WIDTH   72 /* narrower: one sentence a row */

struct count_table {
    size_t name;
    bool per_request; /* a column of its own */
};

static void put_name(struct slw_buf *out, const struct slw_report_row *row)
{
    if (row->count->pmu)
        slw_buf_printf(out, "%s/", row->count->pmu);
    slw_buf_puts(out, row->name);
    /* What is simulated is of user mode alone, as its mark says. */
    if (row->count->mode != SLW_MODE_ALL && row->total.from.source != SLW_SOURCE_SIMULATED)
        slw_buf_printf(out, " (%s)", slw_format_mode(row->count->mode));
}

/* The longest name, within limits. */
static size_t columns_of_names(const struct slw_term_page *t)
{
    size_t columns = NAME_COLUMNS;

    for (size_t i = 0; i < t->r->row_count; i++) {
        struct slw_buf name = {0};

        put_name(&name, &t->r->rows[i]);
        const size_t own = slw_text_columns(name.data ? name.data : "");

        columns = own > columns ? own : columns;
        t->out->failed |= slw_buf_failed(&name);
        slw_buf_release(&name);
    }
    return columns < LONG_NAME_COLUMNS ? columns : LONG_NAME_COLUMNS;
}

static struct count_table layout(const struct slw_term_page *t)
{
    struct count_table table = {.name = NAME_COLUMNS,
                                .per_request = !t->r->costs->per_request_absent &&
                                               t->width >= MIN_TABLE_WIDTH};

    if (t->width >= SLW_TERM_DEFAULT_WIDTH)
        table.name = columns_of_names(t);
    return table;
}

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

static void append_coverage(struct slw_buf *line, const struct slw_figure *f)
{
    if (f->absent || f->coverage >= 1)
        return;
    slw_buf_puts(line, " (");
    slw_format_percent(line, f->coverage);
    slw_buf_puts(line, " of the time)");
}

/* Does it fit its column, so that what is per request can stand in the next one? */
static bool fits(const struct slw_buf *total)
{
    return slw_text_columns(total->data ? total->data : "") <= TOTAL_COLUMNS;
}

static void put_row(const struct slw_term_page *t, const struct count_table *table,
                    const char *name, const struct slw_figure *total, const struct slw_figure *each)
{
    struct slw_buf first = {0}, line = {0};

    slw_buf_puts(t->out, "  ");
    slw_text_cell(t->out, name, table->name);
    slw_buf_putc(t->out, ' ');
    append_figure(&first, total);
    const bool split = table->per_request && !each->absent && fits(&first);
    if (split) {
        slw_text_cell(t->out, first.data ? first.data : "", TOTAL_COLUMNS + 1);
    } else {
        slw_buf_puts(&line, first.data ? first.data : "");
        slw_buf_puts(&line, each->absent ? "" : "; per request ");
    }
    if (!each->absent)
        append_figure(&line, each);
    append_coverage(&line, total);
    slw_text_wrap(t->out, line.data ? line.data : "", t->width,
                  table->name + 3 + (split ? TOTAL_COLUMNS + 1 : 0));
    slw_buf_putc(t->out, '\n');
    if (slw_buf_failed(&line) || slw_buf_failed(&first))
        t->out->failed = true;
    slw_buf_release(&line);
    slw_buf_release(&first);
}

static void put_count(const struct slw_term_page *t, const struct count_table *table,
                      const struct slw_report_row *row)
{
    struct slw_buf name = {0};

    put_name(&name, row);
    put_row(t, table, name.data ? name.data : "", &row->total, &row->per_request);
    if (slw_buf_failed(&name))
        t->out->failed = true;
    slw_buf_release(&name);
}

void slw_term_counts(const struct slw_term_page *t)
{
    const struct slw_report *r = t->r;
    const struct slw_costs *costs = r->costs;
    const struct count_table table = layout(t);

    if (r->row_count == 0 && costs->count == 0)
        return;
    slw_term_heading(t, "COUNTS",
                     slw_rounds_in(r->run) ? "of one execution: mean ± 95 % interval" : NULL);
    if (table.per_request) {
        slw_term_style(t, SLW_TERM_DIM);
        slw_buf_printf(t->out, "%*s%-*s a request", (int)table.name + 3, "", TOTAL_COLUMNS,
                       "in all");
        slw_term_plain(t);
        slw_buf_putc(t->out, '\n');
    }
    for (size_t i = 0; i < costs->count; i++)
        put_row(t, &table, costs->rows[i].name, &costs->rows[i].total, &costs->rows[i].per_request);
    for (size_t i = 0; i < r->row_count; i++)
        put_count(t, &table, &r->rows[i]);
    if (costs->per_request_absent)
        slw_term_paragraph(t, 2, "per request: not shown, ", costs->per_request_absent);
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

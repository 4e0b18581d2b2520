/* SPDX-License-Identifier: MIT */
/* The bar of the wall time as text: letters in a terminal and in Markdown. */
#include "analyzer/bar.h"
#include "analyzer/format.h"
#include "analyzer/text.h"

#include <stdio.h>

#define BAR_COLUMNS_MOST 100
#define BAR_COLUMNS_MD   72
#define SHARE_COLUMNS    13 /* "  u   12.1%ˢ " */
#define TIME_COLUMNS     10
#define MIN_TOTALS_WIDTH 64

/* ---- the bar ---- */

/* Columns of each part: its share of them rounded down, and one more for those that lose most. */
static void divide_columns(const struct slw_bar *bar, size_t columns,
                           size_t ret_columns[SLW_MAX_BAR_PARTS])
{
    double rest[SLW_MAX_BAR_PARTS];
    size_t used = 0;

    for (size_t i = 0; i < bar->part_count; i++) {
        const double exact = bar->parts[i].share * (double)columns;

        ret_columns[i] = (size_t)exact;
        rest[i] = exact - (double)ret_columns[i];
        used += ret_columns[i];
    }
    for (; used < columns && bar->part_count > 0; used++) {
        size_t most = 0;

        for (size_t i = 1; i < bar->part_count; i++)
            if (rest[i] > rest[most])
                most = i;
        ret_columns[most]++;
        rest[most] -= 1;
    }
}

static const char *style_of(const struct slw_bar_part *p)
{
    if (p->state == SLW_WAIT_ON_CPU)
        return p->letter == 'k' ? "35" : "31";
    if (p->state == SLW_WAIT_ANSWER || p->state == SLW_WAIT_SENDING)
        return "36";
    return p->state == SLW_WAIT_RUNNABLE ? "1" : "2";
}

void slw_bar_put(struct slw_buf *out, const struct slw_bar *bar, size_t columns, bool color)
{
    size_t of_part[SLW_MAX_BAR_PARTS] = {0};

    divide_columns(bar, columns, of_part);
    for (size_t i = 0; i < bar->part_count; i++) {
        if (of_part[i] == 0)
            continue;
        if (color)
            slw_buf_printf(out, "\033[%sm", style_of(&bar->parts[i]));
        for (size_t k = 0; k < of_part[i]; k++)
            slw_buf_putc(out, bar->parts[i].letter);
        if (color)
            slw_buf_puts(out, "\033[0m");
    }
}

/* ---- words ---- */

static void put_ns(struct slw_buf *out, double ns)
{
    const struct slw_figure f = {.value = ns, .unit = "ns"};

    slw_format_figure(out, &f);
}

void slw_bar_sentence(struct slw_buf *out, const struct slw_report *r)
{
    const struct slw_bar *bar = r->bar;

    slw_format_integer(out, bar->thread_count);
    slw_buf_puts(out, bar->thread_count == 1 ? " thread, " : " threads, together ");
    slw_format_figure(out, &bar->wall);
    if (bar->per_request.absent)
        return; /* the counts say why */
    slw_buf_puts(out, "; ");
    slw_format_figure(out, &bar->per_request);
    slw_buf_puts(out, " of thread time for each of ");
    slw_format_integer(out, r->run->requests.value);
    slw_buf_puts(out, r->run->requests.value == 1 ? " request" : " requests");
}

void slw_bar_remarks(struct slw_buf *out, const struct slw_report *r)
{
    const struct slw_bar *bar = r->bar;

    if (bar->lost_threads > 0) {
        slw_format_integer(out, bar->lost_threads);
        slw_buf_puts(out, bar->lost_threads == 1 ? " thread was" : " threads were");
        slw_buf_puts(out, " not followed to the end: all times are at least these. ");
    }
    if (bar->split == SLW_BAR_TOPDOWN || bar->split == SLW_BAR_USER_TOPDOWN)
        slw_buf_puts(out, "The time on a CPU is divided as its pipeline slots were. ");
}

/* ---- terminal ---- */

static void put_cell(struct slw_buf *out, double ns, size_t columns)
{
    struct slw_buf text = {0};

    put_ns(&text, ns);
    for (size_t used = text.data ? slw_text_columns(text.data) : 0; used < columns; used++)
        slw_buf_putc(out, ' ');
    slw_buf_puts(out, text.data ? text.data : "");
    if (slw_buf_failed(&text))
        out->failed = true;
    slw_buf_release(&text);
}

static void put_part(struct slw_buf *out, const struct slw_bar *bar, const struct slw_bar_part *p,
                     size_t width, bool color)
{
    const bool requests = !bar->per_request.absent, totals = !requests || width >= MIN_TOTALS_WIDTH;
    size_t used = SHARE_COLUMNS;

    slw_buf_puts(out, "  ");
    if (color)
        slw_buf_printf(out, "\033[%sm", style_of(p));
    slw_buf_putc(out, p->letter);
    slw_buf_puts(out, color ? "\033[0m" : "");
    slw_buf_printf(out, "  %5.1f%%ˢ ", p->share * 100);
    if (totals)
        put_cell(out, (double)p->ns, TIME_COLUMNS);
    if (requests)
        put_cell(out, p->per_request_ns, TIME_COLUMNS);
    used += (size_t)(requests + totals) * TIME_COLUMNS + 2;
    slw_buf_puts(out, "  ");
    slw_text_fit(out, p->words, width > used + 8 ? width - used : 8);
    slw_buf_putc(out, '\n');
}

static void put_wrapped(struct slw_buf *out, const struct slw_report *r, size_t width,
                        void (*put)(struct slw_buf *out, const struct slw_report *r))
{
    struct slw_buf line = {0};

    put(&line, r);
    while (line.length > 0 && line.data[line.length - 1] == ' ')
        line.data[--line.length] = '\0';
    if (line.length > 0) {
        slw_buf_puts(out, "  ");
        slw_text_wrap(out, line.data, width, 2);
        slw_buf_putc(out, '\n');
    }
    if (slw_buf_failed(&line))
        out->failed = true;
    slw_buf_release(&line);
}

static void put_head(struct slw_buf *out, const struct slw_bar *bar, size_t width, bool color)
{
    if (bar->per_request.absent || width < MIN_TOTALS_WIDTH)
        return;
    slw_buf_puts(out, color ? "\033[2m" : "");
    slw_buf_printf(out, "%*s%*s", SHARE_COLUMNS + TIME_COLUMNS, "in all", TIME_COLUMNS,
                   "a request");
    slw_buf_puts(out, color ? "\033[0m\n" : "\n");
}

void slw_bar_term(struct slw_buf *out, const struct slw_report *r, size_t width, bool color)
{
    const struct slw_bar *bar = r->bar;
    const size_t columns = width - 4 < BAR_COLUMNS_MOST ? width - 4 : BAR_COLUMNS_MOST;

    put_wrapped(out, r, width, slw_bar_sentence);
    if (bar->part_count == 0)
        return;
    slw_buf_puts(out, "  ");
    slw_bar_put(out, bar, columns, color);
    slw_buf_putc(out, '\n');
    put_head(out, bar, width, color);
    for (size_t i = 0; i < bar->part_count; i++)
        put_part(out, bar, &bar->parts[i], width, color);
    put_wrapped(out, r, width, slw_bar_remarks);
}

/* ---- Markdown ---- */

static void put_prose_of(struct slw_buf *out, const struct slw_report *r,
                         void (*put)(struct slw_buf *out, const struct slw_report *r),
                         void (*put_prose)(struct slw_buf *out, const char *text))
{
    struct slw_buf line = {0};

    put(&line, r);
    if (line.length > 0) {
        put_prose(out, line.data);
        slw_buf_puts(out, "\n\n");
    }
    if (slw_buf_failed(&line))
        out->failed = true;
    slw_buf_release(&line);
}

void slw_bar_md(struct slw_buf *out, const struct slw_report *r,
                void (*put_prose)(struct slw_buf *out, const char *text))
{
    const struct slw_bar *bar = r->bar;
    const bool requests = !bar->per_request.absent;

    put_prose_of(out, r, slw_bar_sentence, put_prose);
    if (bar->part_count == 0)
        return;
    slw_buf_puts(out, "`");
    slw_bar_put(out, bar, BAR_COLUMNS_MD, false);
    slw_buf_puts(out, requests
                          ? "`\n\n| | share | in all | a request | |\n|---|---:|---:|---:|---|\n"
                          : "`\n\n| | share | in all | |\n|---|---:|---:|---|\n");
    for (size_t i = 0; i < bar->part_count; i++) {
        const struct slw_bar_part *p = &bar->parts[i];

        slw_buf_printf(out, "| `%c` | %.1f %% <sup>s</sup> | ", p->letter, p->share * 100);
        put_ns(out, (double)p->ns);
        slw_buf_puts(out, " | ");
        if (requests) {
            put_ns(out, p->per_request_ns);
            slw_buf_puts(out, " | ");
        }
        put_prose(out, p->words);
        slw_buf_puts(out, " |\n");
    }
    slw_buf_putc(out, '\n');
    put_prose_of(out, r, slw_bar_remarks, put_prose);
}

/* SPDX-License-Identifier: MIT */
/* The stages as a table, for terminals and in Markdown. */
#include "analyzer/format.h"
#include "analyzer/stages.h"
#include "analyzer/text.h"

#include <string.h>

#define WIDE        76 /* columns from which the table has all of its columns */
#define CELL        10
#define NAME_MIN    7
#define WIDE_CELLS  66
#define NARROW_CELL 33

/* Right-aligned; what does not fit is cut. */
static void put_cell(struct slw_buf *out, struct slw_buf *text)
{
    const char *s = text->data ? text->data : "";

    for (size_t i = slw_text_columns(s); i < CELL; i++)
        slw_buf_putc(out, ' ');
    slw_text_fit(out, s, CELL);
    slw_buf_putc(out, ' ');
    if (slw_buf_failed(text))
        out->failed = true;
    slw_buf_release(text);
}

static void put_count(struct slw_buf *out, uint64_t n)
{
    struct slw_buf text = {0};

    slw_format_integer(&text, n);
    put_cell(out, &text);
}

/* The number alone: the heading says the unit. */
static void put_value(struct slw_buf *text, const struct slw_figure *f)
{
    if (f->absent)
        slw_buf_puts(text, "-");
    else if (slw_format_is_share(f->unit))
        slw_format_percent(text, f->value);
    else if (strcmp(f->unit, "ns") == 0 && f->value < 1)
        slw_buf_puts(text, f->value > 0 ? "<1 ns" : "0 ns");
    else if (strcmp(f->unit, "ns") == 0)
        slw_format_figure(text, f);
    else
        slw_format_number(text, f->value);
}

static void put_figure(struct slw_buf *out, const struct slw_figure *f)
{
    struct slw_buf text = {0};

    put_value(&text, f);
    put_cell(out, &text);
}

static bool has_events(const struct slw_stage_row *r)
{
    return !r->ipc.absent || !r->icache_mpki.absent || !r->frontend.absent;
}

/* "IPC 1.31, icache misses 3.1 per kilo-instruction, front end 22 %" */
static void put_events(struct slw_buf *out, const struct slw_stage_row *r)
{
    const char *lead = "";

    if (!r->ipc.absent) {
        slw_buf_puts(out, "IPC ");
        slw_format_number(out, r->ipc.value);
        lead = ", ";
    }
    if (!r->icache_mpki.absent) {
        slw_buf_printf(out, "%sicache misses ", lead);
        slw_format_figure(out, &r->icache_mpki);
        lead = ", ";
    }
    if (!r->frontend.absent) {
        slw_buf_printf(out, "%sfront end ", lead);
        slw_format_percent(out, r->frontend.value);
        slw_buf_puts(out, " of the slots");
    }
    const char *mark = slw_format_mark(&r->stage->counted_from);
    if (mark[0])
        slw_buf_printf(out, " (%s)", slw_format_source(r->stage->counted_from.source));
    if (r->stage->counted_from.detail)
        slw_buf_printf(out, " (%s)", r->stage->counted_from.detail);
}

/* Why there are no such numbers, once for all stages. */
static void put_no_events(struct slw_buf *out, const struct slw_stage_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (has_events(&rows[i]))
            return;
    slw_buf_printf(out, "IPC, icache misses and front end of a stage are unknown: %s",
                   rows[0].ipc.absent);
}

/* ---- terminal ---- */

static void put_line(struct slw_buf *out, struct slw_buf *line, size_t width, size_t indent)
{
    if (line->length > 0) {
        for (size_t i = 0; i < indent; i++)
            slw_buf_putc(out, ' ');
        slw_text_wrap(out, line->data, width, indent);
        slw_buf_putc(out, '\n');
    }
    if (slw_buf_failed(line))
        out->failed = true;
    slw_buf_release(line);
}

static void put_row(struct slw_buf *out, const struct slw_stage_row *r, size_t width)
{
    struct slw_buf name = {0}, events = {0};
    size_t cells = width >= WIDE ? WIDE_CELLS : NARROW_CELL;

    if (r->share.absent)
        slw_buf_puts(out, "       -  ");
    else
        slw_buf_printf(out, "  %5.1f%%%s ", r->share.value * 100,
                       r->stage->from.source == SLW_SOURCE_SOFTWARE    ? "ˢ"
                       : r->stage->from.source == SLW_SOURCE_SIMULATED ? "ᵐ"
                                                                       : " ");
    put_figure(out, &r->per_request);
    if (width >= WIDE) {
        put_figure(out, &r->on_cpu);
        put_count(out, r->stage->calls);
        put_figure(out, &r->mean_batch);
        put_count(out, r->stage->max_batch);
    } else {
        put_figure(out, &r->mean_batch);
    }
    slw_stage_put_name(&name, r->stage);
    slw_buf_putc(out, ' ');
    slw_text_fit(out, name.data ? name.data : "",
                 width > cells + NAME_MIN ? width - cells : NAME_MIN);
    slw_buf_putc(out, '\n');
    if (slw_buf_failed(&name))
        out->failed = true;
    slw_buf_release(&name);
    if (has_events(r))
        put_events(&events, r);
    put_line(out, &events, width, 11);
}

void slw_stages_term(struct slw_buf *out, const struct slw_run *run, size_t width, bool color)
{
    struct slw_stage_row rows[SLW_MAX_STAGES];
    struct slw_buf why = {0};

    if (run->stage_count == 0)
        return;
    size_t count = slw_stage_rows(run, rows);
    slw_buf_puts(out, color ? "\n\033[1mSTAGES\033[0m  \033[2mmarked by the client\033[0m\n"
                            : "\nSTAGES  marked by the client\n");
    slw_buf_puts(out, width >= WIDE
                          ? "   share   per req.     on-CPU      calls mean batch    largest "
                            " stage\n"
                          : "   share   per req. mean batch  stage\n");
    for (size_t i = 0; i < count; i++)
        put_row(out, &rows[i], width);
    put_no_events(&why, rows, count);
    put_line(out, &why, width, 2);
}

/* ---- Markdown ---- */

static void put_md_value(struct slw_buf *out, const struct slw_figure *f)
{
    slw_buf_puts(out, " | ");
    put_value(out, f);
}

static void put_md_row(struct slw_buf *out, const struct slw_stage_row *r,
                       void (*put_prose)(struct slw_buf *out, const char *text),
                       void (*put_mark)(struct slw_buf *out, const struct slw_provenance *from))
{
    struct slw_buf name = {0};

    slw_stage_put_name(&name, r->stage);
    slw_buf_puts(out, "| ");
    put_prose(out, name.data ? name.data : "");
    put_md_value(out, &r->share);
    put_mark(out, &r->stage->from);
    put_md_value(out, &r->per_request);
    put_md_value(out, &r->on_cpu);
    slw_buf_puts(out, " | ");
    slw_format_integer(out, r->stage->calls);
    put_md_value(out, &r->mean_batch);
    slw_buf_puts(out, " | ");
    slw_format_integer(out, r->stage->max_batch);
    put_md_value(out, &r->ipc);
    put_md_value(out, &r->icache_mpki);
    put_md_value(out, &r->frontend);
    if (has_events(r))
        put_mark(out, &r->stage->counted_from);
    slw_buf_puts(out, " |\n");
    if (slw_buf_failed(&name))
        out->failed = true;
    slw_buf_release(&name);
}

void slw_stages_md(struct slw_buf *out, const struct slw_run *run,
                   void (*put_prose)(struct slw_buf *out, const char *text),
                   void (*put_mark)(struct slw_buf *out, const struct slw_provenance *from))
{
    struct slw_stage_row rows[SLW_MAX_STAGES];
    struct slw_buf why = {0};

    if (run->stage_count == 0)
        return;
    size_t count = slw_stage_rows(run, rows);
    slw_buf_puts(out, "#### Stages\n\n| stage | share of time | per request | on-CPU | calls | "
                      "mean batch | largest | IPC | icache MPKI | front end |\n"
                      "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n");
    for (size_t i = 0; i < count; i++)
        put_md_row(out, &rows[i], put_prose, put_mark);
    put_no_events(&why, rows, count);
    slw_buf_putc(out, '\n');
    if (why.length > 0) {
        put_prose(out, why.data);
        slw_buf_puts(out, ".\n\n");
    }
    if (slw_buf_failed(&why))
        out->failed = true;
    slw_buf_release(&why);
}

/* SPDX-License-Identifier: MIT */
/* The comment's tables: the few metrics and functions that matter, and, folded, the others. Four
 * columns are what a phone shows. */
#include "analyzer/compare/render_md_int.h"
#include "analyzer/compare/words.h"
#include "analyzer/format.h"
#include "analyzer/md_text.h"

#include <math.h>
#include <string.h>

#define TITLE     40 /* columns of a name or a value */
#define LONG      80 /* of a reason */
#define METRICS   12 /* rows that are not folded */
#define FUNCTIONS 8
#define ABSENT    20 /* names of metrics after a reason */

static const char close_details[] = "\n</details>\n\n";

/* ---- metrics ---- */

static void put_text(struct slw_buf *out, struct slw_buf *text)
{
    slw_md_prose_fit(out, text->data ? text->data : "", TITLE);
    if (slw_buf_failed(text))
        out->failed = true;
    slw_buf_release(text);
}

static void put_figure(struct slw_buf *out, const struct slw_metric_row *row,
                       const struct slw_figure *f, const struct slw_observation *o)
{
    struct slw_buf text = {0};

    slw_row_put_cell(&text, row, f);
    put_text(out, &text);
    if (!f->absent)
        slw_md_mark(out, o ? &o->from : &row->from);
}

static void put_change(struct slw_buf *out, const struct slw_metric_row *row)
{
    struct slw_buf text = {0};

    slw_row_put_change(&text, row);
    put_text(out, &text);
    slw_buf_puts(out, slw_row_has_star(row) ? " ★" : "");
    slw_row_put_interval(&text, row);
    slw_buf_puts(out, text.length > 0 ? "<br>" : "");
    put_text(out, &text);
}

static void put_word(struct slw_buf *out, const struct slw_metric_row *row)
{
    const enum slw_judged word = row->judgement.word;
    const bool bold = !row->absent && (word == SLW_JUDGED_REGRESSED || word == SLW_JUDGED_IMPROVED);

    slw_buf_printf(out, "%s%s%s", bold ? "**" : "", slw_row_word(row), bold ? "**" : "");
}

static void put_row(struct slw_buf *out, const struct slw_metric_row *row)
{
    slw_buf_puts(out, "| ");
    slw_md_prose_fit(out, row->title, TITLE);
    slw_buf_puts(out, " | ");
    put_figure(out, row, &row->a_value, row->a);
    slw_buf_puts(out, " | ");
    put_figure(out, row, &row->b_value, row->b);
    slw_buf_puts(out, " | ");
    put_change(out, row);
    slw_buf_puts(out, " | ");
    put_word(out, row);
    slw_buf_puts(out, " |\n");
}

/* What is in the short table: what is gated, the metric of the verdict, and what surely changed. */
static bool is_short(const struct slw_comparison *c, size_t row)
{
    const struct slw_metric_row *r = &c->rows[row];

    return r->rank == SLW_METRIC_GATED || row == c->main_row ||
           (!r->absent && (r->headline || (r->rank == SLW_METRIC_SHOWN && slw_row_has_star(r))));
}

/* The first few of them; the main one always. */
static bool is_above(const struct slw_comparison *c, size_t row)
{
    size_t before = 0;

    if (!is_short(c, row))
        return false;
    for (size_t i = 0; i < row && before < METRICS; i++)
        before += is_short(c, i);
    return before < METRICS || row == c->main_row;
}

static const char table_head[] = "| metric | A | B | B against A | |\n|---|---:|---:|---:|---|\n";

static void put_legend(struct slw_buf *out, const struct slw_comparison *c)
{
    bool used[2] = {false, false}, starred = false, intervals = false;

    for (size_t i = 0; i < c->row_count; i++) {
        used[0] |= c->rows[i].from.source == SLW_SOURCE_SOFTWARE;
        used[1] |= c->rows[i].from.source == SLW_SOURCE_SIMULATED;
        starred |= slw_row_has_star(&c->rows[i]);
        intervals |= slw_row_has_interval(&c->rows[i]);
    }
    slw_buf_puts(out, "A and B: median over the rounds");
    slw_buf_puts(out, intervals ? "; below the change its interval" : "");
    slw_buf_puts(out, starred ? "; ★ stands the correction for many metrics" : "");
    if (used[0])
        slw_buf_printf(out, "; <sup>s</sup> %s", slw_format_mark_meaning('s'));
    if (used[1])
        slw_buf_printf(out, "; <sup>m</sup> %s", slw_format_mark_meaning('m'));
    slw_buf_puts(out, ".\n\n");
}

SLW_MD_PART(metrics)
{
    struct slw_buf piece = {0}, legend = {0};
    bool fits = true, any = false;

    (void)opts;
    put_legend(&legend, c);
    for (size_t i = 0; i < c->row_count; i++) {
        if (!is_above(c, i))
            continue;
        if (fits) {
            slw_buf_puts(&piece, any ? "" : table_head);
            put_row(&piece, &c->rows[i]);
            fits = slw_md_page_put(page, &piece, legend.length + 1);
            any |= fits;
        }
        page->left_out[SLW_MD_METRICS] += !fits;
    }
    if (!any)
        slw_buf_release(&legend);
    slw_buf_puts(page->out, any ? "\n" : "");
    (void)slw_md_page_put(page, &legend, 0);
}

/* A margin or a floor: of ratios in percent, else in the unit of the metric. */
static void put_size(struct slw_buf *out, const struct slw_metric_row *row, double size)
{
    struct slw_buf text = {0};
    const struct slw_figure f = {.value = size};

    if (!isfinite(size))
        return;
    if (row->kind == SLW_PAIRS_RATIO)
        slw_words_put_log_percent(&text, size);
    else
        slw_row_put_value(&text, row, &f);
    put_text(out, &text);
}

/* How the row was judged; empty where there is nothing to say. */
static void put_basis(struct slw_buf *out, const struct slw_metric_row *row)
{
    struct slw_buf text = {0};

    slw_buf_printf(out, "%zu", row->pairs.used);
    if (row->pairs.dropped > 0)
        slw_buf_printf(out, " (%zu dropped)", row->pairs.dropped);
    slw_buf_puts(out, " | ");
    if (!row->absent)
        put_size(out, row, row->judgement.margin.size);
    slw_buf_puts(out, " | ");
    if (row->floor)
        put_size(out, row, row->floor->floor);
    else
        slw_buf_puts(out, "not known");
    slw_buf_puts(out, " | ");
    slw_row_put_remark(&text, row);
    slw_md_prose_fit(out, text.data ? text.data : "", LONG);
    if (slw_buf_failed(&text))
        out->failed = true;
    slw_buf_release(&text);
}

static void put_full_row(struct slw_buf *out, const struct slw_metric_row *row)
{
    put_row(out, row);
    if (slw_buf_failed(out))
        return;
    out->data[out->length - 1] = ' '; /* the line goes on */
    put_basis(out, row);
    slw_buf_puts(out, " |\n");
}

static bool same_reason(const struct slw_metric_row *a, const struct slw_metric_row *b)
{
    return a->absent && b->absent && strcmp(a->absent, b->absent) == 0;
}

/* "- not counted without --offcpu: system calls per request, ...": all metrics of the reason that
 * this row is the first with; nothing where it is not. Returns how many. */
static size_t put_absent(struct slw_buf *out, const struct slw_comparison *c, size_t row)
{
    size_t count = 0;

    for (size_t i = 0; i < row; i++)
        if (same_reason(&c->rows[i], &c->rows[row]))
            return 0;
    slw_buf_puts(out, "- ");
    slw_md_prose_fit(out, c->rows[row].absent, LONG);
    for (size_t i = row; i < c->row_count; i++) {
        if (!same_reason(&c->rows[i], &c->rows[row]))
            continue;
        if (count < ABSENT) {
            slw_buf_puts(out, count == 0 ? ": " : ", ");
            slw_md_prose_fit(out, c->rows[i].title, TITLE);
        }
        count++;
    }
    if (count > ABSENT)
        slw_buf_printf(out, " and %zu more", count - ABSENT);
    slw_buf_putc(out, '\n');
    return count;
}

static const char open_all[] =
    "<details><summary>All metrics, and what they were judged by</summary>\n\n";

static bool put_all_absent(struct slw_md_page *page, const struct slw_comparison *c, bool opened)
{
    struct slw_buf piece = {0};
    bool fits = true, any = false;

    for (size_t i = 0; i < c->row_count; i++) {
        if (!c->rows[i].absent)
            continue;
        if (fits) {
            slw_buf_puts(&piece, any || opened ? "" : open_all);
            slw_buf_puts(&piece, any ? "" : "\nNot compared:\n\n");
            const size_t count = put_absent(&piece, c, i);
            if (count == 0) { /* told with another */
                slw_buf_release(&piece);
                continue;
            }
            fits = slw_md_page_put(page, &piece, sizeof(close_details));
            any |= fits;
        }
        page->left_out[SLW_MD_METRICS] += !fits;
    }
    return any;
}

/* All metrics again, with what they were judged by: one place to look things up. */
SLW_MD_PART(all_metrics)
{
    static const char head[] =
        "| metric | A | B | B against A | | rounds | margin | A/A floor | |\n"
        "|---|---:|---:|---:|---|---:|---:|---:|---|\n";
    struct slw_buf piece = {0};
    bool fits = true, any = false;

    (void)opts;
    for (size_t i = 0; i < c->row_count; i++) {
        if (c->rows[i].absent)
            continue;
        if (fits) {
            slw_buf_puts(&piece, any ? "" : open_all);
            slw_buf_puts(&piece, any ? "" : head);
            put_full_row(&piece, &c->rows[i]);
            fits = slw_md_page_put(page, &piece, sizeof(close_details));
            any |= fits;
        }
        page->left_out[SLW_MD_METRICS] += !fits && !is_above(c, i);
    }
    any |= put_all_absent(page, c, any);
    slw_buf_puts(page->out, any ? close_details : "");
}

/* ---- functions ---- */

/* Nothing of a function that is new or gone was seen in one arm: that is no measured 0. */
static void put_weight(struct slw_buf *out, const char *unit, double value, bool none)
{
    const struct slw_figure f = {.value = value, .unit = unit};

    if (none)
        slw_buf_puts(out, "none seen");
    else
        slw_format_figure(out, &f);
}

static const char *weight_unit(const struct slw_comparison *c)
{
    const struct slw_report *r = c->in.b.report ? c->in.b.report : c->in.a.report;
    const struct slw_column *column = r ? r->column : NULL;

    if (!column || !column->unit)
        return "";
    return strcmp(column->unit, "nanoseconds") == 0 ? "ns" : column->unit;
}

static void put_function(struct slw_buf *out, const struct slw_comparison *c,
                         const struct slw_function_change *f)
{
    const double change = f->b - f->a;

    slw_buf_puts(out, "| ");
    slw_md_name_fit(out, f->function[0] ? f->function : f->module, TITLE);
    slw_buf_puts(out, " | ");
    put_weight(out, weight_unit(c), f->a, f->only_b);
    slw_buf_puts(out, " | ");
    put_weight(out, weight_unit(c), f->b, f->only_a);
    slw_buf_printf(out, " | %s", change < 0 ? "-" : change > 0 ? "+" : "");
    put_weight(out, weight_unit(c), fabs(change), false);
    slw_buf_puts(out, f->only_a ? "<br>gone" : f->only_b ? "<br>new" : "");
    slw_buf_puts(out, f->real ? " |\n" : f->judged ? "<br>within noise |\n" : "<br>not judged |\n");
}

static const char function_head[] =
    "| function | A per request | B per request | change |\n|---|---:|---:|---:|\n";

SLW_MD_PART(functions)
{
    struct slw_buf piece = {0};
    bool fits = true, any = false;

    (void)opts;
    for (size_t i = 0, shown = 0; i < c->function_count && shown < FUNCTIONS; i++) {
        if (!c->functions[i].real)
            continue;
        shown++;
        if (fits) {
            slw_buf_puts(&piece, any ? "" : "#### Functions that explain it\n\n");
            slw_buf_puts(&piece, any ? "" : function_head);
            put_function(&piece, c, &c->functions[i]);
            fits = slw_md_page_put(page, &piece, 1);
            any |= fits;
        }
        page->left_out[SLW_MD_FUNCTIONS] += !fits;
    }
    if (c->function_count == 0 && c->functions_absent) {
        slw_buf_puts(&piece, "No table of functions: ");
        slw_md_prose_fit(&piece, c->functions_absent, 200);
        slw_buf_puts(&piece, ".\n");
        any |= slw_md_page_put(page, &piece, 1);
    }
    slw_buf_puts(page->out, any ? "\n" : "");
}

SLW_MD_PART(all_functions)
{
    struct slw_buf piece = {0};
    const size_t most = opts && opts->function_max ? opts->function_max : 20;
    bool fits = true, any = false;
    size_t real = 0, shown = 0;

    for (size_t i = 0; i < c->function_count; i++) {
        real += c->functions[i].real;
        if (c->functions[i].real && real <= FUNCTIONS)
            continue;
        if (fits && shown < most) {
            slw_buf_puts(&piece, any ? "" : "<details><summary>More functions</summary>\n\n");
            slw_buf_puts(&piece, any ? "" : function_head);
            put_function(&piece, c, &c->functions[i]);
            fits = slw_md_page_put(page, &piece, sizeof(close_details));
            any |= fits;
            shown += fits;
            page->left_out[SLW_MD_FUNCTIONS] += !fits;
        } else {
            page->left_out[SLW_MD_FUNCTIONS]++;
        }
    }
    slw_buf_puts(page->out, any ? close_details : "");
}

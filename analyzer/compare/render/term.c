/* SPDX-License-Identifier: MIT */
/* A comparison for a terminal. B is always told against A, and both are named above everything. */
#include "analyzer/compare/renderer.h"
#include "analyzer/compare/words.h"
#include "analyzer/format.h"
#include "analyzer/legend.h"
#include "analyzer/term_int.h"
#include "analyzer/text.h"

#include <math.h>
#include <string.h>

#define MIN_WIDTH 50
#define MAX_WIDTH 160
#define ONE_LINE  80 /* narrower pages give a row two lines */
#define VALUE     9  /* columns */
#define CHANGE    7
#define INTERVAL  16
#define WORD      13
#define ROWS      40
#define FUNCTIONS 10
#define GREEN     "32"

struct page {
    struct slw_term_page t;
    const struct slw_comparison *c;
    bool mark_used[SLW_MARK_COUNT];
    bool star_used;
    size_t interval; /* columns, of those that are shown */
};

/* ---- pieces ---- */

/* A cell is as wide as any number that was ever measured; what is not is cut rather than let it
 * push the others aside. */
static void put_padded(struct page *p, struct slw_buf *text, size_t columns, bool right)
{
    const char *s = text->data ? text->data : "";
    const size_t used = slw_text_columns(s);

    if (used > columns) {
        slw_text_fit(p->t.out, s, columns);
        p->t.out->failed |= slw_buf_failed(text);
        slw_buf_release(text);
        return;
    }

    if (right)
        slw_term_right(&p->t, s, columns);
    else
        slw_buf_puts(p->t.out, s);
    for (size_t i = used; !right && i < columns; i++)
        slw_buf_putc(p->t.out, ' ');
    p->t.out->failed |= slw_buf_failed(text);
    slw_buf_release(text);
}

static void use_marks(struct page *p, const struct slw_provenance *from)
{
    for (const char *m = slw_format_mark(from); *m; m++)
        for (size_t i = 0; i < SLW_MARK_COUNT; i++)
            if (SLW_MARK_LETTERS[i] == *m)
                p->mark_used[i] = true;
}

static void put_value(struct page *p, const struct slw_metric_row *row, const struct slw_figure *f)
{
    struct slw_buf b = {0};

    if (f->absent) {
        slw_buf_puts(&b, "-");
    } else {
        slw_row_put_cell(&b, row, f);
        if (b.data && slw_text_columns(b.data) >= VALUE) {
            slw_buf_release(&b);
            slw_buf_printf(&b, "%.0e", f->value);
        }
        slw_term_mark(&b, &f->from);
        use_marks(p, &f->from);
    }
    put_padded(p, &b, VALUE, true);
}

static const char *word_style(const struct slw_metric_row *row)
{
    static const char *const styles[] = {[SLW_JUDGED_INCONCLUSIVE] = SLW_TERM_WARN,
                                         [SLW_JUDGED_NO_CHANGE] = SLW_TERM_DIM,
                                         [SLW_JUDGED_IMPROVED] = GREEN,
                                         [SLW_JUDGED_REGRESSED] = SLW_TERM_HOT};

    if (row->absent)
        return SLW_TERM_DIM;
    return row->better == SLW_BETTER_NEITHER ? SLW_TERM_BOLD : styles[row->judgement.word];
}

static void put_word(struct page *p, const struct slw_metric_row *row)
{
    slw_term_style(&p->t, word_style(row));
    slw_buf_puts(p->t.out, slw_row_word(row));
    slw_term_plain(&p->t);
    if (!slw_row_has_star(row))
        return;
    slw_buf_putc(p->t.out, '*');
    p->star_used = true;
}

/* "/req." for " per request" where the column is too narrow for both. */
static void put_short_title(struct slw_buf *out, const char *title, size_t columns)
{
    static const char per[] = " per request";
    const char *at = strstr(title, per);

    if (slw_text_columns(title) <= columns || !at) {
        slw_buf_puts(out, title);
        return;
    }
    slw_buf_put(out, title, (size_t)(at - title));
    slw_buf_puts(out, "/req.");
    slw_buf_puts(out, at + sizeof(per) - 1);
}

/* A metric may have the title of a node. */
static bool has_own_title(const struct page *p, const struct slw_metric_row *row)
{
    for (size_t i = 0; i < p->c->row_count; i++)
        if (&p->c->rows[i] != row && strcmp(p->c->rows[i].title, row->title) == 0)
            return false;
    return true;
}

/* The name that gates use is whole where the title is not, and tells apart what has one title. */
static void put_title(struct page *p, const struct slw_metric_row *row, size_t columns)
{
    struct slw_buf b = {0};

    put_short_title(&b, row->title, columns);
    const bool fits = b.data && slw_text_columns(b.data) <= columns && has_own_title(p, row);
    const bool name_fits = slw_text_columns(row->metric) <= columns;
    slw_text_cell(p->t.out, fits || !name_fits ? (b.data ? b.data : "") : row->metric, columns);
    p->t.out->failed |= slw_buf_failed(&b);
    slw_buf_release(&b);
}

/* ---- head ---- */

static void put_side(struct page *p, const struct slw_side_of *side, const char *letter)
{
    struct slw_buf b = {0};

    if (strcmp(side->name, letter) != 0) {
        slw_text_clean(&b, side->name);
        slw_buf_puts(&b, ": ");
    }
    slw_side_put_command(&b, p->c, letter);
    slw_buf_puts(p->t.out, "  ");
    slw_term_style(&p->t, SLW_TERM_BOLD);
    slw_buf_puts(p->t.out, letter);
    slw_term_plain(&p->t);
    slw_buf_puts(p->t.out, letter[0] == 'A' ? "  base       " : "  candidate  ");
    slw_text_fit(p->t.out, b.data ? b.data : "", p->t.width - 16);
    slw_buf_putc(p->t.out, '\n');
    p->t.out->failed |= slw_buf_failed(&b);
    slw_buf_release(&b);
}

static void put_head(struct page *p)
{
    put_side(p, &p->c->in.a, "A");
    put_side(p, &p->c->in.b, "B");
    slw_buf_putc(p->t.out, '\n');
    slw_term_styled(&p->t, SLW_TERM_BOLD, 0, "", p->c->verdict);
    slw_term_styled(&p->t, SLW_TERM_DIM, 0, "", p->c->verdict_basis);
}

/* ---- the gate ---- */

static const char *gate_style(const char *word)
{
    return word[0] == 'p' ? GREEN : word[0] == 'f' ? SLW_TERM_HOT : SLW_TERM_WARN;
}

static void put_gate_row(struct page *p, const struct slw_metric_row *row)
{
    struct slw_buf b = {0};
    const char *word = slw_row_gate_word(row);

    slw_buf_puts(p->t.out, "  ");
    slw_text_cell(p->t.out, row->gate->text, p->t.width - 2 - 1 - CHANGE - 1 - INTERVAL - 1 - WORD);
    slw_buf_putc(p->t.out, ' ');
    if (row->absent)
        slw_buf_puts(&b, "-");
    else
        slw_row_put_change(&b, row);
    put_padded(p, &b, CHANGE, true);
    slw_buf_putc(p->t.out, ' ');
    slw_row_put_interval(&b, row);
    put_padded(p, &b, INTERVAL, false);
    slw_buf_putc(p->t.out, ' ');
    slw_term_style(&p->t, gate_style(word));
    slw_buf_puts(p->t.out, word);
    slw_term_plain(&p->t);
    slw_buf_putc(p->t.out, '\n');
}

static void put_gate(struct page *p)
{
    const char *word = slw_gate_word(p->c->gate);
    struct slw_buf b = {0};

    if (!p->c->in.gates || p->c->in.gates->count == 0)
        return;
    slw_term_heading(&p->t, "GATE", NULL);
    slw_buf_printf(&b, "%s: ", word);
    slw_term_styled(&p->t, gate_style(word), 2, b.data ? b.data : "", p->c->gate_reason);
    p->t.out->failed |= slw_buf_failed(&b);
    slw_buf_release(&b);
    for (size_t i = 0; i < p->c->row_count; i++)
        if (p->c->rows[i].gate)
            put_gate_row(p, &p->c->rows[i]);
}

/* ---- metrics ---- */

static bool shown(const struct page *p, size_t index)
{
    const struct slw_metric_row *row = &p->c->rows[index];
    const enum slw_judged word = row->judgement.word;

    if (p->t.verbose || index == p->c->main_row || row->rank == SLW_METRIC_GATED)
        return true;
    if (row->absent || row->kind == SLW_PAIRS_ZERO || row->rank == SLW_METRIC_ALIAS ||
        !row->a->gateable)
        return false;
    return row->headline || slw_row_has_star(row) || word == SLW_JUDGED_IMPROVED ||
           word == SLW_JUDGED_REGRESSED;
}

static void put_remark(struct page *p, size_t index)
{
    const struct slw_metric_row *row = &p->c->rows[index];
    struct slw_buf b = {0};

    if (!p->t.verbose && row->rank != SLW_METRIC_GATED && index != p->c->main_row)
        return;
    slw_row_put_remark(&b, row);
    if (b.length > 0)
        slw_term_styled(&p->t, SLW_TERM_DIM, 4, "", b.data);
    p->t.out->failed |= slw_buf_failed(&b);
    slw_buf_release(&b);
}

/* Nothing follows it: no padding. */
static size_t interval_columns(const struct slw_buf *interval)
{
    const size_t used = slw_text_columns(interval->data ? interval->data : "");

    return used < INTERVAL ? used : INTERVAL;
}

/* What is exact has none. */
static size_t widest_interval(struct page *p)
{
    size_t widest = 0;

    for (size_t i = 0; i < p->c->row_count; i++) {
        struct slw_buf b = {0};

        if (shown(p, i))
            slw_row_put_interval(&b, &p->c->rows[i]);
        const size_t own = interval_columns(&b);

        widest = own > widest ? own : widest;
        p->t.out->failed |= slw_buf_failed(&b);
        slw_buf_release(&b);
    }
    return widest;
}

/* In rows of one line: what the columns of numbers leave. */
static size_t title_columns(const struct page *p)
{
    return p->t.width - (2 + 1 + VALUE + 1 + VALUE + 1 + CHANGE + 1 + WORD) -
           (p->interval ? 1 + p->interval : 0);
}

static void put_row(struct page *p, size_t index)
{
    const struct slw_metric_row *row = &p->c->rows[index];
    const bool one_line = p->t.width >= ONE_LINE;
    struct slw_buf b = {0};

    slw_buf_puts(p->t.out, "  ");
    put_title(p, row, one_line ? title_columns(p) : p->t.width - 2 - 1 - WORD);
    if (!one_line) {
        slw_buf_putc(p->t.out, ' ');
        put_word(p, row);
        slw_buf_puts(p->t.out, "\n   ");
    }
    slw_buf_putc(p->t.out, ' ');
    put_value(p, row, &row->a_value);
    slw_buf_putc(p->t.out, ' ');
    put_value(p, row, &row->b_value);
    slw_buf_putc(p->t.out, ' ');
    if (row->absent || row->kind == SLW_PAIRS_ZERO)
        slw_buf_puts(&b, row->absent ? "-" : "0");
    else
        slw_row_put_change(&b, row);
    put_padded(p, &b, CHANGE, true);
    if (p->interval) {
        slw_buf_putc(p->t.out, ' ');
        slw_row_put_interval(&b, row);
        put_padded(p, &b, one_line ? p->interval : interval_columns(&b), false);
    }
    if (one_line) {
        slw_buf_putc(p->t.out, ' ');
        put_word(p, row);
    }
    slw_buf_putc(p->t.out, '\n');
    put_remark(p, index);
}

static void put_columns(struct page *p)
{
    const bool one_line = p->t.width >= ONE_LINE;

    slw_term_style(&p->t, SLW_TERM_DIM);
    for (size_t i = 0; i < (one_line ? 2 + title_columns(p) : 3); i++)
        slw_buf_putc(p->t.out, ' ');
    slw_buf_putc(p->t.out, ' ');
    slw_term_right(&p->t, "A", VALUE);
    slw_buf_putc(p->t.out, ' ');
    slw_term_right(&p->t, "B", VALUE);
    slw_buf_puts(p->t.out, " B against A");
    slw_term_plain(&p->t);
    slw_buf_putc(p->t.out, '\n');
}

static void put_metrics(struct page *p)
{
    size_t rows = 0, hidden = 0;
    struct slw_buf b = {0};

    p->interval = widest_interval(p);
    slw_term_heading(&p->t, "METRICS",
                     p->interval ? "medians of the rounds, and B against A with its interval"
                                 : "medians of the rounds, and B against A");
    put_columns(p);
    for (size_t i = 0; i < p->c->row_count; i++) {
        if (!shown(p, i) || (rows >= ROWS && !p->t.verbose)) {
            hidden++;
            continue;
        }
        put_row(p, i);
        rows++;
    }
    if (hidden == 0)
        return;
    slw_buf_printf(&b, "%zu more: not changed, not known or repeating these (--verbose)", hidden);
    slw_term_styled(&p->t, SLW_TERM_DIM, 2, "", b.data ? b.data : "");
    p->t.out->failed |= slw_buf_failed(&b);
    slw_buf_release(&b);
}

/* ---- why, functions, what differs, notes ---- */

static void put_causes(struct page *p)
{
    if (p->c->cause_count == 0)
        return;
    slw_term_heading(&p->t, "WHY", "what changed along with it, most important first");
    for (size_t i = 0; i < p->c->cause_count; i++)
        slw_term_paragraph(&p->t, 2, "", p->c->causes[i].text);
}

static void put_amount(struct page *p, double value, bool sign, size_t columns)
{
    const struct slw_report *r = p->c->in.a.report;
    const bool ns = r && r->column && strcmp(r->column->unit, "nanoseconds") == 0;
    const struct slw_figure f = {.value = fabs(value), .unit = ns ? "ns" : NULL};
    struct slw_buf b = {0};

    if (ns) {
        slw_buf_puts(&b, value < 0 ? "-" : sign ? "+" : "");
        slw_format_figure(&b, &f);
    } else {
        slw_words_put_large(&b, value, sign);
    }
    put_padded(p, &b, columns, true);
}

static void put_function(struct page *p, const struct slw_function_change *f)
{
    const char *slash = strrchr(f->module, '/');

    slw_buf_puts(p->t.out, "  ");
    put_amount(p, f->b - f->a, true, VALUE);
    slw_buf_putc(p->t.out, ' ');
    put_amount(p, f->a, false, VALUE);
    slw_buf_putc(p->t.out, ' ');
    put_amount(p, f->b, false, VALUE);
    slw_buf_puts(p->t.out, f->only_a   ? " gone "
                           : f->only_b ? " new  "
                           : f->real   ? "      "
                                       : " ?    ");
    slw_text_fit(p->t.out,
                 f->function[0] ? f->function
                 : slash        ? slash + 1
                                : f->module,
                 p->t.width - 2 - (size_t)3 * (VALUE + 1) - 6);
    slw_buf_putc(p->t.out, '\n');
}

static void put_functions(struct page *p)
{
    struct slw_buf b = {0};
    bool noise = false;

    if (p->c->function_count == 0)
        return;
    for (size_t i = 0; i < p->c->function_count; i++)
        noise |= !p->c->functions[i].real;
    slw_buf_printf(&b, "self %s per request: change, A, B%s", slw_comparison_weight(p->c),
                   noise ? " (?: may be noise)" : "");
    slw_term_heading(&p->t, "FUNCTIONS", b.data ? b.data : "");
    p->t.out->failed |= slw_buf_failed(&b);
    slw_buf_release(&b);
    for (size_t i = 0; i < p->c->function_count && (i < FUNCTIONS || p->t.verbose); i++)
        put_function(p, &p->c->functions[i]);
}

static void put_mismatches(struct page *p)
{
    struct slw_buf b = {0};

    if (p->c->mismatch_count == 0)
        return;
    slw_term_heading(&p->t, "NOT THE SAME", NULL);
    for (size_t i = 0; i < p->c->mismatch_count; i++) {
        const struct slw_mismatch *m = &p->c->mismatches[i];

        slw_buf_printf(&b, "%s: A %s, B %s", m->what, m->a, m->b);
        slw_term_styled(&p->t, m->severe || m->downgrades ? SLW_TERM_WARN : NULL, 2, "",
                        b.data ? b.data : "");
        p->t.out->failed |= slw_buf_failed(&b);
        slw_buf_release(&b);
    }
}

static void put_notes(struct page *p)
{
    if (p->c->note_count == 0)
        return;
    slw_term_heading(&p->t, "NOTES", NULL);
    for (size_t i = 0; i < p->c->note_count; i++) {
        const struct slw_note *n = &p->c->notes[i];
        const bool warning = n->level == SLW_NOTE_WARNING;

        slw_term_styled(&p->t, warning ? SLW_TERM_WARN : NULL, 2, warning ? "warning: " : "",
                        n->text);
        if (n->hint)
            slw_term_paragraph(&p->t, 4, "try: ", n->hint);
    }
}

static void put_legend(struct page *p)
{
    static const char *const leads[] = {"ˢ  ", "ᵐ  ", "ⁱ  "};

    slw_buf_putc(p->t.out, '\n');
    if (p->star_used)
        slw_term_styled(&p->t, SLW_TERM_DIM, 0, "*  ",
                        "the difference stands although many metrics are looked at (Holm)");
    for (size_t i = 0; i < SLW_MARK_COUNT; i++)
        if (p->mark_used[i])
            slw_term_styled(&p->t, SLW_TERM_DIM, 0, leads[i],
                            slw_format_mark_meaning(SLW_MARK_LETTERS[i]));
}

static int render_term(const struct slw_comparison *comparison,
                       const struct slw_render_options *opts, struct slw_buf *out,
                       struct slw_error *err)
{
    const int width = opts->width > 0 ? opts->width : SLW_TERM_DEFAULT_WIDTH;
    struct page p = {.c = comparison,
                     .t = {.out = out,
                           .width = (size_t)(width < MIN_WIDTH   ? MIN_WIDTH
                                             : width > MAX_WIDTH ? MAX_WIDTH
                                                                 : width),
                           .color = opts->color,
                           .verbose = opts->verbose}};

    put_head(&p);
    put_gate(&p);
    put_metrics(&p);
    put_causes(&p);
    put_functions(&p);
    put_mismatches(&p);
    put_notes(&p);
    put_legend(&p);
    return slw_buf_failed(out) ? slw_fail(err, SLW_E_NOMEM, "no memory for a comparison") : 0;
}

const struct slw_comparison_renderer slw_comparison_renderer_term = {
    .name = "term", .summary = "text for a terminal", .extension = "txt", .render = render_term};

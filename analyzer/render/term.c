/* SPDX-License-Identifier: MIT */
/* A report for a terminal. Colours only where asked for, and only ones that read on dark and light
 * ground; everything foreign goes through text.h, which lets no escape sequence pass. */
#include "analyzer/cores.h"
#include "analyzer/facts.h"
#include "analyzer/format.h"
#include "analyzer/function_table.h"
#include "analyzer/legend.h"
#include "analyzer/renderer.h"
#include "analyzer/rounds.h"
#include "analyzer/scope_table.h"
#include "analyzer/text.h"
#include "analyzer/traffic.h"
#include "analyzer/verdict.h"
#include "analyzer/waiting.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define MIN_WIDTH     40
#define MAX_WIDTH     240
#define DEFAULT_WIDTH 80
#define FUNCTIONS     20
#define MODULES       6
#define THREADS       6
#define BAR_COLUMNS   20
#define HALF_COLUMNS  7 /* " ±12.3" and a digit to spare */

struct term {
    struct slw_buf *out;
    const struct slw_report *r;
    size_t width;
    bool color, verbose;
    size_t functions;
};

/* ---- pieces ---- */

#define BOLD "1"
#define DIM  "2"
#define WARN "35" /* magenta: yellow is lost on white, blue on black */
#define HOT  "31"

static void style(const struct term *t, const char *code)
{
    if (t->color)
        slw_buf_printf(t->out, "\033[%sm", code);
}

static void plain(const struct term *t)
{
    style(t, "0");
}

static void heading(const struct term *t, const char *title, const char *explained)
{
    slw_buf_putc(t->out, '\n');
    style(t, BOLD);
    slw_buf_puts(t->out, title);
    plain(t);
    if (explained && slw_text_columns(title) + 2 + slw_text_columns(explained) <= t->width) {
        style(t, DIM);
        slw_buf_printf(t->out, "  %s", explained);
        plain(t);
    }
    slw_buf_putc(t->out, '\n');
}

/* The style ends before the newline: some terminals paint the rest of the line otherwise. */
static void styled_paragraph(const struct term *t, const char *code, size_t indent,
                             const char *lead, const char *text)
{
    struct slw_buf b = {0};

    slw_buf_puts(&b, lead);
    slw_buf_puts(&b, text);
    for (size_t i = 0; i < indent; i++)
        slw_buf_putc(t->out, ' ');
    if (code)
        style(t, code);
    slw_text_wrap(t->out, b.data ? b.data : "", t->width, indent);
    if (code)
        plain(t);
    slw_buf_putc(t->out, '\n');
    if (slw_buf_failed(&b))
        t->out->failed = true;
    slw_buf_release(&b);
}

static void paragraph(const struct term *t, size_t indent, const char *lead, const char *text)
{
    styled_paragraph(t, NULL, indent, lead, text);
}

/* A bar in eighths of a column, padded with blanks to `columns` when something follows it. */
static void bar(const struct term *t, double share, size_t columns, const char *color, bool pad)
{
    static const char *const parts[] = {" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    double clamped = fmin(fmax(share, 0), 1);
    size_t eighths = (size_t)(clamped * (double)columns * 8 + 0.5);

    if (color)
        style(t, color);
    for (size_t i = 0; i < columns && (pad || i * 8 < eighths); i++) {
        size_t left = eighths > i * 8 ? eighths - i * 8 : 0;
        slw_buf_puts(t->out, left >= 8 ? "█" : parts[left]);
    }
    if (color)
        plain(t);
}

/* Right-aligned text of at most `columns`; longer text is not cut. */
static void right(const struct term *t, const char *text, size_t columns)
{
    for (size_t used = slw_text_columns(text); used < columns; used++)
        slw_buf_putc(t->out, ' ');
    slw_buf_puts(t->out, text);
}

/* The mark of a number's provenance as raised letters: "2.89 s" and a plain "s" would be misread.
 */
static void put_mark(struct slw_buf *out, const struct slw_provenance *from)
{
    for (const char *m = slw_format_mark(from); *m; m++)
        slw_buf_puts(out, *m == 's' ? "ˢ" : *m == 'm' ? "ᵐ" : "ⁱ");
}

#define ERRATUM "ᵉ"

/* "22.1%" and the marks: always one decimal and two places for marks, so that columns line up. */
static void marked_percent(const struct term *t, double value, const struct slw_provenance *from,
                           bool erratum, size_t columns)
{
    const size_t marks = strlen(slw_format_mark(from)) + erratum;
    char text[48];

    (void)snprintf(text, sizeof(text), "%.1f%%", value * 100);
    right(t, text, columns - 2);
    put_mark(t->out, from);
    slw_buf_puts(t->out, erratum ? ERRATUM : "");
    right(t, "", marks < 2 ? 2 - marks : 0);
}

static void percent(const struct term *t, double value, const struct slw_provenance *from,
                    size_t columns)
{
    marked_percent(t, value, from, false, columns);
}

/* "±2.4": half the interval, the larger side of an uneven one. */
static void half_width(const struct term *t, const struct slw_share *s, size_t columns)
{
    char text[48] = "";

    if (s->have_interval)
        (void)snprintf(text, sizeof(text), "±%.1f",
                       100 * fmax(s->high - s->value, s->value - s->low));
    right(t, text, columns);
}

/* ---- sections ---- */

static void put_headline(const struct term *t)
{
    const struct slw_run *run = t->r->run;
    struct slw_buf line = {0};

    slw_buf_puts(&line, "slotwise");
    for (size_t i = 0; i < run->command.argc; i++) {
        slw_buf_puts(&line, i == 0 ? ": " : " ");
        slw_buf_puts(&line, run->command.argv[i]);
    }
    style(t, DIM);
    slw_text_fit(t->out, line.data ? line.data : "", t->width);
    plain(t);
    slw_buf_puts(t->out, "\n\n");
    if (slw_buf_failed(&line))
        t->out->failed = true;
    slw_buf_release(&line);
    style(t, BOLD);
    slw_text_wrap(t->out, t->r->verdict, t->width, 0);
    plain(t);
    slw_buf_puts(t->out, "\n\n");
    style(t, DIM);
    slw_text_wrap(t->out, t->r->verdict_basis, t->width, 0);
    plain(t);
    slw_buf_putc(t->out, '\n');
}

/* Its column is there when some node has an interval. */
static void put_half(const struct term *t, const struct slw_report_node *n)
{
    struct slw_buf text = {0};

    if (!slw_format_has_intervals(t->r))
        return;
    slw_format_half(&text, &n->value);
    slw_buf_putc(t->out, ' ');
    right(t, text.data ? text.data : "", HALF_COLUMNS - 1);
    if (slw_buf_failed(&text))
        t->out->failed = true;
    slw_buf_release(&text);
}

static void put_node_value(const struct term *t, const struct slw_report_node *n, bool pad)
{
    if (n->value.absent) {
        slw_buf_puts(t->out, "  ");
        slw_text_fit(t->out, n->value.absent, t->width > 46 ? t->width - 36 : 10);
        return;
    }
    if (slw_format_implausible(n)) {
        right(t, slw_format_implausible(n), 9);
        return;
    }
    if (!slw_format_is_share(n->value.unit)) {
        struct slw_buf text = {0};
        slw_format_number(&text, n->value.value);
        put_mark(&text, &n->value.from);
        slw_buf_puts(&text, n->errata ? ERRATUM : "");
        right(t, text.data ? text.data : "", 9);
        put_half(t, n);
        if (n->value.unit) {
            slw_buf_putc(t->out, ' ');
            slw_text_fit(t->out, n->value.unit, 24);
        }
        if (slw_buf_failed(&text))
            t->out->failed = true;
        slw_buf_release(&text);
        return;
    }
    marked_percent(t, n->value.value, &n->value.from, n->errata != NULL, 9);
    put_half(t, n);
    if (t->width >= 72) {
        slw_buf_putc(t->out, ' ');
        bar(t, n->value.value, BAR_COLUMNS - (slw_format_has_intervals(t->r) ? HALF_COLUMNS : 0),
            n->flagged ? HOT : NULL, pad);
    }
}

static const char *node_remark(const struct slw_report *r, size_t i)
{
    const struct slw_report_node *n = &r->nodes[i];

    if (n->value.absent)
        return "";
    if (n->mismeasured)
        return " mismeasured";
    if (n->thin)
        return " too little counted";
    if (r->topdown.status == SLW_TOPDOWN_FOUND && (int)i == r->topdown.bottleneck)
        return " <- bottleneck";
    return n->flagged ? " high" : "";
}

static void put_tree(const struct term *t)
{
    const struct slw_report *r = t->r;

    for (size_t i = 0; i < r->node_count; i++) {
        const struct slw_report_node *n = &r->nodes[i];
        size_t indent = n->level > 1 ? 2 * (size_t)(n->level - 1) : 0;

        if (indent > 12)
            indent = 12;
        if (n->value.absent && n->level > 1 && !t->verbose)
            continue; /* not counted at this depth; verbose lists them */
        slw_buf_puts(t->out, "  ");
        for (size_t s = 0; s < indent; s++)
            slw_buf_putc(t->out, ' ');
        slw_text_cell(t->out, n->title ? n->title : n->name, 24 - indent);
        put_node_value(t, n, node_remark(r, i)[0] != '\0');
        slw_buf_puts(t->out, node_remark(r, i));
        slw_buf_putc(t->out, '\n');
    }
}

/* A tree of its own for each kind of core, under the share of the work it did. */
static void put_core(const struct term *t, size_t core)
{
    const struct slw_report_core *c = &t->r->cores[core];
    const struct slw_report view = slw_report_of_core(t->r, core);
    struct term own = *t;
    struct slw_buf title = {0}, shares = {0};

    own.r = &view;
    slw_buf_puts(&title, "TOP-DOWN, ");
    slw_text_fit(&title, c->title, 24);
    slw_cores_put_shares(&shares, c);
    heading(t, title.data ? title.data : "", shares.data ? shares.data : "");
    if (c->node_count == 0)
        paragraph(t, 2, "unknown: ", c->topdown.reason);
    else if (slw_core_unused(c))
        slw_buf_puts(t->out, "  the target did not run on these cores\n");
    else
        put_tree(&own);
    if (slw_buf_failed(&title) || slw_buf_failed(&shares))
        t->out->failed = true;
    slw_buf_release(&title);
    slw_buf_release(&shares);
}

static void put_topdown(const struct term *t)
{
    for (size_t i = 0; i < t->r->core_count; i++)
        put_core(t, i);
    if (t->r->core_count > 0 || t->r->node_count == 0)
        return;
    heading(t, "TOP-DOWN",
            slw_format_has_intervals(t->r) ? "where the pipeline slots went, ±: 95 % interval"
                                           : "where the pipeline slots went");
    put_tree(t);
}

static void share_line(const struct term *t, const char *name, const struct slw_share *s,
                       const struct slw_provenance *from)
{
    size_t bars = t->width >= 64 ? BAR_COLUMNS : 0;

    slw_buf_puts(t->out, "  ");
    percent(t, s->value, from, 8);
    half_width(t, s, 6);
    slw_buf_puts(t->out, "  ");
    if (bars) {
        bar(t, s->value, bars, NULL, true);
        slw_buf_puts(t->out, "  ");
    }
    slw_text_fit(t->out, name, t->width - 18 - (bars ? bars + 2 : 0));
    slw_buf_putc(t->out, '\n');
}

static const struct slw_provenance *split_source(const struct slw_report *r)
{
    static const struct slw_provenance software = {.source = SLW_SOURCE_SOFTWARE};

    return r->facts->split_sampled ? &r->column->from : &software;
}

static void put_split(const struct term *t)
{
    const struct slw_facts *f = t->r->facts;

    char explained[96];

    (void)snprintf(explained, sizeof(explained), "share of %s, 95 %% interval",
                   slw_verdict_whole(t->r));
    heading(t, "WHERE ONE SECOND WENT", explained);
    if (f->split_absent) {
        paragraph(t, 2, "user and kernel: unknown, ", f->split_absent);
    } else {
        share_line(t, "user space", &f->user, split_source(t->r));
        share_line(t, "kernel", &f->kernel, split_source(t->r));
    }
    if (t->r->module_count == 0)
        return;
    slw_buf_puts(t->out, "  by module\n");
    size_t most = t->verbose ? 4 * MODULES : MODULES;
    for (size_t i = 0; i < t->r->module_count && i < most; i++)
        share_line(t, t->r->modules[i].module_name, &t->r->modules[i].self_share,
                   &t->r->column->from);
    if (t->r->thread_count < 2)
        return;
    slw_buf_puts(t->out, "  by thread\n");
    for (size_t i = 0; i < t->r->thread_count && i < THREADS; i++) {
        const struct slw_report_thread *who = &t->r->threads[i];
        char name[128];
        (void)snprintf(name, sizeof(name), "%.64s (%d)", who->comm[0] ? who->comm : "unknown",
                       who->tid);
        share_line(t, name, &who->share, &t->r->column->from);
    }
}

/* Columns that fit: self and its interval always, then total and samples, then the module. */
struct function_columns {
    bool totals;
    size_t name, module;
};

static struct function_columns function_columns(const struct term *t)
{
    struct function_columns c = {.totals = t->width >= 60,
                                 .module = t->width >= 100  ? 28
                                           : t->width >= 72 ? 18
                                                            : 0};
    c.name = t->width - (c.totals ? 35 : 17) - (c.module ? c.module + 1 : 0);
    return c;
}

static void put_totals(const struct term *t, const struct slw_report_function *f)
{
    struct slw_buf samples = {0};

    percent(t, f->total_share.value, &t->r->column->from, 9);
    if (t->r->samples_column >= 0)
        slw_format_integer(&samples, f->self_samples);
    else
        slw_buf_puts(&samples, "unknown");
    right(t, samples.data ? samples.data : "", 9);
    if (slw_buf_failed(&samples))
        t->out->failed = true;
    slw_buf_release(&samples);
}

static void put_function(const struct term *t, const struct slw_report_function *f)
{
    struct function_columns columns = function_columns(t);
    bool kernel = f->kind == SLW_FRAME_KERNEL;

    percent(t, f->self_share.value, &t->r->column->from, 9);
    half_width(t, &f->self_share, 6);
    if (columns.totals)
        put_totals(t, f);
    slw_buf_puts(t->out, "  ");
    if (kernel)
        style(t, DIM);
    if (columns.module == 0) {
        slw_text_fit(t->out, f->function, columns.name);
    } else {
        slw_text_cell(t->out, f->function, columns.name);
        slw_buf_putc(t->out, ' ');
        slw_text_fit(t->out, f->module_name, columns.module);
    }
    if (kernel)
        plain(t);
    slw_buf_putc(t->out, '\n');
}

static void put_functions(const struct term *t)
{
    const struct slw_report *r = t->r;

    heading(t, "HOTTEST FUNCTIONS", "self: in it; total: with what it calls");
    if (r->function_count == 0) {
        slw_buf_puts(t->out, "  none: no samples\n");
        return;
    }
    style(t, DIM);
    slw_buf_puts(t->out, function_columns(t).totals ? "   self       ±   total    samples  function"
                                                    : "   self       ±  function");
    plain(t);
    slw_buf_putc(t->out, '\n');
    for (size_t i = 0; i < r->function_count && i < t->functions; i++)
        put_function(t, &r->functions[i]);
    if (r->function_count > t->functions) {
        slw_buf_puts(t->out, "  and ");
        slw_format_integer(t->out, r->function_count - t->functions);
        slw_buf_puts(t->out, " more\n");
    }
}

static void put_function_topdown(const struct term *t)
{
    if (!t->r->function_topdowns)
        return;
    heading(t, "TOP-DOWN BY FUNCTION", "where the slots of each function went");
    slw_function_table_term(t->out, t->r, t->width, t->functions);
    styled_paragraph(t, DIM, 2, "", slw_function_table_caveat());
}

static void put_scopes(const struct term *t, enum slw_scope_table table)
{
    struct slw_buf foot = {0};

    if (slw_scope_rows(t->r, table) == 0)
        return;
    heading(t, slw_scope_title(t->r, table), slw_scope_explained(table));
    slw_scope_term(t->out, t->r, table, t->width, t->verbose ? SIZE_MAX : (size_t)2 * THREADS);
    slw_scope_foot_put(&foot, t->r, table);
    if (foot.length > 0)
        styled_paragraph(t, DIM, 2, "", foot.data);
    t->out->failed |= slw_buf_failed(&foot);
    slw_buf_release(&foot);
}

/* ---- counts ---- */

static void append_figure(struct slw_buf *line, const struct slw_figure *f)
{
    slw_format_figure(line, f);
    if (f->absent)
        return;
    put_mark(line, &f->from);
    if (f->interval.have)
        slw_buf_putc(line, ' ');
    slw_format_half(line, f);
}

/* Where events carry the name of their PMU there is more to tell apart. */
static size_t count_columns(const struct term *t)
{
    for (size_t i = 0; i < t->r->row_count; i++)
        if (t->r->rows[i].count->pmu && t->width >= DEFAULT_WIDTH)
            return 42;
    return 25;
}

static void put_count(const struct term *t, const struct slw_report_row *row, size_t columns)
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

static void put_counts(const struct term *t)
{
    const struct slw_report *r = t->r;
    const struct slw_maybe_u64 *requests = &r->run->requests;

    if (r->row_count == 0)
        return;
    heading(t, "COUNTS", slw_rounds_in(r->run) ? "of one execution: mean ± 95 % interval" : NULL);
    const size_t columns = count_columns(t);
    for (size_t i = 0; i < r->row_count; i++)
        put_count(t, &r->rows[i], columns);
    if (requests->absent)
        paragraph(t, 2, "per request: not shown, ", requests->absent);
    else if (requests->value == 0)
        paragraph(t, 2, "per request: not shown, ", "no request was observed");
}

/* What another tool computed stands for itself only where there is nothing of our own. */
static void put_printed(const struct term *t)
{
    const struct slw_run *run = t->r->run;

    if (run->printed_count == 0 || (t->r->topdown.status != SLW_TOPDOWN_NONE && !t->verbose))
        return;
    heading(t, "PRINTED", "by the tool it was imported from; not computed here");
    for (size_t i = 0; i < run->printed_count; i++)
        slw_format_printed(t->out, &run->printed[i]);
}

/* ---- words ---- */

static void put_findings(const struct term *t)
{
    if (t->r->finding_count == 0)
        return;
    heading(t, "FINDINGS", NULL);
    for (size_t i = 0; i < t->r->finding_count; i++) {
        const struct slw_finding *f = &t->r->findings[i];

        slw_buf_puts(t->out, "  ");
        style(t, BOLD);
        slw_text_wrap(t->out, f->title, t->width, 2);
        plain(t);
        slw_buf_putc(t->out, '\n');
        paragraph(t, 4, "", f->evidence);
        paragraph(t, 4, "try: ", f->advice);
    }
}

static void put_notes(const struct term *t)
{
    const struct slw_run *run = t->r->run;

    if (run->note_count == 0)
        return;
    heading(t, "NOTES", NULL);
    for (size_t i = 0; i < run->note_count; i++) {
        const struct slw_note *n = &run->notes[i];
        bool warning = n->level == SLW_NOTE_WARNING;

        styled_paragraph(t, warning ? WARN : NULL, 2, warning ? "warning: " : "", n->text);
        if (n->hint)
            paragraph(t, 4, "try: ", n->hint);
    }
}

static void put_self(const struct term *t)
{
    struct slw_buf line = {0};

    slw_format_self(&line, &t->r->run->self);
    slw_buf_putc(t->out, '\n');
    styled_paragraph(t, DIM, 0, "", line.data ? line.data : "");
    if (slw_buf_failed(&line))
        t->out->failed = true;
    slw_buf_release(&line);
}

/* ---- legend: only the letters that were used ---- */

static void put_legend(const struct term *t)
{
    static const char *const leads[] = {"ˢ  ", "ᵐ  ", "ⁱ  "};
    bool used[SLW_MARK_COUNT] = {false};

    slw_legend_used(t->r, used);
    for (size_t i = 0; i < SLW_MARK_COUNT; i++)
        if (used[i])
            styled_paragraph(t, DIM, 0, leads[i], slw_format_mark_meaning(SLW_MARK_LETTERS[i]));
    if (t->r->errata)
        styled_paragraph(t, DIM, 0, ERRATUM "  ", t->r->errata);
}

static int render_term(const struct slw_report *report, const struct slw_render_options *opts,
                       struct slw_buf *out, struct slw_error *err)
{
    int width = opts->width > 0 ? opts->width : DEFAULT_WIDTH;
    const struct term t = {.out = out,
                           .r = report,
                           .width = (size_t)(width < MIN_WIDTH   ? MIN_WIDTH
                                             : width > MAX_WIDTH ? MAX_WIDTH
                                                                 : width),
                           .color = opts->color,
                           .verbose = opts->verbose,
                           .functions = opts->function_max ? opts->function_max : FUNCTIONS};

    put_headline(&t);
    slw_traffic_term(out, report, t.width, t.color);
    put_topdown(&t);
    put_split(&t);
    slw_waiting_term(out, report->run, t.width, t.color);
    put_functions(&t);
    put_function_topdown(&t);
    for (int i = 0; i < SLW_SCOPE_TABLES; i++)
        put_scopes(&t, (enum slw_scope_table)i);
    put_findings(&t);
    put_counts(&t);
    put_printed(&t);
    put_notes(&t);
    slw_format_losses(out, &report->run->losses);
    put_self(&t);
    put_legend(&t);
    return slw_buf_failed(out) ? slw_fail(err, SLW_E_NOMEM, "no memory for a report") : 0;
}

const struct slw_renderer slw_renderer_term = {
    .name = "term", .summary = "text for a terminal", .extension = "txt", .render = render_term};

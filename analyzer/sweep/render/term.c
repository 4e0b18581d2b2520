/* SPDX-License-Identifier: MIT */
/* A sweep for a terminal: the verdict, the curve of CPU time in characters, tables. Everything
 * foreign goes through text.h. */
#include "analyzer/format.h"
#include "analyzer/sweep/chart.h"
#include "analyzer/sweep/sweep.h"
#include "analyzer/sweep/text.h"
#include "analyzer/term_int.h"
#include "analyzer/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define MIN_WIDTH 40
#define MAX_WIDTH 240
#define CHARTS    4 /* series that are drawn; more only on demand */
#define NAME      20

/* Columns that go first where there is little room. */
#define ROOM_POINTS 74 /* half intervals and p50 */
#define ROOM_RATES  54 /* requests/s */
#define ROOM_COSTS  78 /* smallest and largest */
#define ROOM_FIXED  58 /* fixed and marginal */

struct page {
    struct slw_term_page t;
    const struct slw_sweep_report *s;
};

/* ---- cells ---- */

/* Right-aligned; what is too long for its column is not cut. */
static void put_cell(const struct page *p, struct slw_buf *text, size_t columns)
{
    struct slw_buf clean = {0};

    slw_text_clean(&clean, text->data ? text->data : "");
    slw_buf_putc(p->t.out, ' ');
    slw_term_right(&p->t, clean.data ? clean.data : "", columns);
    if (slw_buf_failed(text) || slw_buf_failed(&clean))
        p->t.out->failed = true;
    slw_buf_release(&clean);
    slw_buf_release(text);
}

static void put_word(const struct page *p, const char *word, size_t columns)
{
    struct slw_buf text = {0};

    slw_buf_puts(&text, word);
    put_cell(p, &text, columns);
}

static void put_value(const struct page *p, const struct slw_figure *f, const char *unit,
                      size_t columns)
{
    struct slw_buf text = {0};

    if (f->absent)
        slw_buf_puts(&text, "unknown");
    else
        slw_sweep_put_value(&text, unit, f->value);
    put_cell(p, &text, columns);
}

static void put_half(const struct page *p, const struct slw_figure *f, size_t columns)
{
    struct slw_buf text = {0};

    if (!f->absent && f->interval.have) {
        slw_buf_puts(&text, "±");
        slw_sweep_put_value(&text, f->unit, slw_interval_half(&f->interval, f->value));
    }
    put_cell(p, &text, columns);
}

/* ---- sections ---- */

static void put_paragraph(const struct page *p, const char *text)
{
    slw_term_paragraph(&p->t, 0, "", text);
}

static void put_headline(const struct page *p)
{
    struct slw_buf line = {0};

    slw_buf_printf(&line, "slotwise sweep of %s: %s", p->s->parameter, slw_sweep_command(p->s, 0));
    slw_term_style(&p->t, SLW_TERM_DIM);
    slw_text_fit(p->t.out, line.data ? line.data : "", p->t.width);
    slw_term_plain(&p->t);
    slw_buf_puts(p->t.out, "\n\n");
    if (slw_buf_failed(&line))
        p->t.out->failed = true;
    slw_buf_release(&line);
    slw_term_styled(&p->t, SLW_TERM_BOLD, 0, "", p->s->verdict);
    slw_term_styled(&p->t, SLW_TERM_DIM, 0, "", p->s->verdict_basis);
}

static void put_cpu(const struct page *p, const struct slw_sweep_curve *c)
{
    slw_term_heading(&p->t,
                     strcmp(c->unit, "ns") == 0 ? "CPU TIME PER REQUEST" : "CYCLES PER REQUEST",
                     c->series);
    slw_sweep_chart(p->t.out, p->s, c, p->t.width);
    put_paragraph(p, c->text);
    for (size_t i = 0; i < p->s->price_count; i++)
        if (p->s->prices[i].series == c->series)
            put_paragraph(p, p->s->prices[i].text);
}

static void put_curves(const struct page *p)
{
    const size_t series = p->s->series_count ? p->s->series_count : 1;

    /* The curves of CPU time come first, one for each series. */
    for (size_t i = 0; i < series && i < p->s->curve_count; i++) {
        if (i == CHARTS && !p->t.verbose) {
            slw_buf_printf(p->t.out, "\n%zu more series: --verbose draws them.\n", series - i);
            return;
        }
        put_cpu(p, &p->s->curves[i]);
    }
}

static void put_point(const struct page *p, size_t i)
{
    const struct slw_sweep_point *point = &p->s->points[i];
    const struct slw_sweep_curve *cpu = p->s->curves; /* those of CPU time come first */
    struct slw_buf text = {0};

    while (cpu->series != point->series)
        cpu++;
    slw_sweep_put_number(&text, point->parameter);
    put_cell(p, &text, 8);
    put_value(p, &point->batch_factor, "1", 9);
    const struct slw_figure *cost = &cpu->cost[i - cpu->points[0]];
    put_value(p, cost, cpu->unit, 10);
    if (p->t.width >= ROOM_POINTS)
        put_half(p, cost, 9);
    if (p->t.width >= ROOM_RATES)
        put_value(p, &point->throughput, "1", 12);
    if (p->t.width >= ROOM_POINTS)
        put_value(p, &point->p50, "ns", 9);
    put_value(p, &point->p99, "ns", 9);
    slw_buf_putc(p->t.out, '\n');
}

static void put_points(const struct page *p)
{
    const char *series = NULL;

    slw_term_heading(&p->t, "POINTS", "centre over the blocks, ± half of its 95 % interval");
    put_word(p, p->s->parameter, 8);
    put_word(p, "observed", 9);
    put_word(p, strcmp(p->s->curves[0].unit, "ns") == 0 ? "CPU time" : "cycles", 10);
    if (p->t.width >= ROOM_POINTS)
        put_word(p, "", 9);
    if (p->t.width >= ROOM_RATES)
        put_word(p, "requests/s", 12);
    if (p->t.width >= ROOM_POINTS)
        put_word(p, "p50", 9);
    put_word(p, "p99", 9);
    slw_buf_putc(p->t.out, '\n');
    for (size_t i = 0; i < p->s->point_count; i++) {
        if (p->s->points[i].series != series) {
            series = p->s->points[i].series;
            slw_term_styled(&p->t, SLW_TERM_DIM, 2, "", series);
        }
        put_point(p, i);
    }
}

/* Two columns after a name: where the numbers are from. */
static void put_marks(const struct page *p, const struct slw_provenance *from)
{
    slw_term_mark(p->t.out, from);
    slw_term_right(&p->t, "", 2 - strlen(slw_format_mark(from)));
}

static void put_legend(const struct page *p)
{
    static const char letters[] = "smi";
    bool any = false;

    for (const char *l = letters; *l; l++)
        for (size_t i = 0; i < p->s->curve_count; i++)
            if (strchr(slw_format_mark(&p->s->curves[i].from), *l)) {
                slw_buf_puts(p->t.out, any ? "" : "\n");
                slw_term_styled(&p->t, SLW_TERM_DIM, 2,
                                *l == 's'   ? "ˢ "
                                : *l == 'm' ? "ᵐ "
                                            : "ⁱ ",
                                slw_format_mark_meaning(*l));
                any = true;
                break;
            }
}

static void put_removed(const struct page *p, const struct slw_sweep_curve *c)
{
    struct slw_buf text = {0};

    slw_sweep_put_part(&text, c->removed, (double)NAN, (double)NAN);
    put_cell(p, &text, 8);
}

/* Without "per request", which the heading says. */
static void put_title(const struct page *p, const char *title)
{
    static const char suffix[] = " per request";
    const size_t length = strlen(title), tail = sizeof(suffix) - 1;
    struct slw_buf text = {0};

    slw_buf_put(&text, title,
                length > tail && strcmp(title + length - tail, suffix) == 0 ? length - tail
                                                                            : length);
    slw_text_cell(p->t.out, text.data ? text.data : "", NAME);
    if (slw_buf_failed(&text))
        p->t.out->failed = true;
    slw_buf_release(&text);
}

static void put_cost(const struct page *p, const struct slw_sweep_curve *c)
{
    const bool fitted = !c->absent && c->fit.fits;
    const char *unit = strcmp(c->unit, "ns") == 0 ? "ns" : "1"; /* the others are in the title */
    const struct slw_figure unknown = {.absent = ""};
    const struct slw_figure fixed = {.value = slw_sweep_no_dust(c, c->fit.fixed.estimate)};
    const struct slw_figure marginal = {.value = slw_sweep_no_dust(c, c->fit.marginal.estimate)};
    struct slw_buf text = {0};

    slw_buf_puts(p->t.out, "  ");
    put_title(p, c->title);
    put_marks(p, &c->from);
    if (p->t.width >= ROOM_COSTS) {
        put_value(p, &c->cost[0], unit, 8);
        put_value(p, &c->cost[c->point_count - 1], unit, 8);
    }
    put_removed(p, c);
    if (p->t.width >= ROOM_FIXED) {
        put_value(p, fitted ? &fixed : &unknown, unit, 8);
        put_value(p, fitted ? &marginal : &unknown, unit, 8);
    }
    slw_buf_puts(p->t.out, "  ");
    slw_sweep_put_knee(&text, p->s, c, false);
    slw_text_clean(p->t.out, text.data ? text.data : "");
    slw_buf_putc(p->t.out, '\n');
    if (slw_buf_failed(&text))
        p->t.out->failed = true;
    slw_buf_release(&text);
    if (p->t.verbose)
        slw_term_styled(&p->t, SLW_TERM_DIM, 4, "", c->text);
}

static void put_costs(const struct page *p, const char *series)
{
    slw_term_heading(&p->t, "COSTS PER REQUEST", series ? series : "smallest against largest");
    slw_buf_printf(p->t.out, "  %-*s", NAME + 2, "");
    if (p->t.width >= ROOM_COSTS) {
        put_word(p, "smallest", 8);
        put_word(p, "largest", 8);
    }
    put_word(p, "removed", 8);
    if (p->t.width >= ROOM_FIXED) {
        put_word(p, "fixed", 8);
        put_word(p, "marginal", 8);
    }
    slw_buf_puts(p->t.out, "  gains end\n");
    for (size_t i = 0; i < p->s->curve_count; i++)
        if (p->s->curves[i].series == series)
            put_cost(p, &p->s->curves[i]);
}

static void put_notes(const struct page *p)
{
    for (size_t i = 0; i < p->s->note_count; i++) {
        const struct slw_note *n = &p->s->notes[i];

        if (i == 0)
            slw_term_heading(&p->t, "NOTES", NULL);
        slw_term_styled(&p->t, n->level == SLW_NOTE_WARNING ? SLW_TERM_WARN : SLW_TERM_DIM, 2,
                        n->level == SLW_NOTE_WARNING ? "warning: " : "", n->text);
        if (n->hint)
            slw_term_paragraph(&p->t, 4, "", n->hint);
    }
}

static int render(const struct slw_sweep_report *sweep, const struct slw_render_options *opts,
                  struct slw_buf *out, struct slw_error *err)
{
    int width = opts->width > 0 ? opts->width : SLW_TERM_DEFAULT_WIDTH;

    width = width < MIN_WIDTH ? MIN_WIDTH : width > MAX_WIDTH ? MAX_WIDTH : width;
    const struct page p = {
        .t = {.out = out, .width = (size_t)width, .color = opts->color, .verbose = opts->verbose},
        .s = sweep};

    put_headline(&p);
    put_curves(&p);
    put_points(&p);
    if (sweep->series_count == 0)
        put_costs(&p, NULL);
    for (size_t i = 0; i < sweep->series_count && (i < CHARTS || opts->verbose); i++)
        put_costs(&p, sweep->series[i]);
    put_legend(&p);
    put_notes(&p);
    return slw_buf_failed(out) ? slw_fail(err, SLW_E_NOMEM, "no memory for the report") : 0;
}

const struct slw_sweep_renderer slw_sweep_renderer_term = {
    .name = "term",
    .summary = "for a terminal: the verdict, a chart, tables",
    .extension = "txt",
    .render = render,
};

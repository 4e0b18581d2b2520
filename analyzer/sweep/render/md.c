/* SPDX-License-Identifier: MIT */
/* A sweep as GitHub-flavoured Markdown that fits one comment: the verdict first, narrow tables,
 * details folded. Names are foreign text: they must not become links, mentions, HTML or columns. */
#include "analyzer/format.h"
#include "analyzer/sweep/sweep.h"
#include "analyzer/sweep/text.h"
#include "analyzer/text.h"

#include <math.h>
#include <string.h>

/* A comment takes 65,536 characters. Sections begin and go on while there is this much left, which
 * is more than a line of theirs can take. */
#define MOST_BYTES   64000
#define LEFT_SERIES  40000
#define LEFT_NOTES   26000
#define LEFT_TABLES  9000
#define LEFT_COSTS   5000
#define LEFT_COMMAND 1500
#define MARKER       "<!-- slotwise-sweep -->"
#define NAME         60
#define COMMAND      120
#define PROSE        600 /* columns of a sentence; longer ones hold foreign text */
#define VERDICT      1600
#define SERIES       8 /* told before the fold */
#define NOTES        16

/* ---- foreign text ---- */

/* GitHub looks for mentions and numbers of issues in the finished HTML, where an escaped '@' is an
 * '@' again; an empty comment after it splits the text. */
static void put_escaped(struct slw_buf *out, const char *clean)
{
    for (const char *c = clean; *c; c++) {
        const bool link = (*c == ':' && c[1] == '/') ||
                          (*c == '.' && c - clean >= 3 && strncmp(c - 3, "www", 3) == 0);

        if (link || *c == '&')
            slw_buf_printf(out, "&#%d;", (int)(unsigned char)*c);
        else if (strchr("@#", *c))
            slw_buf_printf(out, "\\%c<!-- -->", *c);
        else if (strchr("\\`*_{}[]<>|~!$", *c))
            slw_buf_printf(out, "\\%c", *c);
        else
            slw_buf_putc(out, *c);
    }
}

static void put_fitted(struct slw_buf *out, const char *text, size_t columns)
{
    struct slw_buf clean = {0};

    slw_text_fit(&clean, text, columns);
    put_escaped(out, clean.data ? clean.data : "");
    if (slw_buf_failed(&clean))
        out->failed = true;
    slw_buf_release(&clean);
}

static void put_prose(struct slw_buf *out, const char *text)
{
    put_fitted(out, text, PROSE);
}

/* Inside <code>, every character that Markdown could act on as an entity. */
static void put_code(struct slw_buf *out, const char *text, size_t columns)
{
    struct slw_buf clean = {0};

    slw_text_fit(&clean, text, columns);
    slw_buf_puts(out, "<code>");
    for (const char *c = clean.data ? clean.data : ""; *c; c++)
        if (strchr("\\`*_{}[]<>#|~@&!$:.", *c))
            slw_buf_printf(out, "&#%d;", (int)(unsigned char)*c);
        else
            slw_buf_putc(out, *c);
    slw_buf_puts(out, "</code>");
    if (slw_buf_failed(&clean))
        out->failed = true;
    slw_buf_release(&clean);
}

/* Take a text of our own numbers, release it. */
static void put_taken(struct slw_buf *out, struct slw_buf *text)
{
    put_prose(out, text->data ? text->data : "");
    if (slw_buf_failed(text))
        out->failed = true;
    slw_buf_release(text);
}

static bool full(const struct slw_buf *out, size_t left)
{
    return out->length + left > MOST_BYTES;
}

/* ---- cells ---- */

static void put_figure(struct slw_buf *out, const struct slw_figure *f, const char *unit,
                       bool interval)
{
    struct slw_buf text = {0};
    struct slw_figure shown = *f;

    shown.unit = unit;
    if (!interval)
        shown.interval.have = false;
    if (shown.absent)
        slw_buf_puts(&text, "unknown");
    else
        slw_sweep_put_figure(&text, &shown);
    slw_buf_puts(out, " | ");
    put_taken(out, &text);
}

static void put_mark(struct slw_buf *out, const struct slw_provenance *from)
{
    const char *mark = slw_format_mark(from);

    if (mark[0])
        slw_buf_printf(out, " <sup>%s</sup>", mark);
}

/* ---- sections ---- */

static const struct slw_sweep_curve *cpu_of(const struct slw_sweep_report *r, const char *series)
{
    for (size_t i = 0; i < r->curve_count; i++)
        if (r->curves[i].series == series)
            return &r->curves[i];
    return NULL;
}

static void put_curve_text(struct slw_buf *out, const struct slw_sweep_report *r,
                           const struct slw_sweep_curve *c)
{
    slw_buf_puts(out, "* ");
    if (c->series) {
        put_fitted(out, c->series, NAME);
        slw_buf_puts(out, ": ");
    }
    put_prose(out, c->text);
    slw_buf_putc(out, '\n');
    for (size_t i = 0; i < r->price_count; i++)
        if (r->prices[i].series == c->series) {
            slw_buf_puts(out, c->series ? "  * " : "* ");
            put_prose(out, r->prices[i].text);
            slw_buf_putc(out, '\n');
        }
}

static void put_head(struct slw_buf *out, const struct slw_sweep_report *r)
{
    const size_t series = r->series_count ? r->series_count : 1;

    slw_buf_puts(out, MARKER "\n### slotwise sweep of ");
    put_code(out, r->parameter, NAME);
    slw_buf_puts(out, "\n\n**");
    put_fitted(out, r->verdict, VERDICT);
    slw_buf_puts(out, "**\n\n");
    for (size_t i = 0; i < series && i < SERIES && !full(out, LEFT_SERIES); i++)
        put_curve_text(out, r, &r->curves[i]); /* those of CPU time come first */
    slw_buf_putc(out, '\n');
    put_prose(out, r->verdict_basis);
    slw_buf_puts(out, "\n\n");
}

static void put_notes(struct slw_buf *out, const struct slw_sweep_report *r)
{
    for (size_t i = 0; i < r->note_count && i < NOTES && !full(out, LEFT_NOTES); i++) {
        const struct slw_note *n = &r->notes[i];

        slw_buf_puts(out, n->level == SLW_NOTE_WARNING ? "> **Warning:** " : "> ");
        put_prose(out, n->text);
        if (n->hint) {
            slw_buf_puts(out, " (");
            put_prose(out, n->hint);
            slw_buf_putc(out, ')');
        }
        slw_buf_puts(out, "\n\n");
    }
}

static void put_table(struct slw_buf *out, const struct slw_sweep_report *r, const char *series)
{
    const struct slw_sweep_curve *cpu = cpu_of(r, series);

    if (series) {
        slw_buf_putc(out, '\n');
        put_fitted(out, series, NAME);
        slw_buf_putc(out, '\n');
    }
    slw_buf_puts(out, "\n| ");
    put_fitted(out, r->parameter, NAME);
    slw_buf_printf(out, " | observed | %s", cpu->title);
    put_mark(out, &cpu->from);
    slw_buf_puts(out, " | requests/s | p99 |\n|--:|--:|--:|--:|--:|\n");
    for (size_t i = 0; i < cpu->point_count && !full(out, LEFT_TABLES); i++) {
        const struct slw_sweep_point *p = &r->points[cpu->points[i]];
        struct slw_buf text = {0};

        slw_buf_puts(out, "| ");
        slw_sweep_put_number(&text, p->parameter);
        put_taken(out, &text);
        put_figure(out, &p->batch_factor, "1", false);
        put_figure(out, &cpu->cost[i], cpu->unit, true);
        put_figure(out, &p->throughput, "1", false);
        put_figure(out, &p->p99, "ns", false);
        slw_buf_puts(out, " |\n");
    }
}

static void put_tables(struct slw_buf *out, const struct slw_sweep_report *r)
{
    if (r->series_count == 0)
        put_table(out, r, NULL);
    for (size_t i = 0; i < r->series_count; i++) {
        if (full(out, LEFT_TABLES)) {
            slw_buf_printf(out, "\n%zu more series do not fit here.\n", r->series_count - i);
            break;
        }
        put_table(out, r, r->series[i]);
    }
}

static void put_cost_of(struct slw_figure *f, const struct slw_sweep_curve *c,
                        const struct slw_difference *d)
{
    f->value = slw_sweep_no_dust(c, d->estimate);
    f->interval = (struct slw_interval){d->enough, slw_sweep_no_dust(c, d->low),
                                        slw_sweep_no_dust(c, d->high), 0};
}

static void put_cost_row(struct slw_buf *out, const struct slw_sweep_report *r,
                         const struct slw_sweep_curve *c)
{
    const bool fitted = !c->absent && c->fit.fits;
    struct slw_figure fixed = {.absent = fitted ? NULL : ""}, marginal = fixed;
    struct slw_buf text = {0};

    put_cost_of(&fixed, c, &c->fit.fixed);
    put_cost_of(&marginal, c, &c->fit.marginal);
    slw_buf_puts(out, "| ");
    put_fitted(out, c->title, NAME);
    put_mark(out, &c->from);
    if (c->series) {
        slw_buf_puts(out, ", ");
        put_fitted(out, c->series, NAME);
    }
    slw_buf_puts(out, " | ");
    slw_sweep_put_part(&text, c->removed, c->removed_low, c->removed_high);
    put_taken(out, &text);
    put_figure(out, &fixed, c->unit, true);
    put_figure(out, &marginal, c->unit, true);
    slw_buf_puts(out, " | ");
    slw_sweep_put_knee(&text, r, c, true);
    put_taken(out, &text);
    slw_buf_puts(out, " |\n");
}

static void put_costs(struct slw_buf *out, const struct slw_sweep_report *r)
{
    slw_buf_puts(out, "\n<details><summary>What it cost: fixed/x + marginal, for each metric"
                      "</summary>\n\n| per request | removed | fixed | marginal | gains end |\n"
                      "|---|--:|--:|--:|--:|\n");
    for (size_t i = 0; i < r->curve_count; i++) {
        if (full(out, LEFT_COSTS)) {
            slw_buf_printf(out, "\n%zu more rows do not fit here.\n", r->curve_count - i);
            break;
        }
        put_cost_row(out, r, &r->curves[i]);
    }
    slw_buf_puts(out, "\n</details>\n");
}

static void put_reproduction(struct slw_buf *out, const struct slw_sweep_report *r)
{
    const struct slw_experiment *e = r->in.experiment;
    const struct slw_host *h = &r->points[0].run->host;

    slw_buf_puts(out, "\n<details><summary>How it was measured</summary>\n\n* ");
    put_fitted(out, e->tool ? e->tool : "slotwise", NAME);
    slw_buf_printf(out, "; %zu blocks; seed %llu; %zu warm-up\n* ", r->blocks,
                   (unsigned long long)e->seed, e->warmup);
    put_fitted(out, h->cpu.name ? h->cpu.name : "unknown CPU", NAME);
    slw_buf_puts(out, "; kernel ");
    put_fitted(out, h->kernel ? h->kernel : "unknown", NAME);
    slw_buf_puts(out, h->hypervisor ? "; " : "");
    put_fitted(out, h->hypervisor ? h->hypervisor : "", NAME);
    slw_buf_putc(out, '\n');
    for (size_t i = 0; i < r->point_count; i++) {
        if (full(out, LEFT_COMMAND)) {
            slw_buf_printf(out, "* %zu more commands\n", r->point_count - i);
            break;
        }
        slw_buf_puts(out, "* ");
        put_code(out, slw_sweep_command(r, i), COMMAND);
        slw_buf_putc(out, '\n');
    }
    slw_buf_puts(out, "\n</details>\n");
}

static void put_legend(struct slw_buf *out, const struct slw_sweep_report *r)
{
    static const char letters[] = "smi";

    for (const char *l = letters; *l; l++)
        for (size_t i = 0; i < r->curve_count; i++)
            if (strchr(slw_format_mark(&r->curves[i].from), *l)) {
                slw_buf_printf(out, "\n<sup>%c</sup> %s\n", *l, slw_format_mark_meaning(*l));
                break;
            }
}

static int render(const struct slw_sweep_report *sweep, const struct slw_render_options *opts,
                  struct slw_buf *out, struct slw_error *err)
{
    (void)opts;
    put_head(out, sweep);
    put_notes(out, sweep);
    put_tables(out, sweep);
    put_costs(out, sweep);
    put_reproduction(out, sweep);
    put_legend(out, sweep);
    return slw_buf_failed(out) ? slw_fail(err, SLW_E_NOMEM, "no memory for the report") : 0;
}

const struct slw_sweep_renderer slw_sweep_renderer_md = {
    .name = "md",
    .summary = "Markdown that fits one comment of a review",
    .extension = "md",
    .render = render,
};

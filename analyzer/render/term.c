/* SPDX-License-Identifier: MIT */
/* A report for a terminal. Colours only where asked for, and only ones that read on dark and light
 * ground; everything foreign goes through text.h, which lets no escape sequence pass. */
#include "analyzer/facts.h"
#include "analyzer/findings.h"
#include "analyzer/format.h"
#include "analyzer/legend.h"
#include "analyzer/renderer.h"
#include "analyzer/scope_table.h"
#include "analyzer/side.h"
#include "analyzer/simulated.h"
#include "analyzer/stages.h"
#include "analyzer/term_int.h"
#include "analyzer/text.h"
#include "analyzer/traffic.h"
#include "analyzer/unwinding.h"
#include "analyzer/verdict.h"
#include "analyzer/waiting.h"

#include <stdio.h>
#include <string.h>

#define MIN_WIDTH 40
#define MAX_WIDTH 240
#define FUNCTIONS 20
#define MODULES   6
#define THREADS   6

static void put_side(const struct slw_term_page *t)
{
    struct slw_buf line = {0};

    if (!slw_side_asked(t->r))
        return;
    slw_side_put(&line, t->r->side);
    slw_buf_putc(t->out, '\n');
    slw_term_paragraph(t, 0, "", line.data ? line.data : "");
    if (slw_buf_failed(&line))
        t->out->failed = true;
    slw_buf_release(&line);
}

static void put_headline(const struct slw_term_page *t)
{
    const struct slw_run *run = t->r->run;
    struct slw_buf line = {0};

    slw_buf_puts(&line, "slotwise");
    for (size_t i = 0; i < run->command.argc; i++) {
        slw_buf_puts(&line, i == 0 ? ": " : " ");
        slw_buf_puts(&line, run->command.argv[i]);
    }
    slw_term_style(t, SLW_TERM_DIM);
    slw_text_fit(t->out, line.data ? line.data : "", t->width);
    slw_term_plain(t);
    slw_buf_puts(t->out, "\n\n");
    if (slw_buf_failed(&line))
        t->out->failed = true;
    slw_buf_release(&line);
    slw_term_style(t, SLW_TERM_BOLD);
    slw_text_wrap(t->out, t->r->verdict, t->width, 0);
    slw_term_plain(t);
    slw_buf_puts(t->out, "\n\n");
    slw_term_style(t, SLW_TERM_DIM);
    slw_text_wrap(t->out, t->r->verdict_basis, t->width, 0);
    slw_term_plain(t);
    slw_buf_putc(t->out, '\n');
    put_side(t);
}

static void share_line(const struct slw_term_page *t, const char *name, const struct slw_share *s,
                       const struct slw_provenance *from)
{
    size_t bars = t->width >= 64 ? SLW_TERM_BAR_COLUMNS : 0;

    slw_buf_puts(t->out, "  ");
    slw_term_percent(t, s->value, from, 8);
    slw_term_half_width(t, s, 6);
    slw_buf_puts(t->out, "  ");
    if (bars) {
        slw_term_bar(t, s->value, bars, NULL, true);
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

/* A process whose thread has no number: it was sampled when it had given it back. */
static void name_thread(char *name, size_t size, const struct slw_report_thread *who)
{
    const char *comm = who->comm[0] ? who->comm : "unknown";

    if (who->tid >= 0)
        (void)snprintf(name, size, "%.64s (%d)", comm, who->tid);
    else
        (void)snprintf(name, size, "%.64s%s", comm, who->pid >= 0 ? " (ended)" : "");
}

static void put_split(const struct slw_term_page *t)
{
    const struct slw_facts *f = t->r->facts;

    char explained[96];

    (void)snprintf(explained, sizeof(explained), "share of %s%s", slw_verdict_whole(t->r),
                   slw_simulated_is(t->r->run) ? "" : ", 95 % interval");
    slw_term_heading(t,
                     slw_simulated_is(t->r->run) ? "WHERE THE SLOTS WENT" : "WHERE ONE SECOND WENT",
                     explained);
    if (slw_simulated_is(t->r->run)) {
        slw_term_paragraph(t, 2, "", "user mode only: the kernel is not simulated");
    } else if (f->split_absent) {
        slw_term_paragraph(t, 2, "user and kernel: unknown, ", f->split_absent);
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
        char name[128];

        name_thread(name, sizeof(name), &t->r->threads[i]);
        share_line(t, name, &t->r->threads[i].share, &t->r->column->from);
    }
}

static void put_scopes(const struct slw_term_page *t, enum slw_scope_table table)
{
    struct slw_buf foot = {0};

    if (slw_scope_rows(t->r, table) == 0)
        return;
    slw_term_heading(t, slw_scope_title(t->r, table), slw_scope_explained(table));
    slw_scope_term(t->out, t->r, table, t->width, t->verbose ? SIZE_MAX : (size_t)2 * THREADS);
    slw_scope_foot_put(&foot, t->r, table);
    if (foot.length > 0)
        slw_term_styled(t, SLW_TERM_DIM, 2, "", foot.data);
    t->out->failed |= slw_buf_failed(&foot);
    slw_buf_release(&foot);
}

/* ---- words ---- */

static void put_finding_id(const struct slw_term_page *t, const struct slw_finding *f)
{
    char text[96];

    (void)snprintf(text, sizeof(text), "%s, %s", f->id, slw_finding_sure(f->sure));
    slw_term_styled(t, SLW_TERM_DIM, 4, "", text);
}

static void put_findings(const struct slw_term_page *t)
{
    if (t->r->finding_count == 0)
        return;
    slw_term_heading(t, "FINDINGS",
                     "the surest first, then by how much of the time they are about");
    for (size_t i = 0; i < t->r->finding_count; i++) {
        const struct slw_finding *f = &t->r->findings[i];

        slw_buf_puts(t->out, "  ");
        slw_term_style(t, SLW_TERM_BOLD);
        slw_text_wrap(t->out, f->title, t->width, 2);
        slw_term_plain(t);
        slw_buf_putc(t->out, '\n');
        put_finding_id(t, f);
        slw_term_paragraph(t, 4, "", f->evidence);
        slw_term_paragraph(t, 4, "try: ", f->advice);
    }
}

static void put_notes(const struct slw_term_page *t)
{
    const struct slw_run *run = t->r->run;

    if (run->note_count == 0)
        return;
    slw_term_heading(t, "NOTES", NULL);
    for (size_t i = 0; i < run->note_count; i++) {
        const struct slw_note *n = &run->notes[i];
        bool warning = n->level == SLW_NOTE_WARNING;

        slw_term_styled(t, warning ? SLW_TERM_WARN : NULL, 2, warning ? "warning: " : "", n->text);
        if (n->hint)
            slw_term_paragraph(t, 4, "try: ", n->hint);
    }
}

static void put_stacks(const struct slw_term_page *t)
{
    for (size_t i = 0; i < t->r->run->unwinding_count; i++) {
        struct slw_buf line = {0};

        slw_unwinding_line(&line, &t->r->run->unwindings[i]);
        slw_buf_putc(t->out, '\n');
        slw_term_styled(t, NULL, 0, "", line.data ? line.data : "");
        if (slw_buf_failed(&line))
            t->out->failed = true;
        slw_buf_release(&line);
    }
}

static void put_self(const struct slw_term_page *t)
{
    struct slw_buf line = {0};

    slw_format_self(&line, t->r);
    slw_buf_putc(t->out, '\n');
    slw_term_styled(t, SLW_TERM_DIM, 0, "", line.data ? line.data : "");
    if (slw_buf_failed(&line))
        t->out->failed = true;
    slw_buf_release(&line);
}

/* ---- legend: only the letters that were used ---- */

static void put_meaning(const struct slw_term_page *t, const char *lead, char letter)
{
    struct slw_buf text = {0};

    slw_simulated_mark_meaning(&text, t->r->run, letter);
    slw_term_styled(t, SLW_TERM_DIM, 0, lead, text.data ? text.data : "");
    if (slw_buf_failed(&text))
        t->out->failed = true;
    slw_buf_release(&text);
}

static void put_legend(const struct slw_term_page *t)
{
    static const char *const leads[] = {"ˢ  ", "ᵐ  ", "ⁱ  "};
    bool used[SLW_MARK_COUNT] = {false};

    slw_legend_used(t->r, used);
    for (size_t i = 0; i < SLW_MARK_COUNT; i++)
        if (used[i])
            put_meaning(t, leads[i], SLW_MARK_LETTERS[i]);
    if (t->r->errata)
        slw_term_styled(t, SLW_TERM_DIM, 0, SLW_TERM_ERRATUM "  ", t->r->errata);
}

static int render_term(const struct slw_report *report, const struct slw_render_options *opts,
                       struct slw_buf *out, struct slw_error *err)
{
    int width = opts->width > 0 ? opts->width : SLW_TERM_DEFAULT_WIDTH;
    const struct slw_term_page t = {.out = out,
                                    .r = report,
                                    .width = (size_t)(width < MIN_WIDTH   ? MIN_WIDTH
                                                      : width > MAX_WIDTH ? MAX_WIDTH
                                                                          : width),
                                    .color = opts->color,
                                    .verbose = opts->verbose,
                                    .functions =
                                        opts->function_max ? opts->function_max : FUNCTIONS};

    put_headline(&t);
    slw_traffic_term(out, report, t.width, t.color);
    slw_term_topdown(&t);
    put_split(&t);
    slw_waiting_term(out, report, t.width, t.color);
    slw_stages_term(out, report->run, t.width, t.color);
    slw_term_functions(&t);
    slw_term_function_topdown(&t);
    for (int i = 0; i < SLW_SCOPE_TABLES; i++)
        put_scopes(&t, (enum slw_scope_table)i);
    put_findings(&t);
    slw_term_counts(&t);
    slw_term_printed(&t);
    put_notes(&t);
    slw_format_losses(out, &report->run->losses);
    put_stacks(&t);
    put_self(&t);
    put_legend(&t);
    return slw_buf_failed(out) ? slw_fail(err, SLW_E_NOMEM, "no memory for a report") : 0;
}

const struct slw_renderer slw_renderer_term = {
    .name = "term", .summary = "text for a terminal", .extension = "txt", .render = render_term};

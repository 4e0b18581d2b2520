/* SPDX-License-Identifier: MIT */
/* A report as GitHub-flavoured Markdown, to be pasted into a pull request. Names are foreign text:
 * they must not become links, mentions, HTML or table columns. */
#include "analyzer/bar.h"
#include "analyzer/cores.h"
#include "analyzer/costs.h"
#include "analyzer/facts.h"
#include "analyzer/findings.h"
#include "analyzer/format.h"
#include "analyzer/function_table.h"
#include "analyzer/legend.h"
#include "analyzer/md_text.h"
#include "analyzer/renderer.h"
#include "analyzer/scope_table.h"
#include "analyzer/side.h"
#include "analyzer/simulated.h"
#include "analyzer/stages.h"
#include "analyzer/traffic.h"
#include "analyzer/unwinding.h"
#include "analyzer/verdict.h"
#include "analyzer/waited_for.h"
#include "analyzer/waiting.h"

#include <string.h>

#define FUNCTIONS 20
#define MODULES   8
#define TASKS     30
#define INTERVALS 60

static void put_command(struct slw_buf *out, const struct slw_run *run)
{
    struct slw_buf line = {0};

    for (size_t i = 0; i < run->command.argc; i++) {
        slw_buf_puts(&line, i ? " " : "");
        slw_buf_puts(&line, run->command.argv[i]);
    }
    slw_buf_puts(out, "### slotwise");
    if (line.length > 0) {
        slw_buf_puts(out, ": ");
        slw_md_name(out, line.data);
    }
    slw_buf_puts(out, "\n\n");
    if (slw_buf_failed(&line))
        out->failed = true;
    slw_buf_release(&line);
}

static void put_side(struct slw_buf *out, const struct slw_report *r)
{
    struct slw_buf line = {0};

    if (!slw_side_asked(r))
        return;
    slw_side_put(&line, r->side);
    slw_md_prose(out, line.data ? line.data : "");
    slw_buf_puts(out, "\n\n");
    if (slw_buf_failed(&line))
        out->failed = true;
    slw_buf_release(&line);
}

static void put_verdict(struct slw_buf *out, const struct slw_report *r)
{
    slw_buf_puts(out, "**");
    slw_md_prose(out, r->verdict);
    slw_buf_puts(out, "**\n\n");
    slw_md_prose(out, r->verdict_basis);
    slw_buf_puts(out, "\n\n");
    put_side(out, r);
}

/* ---- tables ---- */

static void put_tree(struct slw_buf *out, const struct slw_report *r)
{
    slw_buf_puts(out, "| node | value (95 %) | |\n|---|---:|---|\n");
    for (size_t i = 0; i < r->node_count; i++) {
        const struct slw_report_node *n = &r->nodes[i];

        slw_buf_puts(out, "| ");
        for (int level = 1; level < n->level && level < 8; level++)
            slw_buf_puts(out, "&nbsp;&nbsp;");
        slw_md_prose(out, n->title ? n->title : n->name);
        slw_buf_puts(out, " | ");
        if (n->value.absent) {
            slw_md_prose(out, n->value.absent);
        } else if (slw_format_implausible(n)) {
            slw_buf_puts(out, slw_format_implausible(n));
        } else if (slw_format_is_share(n->value.unit)) {
            slw_format_percent(out, n->value.value);
            slw_md_mark(out, &n->value.from);
        } else {
            slw_format_number(out, n->value.value);
            slw_md_mark(out, &n->value.from);
        }
        slw_buf_puts(out, n->errata ? " <sup>e</sup>" : "");
        slw_format_interval(out, &n->value);
        slw_buf_puts(out, " | ");
        if (n->mismeasured)
            slw_buf_puts(out, "mismeasured");
        else if (n->thin)
            slw_buf_puts(out, "too little counted");
        else if ((int)i == r->topdown.bottleneck && r->topdown.status == SLW_TOPDOWN_FOUND)
            slw_buf_puts(out, "**bottleneck**");
        else if (n->flagged)
            slw_buf_puts(out, "above threshold");
        slw_buf_puts(out, " |\n");
    }
    slw_buf_putc(out, '\n');
}

static void put_core(struct slw_buf *out, const struct slw_report *r, size_t core)
{
    const struct slw_report_core *c = &r->cores[core];
    const struct slw_report view = slw_report_of_core(r, core);

    slw_buf_puts(out, "#### Top-down, ");
    slw_md_prose(out, c->title);
    slw_buf_puts(out, "\n\n");
    slw_cores_put_shares(out, c);
    slw_buf_puts(out, "\n\n");
    if (c->node_count > 0 && !slw_core_unused(c)) {
        put_tree(out, &view);
        return;
    }
    slw_md_prose(out,
                 c->node_count > 0 ? "The target did not run on these cores." : c->topdown.reason);
    slw_buf_puts(out, "\n\n");
}

static void put_topdown(struct slw_buf *out, const struct slw_report *r)
{
    for (size_t i = 0; i < r->core_count; i++)
        put_core(out, r, i);
    if (r->core_count > 0 || r->node_count == 0)
        return;
    slw_buf_puts(out, "#### Top-down\n\n");
    put_tree(out, r);
}

static void put_share_cell(struct slw_buf *out, const struct slw_report *r,
                           const struct slw_share *share)
{
    slw_buf_puts(out, "| ");
    slw_format_share(out, share);
    slw_md_mark(out, &r->column->from);
    slw_buf_putc(out, ' ');
}

static void put_samples_cell(struct slw_buf *out, const struct slw_report *r, uint64_t samples)
{
    if (slw_simulated_is(r->run)) /* every instruction was followed */
        return;
    slw_buf_puts(out, "| ");
    if (r->samples_column < 0) {
        slw_buf_puts(out, "unknown");
    } else {
        slw_format_integer(out, samples);
        slw_md_mark(out, &r->column->from);
    }
    slw_buf_putc(out, ' ');
}

static void put_functions(struct slw_buf *out, const struct slw_report *r, size_t most)
{
    if (r->function_count == 0) {
        slw_buf_puts(out, "No samples: there is no function table.\n\n");
        return;
    }
    slw_buf_puts(out, "#### Hottest functions\n\n");
    slw_buf_puts(out, slw_simulated_is(r->run)
                          ? "| self | total | function | module |\n|---:|---:|---|---|\n"
                          : "| self (95 %) | total | samples | function | module |\n"
                            "|---:|---:|---:|---|---|\n");
    for (size_t i = 0; i < r->function_count && i < most; i++) {
        const struct slw_report_function *f = &r->functions[i];

        put_share_cell(out, r, &f->self_share);
        slw_buf_printf(out, "| %.1f %%", f->total_share.value * 100);
        slw_md_mark(out, &r->column->from);
        slw_buf_putc(out, ' ');
        put_samples_cell(out, r, f->self_samples);
        slw_buf_puts(out, "| ");
        slw_md_name(out, f->function);
        slw_buf_puts(out, " | ");
        slw_md_name(out, f->module_name);
        slw_buf_puts(out, " |\n");
    }
    slw_buf_putc(out, '\n');
    if (r->function_count > most) {
        slw_format_integer(out, r->function_count - most);
        slw_buf_puts(out, " more functions are not shown.\n\n");
    }
}

static void put_function_topdown(struct slw_buf *out, const struct slw_report *r, size_t most)
{
    if (!r->function_topdowns)
        return;
    slw_buf_puts(out, "#### Top-down by function\n\n| function | share |");
    for (int i = 0; i < SLW_CELL_COUNT; i++)
        slw_buf_printf(out, " %s |", slw_function_cell_name((enum slw_function_cell)i));
    const bool exact = slw_simulated_is(r->run);

    slw_buf_puts(out,
                 exact ? "\n|---|---:|---:|---:|---:|---:|---:|---:|\n"
                       : " margin | reads |\n|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n");
    for (size_t i = 0; i < r->function_count && i < most; i++) {
        const struct slw_report_function_topdown *t = &r->function_topdowns[i];

        slw_buf_puts(out, "| ");
        slw_md_name(out, r->functions[i].function);
        slw_buf_printf(out, " | %.1f %%", 100 * r->functions[i].self_share.value);
        slw_md_mark(out, &r->column->from);
        for (int c = 0; c < SLW_CELL_COUNT; c++) {
            slw_buf_puts(out, " | ");
            if (t->absent)
                slw_buf_puts(out, c == 0 ? t->absent : "");
            else
                slw_function_cell_put(out, t, (enum slw_function_cell)c);
        }
        if (t->absent && !exact)
            slw_buf_puts(out, " | ");
        else if (!exact)
            slw_buf_printf(out, " | %.1f", slw_function_margin(t));
        if (!exact)
            slw_buf_printf(out, " | %llu", (unsigned long long)t->reads);
        slw_buf_puts(out, " |\n");
    }
    slw_buf_printf(out, "\n%s\n\n", slw_function_table_caveat(r));
}

static void put_scope_row(struct slw_buf *out, const struct slw_report *r,
                          enum slw_scope_table table, size_t row)
{
    struct slw_buf name = {0};

    slw_scope_name_put(&name, r, table, row);
    slw_buf_puts(out, "| ");
    slw_md_name(out, name.data ? name.data : "");
    for (size_t cell = 0; cell + 1 < slw_scope_cells(r, table); cell++) {
        slw_buf_puts(out, " | ");
        slw_scope_cell_put(out, r, table, row, cell);
    }
    slw_buf_puts(out, " |\n");
    out->failed |= slw_buf_failed(&name);
    slw_buf_release(&name);
}

static void put_scope_pool(struct slw_buf *out, const struct slw_report *r, size_t most)
{
    struct slw_scope pool;

    slw_scope_pool(r, most, &pool);
    slw_format_integer(out, pool.task_count);
    slw_buf_puts(out, " others");
    if (!pool.share.absent) {
        slw_buf_puts(out, " have ");
        slw_format_percent(out, pool.share.value);
        slw_buf_puts(out, " of the CPU time");
    }
    slw_buf_puts(out, ".\n\n");
}

static void put_scopes(struct slw_buf *out, const struct slw_report *r, enum slw_scope_table table)
{
    static const char *const titles[SLW_SCOPE_TABLES] = {"Counted one by one", "User and kernel",
                                                         "Time line"};
    const size_t rows = slw_scope_rows(r, table), last = slw_scope_cells(r, table) - 1;
    const size_t most = table == SLW_SCOPES_INTERVALS ? INTERVALS : TASKS;
    struct slw_buf foot = {0};

    if (rows == 0)
        return;
    slw_buf_printf(out, "#### %s\n\n| %s |", titles[table], slw_scope_cell_title(r, table, last));
    for (size_t cell = 0; cell < last; cell++) {
        slw_buf_putc(out, ' ');
        slw_md_prose(out, slw_scope_cell_title(r, table, cell));
        slw_buf_puts(out, " |");
    }
    slw_buf_puts(out, "\n|---|");
    for (size_t cell = 0; cell < last; cell++)
        slw_buf_puts(out, "---:|");
    slw_buf_putc(out, '\n');
    for (size_t row = 0; row < rows && row < most; row++)
        put_scope_row(out, r, table, row);
    slw_buf_putc(out, '\n');
    if (rows > most && table == SLW_SCOPES_TASKS)
        put_scope_pool(out, r, most);
    else if (rows > most)
        slw_buf_printf(out, "%zu more intervals are in the JSON report.\n\n", rows - most);
    slw_scope_foot_put(&foot, r, table);
    if (foot.length > 0) {
        slw_md_prose(out, foot.data);
        slw_buf_puts(out, "\n\n");
    }
    out->failed |= slw_buf_failed(&foot);
    slw_buf_release(&foot);
}

static void put_modules(struct slw_buf *out, const struct slw_report *r)
{
    if (r->module_count == 0)
        return;
    const bool exact = slw_simulated_is(r->run);

    slw_buf_printf(out, "#### Where the %s %s\n\n", slw_verdict_whole(r), exact ? "go" : "goes");
    slw_buf_puts(out, exact ? "| self | module |\n|---:|---|\n"
                            : "| self (95 %) | samples | module |\n|---:|---:|---|\n");
    for (size_t i = 0; i < r->module_count && i < MODULES; i++) {
        put_share_cell(out, r, &r->modules[i].self_share);
        put_samples_cell(out, r, r->modules[i].self_samples);
        slw_buf_puts(out, "| ");
        slw_md_name(out, r->modules[i].module_name);
        slw_buf_puts(out, " |\n");
    }
    slw_buf_putc(out, '\n');
}

static void put_waiting(struct slw_buf *out, const struct slw_report *r)
{
    struct slw_buf rates = {0};

    if (r->run->waiting_count == 0)
        return;
    slw_buf_puts(out, "#### Where the wall time went\n\n");
    slw_bar_md(out, r, slw_md_prose);
    slw_waiting_rates(&rates, r->run);
    if (r->run->waited_for_count > 0)
        slw_buf_puts(&rates, ". ");
    slw_waited_for_text(&rates, r->run);
    slw_md_prose(out, rates.data ? rates.data : "");
    slw_buf_puts(out, ".\n\n");
    if (slw_buf_failed(&rates))
        out->failed = true;
    slw_buf_release(&rates);
}

static void put_figure_cell(struct slw_buf *out, const struct slw_figure *f)
{
    struct slw_buf text = {0};

    slw_format_figure(&text, f);
    slw_buf_puts(out, " | ");
    slw_md_prose(out, text.data ? text.data : "");
    if (!f->absent) {
        slw_md_mark(out, &f->from);
        slw_format_interval(out, f);
        if (f->coverage < 1) {
            slw_buf_puts(out, ", counted ");
            slw_format_percent(out, f->coverage);
            slw_buf_puts(out, " of the time");
        }
    }
    if (slw_buf_failed(&text))
        out->failed = true;
    slw_buf_release(&text);
}

static void put_count_name(struct slw_buf *out, const struct slw_report_row *row)
{
    slw_md_name(out, row->name);
    if (row->count->pmu) {
        slw_buf_puts(out, " on ");
        slw_md_name(out, row->count->pmu);
    }
    if (row->count->mode != SLW_MODE_ALL && row->total.from.source != SLW_SOURCE_SIMULATED)
        slw_buf_printf(out, " (%s)", slw_format_mode(row->count->mode));
}

static void put_counts(struct slw_buf *out, const struct slw_report *r)
{
    const struct slw_costs *costs = r->costs;
    const bool per_request = !costs->per_request_absent;

    if (r->row_count == 0 && costs->count == 0)
        return;
    slw_buf_puts(out, "#### Counts\n\n");
    slw_buf_puts(out, per_request ? "| count | total | per request |\n|---|---:|---:|\n"
                                  : "| count | total |\n|---|---:|\n");
    for (size_t i = 0; i < costs->count + r->row_count; i++) {
        const struct slw_cost *c = i < costs->count ? &costs->rows[i] : NULL;
        const struct slw_report_row *row = c ? NULL : &r->rows[i - costs->count];

        slw_buf_puts(out, "| ");
        if (c)
            slw_md_prose(out, c->name);
        else
            put_count_name(out, row);
        put_figure_cell(out, c ? &c->total : &row->total);
        if (per_request)
            put_figure_cell(out, c ? &c->per_request : &row->per_request);
        slw_buf_puts(out, " |\n");
    }
    slw_buf_putc(out, '\n');
    if (per_request)
        return;
    slw_buf_puts(out, "Per request: not shown, ");
    slw_md_prose(out, costs->per_request_absent);
    slw_buf_puts(out, ".\n\n");
}

static void put_printed(struct slw_buf *out, const struct slw_report *r)
{
    if (r->run->printed_count == 0 || r->topdown.status != SLW_TOPDOWN_NONE)
        return;
    slw_buf_puts(out, "#### Printed by the tool it was imported from\n\n"
                      "| metric | value |\n|---|---:|\n");
    for (size_t i = 0; i < r->run->printed_count; i++) {
        const struct slw_printed *p = &r->run->printed[i];

        slw_buf_puts(out, "| ");
        slw_md_name(out, p->name);
        slw_buf_puts(out, " | ");
        slw_md_prose(out, p->value);
        slw_buf_puts(out, p->unit ? " " : "");
        slw_md_prose(out, p->unit ? p->unit : "");
        slw_md_mark(out, &p->from);
        slw_buf_puts(out, " |\n");
    }
    slw_buf_putc(out, '\n');
}

/* ---- words ---- */

static void put_findings(struct slw_buf *out, const struct slw_report *r)
{
    if (r->finding_count == 0)
        return;
    slw_buf_puts(out, "#### Findings\n\n");
    for (size_t i = 0; i < r->finding_count; i++) {
        slw_buf_puts(out, "- **");
        slw_md_prose(out, r->findings[i].title);
        slw_buf_printf(out, "** (`%s`, %s): ", r->findings[i].id,
                       slw_finding_sure(r->findings[i].sure));
        slw_md_prose(out, r->findings[i].evidence);
        slw_buf_puts(out, ". ");
        slw_md_prose(out, r->findings[i].advice);
        slw_buf_putc(out, '\n');
    }
    slw_buf_putc(out, '\n');
}

static void put_notes(struct slw_buf *out, const struct slw_run *run)
{
    if (run->note_count == 0)
        return;
    slw_buf_puts(out, "#### Notes\n\n");
    for (size_t i = 0; i < run->note_count; i++) {
        const struct slw_note *n = &run->notes[i];

        slw_buf_puts(out, n->level == SLW_NOTE_WARNING ? "- warning: " : "- ");
        slw_md_prose(out, n->text);
        if (n->hint) {
            slw_buf_puts(out, " *Try:* ");
            slw_md_prose(out, n->hint);
        }
        slw_buf_putc(out, '\n');
    }
    slw_buf_putc(out, '\n');
}

static void put_stacks(struct slw_buf *out, const struct slw_run *run)
{
    for (size_t i = 0; i < run->unwinding_count; i++) {
        struct slw_buf line = {0};

        slw_unwinding_line(&line, &run->unwindings[i]);
        slw_md_prose(out, line.data ? line.data : "");
        slw_buf_puts(out, "\n\n");
        if (slw_buf_failed(&line))
            out->failed = true;
        slw_buf_release(&line);
    }
}

static void put_self(struct slw_buf *out, const struct slw_report *r)
{
    struct slw_buf line = {0};

    slw_format_self(&line, r);
    slw_md_prose(out, line.data ? line.data : "");
    slw_buf_puts(out, "\n\n");
    if (slw_buf_failed(&line))
        out->failed = true;
    slw_buf_release(&line);
}

static void put_meaning(struct slw_buf *out, const struct slw_report *r, char letter)
{
    struct slw_buf text = {0};

    slw_simulated_mark_meaning(&text, r->run, letter);
    slw_md_prose(out, text.data ? text.data : "");
    out->failed |= slw_buf_failed(&text);
    slw_buf_release(&text);
}

static void put_legend(struct slw_buf *out, const struct slw_report *r)
{
    for (const char *letter = SLW_MARK_LETTERS; *letter; letter++) {
        char mark[] = {*letter, '\0', '\0'};
        slw_buf_printf(out, "%s<sup>%s</sup> ", letter[0] == 's' ? "" : "; ", mark);
        put_meaning(out, r, *letter);
    }
    if (r->errata) {
        slw_buf_puts(out, "; <sup>e</sup> ");
        slw_md_prose(out, r->errata);
    }
    slw_buf_puts(out, ". Shares are of sampled weight, with a 95 % interval.\n");
}

static int render_md(const struct slw_report *report, const struct slw_render_options *opts,
                     struct slw_buf *out, struct slw_error *err)
{
    put_command(out, report->run);
    put_verdict(out, report);
    slw_traffic_md(out, report, slw_md_prose);
    put_topdown(out, report);
    put_modules(out, report);
    put_waiting(out, report);
    slw_stages_md(out, report->run, slw_md_prose, slw_md_mark);
    put_functions(out, report, opts->function_max ? opts->function_max : FUNCTIONS);
    put_function_topdown(out, report, opts->function_max ? opts->function_max : FUNCTIONS);
    for (int i = 0; i < SLW_SCOPE_TABLES; i++)
        put_scopes(out, report, (enum slw_scope_table)i);
    put_findings(out, report);
    put_counts(out, report);
    put_printed(out, report);
    put_notes(out, report->run);
    put_stacks(out, report->run);
    put_self(out, report);
    put_legend(out, report);
    return slw_buf_failed(out) ? slw_fail(err, SLW_E_NOMEM, "no memory for a report") : 0;
}

const struct slw_renderer slw_renderer_md = {
    .name = "md", .summary = "Markdown for a pull request", .extension = "md", .render = render_md};

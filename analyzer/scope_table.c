/* SPDX-License-Identifier: MIT */
#include "analyzer/scope_table.h"

#include "analyzer/format.h"
#include "analyzer/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define CELL_COLUMNS 11 /* of CPU time; the others are narrower */
#define MAX_BARS     60
#define LABEL        18 /* columns of what a line of bars is of */

size_t slw_scope_rows(const struct slw_report *r, enum slw_scope_table table)
{
    const struct slw_scopes *s = r->scopes;

    switch (table) {
    case SLW_SCOPES_TASKS:
        return s->task_count;
    case SLW_SCOPES_MODES:
        return s->mode_count;
    case SLW_SCOPES_INTERVALS:
        return s->interval_count;
    }
    return 0;
}

static const struct slw_scope *scope_at(const struct slw_report *r, enum slw_scope_table table,
                                        size_t row)
{
    const struct slw_scopes *s = r->scopes;

    return table == SLW_SCOPES_TASKS   ? &s->tasks[row]
           : table == SLW_SCOPES_MODES ? &s->modes[row]
                                       : &s->intervals[row];
}

static bool of_processes(const struct slw_report *r)
{
    return r->scopes->task_count > 0 && r->scopes->tasks[0].tid == -1;
}

const char *slw_scope_title(const struct slw_report *r, enum slw_scope_table table)
{
    if (table == SLW_SCOPES_TASKS)
        return of_processes(r) ? "BY PROCESS" : "BY THREAD";
    return table == SLW_SCOPES_MODES ? "USER AND KERNEL" : "TIME LINE";
}

const char *slw_scope_explained(enum slw_scope_table table)
{
    static const char *const texts[SLW_SCOPE_TABLES] = {
        "counted one by one", "hardware events by privilege level", "lowest to highest value"};

    return texts[table];
}

/* ---- cells: CPU time, share, IPC, level-1 nodes, switches, name ---- */

enum { CELL_CPU, CELL_SHARE, CELL_IPC, CELL_NODES };

size_t slw_scope_cells(const struct slw_report *r, enum slw_scope_table table)
{
    (void)table;
    return CELL_NODES + r->scopes->node_count + 2;
}

static const struct slw_figure *figure_at(const struct slw_report *r, const struct slw_scope *s,
                                          size_t cell)
{
    if (cell == CELL_CPU)
        return &s->cpu;
    if (cell == CELL_SHARE)
        return &s->share;
    if (cell == CELL_IPC)
        return &s->ipc;
    return cell < CELL_NODES + r->scopes->node_count ? &s->nodes[cell - CELL_NODES] : &s->switches;
}

static const char *node_title(const char *name)
{
    static const struct {
        const char *name, *title;
    } known[] = {{"frontend_bound", "FE"},
                 {"backend_bound", "BE"},
                 {"bad_speculation", "BS"},
                 {"retiring", "RET"},
                 {"smt_contention", "SMT"}};

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (strcmp(known[i].name, name) == 0)
            return known[i].title;
    return name;
}

const char *slw_scope_cell_title(const struct slw_report *r, enum slw_scope_table table,
                                 size_t cell)
{
    const size_t nodes = r->scopes->node_count;

    if (cell == CELL_CPU)
        return "CPU time";
    if (cell == CELL_SHARE)
        return table == SLW_SCOPES_INTERVALS ? "CPUs" : "share";
    if (cell == CELL_IPC)
        return "IPC";
    if (cell < CELL_NODES + nodes)
        return node_title(r->scopes->nodes[cell - CELL_NODES]->name);
    if (cell == CELL_NODES + nodes)
        return "switches";
    if (table == SLW_SCOPES_TASKS)
        return of_processes(r) ? "process" : "thread";
    return table == SLW_SCOPES_MODES ? "mode" : "interval";
}

/* How a number says that it is no live hardware count: "1.2 s" and a plain s would be misread. */
enum marks { MARKS_RAISED, MARKS_HTML };

static void put_mark(struct slw_buf *out, const struct slw_provenance *from, enum marks marks)
{
    const char *mark = slw_format_mark(from);

    if (marks == MARKS_HTML) {
        slw_buf_printf(out, mark[0] ? " <sup>%s</sup>" : "%s", mark);
        return;
    }
    for (const char *m = mark; *m; m++)
        slw_buf_puts(out, *m == 's' ? "ˢ" : *m == 'm' ? "ᵐ" : "ⁱ");
}

static void put_value(struct slw_buf *out, const struct slw_report *r, enum slw_scope_table table,
                      const struct slw_scope *s, size_t cell, enum marks marks)
{
    const struct slw_figure *f = figure_at(r, s, cell);
    const size_t nodes = r->scopes->node_count;

    if (f->absent) {
        slw_buf_puts(out, "-");
        return;
    }
    if (cell == CELL_CPU)
        slw_format_ns(out, (uint64_t)f->value);
    else if (cell == CELL_SHARE && table != SLW_SCOPES_INTERVALS)
        slw_buf_printf(out, "%.1f%%", 100 * f->value);
    else if (cell == CELL_SHARE || cell == CELL_IPC)
        slw_buf_printf(out, "%.2f", f->value);
    else if (cell < CELL_NODES + nodes)
        slw_buf_printf(out, "%.1f", 100 * f->value);
    else
        slw_format_integer(out, (uint64_t)f->value);
    put_mark(out, &f->from, marks);
}

void slw_scope_cell_put(struct slw_buf *out, const struct slw_report *r, enum slw_scope_table table,
                        size_t row, size_t cell)
{
    put_value(out, r, table, scope_at(r, table, row), cell, MARKS_HTML);
}

static void put_task_name(struct slw_buf *out, const struct slw_scope *s)
{
    if (s->pid == 0 && s->tid == 0) {
        slw_buf_printf(out, "%" PRIu64 " others", s->task_count);
        return;
    }
    slw_buf_puts(out, s->name ? s->name : "unknown");
    slw_buf_printf(out, " (%d)", s->tid >= 0 ? s->tid : s->pid);
    if (s->task_count > 1 && s->tid >= 0)
        slw_buf_printf(out, " and %" PRIu64 " not told apart", s->task_count - 1);
}

void slw_scope_name_put(struct slw_buf *out, const struct slw_report *r, enum slw_scope_table table,
                        size_t row)
{
    const struct slw_scope *s = scope_at(r, table, row);

    if (table == SLW_SCOPES_TASKS) {
        put_task_name(out, s);
    } else if (table == SLW_SCOPES_MODES) {
        slw_buf_puts(out, s->name);
    } else {
        slw_format_ns(out, s->when.start_ns);
        slw_buf_puts(out, " + ");
        slw_format_ns(out, s->when.length_ns);
    }
}

void slw_scope_pool(const struct slw_report *r, size_t most, struct slw_scope *ret_scope)
{
    const struct slw_scopes *all = r->scopes;
    static const char *const why = "not computed for several at once";
    struct slw_scope pool = {.ipc.absent = why, .switches.absent = why};

    for (size_t i = 0; i < all->node_count; i++)
        pool.nodes[i].absent = why;
    for (size_t i = most; i < all->task_count; i++) {
        const struct slw_scope *s = &all->tasks[i];

        pool.task_count += s->pid == 0 || s->tid >= 0 ? s->task_count : 1;
        pool.cpu.from = s->cpu.from;
        pool.share.from = s->share.from;
        pool.cpu.absent = pool.cpu.absent ? pool.cpu.absent : s->cpu.absent;
        pool.share.absent = pool.share.absent ? pool.share.absent : s->share.absent;
        pool.cpu.value += s->cpu.value;
        pool.share.value += s->share.value;
    }
    *ret_scope = pool;
}

/* ---- below the table ---- */

static void put_sum(struct slw_buf *out, const struct slw_report *r)
{
    const struct slw_scopes *s = r->scopes;

    if (!s->rest_event) {
        slw_buf_puts(out, "Together they are all of every count.");
        return;
    }
    if (s->rest_share < 0) {
        slw_buf_printf(out,
                       "Together they have %.2f %% more of %s than was counted in all: at "
                       "least one of them is wrong.",
                       -100 * s->rest_share, s->rest_event);
        return;
    }
    slw_buf_puts(out, "Unaccounted: ");
    if (s->rest.absent) {
        slw_buf_puts(out, "CPU time unknown");
    } else {
        slw_format_ns(out, (uint64_t)s->rest.value);
        slw_buf_puts(out, " of CPU time");
    }
    slw_buf_printf(out, "; at most %.2f %% of any count (%s).", 100 * s->rest_share, s->rest_event);
}

/* Why cells are empty: the first reason of a column that has one. */
static void put_reason(struct slw_buf *out, const struct slw_report *r, enum slw_scope_table table)
{
    const size_t cells = slw_scope_cells(r, table) - 1;

    for (size_t row = 0; row < slw_scope_rows(r, table); row++)
        for (size_t cell = 0; cell < cells; cell++) {
            const struct slw_figure *f = figure_at(r, scope_at(r, table, row), cell);
            if (!f->absent || (table == SLW_SCOPES_MODES && cell == cells - 1))
                continue;
            slw_buf_printf(out, "%s-: %s (%s", out->length > 0 ? " " : "", f->absent,
                           slw_scope_cell_title(r, table, cell));
            slw_buf_puts(out, row + 1 < slw_scope_rows(r, table) ? ", and others)." : ").");
            return;
        }
}

void slw_scope_foot_put(struct slw_buf *out, const struct slw_report *r, enum slw_scope_table table)
{
    if (table == SLW_SCOPES_TASKS)
        put_sum(out, r);
    if (table == SLW_SCOPES_MODES)
        slw_buf_puts(out, "Both sets of counters may have taken turns. The tree above is of user "
                          "mode. CPU time and share are the kernel's accounting and the samples'.");
    put_reason(out, r, table);
}

/* ---- for a terminal ---- */

static size_t columns_of(const struct slw_report *r, size_t cell)
{
    if (cell == CELL_CPU)
        return CELL_COLUMNS;
    return cell == CELL_NODES + r->scopes->node_count ? 10 : cell == CELL_SHARE ? 9 : 6;
}

/* Nobody wants a column in which nothing is known. */
static bool any_known(const struct slw_report *r, enum slw_scope_table table, size_t cell)
{
    for (size_t row = 0; row < slw_scope_rows(r, table); row++)
        if (!figure_at(r, scope_at(r, table, row), cell)->absent)
            return true;
    return false;
}

static void right(struct slw_buf *out, const char *text, size_t columns)
{
    for (size_t used = slw_text_columns(text); used < columns; used++)
        slw_buf_putc(out, ' ');
    slw_buf_puts(out, text);
}

static size_t put_header(struct slw_buf *out, const struct slw_report *r,
                         enum slw_scope_table table)
{
    size_t used = 0;

    for (size_t cell = 0; cell + 1 < slw_scope_cells(r, table); cell++) {
        if (!any_known(r, table, cell))
            continue;
        right(out, slw_scope_cell_title(r, table, cell), columns_of(r, cell));
        used += columns_of(r, cell);
    }
    slw_buf_printf(out, "  %s\n", slw_scope_cell_title(r, table, slw_scope_cells(r, table) - 1));
    return used + 2;
}

static void put_row(struct slw_buf *out, const struct slw_report *r, enum slw_scope_table table,
                    const struct slw_scope *s)
{
    for (size_t cell = 0; cell + 1 < slw_scope_cells(r, table); cell++) {
        struct slw_buf text = {0};

        if (!any_known(r, table, cell))
            continue;
        put_value(&text, r, table, s, cell, MARKS_RAISED);
        right(out, text.data ? text.data : "", columns_of(r, cell));
        out->failed |= slw_buf_failed(&text);
        slw_buf_release(&text);
    }
}

static void put_table(struct slw_buf *out, const struct slw_report *r, enum slw_scope_table table,
                      size_t width, size_t most)
{
    const size_t rows = slw_scope_rows(r, table);
    const size_t used = put_header(out, r, table);
    const size_t room = width > used + 10 ? width - used : 10;

    for (size_t row = 0; row < rows && row < most; row++) {
        struct slw_buf name = {0};

        put_row(out, r, table, scope_at(r, table, row));
        slw_buf_puts(out, "  ");
        slw_scope_name_put(&name, r, table, row);
        slw_text_fit(out, name.data ? name.data : "", room);
        slw_buf_putc(out, '\n');
        out->failed |= slw_buf_failed(&name);
        slw_buf_release(&name);
    }
    if (rows <= most)
        return;
    struct slw_scope pool;
    slw_scope_pool(r, most, &pool);
    put_row(out, r, table, &pool);
    slw_buf_printf(out, "  %" PRIu64 " others\n", pool.task_count);
}

/* ---- counts by mode ---- */

static const struct slw_report_row *in_kernel_mode(const struct slw_report *r,
                                                   const struct slw_report_row *user)
{
    for (size_t i = 0; i < r->row_count; i++)
        if (r->rows[i].count->mode == SLW_MODE_KERNEL && strcmp(r->rows[i].name, user->name) == 0)
            return &r->rows[i];
    return NULL;
}

static void put_mode_counts(struct slw_buf *out, const struct slw_report *r)
{
    slw_buf_puts(out, "  count                            user          kernel  in user mode\n");
    for (size_t i = 0; i < r->row_count; i++) {
        const struct slw_report_row *user = &r->rows[i], *kernel = in_kernel_mode(r, user);
        char line[96];

        if (user->count->mode != SLW_MODE_USER || !kernel || user->total.absent ||
            kernel->total.absent)
            continue;
        const double sum = user->total.value + kernel->total.value;
        (void)snprintf(line, sizeof(line), " %16.0f%16.0f", user->total.value, kernel->total.value);
        slw_buf_puts(out, "  ");
        slw_text_cell(out, user->name, 20);
        slw_buf_puts(out, line);
        if (sum > 0)
            slw_buf_printf(out, "%13.1f%%", 100 * user->total.value / sum);
        slw_buf_putc(out, '\n');
    }
}

/* Mean over the intervals that share a bar; false: nothing is known of them. */
static bool bar_value(const struct slw_report *r, size_t cell, size_t first, size_t end,
                      double *ret_value)
{
    double sum = 0, length = 0;

    for (size_t i = first; i < end; i++) {
        const struct slw_scope *s = &r->scopes->intervals[i];
        const struct slw_figure *f = figure_at(r, s, cell);

        if (f->absent)
            continue;
        sum += f->value * (double)s->when.length_ns;
        length += (double)s->when.length_ns;
    }
    *ret_value = length > 0 ? sum / length : 0;
    return length > 0;
}

static void put_bars(struct slw_buf *out, const struct slw_report *r, size_t cell, size_t bars,
                     double highest)
{
    static const char *const blocks[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    const size_t count = r->scopes->interval_count;
    double value;

    for (size_t i = 0; i < bars; i++) {
        if (!bar_value(r, cell, i * count / bars, (i + 1) * count / bars, &value)) {
            slw_buf_putc(out, ' ');
            continue;
        }
        const double part = highest > 0 ? value / highest : 0;
        slw_buf_puts(out, blocks[(size_t)fmin(fmax(part * 8, 0), 7)]);
    }
}

/* From 0 up, so that the height of a bar means what it seems to. */
static void put_line(struct slw_buf *out, const struct slw_report *r, size_t cell, size_t bars)
{
    const struct slw_scope *low = NULL, *high = NULL;
    double highest = 0;

    for (size_t i = 0; i < r->scopes->interval_count; i++) {
        const struct slw_scope *s = &r->scopes->intervals[i];
        const struct slw_figure *f = figure_at(r, s, cell);

        if (f->absent)
            continue;
        low = !low || f->value < figure_at(r, low, cell)->value ? s : low;
        high = !high || f->value > figure_at(r, high, cell)->value ? s : high;
        highest = figure_at(r, high, cell)->value;
    }
    if (!low)
        return;
    slw_buf_puts(out, "  ");
    slw_text_cell(out, slw_scope_cell_title(r, SLW_SCOPES_INTERVALS, cell), LABEL - 2);
    put_bars(out, r, cell, bars, highest);
    slw_buf_puts(out, "  ");
    put_value(out, r, SLW_SCOPES_INTERVALS, low, cell, MARKS_RAISED);
    slw_buf_puts(out, " .. ");
    put_value(out, r, SLW_SCOPES_INTERVALS, high, cell, MARKS_RAISED);
    slw_buf_putc(out, '\n');
}

static void put_timeline(struct slw_buf *out, const struct slw_report *r, size_t width)
{
    const size_t count = r->scopes->interval_count;
    size_t bars = width > LABEL + 30 ? width - LABEL - 22 : 10;

    bars = bars < MAX_BARS ? bars : MAX_BARS;
    bars = bars < count ? bars : count;
    for (size_t cell = CELL_SHARE; cell + 1 < slw_scope_cells(r, SLW_SCOPES_INTERVALS); cell++)
        put_line(out, r, cell, bars);
    slw_buf_printf(out, "  %zu intervals, the last of ", count);
    slw_format_ns(out, r->scopes->intervals[count - 1].when.length_ns);
    slw_buf_putc(out, '\n');
}

void slw_scope_term(struct slw_buf *out, const struct slw_report *r, enum slw_scope_table table,
                    size_t width, size_t most)
{
    if (table == SLW_SCOPES_INTERVALS)
        put_timeline(out, r, width);
    else
        put_table(out, r, table, width, most);
    if (table == SLW_SCOPES_MODES)
        put_mode_counts(out, r);
}

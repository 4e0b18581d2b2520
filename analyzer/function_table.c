/* SPDX-License-Identifier: MIT */
#include "analyzer/function_table.h"

#include "analyzer/format.h"
#include "analyzer/simulated.h"
#include "analyzer/text.h"

#include <math.h>
#include <stdio.h>

/* Columns of a terminal from which on the table carries more. */
#define WIDTH_MARGIN 56
#define WIDTH_ALL    76

static const int cell_columns[SLW_CELL_COUNT] = {6, 6, 6, 6, 6, 7};

const char *slw_function_cell_name(enum slw_function_cell cell)
{
    static const char *const names[SLW_CELL_COUNT] = {"FE",  "BE",  "BS",
                                                      "RET", "IPC", "icache MPKI"};

    return names[cell];
}

void slw_function_cell_put(struct slw_buf *out, const struct slw_report_function_topdown *t,
                           enum slw_function_cell cell)
{
    const struct slw_figure *f = &t->cells[cell];

    if (f->absent)
        slw_buf_puts(out, "none");
    else if (cell <= SLW_CELL_RETIRING)
        slw_buf_printf(out, "%.1f", 100 * f->value);
    else
        slw_buf_printf(out, f->value < 10 ? "%.2f" : "%.1f", f->value);
}

double slw_function_margin(const struct slw_report_function_topdown *t)
{
    double widest = 0;

    for (size_t i = 0; i < SLW_CELL_COUNT; i++)
        widest = fmax(widest, t->margins[i]);
    return 100 * widest;
}

const char *slw_function_table_caveat(const struct slw_report *r)
{
    if (slw_simulated_is(r->run))
        return "FE front-end bound, BE back-end bound, BS bad speculation, RET retiring: percent "
               "of the function's own slots on the described core. MPKI: misses of the L1 "
               "instruction cache per thousand instructions. Every call and every instruction is "
               "followed; slots are of those that were timed, which the mark tells.";
    return "FE front-end bound, BE back-end bound, BS bad speculation, RET retiring: percent of "
           "the "
           "function's own slots. Counters are read with the samples and belong to the time that "
           "ends there; a sample lands some instructions late (skid), so that a small neighbour "
           "may have part of a number. The margin is 95 % and holds what other functions may have "
           "counted.";
}

static void right(struct slw_buf *out, const char *text, int columns)
{
    slw_buf_printf(out, "%*s", columns, text);
}

static size_t cells_shown(size_t width)
{
    return width >= WIDTH_ALL ? SLW_CELL_COUNT : SLW_CELL_RETIRING + 1;
}

/* How exact it is, where that differs from row to row. */
static size_t margin_columns(const struct slw_report *r, size_t width)
{
    return width >= WIDTH_MARGIN && !slw_simulated_is(r->run) ? 8 : 0;
}

static size_t reads_columns(const struct slw_report *r, size_t width)
{
    return width >= WIDTH_ALL && !slw_simulated_is(r->run) ? 8 : 0;
}

static void put_header(struct slw_buf *out, const struct slw_report *r, size_t width)
{
    right(out, "self", 8);
    for (size_t i = 0; i < cells_shown(width); i++)
        right(out,
              i == SLW_CELL_ICACHE_MPKI ? "MPKI"
                                        : slw_function_cell_name((enum slw_function_cell)i),
              cell_columns[i]);
    if (margin_columns(r, width))
        slw_buf_puts(out, "  margin");
    if (reads_columns(r, width))
        right(out, "reads", 8);
    slw_buf_puts(out, "  function\n");
}

static void put_cells(struct slw_buf *out, const struct slw_report *r,
                      const struct slw_report_function_topdown *t, size_t width)
{
    char margin[32], reads[32];

    for (size_t i = 0; i < cells_shown(width); i++) {
        struct slw_buf cell = {0};

        slw_function_cell_put(&cell, t, (enum slw_function_cell)i);
        right(out, cell.data ? cell.data : "", cell_columns[i]);
        out->failed |= slw_buf_failed(&cell);
        slw_buf_release(&cell);
    }
    (void)snprintf(margin, sizeof(margin), "%.1f", slw_function_margin(t));
    (void)snprintf(reads, sizeof(reads), "%llu", (unsigned long long)t->reads);
    if (margin_columns(r, width))
        right(out, margin, 8);
    if (reads_columns(r, width))
        right(out, reads, 8);
}

void slw_function_table_term(struct slw_buf *out, const struct slw_report *r, size_t width,
                             size_t most)
{
    size_t numbers = 0;

    for (size_t i = 0; i < cells_shown(width); i++)
        numbers += (size_t)cell_columns[i];
    numbers += margin_columns(r, width) + reads_columns(r, width);
    if (!r->function_topdowns)
        return;
    put_header(out, r, width);
    for (size_t i = 0; i < r->function_count && i < most; i++) {
        const struct slw_report_function_topdown *t = &r->function_topdowns[i];

        slw_buf_printf(out, "%7.1f%%", 100 * r->functions[i].self_share.value);
        if (t->absent)
            right(out, t->absent, (int)numbers);
        else
            put_cells(out, r, t, width);
        slw_buf_puts(out, "  ");
        slw_text_fit(out, r->functions[i].function, width - 10 - numbers);
        slw_buf_putc(out, '\n');
    }
}

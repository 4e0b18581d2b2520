/* SPDX-License-Identifier: MIT */
/* The tables of functions of a terminal report: the hottest, and the pipeline slots of each. */
#include "analyzer/format.h"
#include "analyzer/function_table.h"
#include "analyzer/simulated.h"
#include "analyzer/term_int.h"
#include "analyzer/text.h"

/* Columns that fit: self and its interval always, then total and samples, then the module. */
struct function_columns {
    bool totals;
    size_t name, module;
};

static struct function_columns function_columns(const struct slw_term_page *t)
{
    struct function_columns c = {.totals = t->width >= 60,
                                 .module = t->width >= 100  ? 28
                                           : t->width >= 72 ? 18
                                                            : 0};
    c.name = t->width -
             (slw_simulated_is(t->r->run) ? 20
              : c.totals                  ? 35
                                          : 17) -
             (c.module ? c.module + 1 : 0);
    return c;
}

static void put_totals(const struct slw_term_page *t, const struct slw_report_function *f)
{
    struct slw_buf samples = {0};

    if (slw_simulated_is(t->r->run)) {
        slw_term_percent(t, f->total_share.value, &t->r->column->from, 9);
        return;
    }
    slw_term_percent(t, f->total_share.value, &t->r->column->from, 9);
    if (t->r->samples_column >= 0)
        slw_format_integer(&samples, f->self_samples);
    else
        slw_buf_puts(&samples, "unknown");
    slw_term_right(t, samples.data ? samples.data : "", 9);
    if (slw_buf_failed(&samples))
        t->out->failed = true;
    slw_buf_release(&samples);
}

static void put_function(const struct slw_term_page *t, const struct slw_report_function *f)
{
    struct function_columns columns = function_columns(t);
    bool kernel = f->kind == SLW_FRAME_KERNEL;

    slw_term_percent(t, f->self_share.value, &t->r->column->from, 9);
    if (!slw_simulated_is(t->r->run))
        slw_term_half_width(t, &f->self_share, 6);
    if (columns.totals)
        put_totals(t, f);
    slw_buf_puts(t->out, "  ");
    if (kernel)
        slw_term_style(t, SLW_TERM_DIM);
    if (columns.module == 0) {
        slw_text_fit(t->out, f->function, columns.name);
    } else {
        slw_text_cell(t->out, f->function, columns.name);
        slw_buf_putc(t->out, ' ');
        slw_text_fit(t->out, f->module_name, columns.module);
    }
    if (kernel)
        slw_term_plain(t);
    slw_buf_putc(t->out, '\n');
}

void slw_term_functions(const struct slw_term_page *t)
{
    const struct slw_report *r = t->r;

    slw_term_heading(t, "HOTTEST FUNCTIONS", "self: in it; total: with what it calls");
    if (r->function_count == 0) {
        slw_buf_puts(t->out, "  none: no samples\n");
        return;
    }
    slw_term_style(t, SLW_TERM_DIM);
    if (slw_simulated_is(r->run))
        slw_buf_puts(t->out, function_columns(t).totals ? "   self   total  function"
                                                        : "   self  function");
    else
        slw_buf_puts(t->out, function_columns(t).totals
                                 ? "   self       ±   total    samples  function"
                                 : "   self       ±  function");
    slw_term_plain(t);
    slw_buf_putc(t->out, '\n');
    for (size_t i = 0; i < r->function_count && i < t->functions; i++)
        put_function(t, &r->functions[i]);
    if (r->function_count > t->functions) {
        slw_buf_puts(t->out, "  and ");
        slw_format_integer(t->out, r->function_count - t->functions);
        slw_buf_puts(t->out, " more\n");
    }
}

void slw_term_function_topdown(const struct slw_term_page *t)
{
    if (!t->r->function_topdowns)
        return;
    slw_term_heading(t, "TOP-DOWN BY FUNCTION", "where the slots of each function went");
    slw_function_table_term(t->out, t->r, t->width, t->functions);
    slw_term_styled(t, SLW_TERM_DIM, 2, "", slw_function_table_caveat(t->r));
}

/* SPDX-License-Identifier: MIT */
/* The top-down tree of a terminal report, one for each kind of core. */
#include "analyzer/cores.h"
#include "analyzer/format.h"
#include "analyzer/term_int.h"
#include "analyzer/text.h"

#include <stdio.h>
#include <string.h>

#define HALF_COLUMNS  7  /* " ±12.3" and a digit to spare */
#define TITLE_COLUMNS 24 /* at least */

/* Its column is there when some node has an interval. */
static void put_half(const struct slw_term_page *t, const struct slw_report_node *n)
{
    struct slw_buf text = {0};

    if (!slw_format_has_intervals(t->r))
        return;
    slw_format_half(&text, &n->value);
    slw_buf_putc(t->out, ' ');
    slw_term_right(t, text.data ? text.data : "", HALF_COLUMNS - 1);
    if (slw_buf_failed(&text))
        t->out->failed = true;
    slw_buf_release(&text);
}

static void put_absent(const struct slw_term_page *t, const char *why, size_t title_columns)
{
    const size_t before = title_columns + 12;

    slw_buf_puts(t->out, "  ");
    slw_text_fit(t->out, why, t->width > before + 10 ? t->width - before : 10);
}

static void put_node_value(const struct slw_term_page *t, const struct slw_report_node *n, bool pad)
{
    if (slw_format_implausible(n)) {
        slw_term_right(t, slw_format_implausible(n), 9);
        return;
    }
    if (!slw_format_is_share(n->value.unit)) {
        struct slw_buf text = {0};
        slw_format_number(&text, n->value.value);
        slw_term_mark(&text, &n->value.from);
        slw_buf_puts(&text, n->errata ? SLW_TERM_ERRATUM : "");
        slw_term_right(t, text.data ? text.data : "", 9);
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
    slw_term_marked_percent(t, n->value.value, &n->value.from, n->errata != NULL, 9);
    put_half(t, n);
    if (t->width >= 72) {
        slw_buf_putc(t->out, ' ');
        slw_term_bar(t, n->value.value,
                     SLW_TERM_BAR_COLUMNS - (slw_format_has_intervals(t->r) ? HALF_COLUMNS : 0),
                     n->flagged ? SLW_TERM_HOT : NULL, pad);
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

static size_t indent_of(const struct slw_report_node *n)
{
    const size_t indent = n->level > 1 ? 2 * (size_t)(n->level - 1) : 0;

    return indent < 12 ? indent : 12;
}

static const char *title_of(const struct slw_report_node *n)
{
    return n->title ? n->title : n->name;
}

/* What is not counted at this depth only verbose lists. */
static bool is_shown(const struct slw_term_page *t, const struct slw_report_node *n)
{
    return !n->value.absent || n->level <= 1 || t->verbose;
}

/* As many as the longest title takes, and a space, where the rest of a row leaves them. */
static size_t columns_of_titles(const struct slw_term_page *t)
{
    const size_t rest = 2 + 9 + (t->width >= 72 ? 1u + SLW_TERM_BAR_COLUMNS : HALF_COLUMNS) +
                        sizeof(" <- bottleneck") - 1;
    const size_t most = t->width > TITLE_COLUMNS + rest ? t->width - rest : TITLE_COLUMNS;
    size_t columns = TITLE_COLUMNS;

    for (size_t i = 0; i < t->r->node_count; i++) {
        const struct slw_report_node *n = &t->r->nodes[i];
        const size_t own = indent_of(n) + slw_text_columns(title_of(n)) + 1;

        if (is_shown(t, n) && own > columns)
            columns = own;
    }
    return columns < most ? columns : most;
}

static void put_tree(const struct slw_term_page *t)
{
    const struct slw_report *r = t->r;
    const size_t columns = columns_of_titles(t);

    for (size_t i = 0; i < r->node_count; i++) {
        const struct slw_report_node *n = &r->nodes[i];
        const size_t indent = indent_of(n);

        if (!is_shown(t, n))
            continue;
        slw_buf_puts(t->out, "  ");
        for (size_t s = 0; s < indent; s++)
            slw_buf_putc(t->out, ' ');
        slw_text_cell(t->out, title_of(n), columns - indent);
        if (n->value.absent)
            put_absent(t, n->value.absent, columns);
        else
            put_node_value(t, n, node_remark(r, i)[0] != '\0');
        slw_buf_puts(t->out, node_remark(r, i));
        slw_buf_putc(t->out, '\n');
    }
}

/* A tree of its own for each kind of core, under the share of the work it did. */
static void put_core(const struct slw_term_page *t, size_t core)
{
    const struct slw_report_core *c = &t->r->cores[core];
    const struct slw_report view = slw_report_of_core(t->r, core);
    struct slw_term_page own = *t;
    struct slw_buf title = {0}, shares = {0};

    own.r = &view;
    slw_buf_puts(&title, "TOP-DOWN, ");
    slw_text_fit(&title, c->title, 24);
    slw_cores_put_shares(&shares, c);
    slw_term_heading(t, title.data ? title.data : "", shares.data ? shares.data : "");
    if (c->node_count == 0)
        slw_term_paragraph(t, 2, "unknown: ", c->topdown.reason);
    else if (slw_core_unused(c))
        slw_buf_puts(t->out, "  the target did not run on these cores\n");
    else
        put_tree(&own);
    if (slw_buf_failed(&title) || slw_buf_failed(&shares))
        t->out->failed = true;
    slw_buf_release(&title);
    slw_buf_release(&shares);
}

void slw_term_topdown(const struct slw_term_page *t)
{
    for (size_t i = 0; i < t->r->core_count; i++)
        put_core(t, i);
    if (t->r->core_count > 0 || t->r->node_count == 0)
        return;
    slw_term_heading(t, "TOP-DOWN",
                     slw_format_has_intervals(t->r)
                         ? "where the pipeline slots went, ±: 95 % interval"
                         : "where the pipeline slots went");
    put_tree(t);
}

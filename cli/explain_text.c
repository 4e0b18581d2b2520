/* SPDX-License-Identifier: MIT */
/* An explanation as text for people. */
#include "cli/explain.h"

#include "analyzer/format.h"
#include "analyzer/text.h"
#include "cli/model_text.h"

#include <stdio.h>
#include <string.h>

#define INDENT   2
#define MAX_ROWS 256 /* as many as a model has lets, nodes or events */

struct page {
    struct slw_buf *out;
    size_t width;
};

static void heading(const struct page *p, const char *text)
{
    slw_buf_printf(p->out, "\n%s\n", text);
}

/* `text` wrapped, every line but the first `hang` columns deeper. */
static void hanging(const struct page *p, size_t hang, const char *text)
{
    slw_buf_printf(p->out, "%*s", INDENT, "");
    slw_text_wrap(p->out, text, p->width, INDENT + hang);
    slw_buf_putc(p->out, '\n');
}

static void paragraph(const struct page *p, const char *text)
{
    hanging(p, 0, text);
}

/* What was put into `b`, as one paragraph; b is empty after it. */
static void paragraph_of(const struct page *p, size_t hang, struct slw_buf *b)
{
    hanging(p, hang, b->data ? b->data : "");
    if (slw_buf_failed(b))
        p->out->failed = true;
    slw_buf_release(b);
}

/* ---- the model ---- */

static void put_none(const struct page *p, const struct slw_explain_scope *s)
{
    struct slw_buf b = {0};

    slw_buf_printf(&b, "This machine's CPU: %s.", s->why_none);
    if (s->hint[0])
        slw_buf_printf(&b, " What to do: %s.", s->hint);
    paragraph_of(p, 0, &b);
}

static void put_scope(const struct page *p, const struct slw_explain_scope *s)
{
    struct slw_buf b = {0};

    if (!s->model) {
        put_none(p, s);
        return;
    }
    slw_buf_printf(&b, "CPU model %s (%s): %s", s->model->name,
                   s->chosen ? "--model" : "this machine's CPU", s->model->title);
    paragraph_of(p, 0, &b);
}

/* The node is not of the CPU the question was about. */
static void put_borrowed(const struct page *p, const struct slw_explained *e)
{
    struct slw_buf b = {0};

    if (!e->own)
        return;
    if (e->scope->model)
        slw_buf_printf(&b, "%s has nothing of this name%s. ", e->scope->model->name,
                       e->scope->model->max_level == 0
                           ? ": no top-down is published for this CPU, only metrics"
                           : "");
    slw_buf_printf(&b, "What follows is its meaning in the model %s.", e->model->name);
    paragraph_of(p, 0, &b);
}

/* ---- formula, threshold, events ---- */

static void put_formula(const struct page *p, const struct slw_explained *e)
{
    const struct slw_model *m = e->model;
    const struct slw_model_node *n = &m->nodes[e->node];
    bool lets[MAX_ROWS] = {false}, nodes[MAX_ROWS] = {false};
    struct slw_buf b = {0};

    slw_model_parts(m, (size_t)e->node, lets, nodes);
    heading(p, "Formula");
    slw_buf_printf(&b, "%s = %s", n->name, n->text);
    paragraph_of(p, 4, &b);
    for (size_t i = 0; i < m->let_count; i++) {
        if (!lets[i])
            continue;
        slw_buf_printf(&b, "where %s = %s", m->lets[i].name, m->lets[i].text);
        paragraph_of(p, 4, &b);
    }
    slw_buf_printf(&b, "Unit: %s; plausible from %g to %g, beyond that it is mismeasured.", n->unit,
                   n->low, n->high);
    paragraph_of(p, 0, &b);
    slw_buf_puts(&b, "Source: ");
    if (n->source)
        slw_buf_puts(&b, n->source);
    else
        slw_model_source_text(&b, m);
    paragraph_of(p, 2, &b);
}

static void put_threshold(const struct page *p, const struct slw_explained *e)
{
    const struct slw_model_node *n = &e->model->nodes[e->node];
    struct slw_buf b = {0};

    heading(p, "Threshold");
    if (n->has_threshold) {
        slw_buf_puts(&b, "Flagged ");
        slw_model_threshold_text(&b, e->model, n);
        slw_buf_putc(&b, '.');
    } else {
        slw_buf_puts(&b, "None is published for this CPU, so it is never flagged.");
    }
    paragraph_of(p, 0, &b);
}

/* By smt_on + 2 * single_task; without hyper-threading it does not matter what was counted. */
static const char *when_needed(const bool needed[4])
{
    static const char *const words[] = {
        [1] = " (without hyper-threading)",
        [2] = " (with hyper-threading, for whole CPUs)",
        [3] = " (not for tasks with hyper-threading)",
        [4] = " (with hyper-threading, for tasks)",
        [5] = " (not for whole CPUs with hyper-threading)",
        [6] = " (with hyper-threading)",
        [7] = "",
    };

    return words[(needed[0] || needed[2] ? 1 : 0) | (needed[1] ? 2 : 0) | (needed[3] ? 4 : 0)];
}

static void put_event(const struct page *p, const struct slw_model_event *v, const char *when)
{
    struct slw_buf b = {0};

    slw_buf_printf(&b, "%s%s: ", v->name, when);
    slw_model_event_text(&b, v);
    if (v->libpfm)
        slw_buf_printf(&b, "; libpfm %s", v->libpfm);
    if (v->source)
        slw_buf_printf(&b, "; source %s", v->source);
    paragraph_of(p, 4, &b);
    if (v->errata) {
        slw_buf_printf(p->out, "%*s", INDENT, "");
        slw_buf_printf(&b, "erratum: %s", v->errata);
        paragraph_of(p, 4, &b);
    }
}

static void put_events(const struct page *p, const struct slw_explained *e)
{
    const struct slw_model *m = e->model;
    bool needed[4][MAX_ROWS] = {{false}};

    for (int state = 0; state < 4; state++) {
        const struct slw_model_vars vars = {.smt_on = state & 1, .single_task = state >> 1};
        slw_model_needs_with(m, (size_t)e->node, &vars, needed[state]);
    }
    heading(p, "Events it needs");
    for (size_t i = 0; i < m->event_count; i++) {
        const bool when[4] = {needed[0][i], needed[1][i], needed[2][i], needed[3][i]};
        if (when[0] || when[1] || when[2] || when[3])
            put_event(p, &m->events[i], when_needed(when));
    }
}

/* ---- neighbours ---- */

static void put_children(struct slw_buf *b, const struct slw_model *m, int parent)
{
    bool first = true;

    for (size_t i = 0; i < m->node_count; i++) {
        if (m->nodes[i].level == 0 || m->nodes[i].parent != parent)
            continue;
        slw_buf_printf(b, "%s%s", first ? "Below it are " : ", ", m->nodes[i].name);
        first = false;
    }
    slw_buf_puts(b, first ? "Nothing is below it: see which functions carry it in the flame graph."
                          : ": look at those next.");
}

/* frontend_bound > fetch_latency > icache_misses */
static void put_path(struct slw_buf *b, const struct slw_model *m, int node)
{
    int path[16];
    size_t depth = 0;

    for (int i = node; i >= 0 && depth < sizeof(path) / sizeof(path[0]); i = m->nodes[i].parent)
        path[depth++] = i;
    while (depth > 0) {
        depth--;
        slw_buf_printf(b, "%s%s", m->nodes[path[depth]].name, depth > 0 ? " > " : ". ");
    }
}

static void put_place(const struct page *p, const struct slw_explained *e)
{
    const struct slw_model *m = e->model;
    struct slw_buf b = {0};

    heading(p, "In the tree");
    if (m->nodes[e->node].level == 0) {
        slw_buf_puts(&b, "A metric outside the top-down tree: it stands for itself.");
    } else {
        put_path(&b, m, e->node);
        put_children(&b, m, e->node);
    }
    paragraph_of(p, 0, &b);
}

/* What the formula is made of, beyond the neighbours in the tree. */
static void put_parts(struct slw_buf *b, const struct slw_explained *e)
{
    const struct slw_model *m = e->model;
    bool lets[MAX_ROWS] = {false}, nodes[MAX_ROWS] = {false};
    size_t count = 0;

    slw_model_parts(m, (size_t)e->node, lets, nodes);
    for (size_t i = 0; i < m->node_count; i++)
        if (nodes[i])
            slw_buf_printf(b, "%s%s", count++ ? ", " : "Computed from: ", m->nodes[i].name);
    slw_buf_puts(b, count ? ". " : "");
}

static void put_models(struct slw_buf *b, const struct slw_explained *e)
{
    if (e->own)
        slw_buf_printf(b, "Models that have it: %s", e->model->name);
    else if (e->other_count > 0)
        slw_buf_puts(b, "Other models that have it");
    for (size_t i = 0; i < e->other_count; i++)
        slw_buf_printf(b, "%s%s", i || e->own ? ", " : ": ", e->others[i]);
    if (e->own || e->other_count > 0)
        slw_buf_printf(b, ". 'slotwise explain %s --model NAME' shows the formula there.",
                       e->model->nodes[e->node].name);
}

static void put_see_also(const struct page *p, const struct slw_explained *e)
{
    struct slw_buf b = {0};

    if (!e->own)
        put_parts(&b, e);
    put_models(&b, e);
    if (b.length == 0 && !slw_buf_failed(&b)) {
        slw_buf_release(&b);
        return;
    }
    heading(p, "See also");
    paragraph_of(p, 0, &b);
}

/* ---- whole pages ---- */

static void put_prose(const struct page *p, const char *what, const char *look_at)
{
    heading(p, "What it means");
    paragraph(p, what);
    heading(p, "In a database client: usual causes, what to try");
    paragraph(p, look_at);
}

static void put_node(const struct page *p, const struct slw_explained *e)
{
    const struct slw_model_node *n = &e->model->nodes[e->node];

    slw_buf_printf(p->out, "%s (%s)", n->name, n->title);
    if (n->level > 0)
        slw_buf_printf(p->out, ", level %d of the top-down tree\n", n->level);
    else
        slw_buf_puts(p->out, ", a metric\n");
    put_scope(p, e->scope);
    put_borrowed(p, e);
    put_prose(p, n->prose.what, n->prose.look_at);
    if (!e->own) {
        put_place(p, e);
        put_formula(p, e);
        put_threshold(p, e);
        put_events(p, e);
    }
    put_see_also(p, e);
}

static void put_term(const struct page *p, const struct slw_explained *e)
{
    slw_buf_printf(p->out, "%s, a word of the reports\n", e->term->name);
    heading(p, "What it means");
    paragraph(p, e->term->what);
    heading(p, "What to look at next");
    paragraph(p, e->term->look_at);
}

static void put_event_page(const struct page *p, const struct slw_explained *e)
{
    const struct slw_model *m = e->model;
    struct slw_buf b = {0};

    slw_buf_printf(p->out, "%s, an event\n", m->events[e->event].name);
    put_scope(p, e->scope);
    put_borrowed(p, e);
    heading(p, "How it is counted");
    put_event(p, &m->events[e->event], "");
    heading(p, "What is computed from it");
    for (size_t i = 0; i < m->node_count; i++) {
        bool needed[MAX_ROWS] = {false};
        slw_model_needs(m, i, needed);
        if (needed[e->event])
            slw_buf_printf(&b, "%s%s", b.length ? ", " : "", m->nodes[i].name);
    }
    paragraph_of(p, 0, &b);
}

void slw_explain_text(const struct slw_explained *e, size_t width, struct slw_buf *out)
{
    const struct page p = {.out = out, .width = width};

    if (e->term)
        put_term(&p, e);
    else if (e->node >= 0)
        put_node(&p, e);
    else
        put_event_page(&p, e);
}

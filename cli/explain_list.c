/* SPDX-License-Identifier: MIT */
/* All names that can be explained, one line each. */
#include "cli/explain.h"

#include "analyzer/text.h"
#include "cli/model_text.h"

#include <string.h>

#define NAME_COLUMN 30

struct list {
    struct slw_buf *out;
    size_t width;
};

/* The first sentence of `text`, cut to what fits. */
static void put_line(const struct list *l, size_t indent, const char *name, const char *text)
{
    const char *end = strstr(text, ". ");
    const size_t length = end ? (size_t)(end - text) + 1 : strlen(text);
    size_t used = 2 + indent + strlen(name);
    struct slw_buf sentence = {0};

    slw_buf_put(&sentence, text, length);
    slw_buf_printf(l->out, "%*s%s", (int)(2 + indent), "", name);
    do
        slw_buf_putc(l->out, ' ');
    while (++used < NAME_COLUMN);
    const char *whole = sentence.data ? sentence.data : "";
    const size_t room = l->width > used + 10 ? l->width - used : 10;
    if (slw_text_columns(whole) <= room) {
        slw_buf_puts(l->out, whole);
    } else { /* the beginning says more than the end */
        size_t cut = room - 3;
        while (cut > 0 && whole[cut] != ' ')
            cut--;
        slw_buf_put(l->out, whole, cut);
        slw_buf_puts(l->out, "...");
    }
    slw_buf_putc(l->out, '\n');
    if (slw_buf_failed(&sentence))
        l->out->failed = true;
    slw_buf_release(&sentence);
}

static void put_nodes(const struct list *l, const struct slw_model *m, bool tree)
{
    for (size_t i = 0; i < m->node_count; i++) {
        const struct slw_model_node *n = &m->nodes[i];

        if ((n->level > 0) == tree)
            put_line(l, tree ? 2 * (size_t)(n->level - 1) : 0, n->name, n->prose.what);
    }
}

static void put_model(const struct list *l, const struct slw_explain_scope *s)
{
    const struct slw_model *m = s->model;

    slw_buf_printf(l->out, "%s (%s): %s\n", m->name, s->chosen ? "--model" : "this machine's CPU",
                   m->title);
    slw_buf_puts(l->out, "Source: ");
    struct slw_buf source = {0};
    slw_model_source_text(&source, m);
    slw_text_wrap(l->out, source.data ? source.data : "", l->width, 8);
    l->out->failed = l->out->failed || slw_buf_failed(&source);
    slw_buf_putc(l->out, '\n');
    slw_buf_release(&source);
    if (m->max_level > 0)
        slw_buf_puts(l->out, "\nTop-down tree:\n");
    else
        slw_buf_puts(l->out, "\nNo top-down tree: no slot events are published for this CPU.\n");
    put_nodes(l, m, true);
    slw_buf_puts(l->out, "\nMetrics:\n");
    put_nodes(l, m, false);
}

static bool is_seen(size_t builtin, const char *name)
{
    const char *other;

    for (size_t b = 0; b < builtin; b++)
        for (size_t n = 0; (other = slw_model_builtin_node(b, n)) != NULL; n++)
            if (strcmp(other, name) == 0)
                return true;
    return false;
}

/* Every node of every model, where the first has it. */
static int put_all_models(const struct list *l, struct slw_error *err)
{
    slw_buf_puts(l->out, "\nNodes and metrics of all models:\n");
    for (size_t b = 0; b < slw_model_builtin_count(); b++) {
        struct slw_model *m = NULL;
        const int rc = slw_model_builtin(slw_model_builtin_name(b), &m, err);

        if (rc < 0)
            return rc;
        for (size_t i = 0; i < m->node_count; i++)
            if (!is_seen(b, m->nodes[i].name))
                put_line(l, 0, m->nodes[i].name, m->nodes[i].prose.what);
        slw_model_free(m);
    }
    return 0;
}

int slw_explain_list(const struct slw_explain_scope *scope, size_t width, struct slw_buf *out,
                     struct slw_error *err)
{
    const struct list l = {.out = out, .width = width};
    const struct slw_term *term;
    int rc = 0;

    if (scope->model) {
        put_model(&l, scope);
    } else {
        struct slw_buf none = {0};
        slw_buf_printf(&none, "This machine's CPU: %s.%s%s%s", scope->why_none,
                       scope->hint[0] ? " What to do: " : "", scope->hint,
                       scope->hint[0] ? "." : "");
        slw_text_wrap(out, none.data ? none.data : "", width, 0);
        out->failed = out->failed || slw_buf_failed(&none);
        slw_buf_putc(out, '\n');
        slw_buf_release(&none);
        rc = put_all_models(&l, err);
    }
    slw_buf_puts(out, "\nWords of the reports:\n");
    for (size_t i = 0; (term = slw_term_at(i)) != NULL; i++)
        put_line(&l, 0, term->name, term->what);
    return rc;
}

/* SPDX-License-Identifier: MIT */
#include "analyzer/legend.h"

#include "analyzer/format.h"
#include "base/arena.h"
#include "base/buf.h"

#include <string.h>

static void note_marks(const struct slw_provenance *from, bool used[SLW_MARK_COUNT])
{
    for (const char *m = slw_format_mark(from); *m; m++)
        used[strchr(SLW_MARK_LETTERS, *m) - SLW_MARK_LETTERS] = true;
}

void slw_legend_used(const struct slw_report *r, bool used[SLW_MARK_COUNT])
{
    for (size_t i = 0; i < r->row_count; i++)
        if (!r->rows[i].total.absent)
            note_marks(&r->rows[i].total.from, used);
    for (size_t i = 0; i < r->node_count; i++)
        if (!r->nodes[i].value.absent)
            note_marks(&r->nodes[i].value.from, used);
    if (r->column)
        note_marks(&r->column->from, used);
}

/* As it stands in a node's errata, which is also how it is found there. */
static void put_event(struct slw_buf *out, const struct slw_model_event *e)
{
    slw_buf_printf(out, "%s (%s)", e->name, e->errata);
}

static const char *keep(struct slw_arena *arena, struct slw_buf *text)
{
    const char *copy =
        text->data && !slw_buf_failed(text) ? slw_arena_strdup(arena, text->data) : NULL;

    slw_buf_release(text);
    return copy;
}

const char *slw_legend_node_errata(struct slw_arena *arena, const struct slw_model *m,
                                   const bool *needed)
{
    struct slw_buf text = {0};

    for (size_t i = 0; i < m->event_count; i++) {
        if (!needed[i] || !m->events[i].errata)
            continue;
        slw_buf_puts(&text, text.length ? ", " : "");
        put_event(&text, &m->events[i]);
    }
    return keep(arena, &text);
}

static bool is_behind_a_node(const struct slw_report *r, const struct slw_model_event *e)
{
    struct slw_buf text = {0};
    bool found = false;

    put_event(&text, e);
    for (size_t i = 0; text.data && !found && i < r->node_count; i++)
        found = r->nodes[i].errata && strstr(r->nodes[i].errata, text.data);
    slw_buf_release(&text);
    return found;
}

const char *slw_legend_errata(const struct slw_report *r)
{
    struct slw_buf text = {0};

    for (size_t i = 0; r->model && i < r->model->event_count; i++) {
        const struct slw_model_event *e = &r->model->events[i];
        if (!e->errata || !is_behind_a_node(r, e))
            continue;
        slw_buf_puts(
            &text, text.length ? ", " : "computed from events with a known erratum of this CPU: ");
        put_event(&text, e);
    }
    return keep(r->arena, &text);
}

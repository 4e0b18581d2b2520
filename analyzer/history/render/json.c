/* SPDX-License-Identifier: MIT */
/* A history for programs, and what its page is made of. docs/history.md documents every key. */
#include "analyzer/history/history.h"
#include "analyzer/json_value.h"

#include <jansson.h>
#include <stdlib.h>

#define HISTORY_SCHEMA 1
#define REAL_PRECISION 12 /* digits; more than any measurement here has */

static json_t *interval_json(struct slw_json *j, const struct slw_interval *i)
{
    json_t *o;

    if (!i->have)
        return json_null();
    o = json_object();
    slw_json_put(j, o, "low", slw_json_real(i->low));
    slw_json_put(j, o, "high", slw_json_real(i->high));
    return o;
}

static json_t *point_json(struct slw_json *j, const struct slw_history_point *p)
{
    json_t *o = json_object();

    slw_json_put_text(j, o, "path", p->path);
    slw_json_put_text(j, o, "arm", p->arm);
    slw_json_put(j, o, "started_realtime_ns",
                 p->started_ns ? slw_json_integer(p->started_ns) : json_null());
    slw_json_put(j, o, "value", slw_json_real(p->value.value));
    slw_json_put(j, o, "interval", interval_json(j, &p->value.interval));
    slw_json_put(j, o, "rounds", slw_json_integer(p->rounds));
    slw_json_put_provenance(j, o, &p->value.from);
    slw_json_put(j, o, "level", slw_json_real(p->level));
    slw_json_put(j, o, "change", json_boolean(p->change));
    slw_json_put(j, o, "shift", slw_json_real(p->shift));
    slw_json_put(j, o, "apart", json_boolean(p->apart));
    slw_json_put_text(j, o, "unlike", p->unlike);
    slw_json_put(j, o, "labels", slw_json_labels(j, p->labels, p->label_count));
    return o;
}

static json_t *history_json(struct slw_json *j, const struct slw_history *h)
{
    static const char *const better[] = {[SLW_BETTER_LOWER] = "lower",
                                         [SLW_BETTER_HIGHER] = "higher",
                                         [SLW_BETTER_NEITHER] = "neither"};
    json_t *o = json_object(), *points = json_array();

    slw_json_put(j, o, "history_schema", json_integer(HISTORY_SCHEMA));
    slw_json_put_text(j, o, "metric", h->metric);
    slw_json_put_text(j, o, "title", h->title);
    slw_json_put_text(j, o, "unit", h->unit);
    slw_json_put_text(j, o, "better", better[h->better]);
    slw_json_put(j, o, "labels", slw_json_labels(j, h->labels, h->label_count));
    slw_json_put(j, o, "searched", json_boolean(h->searched));
    slw_json_put(j, o, "changes", slw_json_integer(h->change_count));
    slw_json_put(j, o, "apart", slw_json_integer(h->apart_count));
    slw_json_put(j, o, "runs_without", slw_json_integer(h->without));
    slw_json_put(j, o, "runs_with_other_labels", slw_json_integer(h->others));
    for (size_t i = 0; i < h->point_count; i++)
        slw_json_push(j, points, point_json(j, &h->points[i]));
    slw_json_put(j, o, "points", points);
    slw_json_put(j, o, "notes", slw_json_notes(j, h->notes, h->note_count));
    return slw_json_done(j, o);
}

static int render(const struct slw_history *h, const struct slw_render_options *opts,
                  struct slw_buf *out, struct slw_error *err)
{
    struct slw_json j = {0};
    json_t *document = history_json(&j, h);
    char *text = document
                     ? json_dumps(document, JSON_INDENT(2) | JSON_REAL_PRECISION(REAL_PRECISION))
                     : NULL;

    (void)opts;
    json_decref(document);
    if (!text)
        return slw_fail(err, SLW_E_NOMEM, "no memory for JSON");
    slw_json_print(out, text);
    free(text);
    return slw_buf_failed(out) ? slw_fail(err, SLW_E_NOMEM, "no memory for JSON") : 0;
}

const struct slw_history_renderer slw_history_renderer_json = {
    .name = "json",
    .summary = "for programs",
    .extension = "json",
    .render = render,
};

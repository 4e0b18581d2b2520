/* SPDX-License-Identifier: MIT */
/* An explanation as JSON for programs. Every key is always there; what does not apply is null. */
#include "cli/explain.h"

#include "base/cleanup.h"

#include <assert.h>
#include <jansson.h>
#include <stdio.h>

#define MAX_ROWS 256 /* as many as a model has nodes or events */

static json_t *text(const char *s)
{
    return s && s[0] ? json_string(s) : json_null();
}

static void add(json_t *array, json_t *value)
{
    (void)json_array_append_new(array, value);
}

static void put(json_t *object, const char *key, json_t *value)
{
    (void)json_object_set_new(object, key, value);
}

static json_t *model_json(const struct slw_model *m)
{
    if (!m)
        return json_null();
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:i}", "name", m->name, "title", m->title, "source",
                     m->source, "version", m->version, "date", m->date, "levels", m->max_level);
}

static json_t *number_text(uint64_t value)
{
    char hex[24];

    (void)snprintf(hex, sizeof(hex), "0x%llx", (unsigned long long)value);
    return json_string(hex);
}

/* By smt_on + 2 * single_task. null: always. */
static json_t *when_json(const bool needed[4])
{
    json_t *array = json_array();

    if (needed[0] && needed[1] && needed[2] && needed[3]) {
        json_decref(array);
        return json_null();
    }
    if (needed[0] || needed[2])
        add(array, json_string("no-smt"));
    if (needed[1])
        add(array, json_string("smt-cpus"));
    if (needed[3])
        add(array, json_string("smt-tasks"));
    return array;
}

static json_t *event_json(const struct slw_model_event *v, const bool needed[4])
{
    json_t *o = json_object();

    put(o, "name", json_string(v->name));
    put(o, "type", json_integer(v->type));
    put(o, "config", number_text(v->config));
    put(o, "config1", number_text(v->config1));
    put(o, "counters", v->counters ? number_text(v->counters) : json_null());
    put(o, "fixed", v->fixed < 0 ? json_null() : json_integer(v->fixed));
    put(o, "libpfm", text(v->libpfm));
    put(o, "errata", text(v->errata));
    put(o, "needed_when", when_json(needed));
    return o;
}

static json_t *events_json(const struct slw_explained *e)
{
    static const bool always[4] = {true, true, true, true};
    const struct slw_model *m = e->model;
    bool needed[4][MAX_ROWS] = {{false}};
    json_t *array = json_array();

    if (e->event >= 0)
        add(array, event_json(&m->events[e->event], always));
    if (e->node < 0)
        return array;
    for (int state = 0; state < 4; state++) {
        const struct slw_model_vars vars = {.smt_on = state & 1, .single_task = state >> 1};
        slw_model_needs_with(m, (size_t)e->node, &vars, needed[state]);
    }
    for (size_t i = 0; i < m->event_count; i++) {
        const bool when[4] = {needed[0][i], needed[1][i], needed[2][i], needed[3][i]};
        if (when[0] || when[1] || when[2] || when[3])
            add(array, event_json(&m->events[i], when));
    }
    return array;
}

static json_t *threshold_json(const struct slw_model *m, const struct slw_model_node *n)
{
    json_t *needs = json_array(), * or = json_array();

    for (size_t i = 0; i < n->threshold_need_count; i++)
        add(needs, json_string(m->nodes[n->threshold_needs[i]].name));
    for (size_t i = 0; i < n->threshold_or_count; i++)
        add(or, json_string(m->nodes[n->threshold_or[i]].name));
    if (!n->has_threshold) {
        json_decref(needs);
        json_decref(or);
        return json_null();
    }
    return json_pack("{s:f, s:o, s:o}", "above", n->threshold, "needs", needs, "or", or);
}

static json_t *children_json(const struct slw_model *m, int node)
{
    json_t *array = json_array();

    for (size_t i = 0; i < m->node_count; i++)
        if (m->nodes[i].level > 0 && m->nodes[i].parent == node)
            add(array, json_string(m->nodes[i].name));
    return array;
}

static json_t *lets_json(const struct slw_explained *e)
{
    const struct slw_model *m = e->model;
    bool lets[MAX_ROWS] = {false}, nodes[MAX_ROWS] = {false};
    json_t *o = json_object();

    slw_model_parts(m, (size_t)e->node, lets, nodes);
    for (size_t i = 0; i < m->let_count; i++)
        if (lets[i])
            put(o, m->lets[i].name, json_string(m->lets[i].text));
    return o;
}

static void put_node(json_t *o, const struct slw_explained *e)
{
    const struct slw_model *m = e->model;

    assert(m);
    const struct slw_model_node *n = &m->nodes[e->node];
    put(o, "title", json_string(n->title));
    put(o, "level", json_integer(n->level));
    put(o, "parent", n->parent < 0 ? json_null() : json_string(m->nodes[n->parent].name));
    put(o, "children", children_json(m, e->node));
    put(o, "what", json_string(n->prose.what));
    put(o, "look_at", json_string(n->prose.look_at));
    put(o, "formula", json_string(n->text));
    put(o, "let", lets_json(e));
    put(o, "unit", json_string(n->unit));
    put(o, "range", json_pack("[f, f]", n->low, n->high));
    put(o, "source", text(n->source ? n->source : m->source));
    put(o, "threshold", threshold_json(m, n));
}

static const char *name_of(const struct slw_explained *e)
{
    assert(e->term || e->model);
    if (e->term)
        return e->term->name;
    return e->node >= 0 ? e->model->nodes[e->node].name : e->model->events[e->event].name;
}

static json_t *explained_json(const struct slw_explained *e)
{
    json_t *o = json_object(), *others = json_array();

    assert(e->term || e->model);
    put(o, "name", json_string(name_of(e)));
    put(o, "kind",
        json_string(e->term                               ? "term"
                    : e->node < 0                         ? "event"
                    : e->model->nodes[e->node].level == 0 ? "metric"
                                                          : "node"));
    put(o, "from", text(e->model ? e->model->name : NULL));
    for (size_t i = 0; i < e->other_count; i++)
        add(others, json_string(e->others[i]));
    put(o, "others", others);
    if (e->node >= 0)
        put_node(o, e);
    if (e->term) {
        put(o, "what", json_string(e->term->what));
        put(o, "look_at", json_string(e->term->look_at));
    } else {
        put(o, "events", events_json(e));
    }
    return o;
}

static json_t *names_json(const struct slw_explain_scope *s)
{
    json_t *array = json_array();
    const char *name;

    for (size_t i = 0; s->model && i < s->model->node_count; i++)
        add(array, json_string(s->model->nodes[i].name));
    for (size_t i = 0; !s->model && (name = slw_explain_name(i)) != NULL; i++)
        add(array, json_string(name));
    return array;
}

int slw_explain_json(const struct slw_explain_scope *scope, const struct slw_explained *e,
                     struct slw_buf *out, struct slw_error *err)
{
    json_t *root = json_pack("{s:i, s:s, s:o, s:o}", "schema", 1, "tool", "slotwise " SLW_VERSION,
                             "model", model_json(scope->model), "model_absent",
                             text(scope->model ? NULL : scope->why_none));
    if (root)
        put(root, e ? "explained" : "names", e ? explained_json(e) : names_json(scope));
    char *SLW_AUTO(free) dumped =
        root ? json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(15)) : NULL;

    json_decref(root);
    if (!dumped)
        return slw_fail(err, SLW_E_NOMEM, "no memory for an explanation");
    slw_buf_printf(out, "%s\n", dumped);
    return 0;
}

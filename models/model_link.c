/* SPDX-License-Identifier: MIT */
/* After reading: names become references, cycles are refused, and what depends on what is settled
 * once so that evaluation and planning need no memory and no recursion. */
#include "models/model_int.h"

#include "base/arena.h"

#include <string.h>

static const char *item_name(const struct slw_model *m, size_t item)
{
    return item < m->let_count ? m->lets[item].name : m->nodes[item - m->let_count].name;
}

/* Where the formula of an item stands in the file. Storage for the steps is the caller's. */
static const struct slw_json *formula_at(const struct slw_loader *l, size_t item,
                                         struct slw_json steps[2])
{
    const struct slw_model *m = l->model;
    const size_t in_tree = json_array_size(l->tree->value);

    if (item < m->let_count) {
        steps[0] = slw_json_member(l->lets, m->lets[item].name);
        return &steps[0];
    }
    const size_t node = item - m->let_count;
    steps[0] = node < in_tree ? slw_json_element(l->tree, node)
                              : slw_json_element(l->metrics, node - in_tree);
    steps[1] = slw_json_member(&steps[0], "formula");
    return &steps[1];
}

static int find_let(const struct slw_model *m, const char *name)
{
    for (size_t i = 0; i < m->let_count; i++)
        if (strcmp(m->lets[i].name, name) == 0)
            return (int)i;
    return -1;
}

static int find_item(const struct slw_model *m, const char *name)
{
    const int let = find_let(m, name);
    const int node = slw_model_find_node(m, name);

    return let >= 0 ? let : node >= 0 ? (int)m->let_count + node : -1;
}

static int bind_item(struct slw_loader *l, size_t item)
{
    const struct slw_model *m = l->model;
    const struct slw_expr *e = slw_model_item_expr(m, item);
    struct slw_json steps[2];

    for (int i = 0; i < e->count; i++) {
        struct slw_expr_node *n = &e->nodes[i];

        if (n->op != SLW_EXPR_NAME || n->is_condition)
            continue;
        if ((n->ref_index = slw_model_find_event(m, n->text)) >= 0)
            n->ref = SLW_REF_EVENT;
        else if ((n->ref_index = find_let(m, n->text)) >= 0)
            n->ref = SLW_REF_LET;
        else if ((n->ref_index = slw_model_find_node(m, n->text)) >= 0)
            n->ref = SLW_REF_NODE;
        if (n->ref == SLW_REF_NONE) {
            (void)slw_fail(l->err, SLW_E_FORMAT,
                           "'%s' is no event, no let and no node of this model", n->text);
            slw_json_where_in(l->doc, formula_at(l, item, steps), (size_t)n->start);
            return -SLW_E_FORMAT;
        }
    }
    return 0;
}

static int check_name(struct slw_loader *l, size_t item, const char *name)
{
    const struct slw_model *m = l->model;
    struct slw_json steps[2];

    /* A name another formula could not write, or one that means two things. */
    const int first = find_item(m, name);
    if (slw_model_find_event(m, name) < 0 && first == (int)item && strcmp(name, "smt_on") != 0 &&
        strcmp(name, "single_task") != 0)
        return 0;
    return slw_json_fail(l->doc, formula_at(l, item, steps), SLW_E_FORMAT,
                         "the name '%.64s' is taken", name);
}

/* The let or node a name stands for, as an item; -1 when it is an input. */
static int used_item(const struct slw_model *m, const struct slw_expr_node *n)
{
    if (n->op != SLW_EXPR_NAME)
        return -1;
    if (n->ref == SLW_REF_LET)
        return n->ref_index;
    return n->ref == SLW_REF_NODE ? (int)m->let_count + n->ref_index : -1;
}

struct walk {
    struct slw_loader *l;
    enum { NEW, OPEN, DONE } state[SLW_MODEL_MAX_ITEMS];
    size_t done;
};

/* Depth-first; the recursion is at most SLW_MODEL_MAX_ITEMS deep. */
static int visit(struct walk *w, size_t item)
{
    const struct slw_model *m = w->l->model;
    const struct slw_expr *e = slw_model_item_expr(m, item);
    struct slw_json steps[2];

    w->state[item] = OPEN;
    for (int i = 0; i < e->count; i++) {
        const int used = used_item(m, &e->nodes[i]);

        if (used < 0 || w->state[used] == DONE)
            continue;
        if (w->state[used] == OPEN) {
            (void)slw_fail(w->l->err, SLW_E_FORMAT,
                           "cycle: '%s' and '%s' are defined by each other", item_name(m, item),
                           item_name(m, (size_t)used));
            slw_json_where_in(w->l->doc, formula_at(w->l, item, steps), (size_t)e->nodes[i].start);
            return -SLW_E_FORMAT;
        }
        const int rc = visit(w, (size_t)used);
        if (rc < 0)
            return rc;
    }
    w->state[item] = DONE;
    w->l->own->order[w->done++] = (int)item;
    return 0;
}

static int order_items(struct slw_loader *l)
{
    struct walk w = {.l = l};
    const size_t count = slw_model_item_count(l->model);
    int rc = slw_load_array(l, count, sizeof(int), &l->own->order);

    for (size_t i = 0; rc >= 0 && i < count; i++)
        if (w.state[i] == NEW)
            rc = visit(&w, i);
    return rc;
}

/* In evaluation order, so what an item uses is complete before it. */
static void collect_needs(const struct slw_model *m, size_t item,
                          const struct slw_expr_known *known, bool *needs)
{
    const struct slw_expr *e = slw_model_item_expr(m, item);
    bool reached[SLW_EXPR_MAX_NODES];

    slw_expr_reach(e, known, reached);
    for (int i = 0; i < e->count; i++) {
        const int used = used_item(m, &e->nodes[i]);

        if (!reached[i])
            continue;
        if (e->nodes[i].ref == SLW_REF_EVENT)
            needs[item * m->event_count + (size_t)e->nodes[i].ref_index] = true;
        for (size_t k = 0; used >= 0 && k < m->event_count; k++)
            needs[item * m->event_count + k] |= needs[(size_t)used * m->event_count + k];
    }
}

static int note_needs(struct slw_loader *l)
{
    const struct slw_model *m = l->model;
    const size_t count = slw_model_item_count(m);

    for (int state = 0; state < SLW_MODEL_STATES; state++) {
        const struct slw_expr_known known = {.smt_on = state & 1, .single_task = state >> 1};
        const int rc =
            slw_load_array(l, count * m->event_count, sizeof(bool), &l->own->needs[state]);
        if (rc < 0)
            return rc;
        for (size_t i = 0; i < count; i++)
            collect_needs(m, (size_t)l->own->order[i], &known, l->own->needs[state]);
    }
    return 0;
}

static bool flags_ready(const int *list, size_t count, const bool *placed)
{
    for (size_t i = 0; i < count; i++)
        if (!placed[list[i]])
            return false;
    return true;
}

/* Flags depend on other nodes' flags; place each after those. What cannot be placed is a cycle. */
static int order_flags(struct slw_loader *l)
{
    const struct slw_model *m = l->model;
    bool placed[SLW_MODEL_MAX_NODES] = {false};
    size_t done = 0, before;
    int rc = slw_load_array(l, m->node_count, sizeof(int), &l->own->flag_order);

    if (rc < 0)
        return rc;
    do {
        before = done;
        for (size_t i = 0; i < m->node_count; i++) {
            const struct slw_model_node *n = &m->nodes[i];
            if (placed[i] || !flags_ready(n->threshold_needs, n->threshold_need_count, placed) ||
                !flags_ready(n->threshold_or, n->threshold_or_count, placed))
                continue;
            placed[i] = true;
            l->own->flag_order[done++] = (int)i;
        }
    } while (done > before);
    for (size_t i = 0; i < m->node_count; i++) {
        struct slw_json steps[2];
        if (!placed[i])
            return slw_json_fail(l->doc, formula_at(l, m->let_count + i, steps)->up, SLW_E_FORMAT,
                                 "cycle: the threshold of '%s' depends on itself",
                                 m->nodes[i].name);
    }
    return 0;
}

int slw_link(struct slw_loader *l)
{
    const size_t count = slw_model_item_count(l->model);
    int rc = 0;

    for (size_t i = 0; rc >= 0 && i < count; i++)
        rc = check_name(l, i, item_name(l->model, i));
    for (size_t i = 0; rc >= 0 && i < count; i++)
        rc = bind_item(l, i);
    if (rc >= 0)
        rc = order_items(l);
    if (rc >= 0)
        rc = note_needs(l);
    return rc < 0 ? rc : order_flags(l);
}

/* SPDX-License-Identifier: MIT */
/* Counts to metric values. Pure, allocates nothing. */
#include "models/model_int.h"

#include <assert.h>
#include <math.h>
#include <string.h>

struct state {
    const struct slw_model *m;
    const struct slw_model_input *inputs;
    const struct slw_model_vars *vars;
    struct slw_expr_value items[SLW_MODEL_MAX_ITEMS]; /* nodes as computed, not clamped */
};

static struct slw_expr_value input_value(const struct state *s, const struct slw_expr_node *n)
{
    const struct slw_model_input *in = &s->inputs[n->ref_index];
    struct slw_expr_value v = {.missing = n->text};

    if (in->absent) {
        if (*in->absent)
            v.missing = in->absent;
    } else if (!isfinite(in->value) || in->value < 0) {
        v.missing = "a count that is not a number";
    } else {
        v = (struct slw_expr_value){.have = true, .value = in->value};
    }
    return v;
}

static struct slw_expr_value lookup(void *ctx, const struct slw_expr_node *n)
{
    const struct state *s = ctx;

    if (n->ref == SLW_REF_EVENT)
        return input_value(s, n);
    if (n->ref == SLW_REF_LET)
        return s->items[n->ref_index];
    if (n->ref == SLW_REF_NODE)
        return s->items[s->m->let_count + (size_t)n->ref_index];
    assert(n->ref == SLW_REF_SMT_ON || n->ref == SLW_REF_SINGLE_TASK);
    return (struct slw_expr_value){
        .have = true, .value = n->ref == SLW_REF_SMT_ON ? s->vars->smt_on : s->vars->single_task};
}

static bool outside(const struct slw_model_node *n, double value)
{
    const double slack = SLW_MODEL_ROUNDING * (n->high - n->low);

    return value < n->low - slack || value > n->high + slack;
}

static void compute_items(struct state *s)
{
    const struct slw_model *m = s->m;
    const size_t count = slw_model_item_count(m);

    for (size_t i = 0; i < count; i++) {
        const size_t item = (size_t)m->own->order[i];

        s->items[item] = slw_expr_evaluate(slw_model_item_expr(m, item), lookup, s);
        if (item >= m->let_count && s->items[item].have &&
            outside(&m->nodes[item - m->let_count], s->items[item].value))
            s->items[item].doubtful = true;
    }
}

static struct slw_model_value node_value(const struct slw_model_node *n,
                                         const struct slw_expr_value *v)
{
    struct slw_model_value out = {.have = v->have, .missing = v->have ? NULL : v->missing};

    if (!v->have)
        return out;
    out.mismeasured = v->doubtful;
    out.value = v->value;
    if (!outside(n, v->value)) {
        out.value = fmin(fmax(v->value, n->low), n->high);
        out.clamped = v->value < n->low || v->value > n->high;
    }
    return out;
}

static bool any_flagged(const struct slw_model_value *values, const int *list, size_t count,
                        bool wanted)
{
    for (size_t i = 0; i < count; i++)
        if (values[list[i]].flagged == wanted)
            return true;
    return false;
}

static bool is_flagged(const struct slw_model_node *n, const struct slw_model_value *v,
                       const struct slw_model_value *values)
{
    if (!n->has_threshold || !v->have || v->mismeasured)
        return false;
    if (any_flagged(values, n->threshold_or, n->threshold_or_count, true))
        return true;
    return v->value > n->threshold &&
           !any_flagged(values, n->threshold_needs, n->threshold_need_count, false);
}

void slw_model_flag(const struct slw_model *m, struct slw_model_value *values)
{
    for (size_t i = 0; i < m->node_count; i++) {
        const int node = m->own->flag_order[i];

        values[node].flagged = is_flagged(&m->nodes[node], &values[node], values);
    }
}

void slw_model_evaluate(const struct slw_model *m, const struct slw_model_input *inputs,
                        const struct slw_model_vars *vars, struct slw_model_value *values)
{
    struct state s = {.m = m, .inputs = inputs, .vars = vars};

    assert(m && m->own && inputs && vars && values);
    compute_items(&s);
    for (size_t i = 0; i < m->node_count; i++)
        values[i] = node_value(&m->nodes[i], &s.items[m->let_count + i]);
    slw_model_flag(m, values);
}

struct slw_model_value slw_model_slots(const struct slw_model *m,
                                       const struct slw_model_input *inputs,
                                       const struct slw_model_vars *vars)
{
    struct state s = {.m = m, .inputs = inputs, .vars = vars};
    struct slw_model_value out = {.missing = "the CPU model does not tell the number of slots"};

    assert(m && m->own && inputs && vars);
    compute_items(&s);
    for (size_t i = 0; i < m->let_count; i++)
        if (strcmp(m->lets[i].name, "SLOTS") == 0)
            out = (struct slw_model_value){.have = s.items[i].have,
                                           .value = s.items[i].have ? s.items[i].value : 0,
                                           .missing = s.items[i].missing};
    return out;
}

void slw_model_needs_with(const struct slw_model *m, size_t index,
                          const struct slw_model_vars *vars, bool *needed)
{
    const bool *row = m->own->needs[vars->smt_on + 2 * vars->single_task];

    assert(index < m->node_count);
    row += (m->let_count + index) * m->event_count;
    for (size_t i = 0; i < m->event_count; i++)
        needed[i] |= row[i];
}

void slw_model_needs(const struct slw_model *m, size_t index, bool *needed)
{
    for (int state = 0; state < SLW_MODEL_STATES; state++) {
        const struct slw_model_vars vars = {.smt_on = state & 1, .single_task = state >> 1};
        slw_model_needs_with(m, index, &vars, needed);
    }
}

int slw_model_find_event(const struct slw_model *m, const char *name)
{
    for (size_t i = 0; i < m->event_count; i++)
        if (strcmp(m->events[i].name, name) == 0)
            return (int)i;
    return -1;
}

int slw_model_find_node(const struct slw_model *m, const char *name)
{
    for (size_t i = 0; i < m->node_count; i++)
        if (strcmp(m->nodes[i].name, name) == 0)
            return (int)i;
    return -1;
}

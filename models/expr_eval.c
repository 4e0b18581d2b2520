/* SPDX-License-Identifier: MIT */
/* Evaluation of parsed formulas: one pass over the nodes, operands first. */
#include "models/expr.h"

#include <assert.h>
#include <math.h>
#include <stddef.h>

static struct slw_expr_value absent(const char *why)
{
    return (struct slw_expr_value){.missing = why};
}

static struct slw_expr_value present(double value, bool doubtful)
{
    if (!isfinite(value))
        return absent("the result is too large to be a number");
    return (struct slw_expr_value){.have = true, .value = value, .doubtful = doubtful};
}

static double arithmetic(enum slw_expr_op op, double a, double b)
{
    switch (op) {
    case SLW_EXPR_ADD:
        return a + b;
    case SLW_EXPR_SUBTRACT:
        return a - b;
    case SLW_EXPR_MULTIPLY:
        return a * b;
    case SLW_EXPR_DIVIDE:
        return a / b;
    case SLW_EXPR_MIN:
        return a < b ? a : b;
    case SLW_EXPR_MAX:
        return a > b ? a : b;
    case SLW_EXPR_LESS:
        return a < b;
    case SLW_EXPR_LESS_EQUAL:
        return a <= b;
    case SLW_EXPR_GREATER:
        return a > b;
    case SLW_EXPR_GREATER_EQUAL:
        return a >= b;
    case SLW_EXPR_NUMBER:
    case SLW_EXPR_NAME:
    case SLW_EXPR_NEGATE:
    case SLW_EXPR_AND:
    case SLW_EXPR_OR:
    case SLW_EXPR_IF:
        break;
    }
    assert(0 && "not a binary operator");
    return 0;
}

static struct slw_expr_value binary_value(const struct slw_expr_node *n,
                                          const struct slw_expr_value *a,
                                          const struct slw_expr_value *b)
{
    if (!a->have)
        return *a;
    if (!b->have)
        return *b;
    if (n->op == SLW_EXPR_DIVIDE && b->value == 0)
        return absent(n->text);
    return present(arithmetic(n->op, a->value, b->value), a->doubtful || b->doubtful);
}

/* The left operand decides alone where it can, as in any language with `and` and `or`. */
static struct slw_expr_value logic_value(const struct slw_expr_node *n,
                                         const struct slw_expr_value *a,
                                         const struct slw_expr_value *b)
{
    const bool decides_at = n->op == SLW_EXPR_OR;

    if (!a->have || (a->value != 0) == decides_at)
        return *a;
    struct slw_expr_value result = *b;
    result.doubtful = a->doubtful || b->doubtful;
    return result;
}

static struct slw_expr_value if_value(const struct slw_expr_value *yes,
                                      const struct slw_expr_value *condition,
                                      const struct slw_expr_value *no)
{
    if (!condition->have)
        return *condition;
    struct slw_expr_value result = condition->value != 0 ? *yes : *no;
    result.doubtful = result.doubtful || condition->doubtful;
    return result;
}

struct slw_expr_value slw_expr_evaluate(const struct slw_expr *e, slw_expr_lookup lookup, void *ctx)
{
    struct slw_expr_value values[SLW_EXPR_MAX_NODES];

    assert(e->count > 0 && e->count <= SLW_EXPR_MAX_NODES);
    for (int i = 0; i < e->count; i++) {
        const struct slw_expr_node *n = &e->nodes[i];

        if (n->op == SLW_EXPR_NUMBER)
            values[i] = present(n->number, false);
        else if (n->op == SLW_EXPR_NAME)
            values[i] = lookup(ctx, n);
        else if (n->op == SLW_EXPR_NEGATE)
            values[i] = values[n->a], values[i].value = -values[n->a].value;
        else if (n->op == SLW_EXPR_AND || n->op == SLW_EXPR_OR)
            values[i] = logic_value(n, &values[n->a], &values[n->b]);
        else if (n->op == SLW_EXPR_IF)
            values[i] = if_value(&values[n->a], &values[n->b], &values[n->c]);
        else
            values[i] = binary_value(n, &values[n->a], &values[n->b]);
    }
    return values[e->count - 1];
}

/* Which way the condition at `n` goes; -1: not known. */
static int decided(const struct slw_expr_node *n, const struct slw_expr_known *known)
{
    if (n->op == SLW_EXPR_NAME && n->ref == SLW_REF_SMT_ON)
        return known->smt_on;
    return n->op == SLW_EXPR_NAME && n->ref == SLW_REF_SINGLE_TASK ? known->single_task : -1;
}

void slw_expr_reach(const struct slw_expr *e, const struct slw_expr_known *known, bool *reached)
{
    for (int i = 0; i < e->count; i++)
        reached[i] = i == e->count - 1;
    for (int i = e->count - 1; i >= 0; i--) {
        const struct slw_expr_node *n = &e->nodes[i];

        if (!reached[i])
            continue;
        const int way = n->op == SLW_EXPR_IF ? decided(&e->nodes[n->b], known) : -1;
        if (n->a >= 0)
            reached[n->a] |= way != 0;
        if (n->b >= 0)
            reached[n->b] = true;
        if (n->c >= 0)
            reached[n->c] |= way != 1;
    }
}

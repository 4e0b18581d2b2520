/* SPDX-License-Identifier: MIT */
#include "analyzer/unwind/cfi_expression.h"

#include "analyzer/unwind/cfi_int.h"

#include <dwarf.h>

#define MAX_DEPTH 16
#define MAX_STEPS 256 /* branches may go back */

struct machine {
    struct slw_cfi_cursor c;
    const uint8_t *begin;
    uint64_t stack[MAX_DEPTH];
    size_t depth;
    const struct slw_cfi_machine_state *state;
};

static bool push(struct machine *m, uint64_t value)
{
    if (m->depth == MAX_DEPTH)
        return false;
    m->stack[m->depth++] = value;
    return true;
}

static bool pop(struct machine *m, uint64_t *ret_value)
{
    if (m->depth == 0)
        return false;
    *ret_value = m->stack[--m->depth];
    return true;
}

static bool pick(struct machine *m, size_t index)
{
    return index < m->depth && push(m, m->stack[m->depth - 1 - index]);
}

/* False and *is_constant false: another operation. */
static bool constant(struct machine *m, uint8_t op, bool *is_constant)
{
    struct slw_cfi_cursor *c = &m->c;

    *is_constant = true;
    if (op >= DW_OP_lit0 && op <= DW_OP_lit31)
        return push(m, op - (uint64_t)DW_OP_lit0);
    switch (op) {
    case DW_OP_const1u:
        return push(m, slw_cfi_fixed(c, 1));
    case DW_OP_const1s:
        return push(m, (uint64_t)(int8_t)slw_cfi_fixed(c, 1));
    case DW_OP_const2u:
        return push(m, slw_cfi_fixed(c, 2));
    case DW_OP_const2s:
        return push(m, (uint64_t)(int16_t)slw_cfi_fixed(c, 2));
    case DW_OP_const4u:
        return push(m, slw_cfi_fixed(c, 4));
    case DW_OP_const4s:
        return push(m, (uint64_t)(int32_t)slw_cfi_fixed(c, 4));
    case DW_OP_const8u:
    case DW_OP_const8s:
        return push(m, slw_cfi_fixed(c, 8));
    case DW_OP_constu:
        return push(m, slw_cfi_uleb(c));
    case DW_OP_consts:
        return push(m, (uint64_t)slw_cfi_sleb(c));
    default:
        *is_constant = false;
        return false;
    }
}

static bool binary_value(uint8_t op, uint64_t a, uint64_t b, uint64_t *ret)
{
    const int64_t x = (int64_t)a, y = (int64_t)b;
    const struct {
        uint8_t op;
        bool value;
    } comparisons[] = {{DW_OP_eq, x == y}, {DW_OP_ne, x != y}, {DW_OP_ge, x >= y},
                       {DW_OP_gt, x > y},  {DW_OP_le, x <= y}, {DW_OP_lt, x < y}};
    const struct {
        uint8_t op;
        uint64_t value;
    } results[] = {
        {DW_OP_and, a & b},
        {DW_OP_or, a | b},
        {DW_OP_xor, a ^ b},
        {DW_OP_plus, a + b},
        {DW_OP_minus, a - b},
        {DW_OP_mul, a * b},
        {DW_OP_shl, b < 64 ? a << b : 0},
        {DW_OP_shr, b < 64 ? a >> b : 0},
        {DW_OP_shra, (uint64_t)(x >> (b < 64 ? b : 63))},
    };

    for (size_t i = 0; i < sizeof(results) / sizeof(results[0]); i++)
        if (results[i].op == op) {
            *ret = results[i].value;
            return true;
        }
    for (size_t i = 0; i < sizeof(comparisons) / sizeof(comparisons[0]); i++)
        if (comparisons[i].op == op) {
            *ret = comparisons[i].value;
            return true;
        }
    return false;
}

static bool binary(struct machine *m, uint8_t op)
{
    uint64_t a, b, result;

    return m->depth >= 2 && pop(m, &b) && pop(m, &a) && binary_value(op, a, b, &result) &&
           push(m, result);
}

static bool unary(struct machine *m, uint8_t op, bool *is_unary)
{
    uint64_t a;

    *is_unary = true;
    switch (op) {
    case DW_OP_deref:
        return pop(m, &a) && m->state->read_memory(m->state->ctx, a, &a) && push(m, a);
    case DW_OP_plus_uconst:
        return pop(m, &a) && push(m, a + slw_cfi_uleb(&m->c));
    case DW_OP_not:
        return pop(m, &a) && push(m, ~a);
    case DW_OP_neg:
        return pop(m, &a) && push(m, 0 - a);
    case DW_OP_abs:
        return pop(m, &a) && push(m, (int64_t)a < 0 ? 0 - a : a);
    case DW_OP_drop:
        return pop(m, &a);
    default:
        *is_unary = false;
        return false;
    }
}

static bool branch(struct machine *m, bool taken)
{
    int64_t by = (int16_t)slw_cfi_fixed(&m->c, 2);

    if (m->c.bad || (by < 0 ? -by > m->c.at - m->begin : by > m->c.end - m->c.at))
        return false;
    m->c.at += taken ? by : 0;
    return true;
}

static bool shuffle(struct machine *m, uint8_t op, bool *is_shuffle)
{
    uint64_t condition, *top = m->stack + m->depth;

    *is_shuffle = true;
    switch (op) {
    case DW_OP_nop:
        return true;
    case DW_OP_dup:
        return pick(m, 0);
    case DW_OP_over:
        return pick(m, 1);
    case DW_OP_pick:
        return pick(m, slw_cfi_byte(&m->c));
    case DW_OP_swap:
        if (m->depth < 2)
            return false;
        condition = top[-1];
        top[-1] = top[-2];
        top[-2] = condition;
        return true;
    case DW_OP_skip:
        return branch(m, true);
    case DW_OP_bra:
        return pop(m, &condition) && branch(m, condition != 0);
    default:
        *is_shuffle = false;
        return false;
    }
}

static bool based(struct machine *m, uint8_t op)
{
    uint64_t reg = op == DW_OP_bregx ? slw_cfi_uleb(&m->c) : op - (uint64_t)DW_OP_breg0, value;
    int64_t offset = slw_cfi_sleb(&m->c);

    return !m->c.bad && m->state->read_register(m->state->ctx, reg, &value) &&
           push(m, value + (uint64_t)offset);
}

static bool step(struct machine *m)
{
    uint8_t op = slw_cfi_byte(&m->c);
    bool mine, ok = constant(m, op, &mine);

    if (!mine && ((op >= DW_OP_breg0 && op <= DW_OP_breg31) || op == DW_OP_bregx))
        return based(m, op);
    if (!mine)
        ok = unary(m, op, &mine);
    if (!mine)
        ok = shuffle(m, op, &mine);
    if (!mine)
        ok = binary(m, op);
    return ok && !m->c.bad;
}

bool slw_cfi_evaluate(const uint8_t *expression, size_t bytes, const uint64_t *first,
                      const struct slw_cfi_machine_state *state, uint64_t *ret_value)
{
    if (bytes == 0)
        return false;
    struct machine m = {
        .c = {.at = expression, .end = expression + bytes}, .begin = expression, .state = state};

    if (first)
        (void)push(&m, *first);
    for (size_t i = 0; m.c.at < m.c.end; i++)
        if (i == MAX_STEPS || !step(&m))
            return false;
    return pop(&m, ret_value);
}

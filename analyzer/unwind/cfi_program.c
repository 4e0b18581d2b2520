/* SPDX-License-Identifier: MIT */
/* Run a program of call frame instructions. Rules are kept of three registers, those that lead to
 * the caller; of those that functions hand back, where they were saved. Source: DWARF 5, 6.4.2; for
 * arm64, AADWARF64, 4.4. */
#include "analyzer/unwind/cfi_int.h"

#include <dwarf.h>

#define MAX_REMEMBERED 16 /* compilers need one or two */
#ifndef DW_CFA_AARCH64_negate_ra_state
#define DW_CFA_AARCH64_negate_ra_state 0x2d
#endif
#define GNU_args_size       0x2e
#define GNU_negative_offset 0x2f
#define PRIMARY_MASK        0xc0
#define PRIMARY_OPERAND     0x3f

struct run {
    enum slw_cfi_machine machine;
    const struct slw_cfi_common *common;
    const struct slw_cfi_entry *entry;
    struct slw_cfi_cursor c;
    struct slw_cfi_state *state;
    struct slw_cfi_state remembered[MAX_REMEMBERED];
    size_t remembered_count;
    uint64_t address;
    slw_cfi_state_fn fn;
    void *ctx;
};

static uint64_t frame_pointer(const struct run *r)
{
    return r->machine == SLW_CFI_X86_64 ? SLW_X86_RBP : SLW_ARM_FP;
}

static uint64_t stack_pointer(const struct run *r)
{
    return r->machine == SLW_CFI_X86_64 ? SLW_X86_RSP : SLW_ARM_SP;
}

/* Is it one of the registers that lead to the caller? */
static bool has_rule(const struct run *r, uint64_t reg)
{
    return reg == frame_pointer(r) || reg == stack_pointer(r) || reg == r->common->return_register;
}

/* Of a register that has one. */
static struct slw_cfi_value *rule_of(const struct run *r, struct slw_cfi_state *state, uint64_t reg)
{
    if (reg == frame_pointer(r))
        return &state->fp;
    return reg == stack_pointer(r) ? &state->sp : &state->ra;
}

static int16_t save_of(const struct slw_cfi_value *v)
{
    if (v->how == SLW_CFI_SAME)
        return 0;
    if (v->how != SLW_CFI_CFA_AT || v->value % 8 != 0 || v->value == 0 ||
        v->value / 8 <= SLW_CFI_KEPT_LOST || v->value / 8 > INT16_MAX)
        return SLW_CFI_KEPT_LOST;
    return (int16_t)(v->value / 8);
}

static void set_rule(struct run *r, uint64_t reg, struct slw_cfi_value value)
{
    const int kept = slw_cfi_kept(r->machine, reg);

    if (has_rule(r, reg))
        *rule_of(r, r->state, reg) = value;
    else if (kept >= 0)
        r->state->saves.at[kept] = save_of(&value);
}

static void restore_rule(struct run *r, uint64_t reg)
{
    struct slw_cfi_state initial = r->common->initial;
    const int kept = slw_cfi_kept(r->machine, reg);

    if (has_rule(r, reg))
        set_rule(r, reg, *rule_of(r, &initial, reg));
    else if (kept >= 0)
        r->state->saves.at[kept] = initial.saves.at[kept];
}

static int64_t scaled(struct run *r, uint64_t factor)
{
    return (int64_t)(factor * (uint64_t)r->common->data_align);
}

static int advance(struct run *r, uint64_t units)
{
    uint64_t bytes;
    int rc = 0;

    if (!r->entry) /* the common part has no addresses */
        return -SLW_E_FORMAT;
    if (__builtin_mul_overflow(units, r->common->code_align, &bytes))
        return -SLW_E_FORMAT;
    if (bytes == 0)
        return 0;
    rc = r->fn(r->ctx, r->address, r->state);
    return __builtin_add_overflow(r->address, bytes, &r->address) ? -SLW_E_FORMAT : rc;
}

static int set_location(struct run *r)
{
    if (!r->entry)
        return -SLW_E_FORMAT;
    uint64_t to = slw_cfi_encoded(&r->c, r->common->encoding, r->entry->section_bytes,
                                  r->entry->section_address);
    if (r->c.bad || to < r->address)
        return -SLW_E_FORMAT;
    int rc = to > r->address ? r->fn(r->ctx, r->address, r->state) : 0;
    r->address = to;
    return rc;
}

static void expression(struct run *r, struct slw_cfi_value *value)
{
    value->expression_bytes = slw_cfi_uleb(&r->c);
    value->expression = slw_cfi_block(&r->c, value->expression_bytes);
}

/* Where the CFA is. False: another instruction. */
static bool define_cfa(struct run *r, uint8_t op)
{
    struct slw_cfi_value *cfa = &r->state->cfa;

    switch (op) {
    case DW_CFA_def_cfa:
    case DW_CFA_def_cfa_sf:
        cfa->how = SLW_CFI_REG_PLUS;
        cfa->reg = slw_cfi_uleb(&r->c);
        cfa->value = op == DW_CFA_def_cfa ? (int64_t)slw_cfi_uleb(&r->c)
                                          : scaled(r, (uint64_t)slw_cfi_sleb(&r->c));
        return true;
    case DW_CFA_def_cfa_register:
        cfa->how = SLW_CFI_REG_PLUS;
        cfa->reg = slw_cfi_uleb(&r->c);
        return true;
    case DW_CFA_def_cfa_offset:
        cfa->value = (int64_t)slw_cfi_uleb(&r->c);
        return true;
    case DW_CFA_def_cfa_offset_sf:
        cfa->value = scaled(r, (uint64_t)slw_cfi_sleb(&r->c));
        return true;
    case DW_CFA_def_cfa_expression:
        cfa->how = SLW_CFI_EXPR_IS;
        expression(r, cfa);
        return true;
    default:
        return false;
    }
}

/* Where a register is, of the instructions whose first operand is the register. */
static bool define_register(struct run *r, uint8_t op)
{
    struct slw_cfi_value v = {.how = SLW_CFI_SAME};

    if (op < DW_CFA_offset_extended || (op > DW_CFA_register && op < DW_CFA_expression) ||
        (op > DW_CFA_val_expression && op != GNU_negative_offset) || op == DW_CFA_def_cfa_sf ||
        op == DW_CFA_def_cfa_offset_sf)
        return false;
    uint64_t reg = slw_cfi_uleb(&r->c);
    if (op == DW_CFA_restore_extended) {
        restore_rule(r, reg);
        return true;
    }
    if (op == DW_CFA_undefined) {
        v.how = SLW_CFI_LOST;
    } else if (op == DW_CFA_register) {
        v.how = SLW_CFI_REG_PLUS;
        v.reg = slw_cfi_uleb(&r->c);
    } else if (op == DW_CFA_expression || op == DW_CFA_val_expression) {
        v.how = op == DW_CFA_expression ? SLW_CFI_EXPR_AT : SLW_CFI_EXPR_IS;
        expression(r, &v);
    } else if (op != DW_CFA_same_value) {
        bool plus = op == DW_CFA_val_offset || op == DW_CFA_val_offset_sf;
        bool sf = op == DW_CFA_offset_extended_sf || op == DW_CFA_val_offset_sf;
        uint64_t factor = sf ? (uint64_t)slw_cfi_sleb(&r->c) : slw_cfi_uleb(&r->c);
        v.how = plus ? SLW_CFI_CFA_PLUS : SLW_CFI_CFA_AT;
        v.value = scaled(r, op == GNU_negative_offset ? 0 - factor : factor);
    }
    set_rule(r, reg, v);
    return true;
}

/* DWARF says that remembering leaves the CFA alone; every producer and reader includes it. */
static int remember(struct run *r, bool restore)
{
    if (restore ? r->remembered_count == 0 : r->remembered_count == MAX_REMEMBERED)
        return -SLW_E_FORMAT;
    if (restore)
        *r->state = r->remembered[--r->remembered_count];
    else
        r->remembered[r->remembered_count++] = *r->state;
    return 0;
}

static int extended(struct run *r, uint8_t op)
{
    switch (op) {
    case DW_CFA_nop:
        return 0;
    case DW_CFA_set_loc:
        return set_location(r);
    case DW_CFA_advance_loc1:
        return advance(r, slw_cfi_fixed(&r->c, 1));
    case DW_CFA_advance_loc2:
        return advance(r, slw_cfi_fixed(&r->c, 2));
    case DW_CFA_advance_loc4:
        return advance(r, slw_cfi_fixed(&r->c, 4));
    case DW_CFA_remember_state:
    case DW_CFA_restore_state:
        return remember(r, op == DW_CFA_restore_state);
    case DW_CFA_AARCH64_negate_ra_state: /* on other machines, register windows: not ours */
        if (r->machine != SLW_CFI_AARCH64)
            return -SLW_E_FORMAT;
        r->state->is_signed = !r->state->is_signed;
        return 0;
    case GNU_args_size:
        (void)slw_cfi_uleb(&r->c);
        return 0;
    default:
        return define_cfa(r, op) || define_register(r, op) ? 0 : -SLW_E_FORMAT;
    }
}

static int step(struct run *r)
{
    uint8_t op = slw_cfi_byte(&r->c), operand = op & PRIMARY_OPERAND;
    struct slw_cfi_value at_cfa = {.how = SLW_CFI_CFA_AT};

    switch (op & PRIMARY_MASK) {
    case DW_CFA_advance_loc:
        return advance(r, operand);
    case DW_CFA_offset:
        at_cfa.value = scaled(r, slw_cfi_uleb(&r->c));
        set_rule(r, operand, at_cfa);
        return 0;
    case DW_CFA_restore:
        restore_rule(r, operand);
        return 0;
    default:
        return extended(r, op);
    }
}

int slw_cfi_run(enum slw_cfi_machine machine, const struct slw_cfi_common *common,
                const struct slw_cfi_entry *entry, struct slw_cfi_cursor program,
                struct slw_cfi_state *state, slw_cfi_state_fn fn, void *ctx)
{
    struct run r = {.machine = machine,
                    .common = common,
                    .entry = entry,
                    .c = program,
                    .state = state,
                    .address = entry ? entry->address : 0,
                    .fn = fn,
                    .ctx = ctx};
    int rc = 0;

    while (rc == 0 && r.c.at < r.c.end) {
        rc = step(&r);
        if (rc == 0 && r.c.bad)
            rc = -SLW_E_FORMAT;
    }
    return rc == 0 && entry ? fn(ctx, r.address, state) : rc;
}

/* SPDX-License-Identifier: MIT */
#include "analyzer/unwind/stack.h"

#include "analyzer/unwind/cfi_expression.h"

#include <string.h>

/* No stack is larger: an address further up is no place of a frame. */
#define MAX_STACK_BYTES (UINT64_C(64) << 20)

struct walk {
    const struct slw_stack_copy *copy;
    slw_unwind_find find;
    void *ctx;
    uint64_t ip, sp, fp, lr;
    uint64_t start; /* where the copy begins */
    bool exact;     /* ip is where execution stood */
    bool fp_known, lr_known;
    bool first; /* all registers are as sampled */
    bool crossed_signal, by_frame_pointer;
    /* The registers that functions hand back, where some frame wants one: then all the way up. */
    uint64_t kept[SLW_CFI_KEPT];
    uint32_t kept_known; /* bit by register */
    bool follows, wants;
    enum slw_unwound_end fp_why; /* it is not known */
    enum slw_unwound_end end;
};

static bool fail(struct walk *w, enum slw_unwound_end end)
{
    w->end = end;
    return false;
}

/* What it means that there is nothing at an address. */
static enum slw_unwound_end why_missing(const struct walk *w, uint64_t address)
{
    bool above = address >= w->start && address - w->start < MAX_STACK_BYTES;

    if (above)
        return w->copy->full ? SLW_UNWOUND_TRUNCATED : SLW_UNWOUND_UNREADABLE;
    /* A handler may run on a stack of its own: what it interrupted is on another. */
    return w->crossed_signal ? SLW_UNWOUND_UNREADABLE : SLW_UNWOUND_CONTRADICTION;
}

static bool peek(const struct walk *w, uint64_t address, uint64_t *ret_value)
{
    uint64_t into = address - w->start;

    if (address < w->start || w->copy->length < sizeof(*ret_value) ||
        into > w->copy->length - sizeof(*ret_value))
        return false;
    memcpy(ret_value, w->copy->bytes + into, sizeof(*ret_value));
    return true;
}

static bool load(struct walk *w, uint64_t address, uint64_t *ret_value)
{
    return peek(w, address, ret_value) || fail(w, why_missing(w, address));
}

static bool is_x86(const struct walk *w)
{
    return w->copy->machine == SLW_CFI_X86_64;
}

static bool sampled(const struct walk *w, uint64_t reg, uint64_t *ret_value)
{
    if (reg >= SLW_CFI_REGISTERS || !(w->copy->known >> reg & 1))
        return false;
    *ret_value = w->copy->registers[reg];
    return true;
}

/* A register in this frame. */
static bool read_register(void *ctx, uint64_t reg, uint64_t *ret_value)
{
    struct walk *w = ctx;
    const int kept = slw_cfi_kept(w->copy->machine, reg);
    bool x86 = is_x86(w);
    const struct {
        uint64_t reg;
        bool known;
        uint64_t value;
    } followed[] = {{x86 ? SLW_X86_RSP : SLW_ARM_SP, true, w->sp},
                    {x86 ? SLW_X86_RBP : SLW_ARM_FP, w->fp_known, w->fp},
                    {x86 ? SLW_X86_RA : SLW_ARM_LR, x86 || w->lr_known, x86 ? w->ip : w->lr}};

    for (size_t i = 0; i < sizeof(followed) / sizeof(followed[0]); i++)
        if (followed[i].reg == reg) {
            *ret_value = followed[i].value;
            return followed[i].known;
        }
    if (w->first || kept < 0)
        return w->first && sampled(w, reg, ret_value);
    w->wants = true;
    *ret_value = w->kept[kept];
    return w->follows && (w->kept_known >> kept & 1);
}

static bool read_memory(void *ctx, uint64_t address, uint64_t *ret_value)
{
    return load(ctx, address, ret_value);
}

static bool is_frame_pointer(const struct walk *w, uint64_t reg)
{
    return reg == (is_x86(w) ? (uint64_t)SLW_X86_RBP : (uint64_t)SLW_ARM_FP);
}

static bool need_register(struct walk *w, uint64_t reg, uint64_t *ret_value)
{
    if (read_register(w, reg, ret_value))
        return true;
    return fail(w, is_frame_pointer(w, reg) ? w->fp_why : SLW_UNWOUND_NO_REGISTER);
}

/* ---- rules ---- */

static bool evaluate(struct walk *w, const struct slw_cfi_table *t, const struct slw_cfi_place *p,
                     const uint64_t *cfa, uint64_t *ret_value)
{
    const struct slw_cfi_machine_state state = {read_register, read_memory, w};
    const uint32_t at = (uint32_t)p->value;

    w->end = SLW_UNWOUND_BAD_CFI; /* unless a read says otherwise */
    return at <= t->expression_bytes && p->expression_bytes <= t->expression_bytes - at &&
           slw_cfi_evaluate(t->expressions + at, p->expression_bytes, cfa, &state, ret_value);
}

/* Assembly keeps the CFA in some other register. That of a frame further up is most likely the
 * sampled one still; it must at least be a place in the stack that comes next. */
static bool unfollowed_cfa(struct walk *w, const struct slw_cfi_place *p, uint64_t *ret_cfa)
{
    uint64_t value;

    if (p->how != SLW_CFI_REG_PLUS || is_frame_pointer(w, p->reg) || w->crossed_signal ||
        slw_cfi_kept(w->copy->machine, p->reg) >= 0 || !sampled(w, p->reg, &value))
        return false;
    *ret_cfa = value + (uint64_t)(int64_t)p->value;
    return *ret_cfa > w->sp && *ret_cfa - w->start <= w->copy->length;
}

static bool rule_cfa(struct walk *w, const struct slw_cfi_table *t, const struct slw_cfi_place *p,
                     uint64_t *ret_cfa)
{
    uint64_t base;

    if (p->how == SLW_CFI_EXPR_IS)
        return evaluate(w, t, p, NULL, ret_cfa);
    if (p->how != SLW_CFI_REG_PLUS && p->how != SLW_CFI_REG_AT)
        return fail(w, SLW_UNWOUND_BAD_CFI);
    if (!read_register(w, p->reg, &base))
        return unfollowed_cfa(w, p, ret_cfa) || need_register(w, p->reg, &base);
    base += (uint64_t)(int64_t)p->value;
    if (p->how == SLW_CFI_REG_AT)
        return load(w, base, ret_cfa);
    *ret_cfa = base;
    return true;
}

/* A place that is not SAME. */
static bool rule_value(struct walk *w, const struct slw_cfi_table *t, const struct slw_cfi_place *p,
                       uint64_t cfa, uint64_t *ret_value)
{
    const uint64_t value = (uint64_t)(int64_t)p->value;
    uint64_t base;

    switch ((enum slw_cfi_how)p->how) {
    case SLW_CFI_CFA_AT:
        return load(w, cfa + value, ret_value);
    case SLW_CFI_CFA_PLUS:
        *ret_value = cfa + value;
        return true;
    case SLW_CFI_REG_AT:
        return need_register(w, p->reg, &base) && load(w, base + value, ret_value);
    case SLW_CFI_REG_PLUS:
        if (!need_register(w, p->reg, &base))
            return false;
        *ret_value = base + value;
        return true;
    case SLW_CFI_EXPR_AT:
        return evaluate(w, t, p, &cfa, &base) && load(w, base, ret_value);
    case SLW_CFI_EXPR_IS:
        return evaluate(w, t, p, &cfa, ret_value);
    case SLW_CFI_LOST:
        return fail(w, SLW_UNWOUND_NO_REGISTER);
    case SLW_CFI_SAME:
    default:
        return fail(w, SLW_UNWOUND_BAD_CFI);
    }
}

/* ---- frames ---- */

/* The caller's registers, before they become the walk's. */
struct caller {
    uint64_t ip, sp, fp, lr, cfa;
    bool fp_known, lr_known, exact;
    enum slw_unwound_end fp_why;
};

/* Descriptions lag behind epilogues: once the frame pointer is popped, they still say that it is in
 * its slot, which is now below the stack. A slot that cannot be read matters only to a frame that
 * needs the register. */
static void saved_fp(struct walk *w, uint64_t slot, struct caller *c)
{
    if (slot < w->sp)
        return;
    c->fp_known = peek(w, slot, &c->fp);
    c->fp_why = why_missing(w, slot);
}

static bool return_address(struct walk *w, const struct slw_cfi_row *row, uint64_t cfa,
                           struct caller *c)
{
    uint64_t slot = cfa - 8;

    if (!is_x86(w))
        slot = cfa + (uint64_t)(8 * (int64_t)row->fp) + 8;
    if ((row->kind & SLW_CFI_IN_LR) || (!is_x86(w) && slot < w->sp)) {
        c->ip = w->lr;
        return w->lr_known || fail(w, SLW_UNWOUND_NO_REGISTER);
    }
    return load(w, slot, &c->ip);
}

static bool row_cfa(struct walk *w, const struct slw_cfi_row *row, uint64_t *ret_cfa)
{
    const uint64_t offset = (uint64_t)(8 * (int64_t)row->cfa);

    switch (row->kind & SLW_CFI_KIND_MASK) {
    case SLW_CFI_SP:
        *ret_cfa = w->sp + offset;
        return true;
    case SLW_CFI_FP:
        *ret_cfa = w->fp + offset;
        return w->fp_known || fail(w, w->fp_why);
    case SLW_CFI_PLT:
        *ret_cfa = w->sp + 8 + ((w->ip & 15) >= (uint64_t)row->cfa ? 8 : 0);
        return true;
    default:
        return fail(w, SLW_UNWOUND_BAD_CFI);
    }
}

static bool by_row(struct walk *w, const struct slw_cfi_row *row, struct caller *c)
{
    uint64_t cfa;

    if (!row_cfa(w, row, &cfa) || !return_address(w, row, cfa, c))
        return false;
    if (row->fp == SLW_CFI_FP_LOST) {
        c->fp_known = false;
        c->fp_why = SLW_UNWOUND_NO_REGISTER;
    } else if (row->fp != SLW_CFI_FP_SAME) {
        saved_fp(w, cfa + (uint64_t)(8 * (int64_t)row->fp), c);
    }
    c->sp = c->cfa = cfa;
    return true;
}

static void rule_fp(struct walk *w, const struct slw_cfi_table *t, const struct slw_cfi_place *p,
                    uint64_t cfa, struct caller *c)
{
    if (p->how == SLW_CFI_SAME)
        return;
    if (p->how == SLW_CFI_CFA_AT) {
        saved_fp(w, cfa + (uint64_t)(int64_t)p->value, c);
        return;
    }
    c->fp_known = rule_value(w, t, p, cfa, &c->fp);
    c->fp_why = w->end;
}

static bool rule_ra(struct walk *w, const struct slw_cfi_table *t, const struct slw_cfi_place *p,
                    uint64_t cfa, struct caller *c)
{
    if (p->how != SLW_CFI_SAME)
        return rule_value(w, t, p, cfa, &c->ip);
    c->ip = w->lr;
    return (!is_x86(w) && w->lr_known) || fail(w, SLW_UNWOUND_NO_REGISTER);
}

static bool by_rule(struct walk *w, const struct slw_unwind_code *code, struct caller *c)
{
    const uint16_t number = (uint16_t)code->row->cfa;
    const struct slw_cfi_table *t = code->table;
    uint64_t cfa;

    if (number >= t->rule_count)
        return fail(w, SLW_UNWOUND_BAD_CFI);
    const struct slw_cfi_rule *r = &t->rules[number];
    if (!rule_cfa(w, t, &r->cfa, &cfa) || !rule_ra(w, t, &r->ra, cfa, c))
        return false;
    rule_fp(w, t, &r->fp, cfa, c);
    c->sp = c->cfa = cfa;
    c->exact = r->signal != 0;
    c->lr_known = r->lr.how != SLW_CFI_SAME && rule_value(w, t, &r->lr, cfa, &c->lr);
    return r->sp.how == SLW_CFI_SAME || rule_value(w, t, &r->sp, cfa, &c->sp);
}

/* Code without a description. Both machines' ABIs keep { caller's frame pointer, return address }
 * where the frame pointer points, if it is one. */
static bool by_frame_pointer(struct walk *w, enum slw_unwound_end why, struct caller *c)
{
    if (!w->fp_known || w->fp < w->sp || w->fp % 8 != 0 || !peek(w, w->fp, &c->fp) ||
        !peek(w, w->fp + 8, &c->ip))
        return fail(w, w->fp_known && w->fp >= w->sp && w->fp % 8 == 0 && w->copy->full &&
                               w->fp - w->start < MAX_STACK_BYTES
                           ? SLW_UNWOUND_TRUNCATED
                           : why);
    c->sp = w->fp + 16;
    if (c->ip == 0 || w->find(w->ctx, c->ip - 1).state == SLW_UNWIND_UNMAPPED)
        return fail(w, why);
    w->by_frame_pointer = true;
    w->kept_known = 0; /* nobody knows where such code saves them */
    return true;
}

/* What saved_fp says of epilogues holds of them all. */
static void follow_kept(struct walk *w, const struct slw_unwind_code *code, uint64_t cfa)
{
    const struct slw_cfi_saves *s = slw_cfi_saves_of(code->table, code->row);

    if (!s)
        w->kept_known = 0;
    for (int i = 0; s && i < SLW_CFI_KEPT; i++) {
        const uint64_t slot = cfa + (uint64_t)(8 * (int64_t)s->at[i]);

        if (s->at[i] == 0 || (s->at[i] != SLW_CFI_KEPT_LOST && slot < w->sp))
            continue;
        if (s->at[i] != SLW_CFI_KEPT_LOST && peek(w, slot, &w->kept[i]))
            w->kept_known |= UINT32_C(1) << i;
        else
            w->kept_known &= ~(UINT32_C(1) << i);
    }
}

/* Take the authentication code out of the bits that no address has. Source: Arm ARM, D8.9: user
 * addresses have 48 bits, or 52 where asked for. */
static uint64_t strip(const struct walk *w, uint64_t address)
{
    unsigned bits = w->start >> 48 ? 52 : 48;

    return address & (UINT64_MAX >> (64 - bits));
}

static bool find_caller(struct walk *w, const struct slw_unwind_code *code, struct caller *c)
{
    const uint8_t kind = code->state == SLW_UNWIND_CFI ? code->row->kind : (uint8_t)SLW_CFI_GAP;

    switch (kind & SLW_CFI_KIND_MASK) {
    case SLW_CFI_GAP:
        return by_frame_pointer(
            w, code->state == SLW_UNWIND_NO_FILE ? SLW_UNWOUND_NO_FILE : SLW_UNWOUND_NO_CFI, c);
    case SLW_CFI_OUTER:
        return fail(w, SLW_UNWOUND_COMPLETE);
    case SLW_CFI_RULE:
        if (!by_rule(w, code, c))
            return false;
        break;
    default:
        if (!by_row(w, code->row, c))
            return false;
        break;
    }
    if (w->follows && (kind & SLW_CFI_KIND_MASK) != SLW_CFI_GAP)
        follow_kept(w, code, c->cfa);
    if (!is_x86(w)) /* also of code that does not say so: the bits are never part of an address */
        c->ip = strip(w, c->ip);
    return true;
}

/* A frame without memory of its own is possible at the leaf alone, and on arm64 alone. */
static bool advances(const struct walk *w, const struct caller *c)
{
    return c->exact || c->sp > w->sp || (c->sp == w->sp && w->lr_known && !is_x86(w));
}

static bool step(struct walk *w)
{
    struct slw_unwind_code code = w->find(w->ctx, w->exact ? w->ip : w->ip - 1);
    struct caller c = {.fp = w->fp, .fp_known = w->fp_known, .fp_why = w->fp_why};

    if (code.state == SLW_UNWIND_UNMAPPED || code.state == SLW_UNWIND_PROBED)
        return fail(w, code.state == SLW_UNWIND_PROBED ? SLW_UNWOUND_PROBED : SLW_UNWOUND_UNMAPPED);
    if (!find_caller(w, &code, &c))
        return false;
    if (!advances(w, &c))
        return fail(w, SLW_UNWOUND_CONTRADICTION);
    if (c.ip == 0)
        return fail(w, SLW_UNWOUND_COMPLETE);
    w->ip = c.ip;
    w->sp = c.sp;
    w->fp = c.fp;
    w->fp_known = c.fp_known;
    w->fp_why = c.fp_why;
    w->exact = c.exact;
    w->crossed_signal |= c.exact;
    w->lr = c.lr;
    w->lr_known = c.lr_known;
    w->first = false;
    return true;
}

static void begin_kept(struct walk *w)
{
    for (uint64_t reg = 0; reg < SLW_CFI_REGISTERS; reg++) {
        const int kept = slw_cfi_kept(w->copy->machine, reg);

        if (kept >= 0 && sampled(w, reg, &w->kept[kept]))
            w->kept_known |= UINT32_C(1) << kept;
    }
}

static bool begin(struct walk *w)
{
    bool x86 = is_x86(w);

    w->ip = w->copy->ip;
    w->exact = w->first = true;
    w->fp_why = SLW_UNWOUND_NO_REGISTER;
    w->fp_known = sampled(w, x86 ? SLW_X86_RBP : SLW_ARM_FP, &w->fp);
    w->lr_known = !x86 && sampled(w, SLW_ARM_LR, &w->lr);
    if (!sampled(w, x86 ? SLW_X86_RSP : SLW_ARM_SP, &w->sp))
        return fail(w, SLW_UNWOUND_NO_REGISTER);
    w->start = w->sp;
    if (w->follows)
        begin_kept(w);
    return true;
}

/* An address where no code is mapped is where the walk went wrong, and no frame; unless it is the
 * sampled one. */
static struct slw_unwound follow(struct walk *w, struct slw_unwound_frame *frames, size_t capacity)
{
    size_t depth = 1;

    bool more = begin(w);
    frames[0] = (struct slw_unwound_frame){w->copy->ip, w->sp, true};
    more = more && step(w);
    while (more && depth < capacity) {
        frames[depth++] = (struct slw_unwound_frame){w->ip, w->sp, w->exact};
        more = step(w);
    }
    if (more)
        w->end = SLW_UNWOUND_TOO_DEEP;
    if ((w->end == SLW_UNWOUND_UNMAPPED || w->end == SLW_UNWOUND_PROBED) && depth > 1)
        depth--;
    return (struct slw_unwound){
        .end = w->end, .depth = depth, .failed_at = w->ip, .by_frame_pointer = w->by_frame_pointer};
}

/* Hardly any frame wants a register that its callees may have saved. Where one does, the stack is
 * walked once more, with all of them. */
struct slw_unwound slw_unwind(const struct slw_stack_copy *copy, slw_unwind_find find, void *ctx,
                              struct slw_unwound_frame *frames, size_t capacity)
{
    struct walk w = {.copy = copy, .find = find, .ctx = ctx};
    const struct slw_unwound u = follow(&w, frames, capacity);

    if (!w.wants)
        return u;
    w = (struct walk){.copy = copy, .find = find, .ctx = ctx, .follows = true};
    return follow(&w, frames, capacity);
}

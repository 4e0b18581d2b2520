/* SPDX-License-Identifier: MIT */
/* What our tables say of every stretch of code of the libraries here equals what elfutils says
 * (dwarf_cfi_addrframe): the CFA, and where the return address, the frame pointer and
 * other registers that functions hand back are. Both are
 * evaluated with arbitrary registers and memory, so that rows, rules and expressions are compared
 * by what they mean. A program of several stretches is compared at the first and the last byte of
 * each.
 */
#include "analyzer/elf_file.h"
#include "analyzer/unwind/cfi_expression.h"
#include "analyzer/unwind/cfi_image.h"
#include "tests/unit/cmocka_int.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH 32

#if defined(__aarch64__)
#define FP SLW_ARM_FP
#define SP SLW_ARM_SP
#define RA SLW_ARM_LR
#else
#define FP SLW_X86_RBP
#define SP SLW_X86_RSP
#define RA SLW_X86_RA
#endif

static uint64_t registers[SLW_CFI_REGISTERS];

static uint64_t memory(uint64_t address)
{
    address = (address ^ address >> 31) * UINT64_C(0x9e3779b97f4a7c15);
    return address ^ address >> 29;
}

/* ---- theirs ---- */

/* Where or what a register is. */
struct meaning {
    enum { SAME, LOST, AT, IS, UNKNOWN } how;
    uint64_t value;
};

static bool apply(uint8_t op, uint64_t *stack, size_t *depth)
{
    uint64_t b = stack[*depth - 1], a = *depth > 1 ? stack[*depth - 2] : 0, result;

    switch (op) {
    case DW_OP_and:
        result = a & b;
        break;
    case DW_OP_plus:
        result = a + b;
        break;
    case DW_OP_minus:
        result = a - b;
        break;
    case DW_OP_mul:
        result = a * b;
        break;
    case DW_OP_ge:
        result = (int64_t)a >= (int64_t)b;
        break;
    case DW_OP_shl:
        result = a << b;
        break;
    default:
        return false;
    }
    stack[--*depth - 1] = result;
    return true;
}

static struct meaning theirs(const Dwarf_Op *ops, size_t count, uint64_t cfa)
{
    uint64_t stack[DEPTH];
    size_t depth = 0;
    bool is_value = false;

    for (size_t i = 0; i < count; i++) {
        const Dwarf_Op *o = &ops[i];
        if (depth >= DEPTH - 1)
            return (struct meaning){.how = UNKNOWN};
        if (o->atom >= DW_OP_breg0 && o->atom <= DW_OP_breg31)
            stack[depth++] = registers[o->atom - DW_OP_breg0] + o->number;
        else if (o->atom == DW_OP_bregx && o->number < SLW_CFI_REGISTERS)
            stack[depth++] = registers[o->number] + o->number2;
        else if (o->atom >= DW_OP_lit0 && o->atom <= DW_OP_lit31)
            stack[depth++] = o->atom - (uint64_t)DW_OP_lit0;
        else if (o->atom >= DW_OP_const1u && o->atom <= DW_OP_consts)
            stack[depth++] = o->number;
        else if (o->atom == DW_OP_call_frame_cfa)
            stack[depth++] = cfa;
        else if (o->atom == DW_OP_stack_value)
            is_value = true;
        else if (depth > 0 && o->atom == DW_OP_plus_uconst)
            stack[depth - 1] += o->number;
        else if (depth > 0 && o->atom == DW_OP_deref)
            stack[depth - 1] = memory(stack[depth - 1]);
        else if (depth < 2 || !apply(o->atom, stack, &depth))
            return (struct meaning){.how = UNKNOWN};
    }
    return depth == 0 ? (struct meaning){.how = UNKNOWN}
                      : (struct meaning){is_value ? IS : AT, stack[depth - 1]};
}

static struct meaning their_register(Dwarf_Frame *frame, int reg, uint64_t cfa)
{
    Dwarf_Op mem[3], *ops = NULL;
    size_t count = 0;

    if (dwarf_frame_register(frame, reg, mem, &ops, &count) != 0)
        return (struct meaning){.how = UNKNOWN};
    if (count == 0)
        return (struct meaning){.how = ops ? LOST : SAME};
    if (count == 1 && ops[0].atom >= DW_OP_reg0 && ops[0].atom <= DW_OP_reg31)
        return (struct meaning){IS, registers[ops[0].atom - DW_OP_reg0]};
    return theirs(ops, count, cfa);
}

/* ---- ours ---- */

static bool read_register(void *ctx, uint64_t reg, uint64_t *ret_value)
{
    (void)ctx;
    *ret_value = registers[reg % SLW_CFI_REGISTERS];
    return reg < SLW_CFI_REGISTERS;
}

static bool read_memory(void *ctx, uint64_t address, uint64_t *ret_value)
{
    (void)ctx;
    *ret_value = memory(address);
    return true;
}

static struct meaning place(const struct slw_cfi_table *t, const struct slw_cfi_place *p,
                            const uint64_t *cfa)
{
    const struct slw_cfi_machine_state state = {read_register, read_memory, NULL};
    const uint64_t offset = (uint64_t)(int64_t)p->value;
    uint64_t value = 0;

    switch ((enum slw_cfi_how)p->how) {
    case SLW_CFI_SAME:
        return (struct meaning){.how = SAME};
    case SLW_CFI_LOST:
        return (struct meaning){.how = LOST};
    case SLW_CFI_CFA_AT:
        return (struct meaning){AT, *cfa + offset};
    case SLW_CFI_CFA_PLUS:
        return (struct meaning){IS, *cfa + offset};
    case SLW_CFI_REG_AT:
        return (struct meaning){AT, registers[p->reg] + offset};
    case SLW_CFI_REG_PLUS:
        return (struct meaning){IS, registers[p->reg] + offset};
    case SLW_CFI_EXPR_AT:
    case SLW_CFI_EXPR_IS:
        assert_true(
            slw_cfi_evaluate(t->expressions + p->value, p->expression_bytes, cfa, &state, &value));
        return (struct meaning){p->how == SLW_CFI_EXPR_AT ? AT : IS, value};
    default:
        fail();
        return (struct meaning){.how = UNKNOWN};
    }
}

struct frame {
    uint64_t cfa;
    struct meaning fp, ra;
};

/* Registers that functions hand back: where a set says that they are. */
static struct meaning our_save(const struct slw_cfi_saves *s, int kept, uint64_t cfa)
{
    if (s->at[kept] == 0)
        return (struct meaning){.how = SAME};
    if (s->at[kept] == SLW_CFI_KEPT_LOST)
        return (struct meaning){.how = UNKNOWN};
    return (struct meaning){AT, cfa + (uint64_t)(8 * (int64_t)s->at[kept])};
}

static struct frame our_rule(const struct slw_cfi_table *t, const struct slw_cfi_rule *r)
{
    struct meaning cfa = place(t, &r->cfa, NULL);
    struct frame f = {.cfa = cfa.how == AT ? memory(cfa.value) : cfa.value};

    f.fp = place(t, &r->fp, &f.cfa);
    f.ra = place(t, &r->ra, &f.cfa);
    return f;
}

static struct frame our_row(const struct slw_cfi_table *t, const struct slw_cfi_row *row)
{
    const uint64_t offset = (uint64_t)(8 * (int64_t)row->cfa);
    const uint64_t fp_slot = (uint64_t)(8 * (int64_t)row->fp);
    struct frame f = {.fp = {.how = SAME}};

    switch (row->kind & SLW_CFI_KIND_MASK) {
    case SLW_CFI_SP:
        f.cfa = registers[SP] + offset;
        break;
    case SLW_CFI_FP:
        f.cfa = registers[FP] + offset;
        break;
    case SLW_CFI_PLT:
        f.cfa = registers[SP] + 8 + ((registers[RA] & 15) >= (uint64_t)row->cfa ? 8 : 0);
        break;
    default:
        return our_rule(t, &t->rules[(uint16_t)row->cfa]);
    }
    if (row->fp == SLW_CFI_FP_LOST)
        f.fp.how = LOST;
    else if (row->fp != SLW_CFI_FP_SAME)
        f.fp = (struct meaning){AT, f.cfa + fp_slot};
#if defined(__aarch64__)
    f.ra = row->kind & SLW_CFI_IN_LR ? (struct meaning){.how = SAME}
                                     : (struct meaning){AT, f.cfa + fp_slot + 8};
#else
    f.ra = (struct meaning){AT, f.cfa - 8};
#endif
    return f;
}

/* ---- both ---- */

struct tally {
    unsigned long compared, gaps, outer, unknown, differ;
};

static bool same(const struct meaning *a, const struct meaning *b)
{
    return a->how == b->how && (a->how == SAME || a->how == LOST || a->value == b->value);
}

/* What is somewhere else than in the frame (another register, an expression) is not known here.
 * That rbx stays what it was unless it is told otherwise is missing in elfutils' ABI of x86-64
 * (0.188). */
static bool same_saves(const struct slw_cfi_table *t, const struct slw_cfi_row *row,
                       Dwarf_Frame *frame, uint64_t cfa)
{
    const struct slw_cfi_saves *s = slw_cfi_saves_of(t, row);

    assert_non_null(s);
    for (int reg = 0; reg < SLW_CFI_REGISTERS; reg++) {
        const int kept = slw_cfi_kept(t->machine, (uint64_t)reg);
        if (kept < 0)
            continue;
        struct meaning ours = our_save(s, kept, cfa), his = their_register(frame, reg, cfa);
        if (reg == 3 && ours.how == SAME && his.how == LOST)
            continue;
        if (ours.how == AT || ours.how == SAME ? !same(&ours, &his) : his.how == SAME)
            return false;
    }
    return true;
}

static void compare_frame(const struct slw_cfi_table *t, const struct slw_cfi_row *row,
                          Dwarf_Frame *frame, uint64_t address, struct tally *n)
{
    Dwarf_Op *ops = NULL;
    size_t count = 0;

    registers[RA] = address;
    assert_int_equal(dwarf_frame_cfa(frame, &ops, &count), 0);
    struct frame ours = our_row(t, row);
    struct meaning cfa = theirs(ops, count, 0);
    struct meaning fp = their_register(frame, FP, ours.cfa),
                   ra = their_register(frame, RA, ours.cfa);
    if (cfa.how == UNKNOWN || fp.how == UNKNOWN || ra.how == UNKNOWN) {
        n->unknown++;
        return;
    }
    n->compared++;
    if (cfa.value == ours.cfa && same(&fp, &ours.fp) && same(&ra, &ours.ra) &&
        same_saves(t, row, frame, ours.cfa))
        return;
    n->differ++;
    print_error("address 0x%llx: row kind %u cfa %d fp %d differs\n", (unsigned long long)address,
                row->kind, row->cfa, row->fp);
}

static void compare_at(const struct slw_cfi_table *t, const struct slw_cfi_row *row, Dwarf_CFI *cfi,
                       uint64_t address, struct tally *n)
{
    Dwarf_Frame *frame = NULL;
    bool described = dwarf_cfi_addrframe(cfi, address, &frame) == 0;
    unsigned kind = row->kind & SLW_CFI_KIND_MASK;

    if (kind == SLW_CFI_GAP) {
        assert_false(described);
        n->gaps++;
    } else if (kind == SLW_CFI_OUTER) {
        n->outer++; /* of the program's entry we say so even without a description */
        assert_true(!described || their_register(frame, RA, 0).how == LOST);
    } else {
        assert_true(described);
        assert_int_not_equal(kind, SLW_CFI_BAD);
        compare_frame(t, row, frame, address, n);
    }
    free(frame);
}

static void compare_image(const struct slw_elf *e, const char *name)
{
    struct slw_cfi_table t;
    struct tally n = {0};
    Dwarf_CFI *cfi = dwarf_getcfi_elf(e->elf);

    assert_non_null(cfi);
    assert_int_equal(slw_cfi_compile_image(e, &t, NULL), 0);
    assert_int_equal(t.bad_entries, 0);
    for (uint32_t i = 0; i + 1 < t.row_count; i++) {
        uint64_t first, last;
        /* A row may end at the end of its segment, where no address is. */
        if (!slw_elf_address_of_offset(e, t.rows[i].offset, &first) ||
            !slw_elf_address_of_offset(e, t.rows[i + 1].offset - 1, &last))
            continue;
        assert_ptr_equal(slw_cfi_find(&t, t.rows[i + 1].offset - 1), &t.rows[i]);
        compare_at(&t, &t.rows[i], cfi, first, &n);
        if ((t.rows[i].kind & SLW_CFI_KIND_MASK) != SLW_CFI_GAP)
            compare_at(&t, &t.rows[i], cfi, last, &n);
    }
    print_message(
        "%s: %u rows; %lu places compared, %lu differ, %lu not understood, %lu outermost, "
        "%lu gaps\n",
        name, t.row_count, n.compared, n.differ, n.unknown, n.outer, n.gaps);
    assert_int_equal(n.differ, 0);
    assert_true(n.compared > 10);
    assert_true(n.unknown * 1000 <= n.compared);
    slw_cfi_table_release(&t);
    dwarf_cfi_end(cfi);
}

static void libraries_say_the_same_as_elfutils(void **state)
{
    static const char *const patterns[] = {
        "/lib/*-linux-gnu/libc.so.6",           "/lib/*-linux-gnu/ld-linux-*.so.*",
        "/usr/lib/*-linux-gnu/libpq.so.5",      "/usr/lib/*-linux-gnu/libssl.so.3",
        "/usr/lib/*-linux-gnu/libcrypto.so.3",  "/usr/lib/*-linux-gnu/libsqlite3.so.0",
        "/usr/lib/*-linux-gnu/libmariadb.so.3", "/usr/lib/*-linux-gnu/libstdc++.so.6",
        "/usr/lib/postgresql/*/bin/psql",       "/usr/bin/redis-benchmark"};
    size_t found = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
        glob_t files;
        struct slw_elf e;
        if (glob(patterns[i], 0, NULL, &files) == 0 && slw_elf_open(files.gl_pathv[0], &e) == 0) {
            compare_image(&e, files.gl_pathv[0]);
            slw_elf_close(&e);
            found++;
        }
        globfree(&files);
    }
    if (found == 0)
        skip();
}

static void the_vdso_says_the_same_as_elfutils(void **state)
{
    struct slw_elf e;

    (void)state;
    if (slw_elf_open_vdso(&e) < 0)
        skip();
    compare_image(&e, "vdso");
    slw_elf_close(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(libraries_say_the_same_as_elfutils),
        cmocka_unit_test(the_vdso_says_the_same_as_elfutils),
    };

    for (size_t i = 0; i < SLW_CFI_REGISTERS; i++)
        registers[i] = memory(i + 1) & ~UINT64_C(7);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

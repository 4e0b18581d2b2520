/* SPDX-License-Identifier: MIT */
#include "analyzer/unwind/cfi.h"
#include "analyzer/unwind/cfi_expression.h"
#include "tests/unit/cmocka_int.h"

#include <dwarf.h>
#include <string.h>

/* Bytes of a section as they grow. */
struct bytes {
    uint8_t at[4096];
    size_t count;
};

static void put(struct bytes *b, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        b->at[b->count++] = (uint8_t)(value >> 8 * i);
}

static void put_all(struct bytes *b, const uint8_t *bytes, size_t count)
{
    memcpy(b->at + b->count, bytes, count);
    b->count += count;
}

static size_t begin(struct bytes *b)
{
    put(b, 0, 4);
    return b->count;
}

static void end(struct bytes *b, size_t begun)
{
    while ((b->count - begun) % 8 != 4)
        put(b, DW_CFA_nop, 1);
    uint32_t length = (uint32_t)(b->count - begun);
    memcpy(b->at + begun - 4, &length, sizeof(length));
}

#define CODE UINT64_C(0x401000)

static const uint8_t x86_call[] = {DW_CFA_def_cfa, SLW_X86_RSP, 8, DW_CFA_offset | SLW_X86_RA, 1};
static const uint8_t arm_call[] = {DW_CFA_def_cfa, SLW_ARM_SP, 0};

/* What entries share; of .eh_frame with letters, absolute addresses. */
static void put_common(struct bytes *b, const char *letters, uint8_t ra, const uint8_t *program,
                       size_t program_bytes)
{
    size_t begun = begin(b);

    put(b, 0, 4);
    put(b, 1, 1);
    put_all(b, (const uint8_t *)letters, strlen(letters) + 1);
    put(b, ra == SLW_ARM_LR ? 4 : 1, 1);
    put(b, 0x78, 1); /* -8 */
    put(b, ra, 1);
    if (*letters == 'z') {
        put(b, 1, 1);
        put(b, 0, 1); /* DW_EH_PE_absptr */
    }
    put_all(b, program, program_bytes);
    end(b, begun);
}

static void put_entry(struct bytes *b, bool debug_frame, uint64_t address, uint64_t bytes,
                      const uint8_t *program, size_t program_bytes)
{
    size_t begun = begin(b);

    put(b, debug_frame ? 0 : begun, 4); /* what it shares stands at 0 */
    put(b, address, 8);
    put(b, bytes, 8);
    if (!debug_frame)
        put(b, 0, 1);
    put_all(b, program, program_bytes);
    end(b, begun);
}

#define ENTRY(b, address, bytes, ...)                                                              \
    do {                                                                                           \
        const uint8_t program[] = {__VA_ARGS__};                                                   \
        put_entry(b, false, address, bytes, program, sizeof(program));                             \
    } while (0)

static void x86_section(struct bytes *b)
{
    b->count = 0;
    put_common(b, "zR", SLW_X86_RA, x86_call, sizeof(x86_call));
}

/* The same in .debug_frame, whose identifications are other ones. */
static void x86_debug_section(struct bytes *b)
{
    b->count = 0;
    put_common(b, "", SLW_X86_RA, x86_call, sizeof(x86_call));
    memset(b->at + 4, 0xff, 4);
}

static struct slw_cfi_table compile_both(enum slw_cfi_machine machine, const struct bytes *eh,
                                         const struct bytes *debug, uint64_t entry)
{
    const struct slw_cfi_section sections[] = {
        {.bytes = eh->at, .length = eh->count, .address = 0x500000},
        {.bytes = debug ? debug->at : NULL,
         .length = debug ? debug->count : 0,
         .debug_frame = true}};
    const struct slw_cfi_segment code = {.address = CODE, .bytes = 0x1000, .offset = 0x1000};
    const struct slw_cfi_source source = {.machine = machine,
                                          .sections = sections,
                                          .section_count = debug ? 2 : 1,
                                          .segments = &code,
                                          .segment_count = 1,
                                          .entry = entry};
    struct slw_cfi_table t;

    assert_int_equal(slw_cfi_compile(&source, &t, NULL), 0);
    return t;
}

static struct slw_cfi_table compile(const struct bytes *b)
{
    return compile_both(SLW_CFI_X86_64, b, NULL, 0);
}

static void assert_row(const struct slw_cfi_table *t, size_t i, uint32_t offset, unsigned kind,
                       int cfa, int fp)
{
    assert_true(i < t->row_count);
    assert_int_equal(t->rows[i].offset, offset);
    assert_int_equal(t->rows[i].kind, kind);
    assert_int_equal(t->rows[i].cfa, cfa);
    assert_int_equal(t->rows[i].fp, fp);
}

static void rows_follow_the_program(void **state)
{
    struct bytes b;

    (void)state;
    x86_section(&b);
    ENTRY(&b, CODE, 0x40, DW_CFA_advance_loc | 1, DW_CFA_def_cfa_offset, 16,
          DW_CFA_offset | SLW_X86_RBP, 2, DW_CFA_advance_loc | 3, DW_CFA_def_cfa_register,
          SLW_X86_RBP, DW_CFA_remember_state, DW_CFA_advance_loc1, 0x20, DW_CFA_def_cfa,
          SLW_X86_RSP, 8, DW_CFA_restore | SLW_X86_RBP, DW_CFA_advance_loc | 1,
          DW_CFA_restore_state);
    struct slw_cfi_table t = compile(&b);
    assert_int_equal(t.row_count, 6);
    assert_row(&t, 0, 0x1000, SLW_CFI_SP, 1, 0);
    assert_row(&t, 1, 0x1001, SLW_CFI_SP, 2, -2);
    assert_row(&t, 2, 0x1004, SLW_CFI_FP, 2, -2);
    assert_row(&t, 3, 0x1024, SLW_CFI_SP, 1, 0);
    assert_row(&t, 4, 0x1025, SLW_CFI_FP, 2, -2);
    assert_row(&t, 5, 0x1040, SLW_CFI_GAP, 0, 0);
    assert_null(slw_cfi_find(&t, 0xfff));
    assert_ptr_equal(slw_cfi_find(&t, 0x1003), &t.rows[1]);
    assert_ptr_equal(slw_cfi_find(&t, 0x103f), &t.rows[4]);
    assert_ptr_equal(slw_cfi_find(&t, UINT64_C(0x100001003)), NULL);
    slw_cfi_table_release(&t);
}

static void neighbours_that_are_alike_are_one_row(void **state)
{
    struct bytes b;

    (void)state;
    x86_section(&b);
    ENTRY(&b, CODE + 0x20, 0x10, DW_CFA_nop);
    ENTRY(&b, CODE, 0x20, DW_CFA_nop); /* out of order */
    ENTRY(&b, CODE + 0x40, 0x10, DW_CFA_nop);
    struct slw_cfi_table t = compile(&b);
    assert_int_equal(t.row_count, 4);
    assert_row(&t, 0, 0x1000, SLW_CFI_SP, 1, 0);
    assert_row(&t, 1, 0x1030, SLW_CFI_GAP, 0, 0);
    assert_row(&t, 2, 0x1040, SLW_CFI_SP, 1, 0);
    slw_cfi_table_release(&t);
}

static void debug_frame_fills_what_eh_frame_leaves(void **state)
{
    static const uint8_t other[] = {DW_CFA_def_cfa_offset, 32};
    struct bytes eh, debug;

    (void)state;
    x86_section(&eh);
    ENTRY(&eh, CODE, 0x10, DW_CFA_nop);
    x86_debug_section(&debug);
    put_entry(&debug, true, CODE, 0x10, other, sizeof(other)); /* less believed */
    put_entry(&debug, true, CODE + 0x10, 0x10, other, sizeof(other));
    struct slw_cfi_table t = compile_both(SLW_CFI_X86_64, &eh, &debug, 0);
    assert_int_equal(t.row_count, 3);
    assert_row(&t, 0, 0x1000, SLW_CFI_SP, 1, 0);
    assert_row(&t, 1, 0x1010, SLW_CFI_SP, 4, 0);
    assert_row(&t, 2, 0x1020, SLW_CFI_GAP, 0, 0);
    slw_cfi_table_release(&t);
}

static void a_broken_program_spoils_its_own_code_only(void **state)
{
    struct bytes b;

    (void)state;
    x86_section(&b);
    ENTRY(&b, CODE, 0x10, DW_CFA_nop);
    ENTRY(&b, CODE + 0x10, 0x10, DW_CFA_advance_loc | 1, DW_CFA_def_cfa_offset, 16, 0x3f);
    ENTRY(&b, CODE + 0x20, 0x10, DW_CFA_restore_state); /* of nothing */
    ENTRY(&b, CODE + 0x30, 0x10, DW_CFA_def_cfa_offset, 24);
    struct slw_cfi_table t = compile(&b);
    assert_int_equal(t.bad_entries, 2);
    assert_row(&t, 0, 0x1000, SLW_CFI_SP, 1, 0);
    assert_row(&t, 1, 0x1010, SLW_CFI_BAD, 0, 0);
    assert_row(&t, 2, 0x1030, SLW_CFI_SP, 3, 0);
    slw_cfi_table_release(&t);
}

static void a_cut_section_keeps_what_was_whole(void **state)
{
    struct bytes b;

    (void)state;
    x86_section(&b);
    ENTRY(&b, CODE, 0x10, DW_CFA_nop);
    ENTRY(&b, CODE + 0x10, 0x10, DW_CFA_def_cfa_offset, 24);
    b.count -= 3;
    struct slw_cfi_table t = compile(&b);
    assert_int_equal(t.row_count, 2);
    assert_true(t.bad_entries > 0);
    slw_cfi_table_release(&t);
}

static void code_that_was_thrown_away_has_no_rows(void **state)
{
    struct bytes b;

    (void)state;
    x86_section(&b);
    ENTRY(&b, 0, 0x10, DW_CFA_nop);
    ENTRY(&b, CODE + 0xff8, 0x10, DW_CFA_nop); /* beyond the segment */
    struct slw_cfi_table t = compile(&b);
    assert_int_equal(t.row_count, 0);
    assert_int_equal(t.bad_entries, 0);
    slw_cfi_table_release(&t);
}

static void the_entry_of_a_program_has_no_caller(void **state)
{
    struct bytes b;

    (void)state;
    x86_section(&b);
    ENTRY(&b, CODE, 0x10, DW_CFA_nop);
    ENTRY(&b, CODE + 0x40, 0x10, DW_CFA_nop);
    struct slw_cfi_table t = compile_both(SLW_CFI_X86_64, &b, NULL, CODE + 0x10);
    assert_row(&t, 0, 0x1000, SLW_CFI_SP, 1, 0);
    assert_row(&t, 1, 0x1010, SLW_CFI_OUTER, 0, 0);
    assert_row(&t, 2, 0x1040, SLW_CFI_SP, 1, 0);
    slw_cfi_table_release(&t);
    t = compile_both(SLW_CFI_X86_64, &b, NULL, CODE + 0x100);
    assert_row(&t, 4, 0x1100, SLW_CFI_OUTER, 0, 0);
    assert_row(&t, 5, 0x1180, SLW_CFI_GAP, 0, 0);
    slw_cfi_table_release(&t);
    t = compile_both(SLW_CFI_X86_64, &b, NULL, CODE + 4); /* described: believed */
    assert_row(&t, 0, 0x1000, SLW_CFI_SP, 1, 0);
    assert_row(&t, 1, 0x1010, SLW_CFI_GAP, 0, 0);
    slw_cfi_table_release(&t);
}

static void an_undefined_return_address_ends_the_stack(void **state)
{
    struct bytes b;

    (void)state;
    x86_section(&b);
    ENTRY(&b, CODE, 0x10, DW_CFA_undefined, SLW_X86_RA);
    struct slw_cfi_table t = compile(&b);
    assert_row(&t, 0, 0x1000, SLW_CFI_OUTER, 0, 0);
    slw_cfi_table_release(&t);
}

static void linkage_stubs_are_rows(void **state)
{
    struct bytes b;

    (void)state;
    x86_section(&b);
    ENTRY(&b, CODE, 0x30, DW_CFA_def_cfa_expression, 11, DW_OP_breg7, 8, DW_OP_breg16, 0,
          DW_OP_lit15, DW_OP_and, DW_OP_lit11, DW_OP_ge, DW_OP_lit3, DW_OP_shl, DW_OP_plus);
    struct slw_cfi_table t = compile(&b);
    assert_row(&t, 0, 0x1000, SLW_CFI_PLT, 11, 0);
    assert_int_equal(t.rule_count, 0);
    slw_cfi_table_release(&t);
}

static void simple_expressions_are_places(void **state)
{
    struct bytes b;

    (void)state;
    b.count = 0;
    put_common(&b, "zRS", SLW_X86_RA, x86_call, sizeof(x86_call));
    ENTRY(&b, CODE, 0x10, DW_CFA_def_cfa_expression, 4, DW_OP_breg7, 0xa0, 1, DW_OP_deref,
          DW_CFA_expression, SLW_X86_RBP, 3, DW_OP_breg7, 0xf8, 0, DW_CFA_expression, SLW_X86_RA, 3,
          DW_OP_breg7, 0xa8, 1);
    struct slw_cfi_table t = compile(&b);
    assert_int_equal(t.rule_count, 1);
    assert_int_equal(t.expression_bytes, 0);
    const struct slw_cfi_rule *r = &t.rules[0];
    assert_int_equal(r->signal, 1);
    assert_int_equal(r->cfa.how, SLW_CFI_REG_AT);
    assert_int_equal(r->cfa.value, 160);
    assert_int_equal(r->fp.how, SLW_CFI_REG_AT);
    assert_int_equal(r->fp.value, 120);
    assert_int_equal(r->ra.how, SLW_CFI_REG_AT);
    assert_int_equal(r->ra.value, 168);
    slw_cfi_table_release(&t);
}

/* Each stretch has the rule or the expression of some other. */
static void equal_rules_are_kept_once(void **state)
{
    struct bytes b;

    (void)state;
    x86_section(&b);
    for (uint8_t i = 0; i < 8; i++)
        ENTRY(&b, CODE + 0x20 * (uint64_t)i, 0x10, DW_CFA_def_cfa_expression, 5, DW_OP_breg7,
              (uint8_t)(8 * (i % 2)), DW_OP_deref, DW_OP_plus_uconst, 8);
    struct slw_cfi_table t = compile(&b);
    assert_int_equal(t.row_count, 16);
    assert_int_equal(t.rule_count, 2);
    assert_int_equal(t.expression_bytes, 10);
    assert_int_equal((uint16_t)t.rows[0].cfa, (uint16_t)t.rows[4].cfa);
    slw_cfi_table_release(&t);
}

static void arm64_keeps_return_addresses_in_lr_then_beside_the_frame_pointer(void **state)
{
    struct bytes b;

    (void)state;
    b.count = 0;
    put_common(&b, "zR", SLW_ARM_LR, arm_call, sizeof(arm_call));
    ENTRY(&b, CODE, 0x40, DW_CFA_advance_loc | 1, DW_CFA_AARCH64_negate_ra_state,
          DW_CFA_advance_loc | 1, DW_CFA_def_cfa_offset, 32, DW_CFA_offset | SLW_ARM_FP, 4,
          DW_CFA_offset | SLW_ARM_LR, 3, DW_CFA_advance_loc | 4, DW_CFA_restore | SLW_ARM_LR,
          DW_CFA_restore | SLW_ARM_FP, DW_CFA_def_cfa_offset, 0, DW_CFA_AARCH64_negate_ra_state);
    struct slw_cfi_table t = compile_both(SLW_CFI_AARCH64, &b, NULL, 0);
    assert_int_equal(t.row_count, 5);
    assert_row(&t, 0, 0x1000, SLW_CFI_SP | SLW_CFI_IN_LR, 0, 0);
    assert_row(&t, 1, 0x1004, SLW_CFI_SP | SLW_CFI_IN_LR | SLW_CFI_SIGNED, 0, 0);
    assert_row(&t, 2, 0x1008, SLW_CFI_SP | SLW_CFI_SIGNED, 4, -4);
    assert_row(&t, 3, 0x1018, SLW_CFI_SP | SLW_CFI_IN_LR, 0, 0);
    slw_cfi_table_release(&t);
    t = compile(&b); /* its return address is no register of x86-64 */
    assert_int_equal(t.row_count, 0);
    assert_true(t.bad_entries > 0);
    slw_cfi_table_release(&t);
}

/* ---- expressions ---- */

static bool read_register(void *ctx, uint64_t reg, uint64_t *ret_value)
{
    (void)ctx;
    *ret_value = 1000 + reg;
    return reg < 17;
}

static bool read_memory(void *ctx, uint64_t address, uint64_t *ret_value)
{
    (void)ctx;
    *ret_value = address * 2;
    return address < 5000;
}

static const struct slw_cfi_machine_state machine = {read_register, read_memory, NULL};

#define EVALUATE(first, ret_value, ...)                                                            \
    slw_cfi_evaluate((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}),       \
                     first, &machine, ret_value)

static void expressions_have_values(void **state)
{
    const uint64_t first = 7;
    uint64_t v;

    (void)state;
    assert_true(EVALUATE(NULL, &v, DW_OP_breg7, 0x78, DW_OP_deref, DW_OP_plus_uconst, 8));
    assert_int_equal(v, 2 * 999 + 8);
    assert_true(EVALUATE(&first, &v, DW_OP_lit3, DW_OP_mul));
    assert_int_equal(v, 21);
    assert_true(EVALUATE(NULL, &v, DW_OP_const1s, 0xff, DW_OP_const2u, 2, 0, DW_OP_shra));
    assert_int_equal(v, UINT64_MAX);
    assert_true(EVALUATE(NULL, &v, DW_OP_lit1, DW_OP_lit2, DW_OP_swap, DW_OP_minus));
    assert_int_equal(v, 1);
    assert_true(EVALUATE(NULL, &v, DW_OP_lit5, DW_OP_lit1, DW_OP_bra, 1, 0, DW_OP_lit9, DW_OP_dup,
                         DW_OP_plus));
    assert_int_equal(v, 10);
}

static void expressions_that_cannot_be_evaluated_have_none(void **state)
{
    uint64_t v = 42;

    (void)state;
    assert_false(EVALUATE(NULL, &v, DW_OP_plus));
    assert_false(EVALUATE(NULL, &v, DW_OP_breg20, 0));
    assert_false(EVALUATE(NULL, &v, DW_OP_const2u, 0, 0x20, DW_OP_deref));
    assert_false(EVALUATE(NULL, &v, DW_OP_const4u, 1));
    assert_false(EVALUATE(NULL, &v, DW_OP_skip, 0xfd, 0xff)); /* for ever */
    assert_false(EVALUATE(NULL, &v, DW_OP_skip, 0, 0x80));
    assert_false(EVALUATE(NULL, &v, DW_OP_lit1, DW_OP_dup, DW_OP_skip, 0xfc, 0xff));
    assert_false(EVALUATE(NULL, &v, 0xff));
    assert_false(slw_cfi_evaluate(NULL, 0, NULL, &machine, &v));
    assert_int_equal(v, 42);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_follow_the_program),
        cmocka_unit_test(neighbours_that_are_alike_are_one_row),
        cmocka_unit_test(debug_frame_fills_what_eh_frame_leaves),
        cmocka_unit_test(a_broken_program_spoils_its_own_code_only),
        cmocka_unit_test(a_cut_section_keeps_what_was_whole),
        cmocka_unit_test(code_that_was_thrown_away_has_no_rows),
        cmocka_unit_test(the_entry_of_a_program_has_no_caller),
        cmocka_unit_test(an_undefined_return_address_ends_the_stack),
        cmocka_unit_test(linkage_stubs_are_rows),
        cmocka_unit_test(simple_expressions_are_places),
        cmocka_unit_test(equal_rules_are_kept_once),
        cmocka_unit_test(arm64_keeps_return_addresses_in_lr_then_beside_the_frame_pointer),
        cmocka_unit_test(expressions_have_values),
        cmocka_unit_test(expressions_that_cannot_be_evaluated_have_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

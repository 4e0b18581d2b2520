/* SPDX-License-Identifier: MIT */
#include "analyzer/unwind/stack.h"
#include "analyzer/unwind/undescribed.h"
#include "tests/unit/cmocka_int.h"

#include <dwarf.h>
#include <string.h>

#define STACK UINT64_C(0x7ffd00001000)
#define CODE  UINT64_C(0x400000) /* maps rows: an address is its row's offset + CODE */
#define WORDS 64

/* A process: code that rows describe, a stack, registers. */
struct world {
    struct slw_cfi_row rows[16];
    struct slw_cfi_rule rules[4];
    struct slw_cfi_saves saves[4];
    uint16_t saves_of[16];
    uint8_t expressions[32];
    struct slw_cfi_table table;
    uint64_t words[WORDS];
    struct slw_stack_copy copy;
    uint64_t bare_from, bare_to; /* code without a table */
    uint64_t handlers_return_to;
    struct slw_unwound_frame frames[32];
    struct slw_unwound u;
};

static struct slw_unwind_code find(void *ctx, uint64_t address)
{
    struct world *w = ctx;
    struct slw_unwind_code code = {.state = SLW_UNWIND_UNMAPPED, .table = &w->table};

    if (address >= w->bare_from && address < w->bare_to)
        code.state = SLW_UNWIND_NO_CFI;
    if (w->handlers_return_to != 0 && address == w->handlers_return_to - 1)
        return slw_signal_return(w->copy.machine);
    if (address < CODE || address >= CODE + 0x10000)
        return code;
    code.row = slw_cfi_find(&w->table, address - CODE);
    code.state = code.row ? SLW_UNWIND_CFI : SLW_UNWIND_NO_CFI;
    return code;
}

static struct world world(enum slw_cfi_machine machine)
{
    struct world w = {.copy = {.machine = machine, .length = UINT64_C(8) * WORDS, .full = true}};

    w.copy.known = UINT32_MAX & ~(UINT64_C(1) << SLW_X86_RA);
    w.copy.ip = CODE + 0x10;
    w.copy.registers[machine == SLW_CFI_X86_64 ? SLW_X86_RSP : SLW_ARM_SP] = STACK;
    w.table = (struct slw_cfi_table){.machine = machine};
    return w;
}

static void row(struct world *w, uint32_t offset, unsigned kind, int cfa, int fp)
{
    w->rows[w->table.row_count++] = (struct slw_cfi_row){
        .offset = offset, .cfa = (int16_t)cfa, .fp = (int8_t)fp, .kind = (uint8_t)kind};
}

static void unwind(struct world *w)
{
    w->copy.bytes = (const uint8_t *)w->words;
    w->table.rows = w->rows;
    w->table.rules = w->rules;
    w->table.expressions = w->expressions;
    w->u = slw_unwind(&w->copy, find, w, w->frames, 32);
}

static void assert_stack(const struct world *w, enum slw_unwound_end end, size_t depth)
{
    assert_int_equal(w->u.end, end);
    assert_int_equal(w->u.depth, depth);
}

/* leaf 0x10.. -> 0x110.. -> start 0x210.. */
static void three_functions(struct world *w)
{
    row(w, 0, SLW_CFI_SP, 2, -2);
    row(w, 0x100, SLW_CFI_FP, 2, -2);
    row(w, 0x200, SLW_CFI_OUTER, 0, 0);
    w->words[0] = STACK + UINT64_C(5) * 8; /* leaf's saved frame pointer: middle's */
    w->words[1] = CODE + 0x120;            /* into middle */
    w->words[5] = 0;                       /* middle's saved frame pointer */
    w->words[6] = CODE + 0x230;            /* into start */
}

static void callers_are_found(void **state)
{
    struct world w = world(SLW_CFI_X86_64);

    (void)state;
    three_functions(&w);
    unwind(&w);
    assert_stack(&w, SLW_UNWOUND_COMPLETE, 3);
    assert_int_equal(w.frames[0].address, CODE + 0x10);
    assert_true(w.frames[0].exact);
    assert_int_equal(w.frames[1].address, CODE + 0x120);
    assert_false(w.frames[1].exact);
    assert_int_equal(w.frames[2].address, CODE + 0x230);
    assert_false(w.u.by_frame_pointer);
}

/* The call is the last instruction of its function: what follows belongs to the next. */
static void a_return_address_is_looked_up_before_itself(void **state)
{
    struct world w = world(SLW_CFI_X86_64);

    (void)state;
    three_functions(&w);
    w.words[1] = CODE + 0x200;
    unwind(&w);
    assert_stack(&w, SLW_UNWOUND_COMPLETE, 3);
    assert_int_equal(w.frames[1].address, CODE + 0x200);
    w.copy.ip = CODE + 0x200; /* but not where execution stood */
    unwind(&w);
    assert_stack(&w, SLW_UNWOUND_COMPLETE, 1);
}

static void a_zero_return_address_ends_the_stack(void **state)
{
    struct world w = world(SLW_CFI_X86_64);

    (void)state;
    three_functions(&w);
    w.words[6] = 0;
    unwind(&w);
    assert_stack(&w, SLW_UNWOUND_COMPLETE, 2);
}

static void what_was_not_copied_is_told_by_its_cause(void **state)
{
    struct world w = world(SLW_CFI_X86_64);

    (void)state;
    three_functions(&w);
    w.copy.length = UINT64_C(6) * 8;
    unwind(&w);
    assert_stack(&w, SLW_UNWOUND_TRUNCATED, 2);
    assert_int_equal(w.u.failed_at, CODE + 0x120);
    w.copy.full = false;
    unwind(&w);
    assert_stack(&w, SLW_UNWOUND_UNREADABLE, 2);
    w.words[0] = STACK - 64; /* a frame pointer below the stack */
    unwind(&w);
    assert_stack(&w, SLW_UNWOUND_CONTRADICTION, 2);
    w.words[0] = STACK + (UINT64_C(1) << 40);
    unwind(&w);
    assert_stack(&w, SLW_UNWOUND_CONTRADICTION, 2);
}

static void an_empty_copy_has_the_leaf_alone(void **state)
{
    struct world w = world(SLW_CFI_X86_64);

    (void)state;
    three_functions(&w);
    w.copy.length = 0;
    w.copy.full = false;
    unwind(&w);
    assert_stack(&w, SLW_UNWOUND_UNREADABLE, 1);
}

/* Behind `pop %rbp` the row still says where it was saved. */
static void a_popped_frame_pointer_is_kept(void **state)
{
    struct world w = world(SLW_CFI_X86_64);

    (void)state;
    three_functions(&w);
    w.rows[0].cfa = 1;
    w.rows[0].fp = -2;
    w.copy.registers[SLW_X86_RBP] = STACK + UINT64_C(5) * 8;
    w.words[0] = CODE + 0x120;
    unwind(&w);
    assert_stack(&w, SLW_UNWOUND_COMPLETE, 3);
}

static void a_frame_pointer_that_was_not_copied_matters_to_who_needs_it(void **state)
{
    struct world w = world(SLW_CFI_X86_64);

    (void)state;
    row(&w, 0, SLW_CFI_SP, 2, -1); /* says that it lies where the return address does not */
    row(&w, 0x100, SLW_CFI_SP, 3, 0);
    row(&w, 0x200, SLW_CFI_OUTER, 0, 0);
    w.rows[0].kind = SLW_CFI_RULE;
    w.rows[0].cfa = 0;
    w.rows[0].fp = 0;
    w.table.rule_count = 1;
    w.rules[0] = (struct slw_cfi_rule){.cfa = {SLW_CFI_REG_PLUS, SLW_X86_RSP, 0, 16},
                                       .ra = {SLW_CFI_CFA_AT, 0, 0, -8},
                                       .fp = {SLW_CFI_CFA_AT, 0, 0, 4096}};
    w.words[1] = CODE + 0x120;
    w.words[4] = CODE + 0x230;
    unwind(&w);
    assert_stack(&w, SLW_UNWOUND_COMPLETE, 3);
    w.rows[1].kind = SLW_CFI_FP;
    unwind(&w);
    assert_stack(&w, SLW_UNWOUND_TRUNCATED, 2);
}

static void code_without_rows_is_left_by_the_frame_pointer(void **state)
{
    struct world w = world(SLW_CFI_X86_64);

    (void)state;
    three_functions(&w);
    w.copy.ip = w.bare_from = 0x100000; /* compiled at run time */
    w.bare_to = 0x101000;
    w.copy.registers[SLW_X86_RBP] = STACK;
    unwind(&w);
    assert_stack(&w, SLW_UNWOUND_COMPLETE, 3);
    assert_true(w.u.by_frame_pointer);
    w.words[1] = 0x55aa55aa; /* no code */
    unwind(&w);
    assert_stack(&w, SLW_UNWOUND_NO_CFI, 1);
    assert_false(w.u.by_frame_pointer);
    w.copy.registers[SLW_X86_RBP] = 12345;
    unwind(&w);
    assert_stack(&w, SLW_UNWOUND_NO_CFI, 1);
    w.copy.registers[SLW_X86_RBP] = STACK + 1024;
    unwind(&w);
    assert_stack(&w, SLW_UNWOUND_TRUNCATED, 1);
}

static void an_address_of_no_code_is_no_frame(void **state)
{
    struct world w = world(SLW_CFI_X86_64);

    (void)state;
    three_functions(&w);
    w.words[1] = 0x55aa55aa;
    unwind(&w);
    assert_stack(&w, SLW_UNWOUND_UNMAPPED, 1);
    w.copy.ip = 0x55aa55aa; /* but the sampled one is */
    unwind(&w);
    assert_stack(&w, SLW_UNWOUND_UNMAPPED, 1);
}

/* What __restore_rt says of the context below it; the interrupted function is not returned to. */
static void a_handler_leads_to_what_it_interrupted(void **state)
{
    struct world w = world(SLW_CFI_X86_64);

    (void)state;
    row(&w, 0, SLW_CFI_SP, 1, 0); /* the handler */
    row(&w, 0x80, SLW_CFI_RULE, 0, 0);
    row(&w, 0x100, SLW_CFI_FP, 2, -2);
    row(&w, 0x200, SLW_CFI_OUTER, 0, 0);
    w.table.rule_count = 1;
    w.rules[0] = (struct slw_cfi_rule){.cfa = {SLW_CFI_REG_AT, SLW_X86_RSP, 0, 160},
                                       .ra = {SLW_CFI_REG_AT, SLW_X86_RSP, 0, 168},
                                       .fp = {SLW_CFI_REG_AT, SLW_X86_RSP, 0, 120},
                                       .signal = true};
    w.words[0] = CODE + 0x81;
    w.words[1 + 15] = STACK + UINT64_C(40) * 8; /* rbp */
    w.words[1 + 20] = STACK + UINT64_C(30) * 8; /* rsp */
    w.words[1 + 21] = CODE + 0x100;             /* rip: the first byte of its function */
    w.words[40] = 0;
    w.words[41] = CODE + 0x230;
    unwind(&w);
    assert_stack(&w, SLW_UNWOUND_COMPLETE, 4);
    assert_int_equal(w.frames[2].address, CODE + 0x100);
    assert_true(w.frames[2].exact);
    assert_false(w.frames[3].exact);
    w.words[1 + 20] = w.words[1 + 15] = STACK - 0x10000; /* the handler has a stack of its own */
    unwind(&w);
    assert_stack(&w, SLW_UNWOUND_UNREADABLE, 3);
}

static void a_linkage_stub_has_pushed_or_not(void **state)
{
    struct world w = world(SLW_CFI_X86_64);

    (void)state;
    row(&w, 0, SLW_CFI_PLT, 11, 0);
    row(&w, 0x200, SLW_CFI_OUTER, 0, 0);
    w.words[0] = CODE + 0x230;
    w.words[1] = CODE + 0x240;
    w.copy.ip = CODE + 0x1a;
    unwind(&w);
    assert_stack(&w, SLW_UNWOUND_COMPLETE, 2);
    assert_int_equal(w.frames[1].address, CODE + 0x230);
    w.copy.ip = CODE + 0x1b;
    unwind(&w);
    assert_int_equal(w.frames[1].address, CODE + 0x240);
}

static void assembly_keeps_the_frame_address_in_any_register(void **state)
{
    struct world w = world(SLW_CFI_X86_64);

    (void)state;
    row(&w, 0, SLW_CFI_SP, 1, 0);
    row(&w, 0x100, SLW_CFI_RULE, 0, 0);
    row(&w, 0x200, SLW_CFI_OUTER, 0, 0);
    w.table.rule_count = 1;
    w.rules[0] = (struct slw_cfi_rule){.cfa = {SLW_CFI_REG_PLUS, 0, 0, 8}, /* rax */
                                       .ra = {SLW_CFI_CFA_AT, 0, 0, -8}};
    w.words[0] = CODE + 0x120;
    w.words[9] = CODE + 0x230;
    w.copy.registers[0] = STACK + UINT64_C(9) * 8;
    unwind(&w);
    assert_stack(&w, SLW_UNWOUND_COMPLETE, 3);
    w.copy.registers[0] = 1; /* is something else by now */
    unwind(&w);
    assert_stack(&w, SLW_UNWOUND_NO_REGISTER, 2);
    w.copy.known = 1U << SLW_X86_RSP;
    unwind(&w);
    assert_stack(&w, SLW_UNWOUND_NO_REGISTER, 2);
}

static void expressions_are_evaluated_on_the_stack(void **state)
{
    static const uint8_t expression[] = {DW_OP_breg7, 16, DW_OP_deref, DW_OP_plus_uconst, 8};
    struct world w = world(SLW_CFI_X86_64);

    (void)state;
    row(&w, 0, SLW_CFI_RULE, 0, 0);
    row(&w, 0x200, SLW_CFI_OUTER, 0, 0);
    w.table.rule_count = 1;
    w.table.expression_bytes = sizeof(expression);
    memcpy(w.expressions, expression, sizeof(expression));
    w.rules[0] = (struct slw_cfi_rule){.cfa = {SLW_CFI_EXPR_IS, 0, sizeof(expression), 0},
                                       .ra = {SLW_CFI_CFA_AT, 0, 0, -8}};
    w.words[2] = STACK + UINT64_C(9) * 8;
    w.words[9] = CODE + 0x230;
    unwind(&w);
    assert_stack(&w, SLW_UNWOUND_COMPLETE, 2);
    w.copy.length = 16; /* what it reads was not copied */
    unwind(&w);
    assert_stack(&w, SLW_UNWOUND_TRUNCATED, 1);
    w.expressions[0] = 0xff;
    unwind(&w);
    assert_stack(&w, SLW_UNWOUND_BAD_CFI, 1);
}

static void tables_that_make_no_sense_end_the_stack(void **state)
{
    struct world w = world(SLW_CFI_X86_64);

    (void)state;
    row(&w, 0, SLW_CFI_RULE, -1, 0);
    unwind(&w);
    assert_stack(&w, SLW_UNWOUND_BAD_CFI, 1);
    w.rows[0].kind = 15;
    unwind(&w);
    assert_stack(&w, SLW_UNWOUND_BAD_CFI, 1);
    w.rows[0].kind = SLW_CFI_RULE;
    w.rows[0].cfa = 0;
    w.table.rule_count = 1;
    memset(&w.rules[0], 0xff, sizeof(w.rules[0]));
    unwind(&w);
    assert_stack(&w, SLW_UNWOUND_BAD_CFI, 1);
    w.rules[0] = (struct slw_cfi_rule){.cfa = {SLW_CFI_EXPR_IS, 0, 60000, -1}};
    unwind(&w);
    assert_stack(&w, SLW_UNWOUND_BAD_CFI, 1);
}

static void frames_without_end_are_cut(void **state)
{
    struct world w = world(SLW_CFI_X86_64);

    (void)state;
    row(&w, 0, SLW_CFI_SP, 1, 0);
    for (size_t i = 0; i < WORDS; i++)
        w.words[i] = CODE + 0x20;
    unwind(&w);
    assert_stack(&w, SLW_UNWOUND_TOO_DEEP, 32);
    w.rows[0].cfa = 0; /* a frame of no size */
    unwind(&w);
    assert_true(w.u.end == SLW_UNWOUND_CONTRADICTION);
}

/* The loader's _dl_runtime_resolve keeps its frame's address in rbx, and calls. */
static void a_register_is_followed_from_where_callees_saved_it(void **state)
{
    struct world w = world(SLW_CFI_X86_64);

    (void)state;
    row(&w, 0, SLW_CFI_SP, 1, 0);    /* a leaf that saves nothing */
    row(&w, 0x80, SLW_CFI_SP, 3, 0); /* pushed rbx and r12 */
    row(&w, 0x100, SLW_CFI_RULE, 0, 0);
    row(&w, 0x200, SLW_CFI_OUTER, 0, 0);
    w.table.rule_count = 1;
    w.rules[0] = (struct slw_cfi_rule){.cfa = {SLW_CFI_REG_PLUS, 3, 0, 16}, /* rbx */
                                       .ra = {SLW_CFI_CFA_AT, 0, 0, -8}};
    w.table.saves = w.saves;
    w.table.saves_of = w.saves_of;
    w.table.saves_count = 2;
    w.saves[1].at[0] = -3;
    w.saves[1].at[1] = -2;
    w.saves_of[1] = 1;
    w.words[0] = CODE + 0x90;
    w.words[1] = STACK + UINT64_C(20) * 8; /* rbx of who keeps its frame there */
    w.words[3] = CODE + 0x120;
    w.words[21] = CODE + 0x230;
    w.copy.registers[3] =
        STACK + UINT64_C(30) * 8; /* the leaf's own; a place in the stack as well */
    w.words[31] = CODE + 0x240;
    unwind(&w);
    assert_stack(&w, SLW_UNWOUND_COMPLETE, 4);
    assert_int_equal(w.frames[3].address, CODE + 0x230);
    w.saves[1].at[0] = 0; /* nobody saved it */
    unwind(&w);
    assert_stack(&w, SLW_UNWOUND_COMPLETE, 4);
    assert_int_equal(w.frames[3].address, CODE + 0x240);
    w.saves[1].at[0] = SLW_CFI_KEPT_LOST;
    unwind(&w);
    assert_stack(&w, SLW_UNWOUND_NO_REGISTER, 3);
    w.saves[1].at[0] = 100; /* not copied */
    unwind(&w);
    assert_stack(&w, SLW_UNWOUND_NO_REGISTER, 3);
    w.saves_of[1] = 2; /* no such set */
    unwind(&w);
    assert_stack(&w, SLW_UNWOUND_NO_REGISTER, 3);
}

static void code_that_handlers_return_to_is_known_by_sight(void **state)
{
    static const uint8_t x86[] = {0x90, 0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05, 0x90};
    static const uint8_t arm[] = {0x1f, 0x20, 0x03, 0xd5, 0x68, 0x11, 0x80, 0xd2,
                                  0x01, 0,    0,    0xd4, 0x1f, 0x20, 0x03, 0xd5};

    (void)state;
    assert_true(slw_is_signal_return(SLW_CFI_X86_64, x86, sizeof(x86), 0)); /* one before */
    assert_true(slw_is_signal_return(SLW_CFI_X86_64, x86, sizeof(x86), 1));
    assert_true(slw_is_signal_return(SLW_CFI_X86_64, x86, sizeof(x86), 8));
    assert_false(slw_is_signal_return(SLW_CFI_X86_64, x86, sizeof(x86), 4));
    assert_false(slw_is_signal_return(SLW_CFI_X86_64, x86, 9, 0)); /* cut off */
    assert_false(slw_is_signal_return(SLW_CFI_X86_64, x86, 2, 0));
    assert_false(slw_is_signal_return(SLW_CFI_X86_64, x86, sizeof(x86), UINT64_MAX - 1));
    assert_true(slw_is_signal_return(SLW_CFI_AARCH64, arm, sizeof(arm), 3));
    assert_true(slw_is_signal_return(SLW_CFI_AARCH64, arm, sizeof(arm), 4));
    assert_true(slw_is_signal_return(SLW_CFI_AARCH64, arm, sizeof(arm), 8));
    assert_false(slw_is_signal_return(SLW_CFI_AARCH64, arm, sizeof(arm), 0));
    assert_false(slw_is_signal_return(SLW_CFI_AARCH64, arm, sizeof(arm), 12));
    assert_false(slw_is_signal_return(SLW_CFI_X86_64, arm, sizeof(arm), 3));
}

/* ---- arm64 ---- */

/* A leaf was interrupted: where it returns to is in the link register, which the kernel saved. */
static void a_handler_of_arm64_leads_to_an_interrupted_leaf(void **state)
{
    struct world w = world(SLW_CFI_AARCH64);

    (void)state;
    row(&w, 0, SLW_CFI_SP, 2, -2);                    /* the handler */
    row(&w, 0x100, SLW_CFI_SP | SLW_CFI_IN_LR, 0, 0); /* the leaf */
    row(&w, 0x200, SLW_CFI_OUTER, 0, 0);
    w.handlers_return_to = 0x500000;
    w.copy.length = 2 * 8 + 576;
    /* x29, x30, sp and pc as they stand in struct sigcontext */
    const uint64_t saved[] = {STACK, CODE + 0x230, STACK + 16, CODE + 0x100};
    uint8_t memory[2 * 8 + 576] = {0};
    memcpy(memory + 8, &w.handlers_return_to, 8);
    memcpy(memory + 16 + 544, saved, sizeof(saved));
    w.copy.bytes = memory;
    w.table.rows = w.rows;
    w.u = slw_unwind(&w.copy, find, &w, w.frames, 32);
    assert_stack(&w, SLW_UNWOUND_COMPLETE, 4);
    assert_int_equal(w.frames[2].address, CODE + 0x100);
    assert_true(w.frames[2].exact);
    assert_int_equal(w.frames[3].address, CODE + 0x230);
}

static void a_leaf_of_arm64_returns_through_lr(void **state)
{
    struct world w = world(SLW_CFI_AARCH64);

    (void)state;
    row(&w, 0, SLW_CFI_SP | SLW_CFI_IN_LR, 0, 0);
    row(&w, 0x100, SLW_CFI_SP | SLW_CFI_SIGNED, 4, -4);
    row(&w, 0x200, SLW_CFI_OUTER, 0, 0);
    w.copy.registers[SLW_ARM_LR] = CODE + 0x120;
    w.words[0] = STACK + 0x1000;
    w.words[1] = (CODE + 0x230) | UINT64_C(0x2b7f) << 48; /* with its authentication code */
    unwind(&w);
    assert_stack(&w, SLW_UNWOUND_COMPLETE, 3);
    assert_int_equal(w.frames[1].address, CODE + 0x120);
    assert_int_equal(w.frames[2].address, CODE + 0x230);
}

/* lr is the caller's own business from the first caller on. */
static void only_the_leaf_has_its_return_address_in_lr(void **state)
{
    struct world w = world(SLW_CFI_AARCH64);

    (void)state;
    row(&w, 0, SLW_CFI_SP | SLW_CFI_IN_LR, 0, 0);
    w.copy.registers[SLW_ARM_LR] = CODE + 0x20;
    unwind(&w);
    assert_stack(&w, SLW_UNWOUND_NO_REGISTER, 2);
}

static void addresses_of_arm64_may_have_52_bits(void **state)
{
    const uint64_t high = UINT64_C(0x000a) << 48;
    struct world w = world(SLW_CFI_AARCH64);

    (void)state;
    row(&w, 0, SLW_CFI_SP, 2, -2);
    w.copy.registers[SLW_ARM_SP] = high | STACK;
    w.bare_from = high | 0x1000;
    w.bare_to = high | 0x2000;
    w.words[1] = w.bare_from + 8 + (UINT64_C(0x123) << 52);
    unwind(&w);
    assert_int_equal(w.u.depth, 2);
    assert_int_equal(w.frames[1].address, w.bare_from + 8);
}

static void popped_registers_of_arm64_are_kept(void **state)
{
    struct world w = world(SLW_CFI_AARCH64);

    (void)state;
    row(&w, 0, SLW_CFI_SP, 0, -2); /* behind ldp x29, x30, [sp], 16 */
    row(&w, 0x100, SLW_CFI_FP, 2, -2);
    row(&w, 0x200, SLW_CFI_OUTER, 0, 0);
    w.copy.registers[SLW_ARM_LR] = CODE + 0x120;
    w.copy.registers[SLW_ARM_FP] = STACK + 16;
    w.words[2] = 0;
    w.words[3] = CODE + 0x230;
    unwind(&w);
    assert_stack(&w, SLW_UNWOUND_COMPLETE, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(callers_are_found),
        cmocka_unit_test(a_return_address_is_looked_up_before_itself),
        cmocka_unit_test(a_zero_return_address_ends_the_stack),
        cmocka_unit_test(what_was_not_copied_is_told_by_its_cause),
        cmocka_unit_test(an_empty_copy_has_the_leaf_alone),
        cmocka_unit_test(a_popped_frame_pointer_is_kept),
        cmocka_unit_test(a_frame_pointer_that_was_not_copied_matters_to_who_needs_it),
        cmocka_unit_test(code_without_rows_is_left_by_the_frame_pointer),
        cmocka_unit_test(an_address_of_no_code_is_no_frame),
        cmocka_unit_test(a_handler_leads_to_what_it_interrupted),
        cmocka_unit_test(a_linkage_stub_has_pushed_or_not),
        cmocka_unit_test(assembly_keeps_the_frame_address_in_any_register),
        cmocka_unit_test(expressions_are_evaluated_on_the_stack),
        cmocka_unit_test(tables_that_make_no_sense_end_the_stack),
        cmocka_unit_test(frames_without_end_are_cut),
        cmocka_unit_test(a_register_is_followed_from_where_callees_saved_it),
        cmocka_unit_test(code_that_handlers_return_to_is_known_by_sight),
        cmocka_unit_test(a_handler_of_arm64_leads_to_an_interrupted_leaf),
        cmocka_unit_test(a_leaf_of_arm64_returns_through_lr),
        cmocka_unit_test(only_the_leaf_has_its_return_address_in_lr),
        cmocka_unit_test(addresses_of_arm64_may_have_52_bits),
        cmocka_unit_test(popped_registers_of_arm64_are_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

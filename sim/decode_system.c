/* SPDX-License-Identifier: MIT */
/* What the general instructions behind 0F read, write and cost: conditional moves, bit tests,
 * exchanges, calls of the system. */
#include "sim/decode_int.h"

enum { A = 0, B = 3, C = 1, D = 2, SP = 4 };
enum { IN = SLW_SIM_IN, OUT = SLW_SIM_OUT, IN_OUT = SLW_SIM_IN_OUT, FLAGS = SLW_SIM_FLAGS };

static void flags(struct slw_sim_code *c, unsigned how)
{
    slw_sim_use(c, FLAGS, how);
}

static int by_row(struct slw_sim_code *c)
{
    const uint8_t op = c->opcode;

    switch (op >> 4) {
    case 4: /* cmov: a load whatever the condition */
        slw_sim_general_rm(c, false, IN);
        slw_sim_general_reg(c, false, IN_OUT);
        flags(c, IN);
        return 1;
    case 8:
        c->to->branch = SLW_SIM_CONDITIONAL;
        slw_sim_class(c, SLW_SIM_UNIT_BRANCH, 0, 1);
        flags(c, IN);
        return 1;
    case 9:
        slw_sim_general_rm(c, true, OUT);
        flags(c, IN);
        return 1;
    default:
        return -1;
    }
}

static void bit_test(struct slw_sim_code *c)
{
    const bool by_immediate = c->opcode == 0xba;
    const bool tests = by_immediate ? c->ext == 4 : c->opcode == 0xa3;

    slw_sim_general_rm(c, false, tests ? IN : IN_OUT);
    if (!by_immediate)
        slw_sim_general_reg(c, false, IN);
    flags(c, OUT);
    if (c->lock)
        slw_sim_class(c, SLW_SIM_UNIT_LOCKED, 0, 4);
}

static void double_shift(struct slw_sim_code *c)
{
    slw_sim_general_rm(c, false, IN_OUT);
    slw_sim_general_reg(c, false, IN);
    if (c->opcode & 1)
        slw_sim_use(c, C, IN);
    flags(c, OUT);
    slw_sim_class(c, SLW_SIM_UNIT_ALU, 2, 1);
}

static void compare_exchange(struct slw_sim_code *c)
{
    const bool is_byte = c->opcode == 0xb0;

    slw_sim_general_rm(c, is_byte, IN_OUT);
    slw_sim_general_reg(c, is_byte, IN);
    slw_sim_use(c, A, IN_OUT);
    flags(c, OUT);
    slw_sim_class(c, c->lock ? SLW_SIM_UNIT_LOCKED : SLW_SIM_UNIT_ALU, c->lock ? 0 : 4, 5);
}

static void exchange_add(struct slw_sim_code *c)
{
    const bool is_byte = c->opcode == 0xc0;

    slw_sim_general_rm(c, is_byte, IN_OUT);
    slw_sim_general_reg(c, is_byte, IN_OUT);
    flags(c, OUT);
    slw_sim_class(c, c->lock ? SLW_SIM_UNIT_LOCKED : SLW_SIM_UNIT_ALU, 0, 4);
}

static void extend(struct slw_sim_code *c)
{
    const bool is_byte = c->opcode == 0xb6 || c->opcode == 0xbe;

    slw_sim_general_rm(c, is_byte, IN);
    slw_sim_general_reg(c, false, OUT);
    if (c->memory)
        slw_sim_class(c, SLW_SIM_UNIT_MOVE, 0, 1);
}

static int arithmetic(struct slw_sim_code *c)
{
    switch (c->opcode) {
    case 0xa3:
    case 0xab:
    case 0xb3:
    case 0xba:
    case 0xbb:
        bit_test(c);
        return 1;
    case 0xa4:
    case 0xa5:
    case 0xac:
    case 0xad:
        double_shift(c);
        return 1;
    case 0xaf:
        slw_sim_general_rm(c, false, IN);
        slw_sim_general_reg(c, false, IN_OUT);
        flags(c, OUT);
        slw_sim_class(c, SLW_SIM_UNIT_MUL, 0, 1);
        return 1;
    case 0xb6:
    case 0xb7:
    case 0xbe:
    case 0xbf:
        extend(c);
        return 1;
    case 0xb8: /* popcnt, bsf and tzcnt, bsr and lzcnt go where multiplications do */
    case 0xbc:
    case 0xbd:
        slw_sim_general_rm(c, false, IN);
        slw_sim_general_reg(c, false, OUT);
        flags(c, OUT);
        slw_sim_class(c, SLW_SIM_UNIT_MUL, 0, 1);
        return c->opcode != 0xb8 || c->repeat == 0xf3;
    default:
        return -1;
    }
}

/* cmpxchg8b and cmpxchg16b in memory; rdrand and rdseed in registers */
static int group_nine(struct slw_sim_code *c)
{
    if (!c->memory) {
        slw_sim_general_rm(c, false, OUT);
        flags(c, OUT);
        slw_sim_class(c, SLW_SIM_UNIT_SERIAL, 100, 16);
        return 1;
    }
    slw_sim_use_memory(c, IN_OUT);
    slw_sim_use(c, A, IN_OUT);
    slw_sim_use(c, D, IN_OUT);
    slw_sim_use(c, B, IN);
    slw_sim_use(c, C, IN);
    flags(c, OUT);
    slw_sim_class(c, c->lock ? SLW_SIM_UNIT_LOCKED : SLW_SIM_UNIT_ALU, 2, 8);
    return 1;
}

static int exchange(struct slw_sim_code *c)
{
    const uint8_t op = c->opcode;

    if (op == 0xb0 || op == 0xb1) {
        compare_exchange(c);
    } else if (op == 0xc0 || op == 0xc1) {
        exchange_add(c);
    } else if (op == 0xc7) {
        return group_nine(c);
    } else if (op == 0xc3) { /* movnti */
        slw_sim_general_reg(c, false, IN);
        slw_sim_general_rm(c, false, OUT);
        slw_sim_class(c, SLW_SIM_UNIT_MOVE, 0, 1);
    } else if (op >= 0xc8 && op <= 0xcf) { /* bswap */
        slw_sim_use(c, (uint8_t)((op & 7) | c->b), IN_OUT);
    } else {
        return -1;
    }
    return 1;
}

/* Saving and restoring states, fences, cache lines. */
static int group_fifteen(struct slw_sim_code *c)
{
    if (!c->memory) {
        slw_sim_class(c, SLW_SIM_UNIT_SERIAL, 10, 2);
    } else if (c->ext == 7) {
        slw_sim_class(c, SLW_SIM_UNIT_ALU, 1, 2); /* clflush */
    } else {
        const bool saves = c->ext == 0 || c->ext == 3 || c->ext == 4 || c->ext == 6;

        slw_sim_use_memory(c, saves ? OUT : IN);
        if (c->ext == 2 || c->ext == 3)
            slw_sim_class(c, SLW_SIM_UNIT_ALU, 6, 4); /* the control word of SSE */
        else
            slw_sim_class(c, SLW_SIM_UNIT_SERIAL, 60, 30);
    }
    return 1;
}

static int system_instruction(struct slw_sim_code *c)
{
    switch (c->opcode) {
    case 0x05:
        c->to->branch = SLW_SIM_SYSCALL;
        slw_sim_use(c, A, OUT);
        slw_sim_use(c, C, OUT);
        slw_sim_class(c, SLW_SIM_UNIT_SERIAL, 1, 1);
        return 1;
    case 0x31:
    case 0xa2:
        slw_sim_use(c, A, OUT);
        slw_sim_use(c, D, OUT);
        slw_sim_class(c, SLW_SIM_UNIT_SERIAL, c->opcode == 0x31 ? 25 : 100, 16);
        return 1;
    case 0x01: /* xgetbv, rdtscp and the like */
        slw_sim_use(c, A, OUT);
        slw_sim_use(c, D, OUT);
        slw_sim_class(c, SLW_SIM_UNIT_SERIAL, 25, 16);
        return 1;
    case 0xa0:
    case 0xa1:
    case 0xa8:
    case 0xa9:
        slw_sim_address_of(c, SP);
        c->to->is |= c->opcode & 1 ? SLW_SIM_LOADS_DATA : SLW_SIM_STORES_DATA;
        slw_sim_class(c, SLW_SIM_UNIT_MOVE, 0, 3);
        return 1;
    case 0xae:
        return group_fifteen(c);
    default:
        slw_sim_class(c, SLW_SIM_UNIT_SERIAL, 20, 8);
        return 1;
    }
}

static bool is_system(uint8_t op)
{
    return op <= 0x0c || op == 0x31 || (op >= 0x20 && op <= 0x23) || (op >= 0x30 && op <= 0x37) ||
           op == 0xa0 || op == 0xa1 || op == 0xa2 || op == 0xa8 || op == 0xa9 || op == 0xae ||
           op == 0xb2 || op == 0xb4 || op == 0xb5 || op == 0xb9 || op == 0xff;
}

int slw_sim_general_two_byte(struct slw_sim_code *c)
{
    const uint8_t op = c->opcode;
    int rc = -1;

    if (c->map != 1)
        return -1;
    if (is_system(op))
        return system_instruction(c);
    if (op == 0x0d || (op >= 0x18 && op <= 0x1f)) {
        /* A prefetch is a slot and no wait, the rest are long nops. */
        slw_sim_class(c, SLW_SIM_UNIT_NONE, 0, 1);
        return 1;
    }
    rc = by_row(c);
    if (rc < 0)
        rc = arithmetic(c);
    return rc < 0 ? exchange(c) : rc;
}

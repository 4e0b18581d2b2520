/* SPDX-License-Identifier: MIT */
/* What the general instructions read, write and cost: the one-byte opcodes and those of 0F that are
 * not about vectors. Micro-ops and latencies beyond the unit's are those of a Haswell-like core
 * (Fog, Instruction tables); what differs between cores is a parameter of the core. */
#include "sim/decode_int.h"

enum { A = 0, C = 1, D = 2, SP = 4, BP = 5, SI = 6, DI = 7 };
enum { IN = SLW_SIM_IN, OUT = SLW_SIM_OUT, IN_OUT = SLW_SIM_IN_OUT, FLAGS = SLW_SIM_FLAGS };

static uint8_t byte_register(const struct slw_sim_code *c, uint8_t number)
{
    return !c->rex && number >= 4 && number < 8 ? number - 4 : number; /* ah, ch, dh, bh */
}

void slw_sim_general_rm(struct slw_sim_code *c, bool is_byte, unsigned how)
{
    if (c->memory)
        slw_sim_use_memory(c, how);
    else
        slw_sim_use(c, is_byte ? byte_register(c, c->rm) : c->rm, how);
}

void slw_sim_general_reg(struct slw_sim_code *c, bool is_byte, unsigned how)
{
    slw_sim_use(c, is_byte ? byte_register(c, c->reg) : c->reg, how);
}

static void rm(struct slw_sim_code *c, unsigned how)
{
    slw_sim_general_rm(c, false, how);
}

static void reg(struct slw_sim_code *c, unsigned how)
{
    slw_sim_general_reg(c, false, how);
}

static void flags(struct slw_sim_code *c, unsigned how)
{
    slw_sim_use(c, FLAGS, how);
}

static void locked(struct slw_sim_code *c, uint8_t extra, uint8_t uops)
{
    slw_sim_class(c, SLW_SIM_UNIT_LOCKED, extra, uops);
}

static void serial(struct slw_sim_code *c, uint8_t latency, uint8_t uops)
{
    slw_sim_class(c, SLW_SIM_UNIT_SERIAL, latency, uops);
}

static void move(struct slw_sim_code *c)
{
    slw_sim_class(c, SLW_SIM_UNIT_MOVE, 0, 1);
}

static void branch(struct slw_sim_code *c, enum slw_sim_branch kind)
{
    c->to->branch = (uint8_t)kind;
    slw_sim_class(c, SLW_SIM_UNIT_BRANCH, 0, 1);
}

/* The stack pointer itself is kept up by the front end (a stack engine), so it is an address and no
 * dependency. */
static void push(struct slw_sim_code *c)
{
    c->base = SP;
    c->index = SLW_SIM_NO_REGISTER;
    slw_sim_use_memory(c, OUT);
    move(c);
}

static void pop(struct slw_sim_code *c)
{
    slw_sim_address_of(c, SP);
    c->to->is |= SLW_SIM_LOADS_DATA;
    move(c);
}

/* add or adc sbb and sub xor cmp: 0..7 */
static void arithmetic(struct slw_sim_code *c, unsigned operation, bool rm_first)
{
    const bool is_byte = !(c->opcode & 1);
    const unsigned how = operation == 7 ? IN : IN_OUT;

    if ((operation == 5 || operation == 6) && !c->memory && c->rm == c->reg && !is_byte) {
        slw_sim_class(c, SLW_SIM_UNIT_NONE, 0, 1); /* x - x and x ^ x depend on nothing */
        slw_sim_general_rm(c, is_byte, OUT);
        flags(c, OUT);
        return;
    }
    slw_sim_general_rm(c, is_byte, rm_first ? how : IN);
    slw_sim_general_reg(c, is_byte, rm_first ? IN : how);
    flags(c, operation == 2 || operation == 3 ? IN_OUT : OUT);
    if (c->lock)
        locked(c, 0, 4);
}

static int below_40(struct slw_sim_code *c)
{
    const unsigned operation = c->opcode >> 3;

    if ((c->opcode & 7) < 4) {
        arithmetic(c, operation, (c->opcode & 2) == 0);
        return 1;
    }
    slw_sim_use(c, A, operation == 7 ? IN : IN_OUT);
    flags(c, operation == 2 || operation == 3 ? IN_OUT : OUT);
    return 1;
}

static void immediate_arithmetic(struct slw_sim_code *c)
{
    slw_sim_general_rm(c, c->opcode == 0x80, c->ext == 7 ? IN : IN_OUT);
    flags(c, c->ext == 2 || c->ext == 3 ? IN_OUT : OUT);
    if (c->lock)
        locked(c, 0, 4);
}

static int from_40(struct slw_sim_code *c)
{
    const uint8_t op = c->opcode;
    const uint8_t low = (uint8_t)((op & 7) | c->b);

    if (op >= 0x70) {
        branch(c, SLW_SIM_CONDITIONAL);
        flags(c, IN);
    } else if (op < 0x58 || op == 0x68 || op == 0x6a) {
        push(c);
        if (op < 0x58)
            slw_sim_use(c, low, IN);
        else
            c->to->is |= SLW_SIM_PUSHES;
    } else if (op < 0x60) {
        pop(c);
        slw_sim_use(c, low, OUT);
    } else if (op == 0x63) {
        rm(c, IN);
        reg(c, OUT);
        if (c->memory)
            move(c);
    } else if (op == 0x69 || op == 0x6b) {
        rm(c, IN);
        reg(c, OUT);
        flags(c, OUT);
        slw_sim_class(c, SLW_SIM_UNIT_MUL, 0, 1);
    } else {
        serial(c, 40, 20); /* ins, outs: never in a process */
        slw_sim_address_of(c, op < 0x6e ? DI : SI);
        c->to->is |= op < 0x6e ? SLW_SIM_STORES_DATA : SLW_SIM_LOADS_DATA;
    }
    return 1;
}

static void exchange(struct slw_sim_code *c)
{
    const bool is_byte = c->opcode == 0x86;

    slw_sim_general_rm(c, is_byte, IN_OUT);
    slw_sim_general_reg(c, is_byte, IN_OUT);
    if (c->memory)
        locked(c, 0, 4);
    else
        slw_sim_class(c, SLW_SIM_UNIT_ALU, 0, 3);
}

static int from_80(struct slw_sim_code *c)
{
    const bool is_byte = !(c->opcode & 1);

    switch (c->opcode) {
    case 0x80:
    case 0x81:
    case 0x83:
        immediate_arithmetic(c);
        return 1;
    case 0x84:
    case 0x85:
        slw_sim_general_rm(c, is_byte, IN);
        slw_sim_general_reg(c, is_byte, IN);
        flags(c, OUT);
        return 1;
    case 0x86:
    case 0x87:
        exchange(c);
        return 1;
    case 0x88:
    case 0x89:
        slw_sim_general_reg(c, is_byte, IN);
        slw_sim_general_rm(c, is_byte, OUT);
        move(c);
        return 1;
    case 0x8a:
    case 0x8b:
        slw_sim_general_rm(c, is_byte, IN);
        slw_sim_general_reg(c, is_byte, OUT);
        move(c);
        return 1;
    case 0x8c:
        rm(c, OUT);
        return 1;
    case 0x8d: /* lea computes an address and accesses nothing */
        if (c->base != SLW_SIM_NO_REGISTER)
            slw_sim_use(c, c->base, IN);
        if (c->index != SLW_SIM_NO_REGISTER)
            slw_sim_use(c, c->index, IN);
        reg(c, OUT);
        return c->memory;
    case 0x8e:
        rm(c, IN);
        serial(c, 10, 4);
        return 1;
    default: /* 8f: pop; with another ModRM.reg it is AMD's XOP */
        if (c->ext != 0)
            return 0;
        rm(c, OUT);
        c->to->is |= SLW_SIM_LOADS_DATA;
        slw_sim_class(c, SLW_SIM_UNIT_MOVE, 0, 2);
        return 1;
    }
}

static int from_90(struct slw_sim_code *c)
{
    const uint8_t op = c->opcode;
    const uint8_t low = (uint8_t)((op & 7) | c->b);

    if (op < 0x98 && low != 0) {
        slw_sim_use(c, A, IN_OUT);
        slw_sim_use(c, low, IN_OUT);
        slw_sim_class(c, SLW_SIM_UNIT_ALU, 0, 3);
    } else if (op == 0x90) {
        if (c->repeat == 0xf3)
            serial(c, 40, 4); /* pause */
        else
            slw_sim_class(c, SLW_SIM_UNIT_NONE, 0, 1);
    } else if (op == 0x98 || op == 0x99) {
        slw_sim_use(c, A, IN);
        slw_sim_use(c, op == 0x98 ? A : D, OUT);
    } else if (op == 0x9c) {
        push(c);
        flags(c, IN);
        slw_sim_class(c, SLW_SIM_UNIT_ALU, 0, 3);
    } else if (op == 0x9d) {
        pop(c);
        flags(c, OUT);
        slw_sim_class(c, SLW_SIM_UNIT_ALU, 4, 9);
    } else if (op == 0x9e || op == 0x9f) {
        slw_sim_use(c, op == 0x9e ? A : FLAGS, IN);
        slw_sim_use(c, op == 0x9e ? FLAGS : A, OUT);
    }
    return 1;
}

/* movs, cmps, stos, lods, scas. Each round of a rep is one execution. */
static void string(struct slw_sim_code *c)
{
    const uint8_t op = c->opcode & 0xfe;
    const bool from_si = op == 0xa4 || op == 0xa6 || op == 0xac;
    const bool at_di = op != 0xac;

    if (at_di)
        slw_sim_address_of(c, DI);
    if (from_si)
        slw_sim_address_of(c, SI);
    if (op != 0xaa)
        c->to->is |= SLW_SIM_LOADS_DATA;
    if (op == 0xa4 || op == 0xaa)
        c->to->is |= SLW_SIM_STORES_DATA;
    if (at_di)
        slw_sim_use(c, DI, OUT);
    if (from_si)
        slw_sim_use(c, SI, OUT);
    if (op == 0xa6 || op == 0xae)
        flags(c, OUT);
    if (op == 0xaa || op == 0xae)
        slw_sim_use(c, A, IN);
    if (op == 0xac)
        slw_sim_use(c, A, OUT);
    if (c->repeat)
        c->to->is |= SLW_SIM_REPEATS;
    slw_sim_class(c, SLW_SIM_UNIT_ALU, 0, c->repeat ? 1 : 2);
}

static int from_a0(struct slw_sim_code *c)
{
    const uint8_t op = c->opcode;

    if (op >= 0xb0) {
        const uint8_t low = (uint8_t)((op & 7) | c->b);

        slw_sim_use(c, op < 0xb8 ? byte_register(c, low) : low, OUT);
    } else if (op < 0xa4) { /* mov between the accumulator and an absolute address */
        slw_sim_use(c, A, op < 0xa2 ? OUT : IN);
        c->to->is |= op < 0xa2 ? SLW_SIM_LOADS_DATA : SLW_SIM_STORES_DATA;
        move(c);
    } else if (op == 0xa8 || op == 0xa9) {
        slw_sim_use(c, A, IN);
        flags(c, OUT);
    } else {
        string(c);
    }
    return 1;
}

static void shift(struct slw_sim_code *c)
{
    const bool is_byte = !(c->opcode & 1);
    const bool by_cl = c->opcode == 0xd2 || c->opcode == 0xd3;

    slw_sim_general_rm(c, is_byte, IN_OUT);
    if (by_cl)
        slw_sim_use(c, C, IN);
    flags(c, c->ext == 2 || c->ext == 3 ? IN_OUT : OUT); /* rcl, rcr */
    slw_sim_class(c, SLW_SIM_UNIT_ALU, 0, by_cl ? 2 : 1);
}

static int from_c0(struct slw_sim_code *c)
{
    switch (c->opcode) {
    case 0xc0:
    case 0xc1:
        shift(c);
        return 1;
    case 0xc2:
    case 0xc3:
        branch(c, SLW_SIM_RETURN);
        slw_sim_address_of(c, SP);
        c->to->is |= SLW_SIM_LOADS_DATA;
        return 1;
    case 0xc6:
    case 0xc7:
        if (c->ext != 0) {
            serial(c, 20, 12); /* xabort, xbegin */
            return c->ext == 7 && !c->memory;
        }
        slw_sim_general_rm(c, c->opcode == 0xc6, OUT);
        if (c->memory) {
            move(c);
            c->to->is |= SLW_SIM_PUSHES;
        }
        return 1;
    case 0xc9: /* leave */
        slw_sim_address_of(c, BP);
        c->to->is |= SLW_SIM_LOADS_DATA;
        slw_sim_use(c, BP, IN_OUT);
        slw_sim_use(c, SP, OUT);
        slw_sim_class(c, SLW_SIM_UNIT_ALU, 0, 2);
        return 1;
    default: /* enter, int, iret: microcode */
        serial(c, 20, 12);
        return 1;
    }
}

static int x87(struct slw_sim_code *c)
{
    const uint8_t op = c->opcode;

    slw_sim_class(c, SLW_SIM_UNIT_FP, 0, 1);
    slw_sim_use(c, SLW_SIM_X87, IN_OUT);
    if (c->memory) {
        const bool stores = (op & 1) && c->ext >= 1 && !(op == 0xd9 && (c->ext & 5) >= 4) &&
                            c->ext != 4 && c->ext != 5;

        slw_sim_use_memory(c, stores ? OUT : IN);
    } else if (op == 0xd9 && c->ext >= 6) {
        slw_sim_class(c, SLW_SIM_UNIT_SERIAL, 40, 20); /* sines, logarithms */
    }
    if ((op == 0xd8 || op == 0xdc || op == 0xde || op == 0xda) && c->ext >= 6)
        slw_sim_class(c, SLW_SIM_UNIT_FP_DIVIDE, 2, 1);
    return 1;
}

static int from_d0(struct slw_sim_code *c)
{
    if (c->opcode >= 0xd8)
        return x87(c);
    if (c->opcode < 0xd4)
        shift(c);
    else
        serial(c, 7, 3); /* xlat */
    return 1;
}

static int from_e0(struct slw_sim_code *c)
{
    switch (c->opcode) {
    case 0xe0:
    case 0xe1:
    case 0xe2:
        branch(c, SLW_SIM_CONDITIONAL);
        slw_sim_use(c, C, IN_OUT);
        c->to->uops = 7;
        return 1;
    case 0xe3:
        branch(c, SLW_SIM_CONDITIONAL);
        slw_sim_use(c, C, IN);
        c->to->uops = 2;
        return 1;
    case 0xe8:
        branch(c, SLW_SIM_CALL);
        slw_sim_address_of(c, SP);
        c->to->is |= SLW_SIM_STORES_DATA | SLW_SIM_PUSHES;
        return 1;
    case 0xe9:
    case 0xeb:
        branch(c, SLW_SIM_JUMP);
        return 1;
    default:
        serial(c, 40, 20); /* in, out */
        return 1;
    }
}

static void multiply_or_divide(struct slw_sim_code *c)
{
    const bool is_byte = c->opcode == 0xf6;

    slw_sim_general_rm(c, is_byte, IN);
    slw_sim_use(c, A, IN_OUT);
    flags(c, OUT);
    if (c->ext < 6) {
        slw_sim_class(c, SLW_SIM_UNIT_MUL, 0, is_byte ? 1 : 2);
    } else {
        slw_sim_class(c, c->wide ? SLW_SIM_UNIT_DIV64 : SLW_SIM_UNIT_DIV32, 0, 4);
        if (!is_byte)
            slw_sim_use(c, D, IN);
    }
    if (!is_byte)
        slw_sim_use(c, D, OUT);
}

static void unary(struct slw_sim_code *c)
{
    const bool is_byte = c->opcode == 0xf6;

    if (c->ext >= 4) {
        multiply_or_divide(c);
        return;
    }
    slw_sim_general_rm(c, is_byte, c->ext < 2 ? IN : IN_OUT);
    if (c->ext != 2)
        flags(c, OUT); /* not leaves them */
    if (c->lock)
        locked(c, 0, 4);
}

static int group_five(struct slw_sim_code *c)
{
    switch (c->ext) {
    case 0:
    case 1:
        slw_sim_general_rm(c, c->opcode == 0xfe, IN_OUT);
        flags(c, OUT);
        if (c->lock)
            locked(c, 0, 4);
        return 1;
    case 2:
        branch(c, SLW_SIM_CALL_INDIRECT);
        rm(c, IN);
        slw_sim_address_of(c, SP);
        c->to->is |= SLW_SIM_STORES_DATA | SLW_SIM_PUSHES;
        c->to->uops = 2;
        return c->opcode == 0xff;
    case 4:
        branch(c, SLW_SIM_JUMP_INDIRECT);
        rm(c, IN);
        return c->opcode == 0xff;
    case 6:
        rm(c, IN);
        slw_sim_address_of(c, SP);
        c->to->is |= SLW_SIM_STORES_DATA;
        move(c);
        return c->opcode == 0xff;
    case 3:
    case 5: /* far calls and jumps: never in programs of today */
        slw_sim_use_memory(c, IN);
        serial(c, 40, 20);
        return c->opcode == 0xff && c->memory;
    default:
        return 0;
    }
}

static int from_f0(struct slw_sim_code *c)
{
    switch (c->opcode) {
    case 0xf5:
        flags(c, IN_OUT);
        return 1;
    case 0xf8:
    case 0xf9:
        flags(c, OUT);
        return 1;
    case 0xf6:
    case 0xf7:
        unary(c);
        return 1;
    case 0xfe:
    case 0xff:
        return group_five(c);
    case 0xfc:
    case 0xfd:
        slw_sim_class(c, SLW_SIM_UNIT_ALU, 0, 2); /* the direction flag, apart from the others */
        return 1;
    default:
        serial(c, 20, 4); /* hlt, cli, sti, int1 */
        return 1;
    }
}

int slw_sim_general_one_byte(struct slw_sim_code *c)
{
    static int (*const rows[])(struct slw_sim_code *) = {
        [8] = from_80,  [9] = from_90,  [10] = from_a0, [11] = from_a0,
        [12] = from_c0, [13] = from_d0, [14] = from_e0, [15] = from_f0,
    };

    if (c->opcode < 0x40)
        return below_40(c);
    if (c->opcode < 0x80)
        return from_40(c);
    return rows[c->opcode >> 4](c);
}

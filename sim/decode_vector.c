/* SPDX-License-Identifier: MIT */
/* What vector instructions read, write and cost: SSE, AVX, AVX2, BMI (which share their encoding),
 * and AVX-512 as far as it looks like AVX. */
#include "sim/decode_int.h"

enum { A = 0, D = 2, VECTOR = 16 };
enum { IN = SLW_SIM_IN, OUT = SLW_SIM_OUT, IN_OUT = SLW_SIM_IN_OUT, FLAGS = SLW_SIM_FLAGS };

/* How the operands of 0F xx are used:
 *   o  reg = v op rm (without VEX reg = reg op rm)   u  reg = f(rm)      l  reg = rm, a move
 *   s  rm = reg, a move      c  flags = reg ? rm     g  general reg = f(rm)
 *   G  reg = v with general rm inserted              d  reg = general rm  i  v = rm shifted
 *   .  seen to by itself, or no vector instruction */
static const char forms[257] = "................"
                               "..osooosoooooooo"
                               "........lsGsggcc"
                               "................"
                               "................"
                               "gouuooooooouoooo"
                               "oooooooooooooodl"
                               "uiiiooo...oooo.s"
                               "................"
                               "................"
                               "................"
                               "................"
                               "..o.Ggo........."
                               "oooooosgoooooooo"
                               "oooooouSoooooooo"
                               "looooooooooooooo";

static void rm(struct slw_sim_code *c, unsigned how)
{
    if (c->memory)
        slw_sim_use_memory(c, how);
    else
        slw_sim_use(c, VECTOR + c->rm, how);
}

static void reg(struct slw_sim_code *c, unsigned how)
{
    slw_sim_use(c, VECTOR + c->reg, how);
}

/* The first source: v of VEX, else the target itself. */
static void first(struct slw_sim_code *c)
{
    slw_sim_use(c, VECTOR + (c->vex ? c->v : c->reg), IN);
}

static void work(struct slw_sim_code *c, uint8_t extra, uint8_t uops)
{
    slw_sim_class(c, SLW_SIM_UNIT_VECTOR, extra, uops);
}

static void move(struct slw_sim_code *c)
{
    slw_sim_class(c, SLW_SIM_UNIT_MOVE, 0, 1);
}

static void operands(struct slw_sim_code *c, char form)
{
    switch (form) {
    case 'l':
        move(c);
        rm(c, IN);
        reg(c, OUT);
        return;
    case 's':
    case 'S':
        move(c);
        reg(c, IN);
        rm(c, OUT);
        return;
    case 'c':
        rm(c, IN);
        reg(c, IN);
        slw_sim_use(c, FLAGS, OUT);
        return;
    case 'g':
        rm(c, IN);
        slw_sim_general_reg(c, false, OUT);
        return;
    case 'G':
        slw_sim_general_rm(c, false, IN);
        first(c);
        reg(c, OUT);
        return;
    case 'd':
        slw_sim_general_rm(c, false, IN);
        reg(c, OUT);
        return;
    case 'i':
        rm(c, c->vex ? IN : IN_OUT);
        if (c->vex)
            slw_sim_use(c, VECTOR + c->v, OUT);
        return;
    case 'u':
        rm(c, IN);
        reg(c, OUT);
        return;
    default:
        rm(c, IN);
        first(c);
        reg(c, OUT);
        return;
    }
}

static bool is_float(uint8_t op)
{
    return op == 0x2e || op == 0x2f || (op >= 0x58 && op <= 0x5f && op != 0x5e) || op == 0xe6 ||
           op == 0x7c || op == 0x7d || op == 0xd0 || op == 0xc2;
}

static bool is_multiply(uint8_t op)
{
    return op == 0xd5 || op == 0xe4 || op == 0xe5 || op == 0xf4 || op == 0xf5 || op == 0xf6;
}

/* Latency and unit of 0F xx whose operands are known. */
static void cost(struct slw_sim_code *c, char form)
{
    const uint8_t op = c->opcode;

    if (op == 0x51 || op == 0x5e)
        slw_sim_class(c, SLW_SIM_UNIT_FP_DIVIDE, 0, 1);
    else if (is_float(op))
        slw_sim_class(c, SLW_SIM_UNIT_FP, 0, 1);
    else if (op == 0x2a || op == 0x2c || op == 0x2d)
        slw_sim_class(c, SLW_SIM_UNIT_FP, 2, 2); /* conversions */
    else if (form == 'g')
        work(c, 2, op == 0xc5 ? 2 : 1);
    else if (form == 'G')
        work(c, 1, 2);
    else if (form == 'd' && c->memory)
        move(c);
    else if (form == 'd')
        work(c, 1, 1);
    else
        work(c, is_multiply(op) ? 4 : 0, 1);
}

/* x ^ x, x - x: known without x. */
static bool is_zeroing(const struct slw_sim_code *c)
{
    const uint8_t op = c->opcode;
    const bool idiom = op == 0x57 || op == 0xef || (op >= 0xf8 && op <= 0xfb);

    return idiom && !c->memory && c->rm == (c->vex ? c->v : c->reg);
}

/* movups/movss loads merge when they come from a register. */
static void move_or_merge(struct slw_sim_code *c, bool stores)
{
    const bool merges = c->repeat && !c->memory;

    if (merges) {
        work(c, 0, 1);
        slw_sim_use(c, VECTOR + (stores ? c->reg : c->rm), IN);
        slw_sim_use(c, VECTOR + (c->vex ? c->v : stores ? c->rm : c->reg), IN);
        slw_sim_use(c, VECTOR + (stores ? c->rm : c->reg), OUT);
    } else {
        operands(c, stores ? 's' : 'l');
    }
}

/* Those of 0F xx that fit no column. */
static int odd(struct slw_sim_code *c)
{
    const uint8_t op = c->opcode;

    if (op == 0x10 || op == 0x11) {
        move_or_merge(c, op == 0x11);
    } else if (op == 0x7e && c->repeat != 0xf3) { /* movd, movq out */
        reg(c, IN);
        slw_sim_general_rm(c, false, OUT);
        if (c->memory)
            move(c);
        else
            work(c, 1, 1);
    } else if (op == 0x7e) {
        operands(c, 'l');
    } else if (op == 0x77) {
        slw_sim_class(c, SLW_SIM_UNIT_NONE, 0, 4); /* vzeroupper, emms */
    } else if (c->vex && ((op >= 0x41 && op <= 0x4b) || (op >= 0x90 && op <= 0x99))) {
        if (c->memory)
            slw_sim_use_memory(c, op == 0x91 ? OUT : IN); /* kmov */
        work(c, 0, 1);
    } else {
        work(c, 0, 1);
        return c->vex; /* AVX-512 has more than this table: a vector operation, operands unknown */
    }
    return 1;
}

static int map_one(struct slw_sim_code *c)
{
    const char form = forms[c->opcode];

    if (form == '.')
        return odd(c);
    if (is_zeroing(c)) {
        slw_sim_class(c, SLW_SIM_UNIT_NONE, 0, 1);
        reg(c, OUT);
        return 1;
    }
    if ((c->opcode == 0x13 || c->opcode == 0x17 || c->opcode == 0x2b) && !c->memory)
        return 0;
    operands(c, form);
    if (form != 'l' && form != 's' && form != 'S')
        cost(c, form);
    /* The scalar forms of these keep the upper part of another register. */
    if (c->vex && c->repeat && (c->opcode == 0x51 || c->opcode == 0x5a))
        first(c);
    return 1;
}

/* Bit manipulation on general registers: andn, bls*, bzhi, pdep, pext, mulx, bextr, shifts. */
static int bits(struct slw_sim_code *c)
{
    const uint8_t op = c->opcode;

    if (!c->vex && op <= 0xf1 && c->repeat == 0xf2) { /* crc32 */
        slw_sim_general_rm(c, op == 0xf0, IN);
        slw_sim_general_reg(c, false, IN_OUT);
        slw_sim_class(c, SLW_SIM_UNIT_MUL, 0, 1);
    } else if (op <= 0xf1) { /* movbe */
        slw_sim_general_rm(c, false, op == 0xf0 ? IN : OUT);
        slw_sim_general_reg(c, false, op == 0xf0 ? OUT : IN);
    } else if (!c->vex) { /* adcx, adox */
        slw_sim_general_rm(c, false, IN);
        slw_sim_general_reg(c, false, IN_OUT);
        slw_sim_use(c, FLAGS, IN_OUT);
    } else if (op == 0xf6) { /* mulx */
        slw_sim_general_rm(c, false, IN);
        slw_sim_use(c, D, IN);
        slw_sim_general_reg(c, false, OUT);
        slw_sim_use(c, c->v, OUT);
        slw_sim_class(c, SLW_SIM_UNIT_MUL, 0, 2);
    } else {
        slw_sim_general_rm(c, false, IN);
        if (op != 0xf3)
            slw_sim_use(c, c->v, IN);
        slw_sim_use(c, op == 0xf3 ? c->v : c->reg, OUT);
        if (op == 0xf5 && c->repeat)
            slw_sim_class(c, SLW_SIM_UNIT_MUL, 0, 1); /* pdep, pext */
        else if (op != 0xf7 || !(c->repeat || c->operand16))
            slw_sim_use(c, FLAGS, OUT);
    }
    return 1;
}

/* One source only: pabs, extensions, broadcasts, aesimc, loads without a cache line. */
static bool has_one_source(const struct slw_sim_code *c)
{
    const uint8_t op = c->opcode;

    return (op >= 0x1c && op <= 0x1e) || (op >= 0x20 && op <= 0x25) || op == 0x2a ||
           (op >= 0x30 && op <= 0x35) || op == 0x41 || op == 0xdb || op == 0x13 ||
           (c->vex && ((op >= 0x18 && op <= 0x1a) || op == 0x58 || op == 0x59 || op == 0x5a ||
                       op == 0x78 || op == 0x79));
}

static int map_two(struct slw_sim_code *c)
{
    const uint8_t op = c->opcode;

    if (op >= 0xf0 && op <= 0xf7)
        return bits(c);
    if (op == 0x17 || (c->vex && (op == 0x0e || op == 0x0f))) { /* ptest, vtestps */
        operands(c, 'c');
        work(c, 2, 2);
    } else if (c->vex && (op == 0x2e || op == 0x2f || op == 0x8e)) { /* masked stores */
        reg(c, IN);
        slw_sim_use(c, VECTOR + c->v, IN);
        rm(c, OUT);
        work(c, 0, 2);
    } else if (has_one_source(c)) {
        operands(c, 'u');
        if (c->memory && op >= 0x18 && op != 0x2a)
            move(c);
        else
            work(c, op >= 0x58 ? 2 : 0, 1);
    } else {
        operands(c, 'o');
        work(c, 0, 1);
        if (op >= 0xdb && op <= 0xdf)
            work(c, 3, 1); /* AES */
        else if (c->vex && op >= 0x96 && op <= 0xbf) {
            reg(c, IN); /* a * b + c */
            slw_sim_class(c, SLW_SIM_UNIT_FP, 0, 1);
        } else if (op == 0x40)
            work(c, 9, 2); /* pmulld */
        else if (!c->vex && op >= 0xc8 && op <= 0xcd)
            work(c, 3, 1); /* SHA */
        else if (!c->vex && (op == 0x10 || op == 0x14 || op == 0x15 || op == 0xcb))
            slw_sim_use(c, VECTOR, IN); /* xmm0 is implied */
        if (c->vex && op >= 0x90 && op <= 0x93)
            work(c, 0, 8); /* gathers */
    }
    return 1;
}

static int map_three(struct slw_sim_code *c)
{
    const uint8_t op = c->opcode;

    if (c->vex && op == 0xf0) { /* rorx */
        slw_sim_general_rm(c, false, IN);
        slw_sim_general_reg(c, false, OUT);
    } else if (op >= 0x14 && op <= 0x17) { /* pextr* */
        reg(c, IN);
        slw_sim_general_rm(c, false, OUT);
        work(c, 2, 2);
    } else if (op == 0x20 || op == 0x22) { /* pinsr* */
        operands(c, 'G');
        work(c, 1, 2);
    } else if (c->vex && (op == 0x19 || op == 0x39 || op == 0x1d)) { /* vextract*128 */
        reg(c, IN);
        rm(c, OUT);
        work(c, 2, 1);
    } else if (op >= 0x60 && op <= 0x63) { /* string compares: index in ecx or mask in xmm0 */
        rm(c, IN);
        reg(c, IN);
        slw_sim_use(c, op & 1 ? 1 : VECTOR, OUT);
        slw_sim_use(c, FLAGS, OUT);
        if (op < 0x62) { /* explicit lengths */
            slw_sim_use(c, A, IN);
            slw_sim_use(c, D, IN);
        }
        work(c, 9, 4);
    } else if (op == 0xdf || (c->vex && (op <= 0x01 || op == 0x04 || op == 0x05)) ||
               (op >= 0x08 && op <= 0x09)) {
        operands(c, 'u');
        work(c, op == 0xdf ? 6 : op <= 0x01 ? 2 : 0, 1);
    } else {
        operands(c, 'o');
        work(c, op == 0x44 ? 5 : op == 0x06 || op == 0x46 || op == 0x18 || op == 0x38 ? 2 : 0, 1);
        if (c->vex && op >= 0x4a && op <= 0x4c)
            c->to->uops = 2; /* blendv: the fourth operand is not followed */
    }
    return 1;
}

int slw_sim_vector(struct slw_sim_code *c)
{
    /* Maps 5 and 6 are half-precision arithmetic, laid out as 1 and 2. */
    switch (c->map) {
    case 1:
    case 5:
        return map_one(c);
    case 2:
    case 6:
        return map_two(c);
    default:
        return map_three(c);
    }
}

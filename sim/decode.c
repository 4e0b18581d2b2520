/* SPDX-License-Identifier: MIT */
/* Takes the bytes of an x86-64 instruction apart: prefixes, opcode, ModRM, length. Not a
 * disassembler. Source: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2,
 * chapter 2 and appendix A. */
#include "sim/decode_int.h"

struct reader {
    const uint8_t *bytes;
    size_t length, at;
};

/* Opcodes with a ModRM byte, rows of sixteen. */
static const char has_modrm[2][257] = {
    "mmmm....mmmm....mmmm....mmmm....mmmm....mmmm....mmmm....mmmm...."
    "...................................m.....m.m...................."
    "mmmmmmmmmmmmmmmm................................................"
    "mm....mm........mmmm....mmmmmmmm......................mm......mm",
    "mmmm.........m.mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm................"
    "mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm.mmmmmmmm"
    "................mmmmmmmmmmmmmmmm...mmm.....mmmmmmmmmmmmmmmmmmmmm"
    "mmmmmmmm........mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm"};

/* Immediates: bytes, or z: 4 (2 with 66), v: 8 with REX.W, a: an address, b and w: of F6 and F7,
 * x: no instruction in 64-bit mode. */
static const char immediate[2][257] = {
    "....1zxx....1zxx....1zxx....1zxx....1zxx....1zxx....1zxx....1zxx"
    "xxxxxxxxxxxxxxxx................xxx.xxxxzz11....1111111111111111"
    "1zx1......................x.....aaaa....1z......11111111vvvvvvvv"
    "112.xx1z3.2..1x.....xxx.........1111111144x1....x.xx..bw........",
    "....x.....x.x..1................................................"
    "................................................1111............"
    "4444444444444444....................1.xx..x.1.............1....."
    "..1.111........................................................."};

static bool take(struct reader *r, uint8_t *ret_byte)
{
    if (r->at >= r->length)
        return false;
    *ret_byte = r->bytes[r->at++];
    return true;
}

static bool skip(struct reader *r, size_t bytes)
{
    if (r->length - r->at < bytes)
        return false;
    r->at += bytes;
    return true;
}

void slw_sim_use(struct slw_sim_code *c, uint8_t number, unsigned how)
{
    struct slw_sim_instruction *to = c->to;

    if ((how & SLW_SIM_IN) && to->source_count < sizeof(to->sources))
        to->sources[to->source_count++] = number;
    if (!(how & SLW_SIM_OUT))
        return;
    if (number == SLW_SIM_FLAGS)
        to->is |= SLW_SIM_WRITES_FLAGS;
    else if (to->targets[0] == SLW_SIM_NO_REGISTER)
        to->targets[0] = number;
    else
        to->targets[1] = number;
}

void slw_sim_address_of(struct slw_sim_code *c, uint8_t number)
{
    if (number != SLW_SIM_NO_REGISTER && c->to->address_count < sizeof(c->to->addresses))
        c->to->addresses[c->to->address_count++] = number;
}

void slw_sim_use_memory(struct slw_sim_code *c, unsigned how)
{
    if (!(c->to->is & (SLW_SIM_LOADS_DATA | SLW_SIM_STORES_DATA))) {
        slw_sim_address_of(c, c->base);
        slw_sim_address_of(c, c->index);
    }
    if (how & SLW_SIM_IN)
        c->to->is |= SLW_SIM_LOADS_DATA;
    if (how & SLW_SIM_OUT)
        c->to->is |= SLW_SIM_STORES_DATA;
}

void slw_sim_class(struct slw_sim_code *c, enum slw_sim_unit unit, uint8_t latency, uint8_t uops)
{
    c->to->unit = (uint8_t)unit;
    c->to->latency = latency;
    c->to->uops = uops;
}

/* The opcode's first byte that is no prefix. A REX prefix counts only right before it. */
static bool read_prefixes(struct reader *r, struct slw_sim_code *c, uint8_t *ret_byte)
{
    uint8_t byte = 0;

    while (take(r, &byte)) {
        const uint8_t rex = c->rex;

        c->rex = 0;
        if (byte == 0x66)
            c->operand16 = 1;
        else if (byte == 0x67)
            c->address32 = 1;
        else if (byte == 0xf2 || byte == 0xf3)
            c->repeat = byte;
        else if (byte == 0xf0)
            c->lock = 1;
        else if ((byte & 0xf0) == 0x40)
            c->rex = byte;
        else if (byte != 0x2e && byte != 0x36 && byte != 0x3e && byte != 0x26 && byte != 0x64 &&
                 byte != 0x65) {
            c->rex = rex;
            *ret_byte = byte;
            return true;
        }
    }
    return false;
}

static void take_rex(struct slw_sim_code *c)
{
    c->wide = c->rex >> 3 & 1;
    c->r = (uint8_t)((c->rex & 4) << 1);
    c->x = (uint8_t)((c->rex & 2) << 2);
    c->b = (uint8_t)((c->rex & 1) << 3);
}

static void take_embedded_prefix(struct slw_sim_code *c, unsigned prefix)
{
    static const uint8_t repeats[4] = {0, 0, 0xf3, 0xf2};

    c->operand16 = prefix == 1;
    c->repeat = repeats[prefix];
}

/* VEX in two or three bytes, EVEX in four. */
static bool read_vex(struct reader *r, struct slw_sim_code *c, uint8_t first)
{
    uint8_t p0 = 0;
    uint8_t p1 = 0;
    uint8_t p2 = 0;

    c->vex = 1;
    if (!take(r, &p0) || (first != 0xc5 && !take(r, &p1)) || (first == 0x62 && !take(r, &p2)))
        return false;
    c->r = (uint8_t)((~p0 & 0x80) >> 4);
    c->map = 1;
    if (first == 0xc5) {
        p1 = p0;
    } else {
        c->x = (uint8_t)((~p0 & 0x40) >> 3);
        c->b = (uint8_t)((~p0 & 0x20) >> 2);
        c->map = first == 0x62 ? p0 & 7 : p0 & 31;
        c->wide = p1 >> 7;
    }
    c->v = ~p1 >> 3 & 15;
    if (first == 0x62) {
        c->evex = 1;
        c->r |= (uint8_t)(~p0 & 0x10);
        c->v |= (uint8_t)((~p2 & 8) << 1);
    }
    take_embedded_prefix(c, p1 & 3);
    return take(r, &c->opcode) && c->map >= 1 && c->map <= 6 && c->map != 4;
}

static bool read_opcode(struct reader *r, struct slw_sim_code *c)
{
    uint8_t byte = 0;

    if (!read_prefixes(r, c, &byte))
        return false;
    if (byte == 0xc4 || byte == 0xc5 || byte == 0x62)
        return c->rex == 0 && read_vex(r, c, byte);
    take_rex(c);
    c->opcode = byte;
    if (byte != 0x0f)
        return true;
    c->map = 1;
    if (!take(r, &c->opcode))
        return false;
    if (c->opcode != 0x38 && c->opcode != 0x3a)
        return true;
    c->map = c->opcode == 0x38 ? 2 : 3;
    return take(r, &c->opcode);
}

/* Gathers and scatters index by a vector register. */
static bool indexes_by_vector(const struct slw_sim_code *c)
{
    return c->vex && c->map == 2 &&
           ((c->opcode >= 0x90 && c->opcode <= 0x93) || (c->opcode >= 0xa0 && c->opcode <= 0xa3));
}

static bool read_address(struct reader *r, struct slw_sim_code *c, unsigned mod, unsigned low)
{
    size_t displacement = mod == 1 ? 1 : mod == 2 ? 4 : 0;
    uint8_t sib = 0;

    if (low != 4) {
        if (mod == 0 && low == 5)
            displacement = 4; /* relative to the next instruction */
        else
            c->base = (uint8_t)(low | c->b);
        return skip(r, displacement);
    }
    if (!take(r, &sib))
        return false;
    const uint8_t index = (uint8_t)((sib >> 3 & 7) | c->x);

    if (indexes_by_vector(c))
        c->index = (uint8_t)(16 + index);
    else if (index != 4)
        c->index = index;
    if (mod == 0 && (sib & 7) == 5)
        displacement = 4;
    else
        c->base = (uint8_t)((sib & 7) | c->b);
    return skip(r, displacement);
}

static bool read_modrm(struct reader *r, struct slw_sim_code *c)
{
    uint8_t byte = 0;

    if (c->map <= 1 && has_modrm[c->map][c->opcode] != 'm')
        return true;
    if (!take(r, &byte))
        return false;
    c->ext = byte >> 3 & 7;
    c->reg = c->ext | c->r;
    c->rm = (uint8_t)((byte & 7) | c->b | (c->evex ? c->x << 1 : 0));
    /* Moves of control registers have no memory form whatever they say. */
    if (byte >> 6 == 3 || (c->map == 1 && c->opcode >= 0x20 && c->opcode <= 0x23 && !c->vex))
        return true;
    c->memory = 1;
    return read_address(r, c, byte >> 6, byte & 7);
}

static bool read_immediate(struct reader *r, const struct slw_sim_code *c)
{
    const size_t z = c->operand16 && !c->wide ? 2 : 4;
    const char how = c->map <= 1 ? immediate[c->map][c->opcode] : '.';

    if (c->map == 3)
        return skip(r, 1);
    switch (how) {
    case '.':
        return true;
    case 'z':
        return skip(r, z);
    case 'v':
        return skip(r, c->wide ? 8 : z);
    case 'a':
        return skip(r, c->address32 ? 4 : 8);
    case 'b':
        return skip(r, c->ext < 2 ? 1 : 0);
    case 'w':
        return skip(r, c->ext < 2 ? z : 0);
    case 'x':
        return false;
    default:
        return skip(r, (size_t)(how - '0'));
    }
}

static int classify(struct slw_sim_code *c)
{
    if (c->map == 0)
        return slw_sim_general_one_byte(c);
    if (!c->vex) {
        const int rc = slw_sim_general_two_byte(c);

        if (rc >= 0)
            return rc;
    }
    return slw_sim_vector(c);
}

size_t slw_sim_decode(const uint8_t *bytes, size_t length, uint64_t address,
                      struct slw_sim_instruction *ret_instruction)
{
    /* No instruction is longer than 15 bytes. */
    struct reader r = {.bytes = bytes, .length = length < 15 ? length : 15};
    struct slw_sim_instruction made;
    struct slw_sim_code c = {
        .base = SLW_SIM_NO_REGISTER, .index = SLW_SIM_NO_REGISTER, .to = &made};

    slw_sim_unknown(address, 0, &made);
    made.unit = SLW_SIM_UNIT_ALU;
    if (!read_opcode(&r, &c) || !read_modrm(&r, &c) || !read_immediate(&r, &c) || !classify(&c))
        return 0;
    made.length = (uint8_t)r.at;
    *ret_instruction = made;
    return r.at;
}

/* SPDX-License-Identifier: MIT */
/* The parts of the decoder: decode.c takes the bytes apart, decode_general.c and decode_vector.c
 * say what they mean. Private to sim/. */
#ifndef SLW_SIM_DECODE_INT_H
#define SLW_SIM_DECODE_INT_H

#include "sim/core.h"

/* The bytes of an instruction, taken apart. */
struct slw_sim_code {
    uint8_t operand16, address32, repeat, lock, rex, wide; /* prefixes; repeat: F2, F3 or 0 */
    uint8_t r, x, b;      /* register extensions, already shifted */
    uint8_t vex, evex, v; /* v: the third register */
    uint8_t map, opcode;
    uint8_t memory;       /* the r/m operand is in memory */
    uint8_t ext, reg, rm; /* ext: the three bits of ModRM.reg */
    uint8_t base, index;  /* registers of the address, SLW_SIM_NO_REGISTER: none */
    size_t length;
    struct slw_sim_instruction *to;
};

/* How an operand is used. */
enum { SLW_SIM_IN = 1, SLW_SIM_OUT = 2, SLW_SIM_IN_OUT = 3 };

void slw_sim_use(struct slw_sim_code *c, uint8_t number, unsigned how);
void slw_sim_use_memory(struct slw_sim_code *c, unsigned how); /* by the address of r/m */
void slw_sim_address_of(struct slw_sim_code *c, uint8_t number);
void slw_sim_class(struct slw_sim_code *c, enum slw_sim_unit unit, uint8_t latency, uint8_t uops);

/* 0: no instruction */
int slw_sim_general_one_byte(struct slw_sim_code *c);
int slw_sim_general_two_byte(struct slw_sim_code *c); /* -1: not a general one */
int slw_sim_vector(struct slw_sim_code *c);

/* Operands of the general instructions; byte registers may be the second bytes of the first four.
 */
void slw_sim_general_rm(struct slw_sim_code *c, bool is_byte, unsigned how);
void slw_sim_general_reg(struct slw_sim_code *c, bool is_byte, unsigned how);

#endif

/* SPDX-License-Identifier: MIT */
/* Instructions as text, by Capstone. Its library is opened when the first function is shown:
 * loading its tables takes longer than reading many a recording. */
#ifndef SLW_ANALYZER_DISASSEMBLER_H
#define SLW_ANALYZER_DISASSEMBLER_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct slw_disassembler;

/* machine: e_machine of an ELF header. -SLW_E_NODATA: its instructions are not decoded;
 * -SLW_E_UNSUPPORTED: the library is not there; -SLW_E_NOMEM. */
int slw_disassembler_open(unsigned machine, struct slw_disassembler **ret_disassembler,
                          struct slw_error *err);
void slw_disassembler_close(struct slw_disassembler *d); /* NULL allowed */

struct slw_instruction {
    uint32_t bytes;
    const char *mnemonic, *operands; /* lent until the next one */
};

/* The instruction at *code, of at most *left bytes; both and *address are moved behind it. False:
 * there is none, and nothing is moved. */
bool slw_disassemble(struct slw_disassembler *d, const uint8_t **code, size_t *left,
                     uint64_t *address, struct slw_instruction *ret_instruction);

#endif

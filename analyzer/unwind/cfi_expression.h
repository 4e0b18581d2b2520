/* SPDX-License-Identifier: MIT */
/* Evaluate the DWARF expressions that occur in call frame information: arithmetic on registers and
 * the stack. Pure; ends for every input. Source: DWARF 5, 2.5.1. */
#ifndef SLW_ANALYZER_UNWIND_CFI_EXPRESSION_H
#define SLW_ANALYZER_UNWIND_CFI_EXPRESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What an expression may look at; false: it is not known, and the evaluation ends. */
struct slw_cfi_machine_state {
    bool (*read_register)(void *ctx, uint64_t reg, uint64_t *ret_value);
    bool (*read_memory)(void *ctx, uint64_t address, uint64_t *ret_value); /* 8 bytes */
    void *ctx;
};

/* `first`: what lies on the stack at the beginning (the CFA, for rules of registers); NULL:
 * nothing. False: an operation that is unknown or not possible here. */
bool slw_cfi_evaluate(const uint8_t *expression, size_t bytes, const uint64_t *first,
                      const struct slw_cfi_machine_state *state, uint64_t *ret_value);

#endif

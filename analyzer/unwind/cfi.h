/* SPDX-License-Identifier: MIT */
/* Call frame information as a table: DWARF programs (.eh_frame, .debug_frame) are run once for a
 * whole binary and become 8-byte rows, one for each stretch of code in which the caller is found
 * the same way. Rows stand in the order of file offsets, because that is what a mapping tells: with
 * the table, the binary is not needed any more. Only what leads to the caller is kept: where the
 * canonical frame address (CFA) is, the return address and the frame pointer.
 * Not for: reading ELF files (cfi_image.h), walking stacks (stack.h).
 * Source: DWARF 5, 6.4; Linux Standard Base 5, 10.6 (.eh_frame). */
#ifndef SLW_ANALYZER_UNWIND_CFI_H
#define SLW_ANALYZER_UNWIND_CFI_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum slw_cfi_machine { SLW_CFI_X86_64, SLW_CFI_AARCH64 };

/* DWARF register numbers. Source: System V ABI AMD64, figure 3.36; DWARF for the Arm 64-bit
 * Architecture (AADWARF64), 4.1. */
enum {
    SLW_X86_RBP = 6,
    SLW_X86_RSP = 7,
    SLW_X86_RA = 16,
    SLW_ARM_FP = 29,
    SLW_ARM_LR = 30,
    SLW_ARM_SP = 31,
};
#define SLW_CFI_REGISTERS 33 /* both machines' general ones, and the return address of x86-64 */

/* How a row finds the CFA. Offsets are in units of 8. The return address is at CFA - 8 on x86-64,
 * behind the saved frame pointer on arm64 unless SLW_CFI_IN_LR. */
enum slw_cfi_kind {
    SLW_CFI_GAP,   /* nothing is known of this code */
    SLW_CFI_SP,    /* stack pointer + cfa */
    SLW_CFI_FP,    /* frame pointer + cfa */
    SLW_CFI_PLT,   /* stack pointer + 8, or + 16 from the cfa-th byte of a 16-byte stub on */
    SLW_CFI_OUTER, /* there is no caller */
    SLW_CFI_RULE,  /* rule number (uint16_t)cfa */
    SLW_CFI_BAD,   /* there is a program, but it cannot be followed */
};
#define SLW_CFI_KIND_MASK 0x0f
#define SLW_CFI_IN_LR     0x40 /* the return address is still in the link register */
#define SLW_CFI_SIGNED    0x80 /* the return address carries a pointer authentication code */

/* The caller's frame pointer: at CFA + 8 * fp, or: */
#define SLW_CFI_FP_SAME 0
#define SLW_CFI_FP_LOST INT8_MIN

struct slw_cfi_row {
    uint32_t offset; /* in the file, of the first byte of code it is true of */
    int16_t cfa;
    int8_t fp;
    uint8_t kind; /* slw_cfi_kind and flags */
};

/* Where a value is, for what fits no row. */
enum slw_cfi_how {
    SLW_CFI_SAME,     /* where it was; of the stack pointer: it is the CFA */
    SLW_CFI_LOST,     /* nowhere */
    SLW_CFI_CFA_AT,   /* stored at CFA + value */
    SLW_CFI_CFA_PLUS, /* CFA + value itself */
    SLW_CFI_REG_AT,   /* stored at reg + value */
    SLW_CFI_REG_PLUS, /* reg + value itself */
    SLW_CFI_EXPR_AT,  /* stored where an expression says */
    SLW_CFI_EXPR_IS   /* what an expression says */
};

struct slw_cfi_place {
    uint8_t how, reg;
    uint16_t expression_bytes;
    int32_t value; /* of expressions: where it begins among those of the table */
};

struct slw_cfi_rule {
    struct slw_cfi_place cfa, fp, ra, sp;
    struct slw_cfi_place lr; /* arm64, of an interrupted function; SAME: not told */
    uint8_t signal; /* the caller was interrupted: its address is exact, not that of a return */
    uint8_t zero[7];
};

/* Registers that functions hand back as they found them, besides the frame pointer: some code keeps
 * the address of its frame in one. rbx and r12 to r15; x19 to x28. */
#define SLW_CFI_KEPT      10
#define SLW_CFI_KEPT_LOST INT16_MIN
struct slw_cfi_saves {
    int16_t at[SLW_CFI_KEPT]; /* saved at CFA + 8 * at; 0: still in its register */
};
/* Position of a register among them; -1: it is none. */
static inline int slw_cfi_kept(enum slw_cfi_machine machine, uint64_t reg)
{
    if (machine == SLW_CFI_AARCH64)
        return reg >= 19 && reg <= 28 ? (int)reg - 19 : -1;
    if (reg == 3)
        return 0;
    return reg >= 12 && reg <= 15 ? (int)reg - 11 : -1;
}

#define SLW_MAX_CFI_ROWS             (UINT32_C(1) << 24) /* Chromium has five million */
#define SLW_MAX_CFI_RULES            UINT16_MAX          /* what a row can name */
#define SLW_MAX_CFI_SAVES            UINT16_MAX
#define SLW_MAX_CFI_EXPRESSION_BYTES (UINT32_C(1) << 20)

struct slw_cfi_table {
    const struct slw_cfi_row *rows; /* ascending */
    const struct slw_cfi_rule *rules;
    const struct slw_cfi_saves *saves;
    const uint16_t *saves_of; /* by row; NULL: not known */
    const uint8_t *expressions;
    uint32_t row_count, rule_count, saves_count, expression_bytes;
    enum slw_cfi_machine machine;
    uint32_t bad_entries; /* descriptions of code that could not be used */
    void *owned;          /* heap; what the above is part of */
};

struct slw_cfi_section {
    const uint8_t *bytes;
    size_t length;
    uint64_t address;   /* where bytes are mapped, relative to the file's own addresses */
    bool debug_frame;   /* else .eh_frame */
    bool length_is_max; /* it ends at its first zero length */
};

struct slw_cfi_segment {
    uint64_t address, bytes, offset;
};

struct slw_cfi_source {
    enum slw_cfi_machine machine;
    const struct slw_cfi_section *sections; /* the first that describes code is believed */
    size_t section_count;
    const struct slw_cfi_segment *segments; /* that hold code */
    size_t segment_count;
    uint64_t entry; /* where the system starts the program, or its loader; 0: nowhere */
};

/* Pure. Nothing in the bytes is an error: what cannot be used becomes a row that says so or, where
 * not even its code is known, is counted. -SLW_E_NOMEM, -SLW_E_LIMIT (more rows than
 * SLW_MAX_CFI_ROWS). Release with slw_cfi_table_release. */
int slw_cfi_compile(const struct slw_cfi_source *source, struct slw_cfi_table *ret_table,
                    struct slw_error *err);
void slw_cfi_table_release(struct slw_cfi_table *t); /* zeroed ones allowed */

/* The row that covers a file offset; NULL: none. */
const struct slw_cfi_row *slw_cfi_find(const struct slw_cfi_table *t, uint64_t offset);

/* Where the code of a row has saved registers; NULL: it is not known. */
static inline const struct slw_cfi_saves *slw_cfi_saves_of(const struct slw_cfi_table *t,
                                                           const struct slw_cfi_row *row)
{
    uint32_t set = t->saves_of ? t->saves_of[row - t->rows] : UINT32_MAX;

    return set < t->saves_count ? &t->saves[set] : NULL;
}

static inline bool slw_cfi_is_described(const struct slw_cfi_row *row)
{
    return row && (row->kind & SLW_CFI_KIND_MASK) != SLW_CFI_GAP;
}

#endif

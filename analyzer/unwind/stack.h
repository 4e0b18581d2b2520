/* SPDX-License-Identifier: MIT */
/* Follow the frames of a stack that was copied when its thread was sampled: registers, the bytes
 * above the stack pointer, and tables of call frame information. Pure: where code is and what
 * describes it is asked of the caller. Where there is no description, as in code that was compiled
 * while the program ran, the frame pointer is tried, and believed only when it leads to code.
 * Not for: reading files (tables.h). */
#ifndef SLW_ANALYZER_UNWIND_STACK_H
#define SLW_ANALYZER_UNWIND_STACK_H

#include "analyzer/unwind/cfi.h"
#include "record/unwound.h"

struct slw_stack_copy {
    enum slw_cfi_machine machine;
    uint64_t ip;
    uint64_t registers[SLW_CFI_REGISTERS]; /* by DWARF number */
    uint64_t known;                        /* bit n: registers[n] was recorded */
    const uint8_t *bytes;                  /* from the stack pointer on */
    uint64_t length;
    bool full; /* the copy was as long as it could be: the stack may go on */
};

/* What is known of a piece of code. */
enum slw_unwind_known {
    SLW_UNWIND_UNMAPPED,
    SLW_UNWIND_PROBED, /* where the kernel makes probed functions return to */
    SLW_UNWIND_NO_FILE,
    SLW_UNWIND_NO_CFI,
    SLW_UNWIND_CFI
};
struct slw_unwind_code {
    enum slw_unwind_known state;
    const struct slw_cfi_table *table; /* of CFI: */
    const struct slw_cfi_row *row;
};
typedef struct slw_unwind_code (*slw_unwind_find)(void *ctx, uint64_t address);

struct slw_unwound_frame {
    uint64_t address;
    uint64_t sp; /* its stack pointer: on x86-64 behind the address that its callee returns to */
    bool exact;  /* where execution stood; else where a call returns to */
};

struct slw_unwound {
    enum slw_unwound_end end;
    size_t depth;          /* frames, leaf first; at least the sampled one */
    uint64_t failed_at;    /* address whose caller was not found; of an end other than COMPLETE */
    bool by_frame_pointer; /* some of them */
};

/* At most `capacity` (> 0) frames are written. */
struct slw_unwound slw_unwind(const struct slw_stack_copy *copy, slw_unwind_find find, void *ctx,
                              struct slw_unwound_frame *frames, size_t capacity);

#endif

/* SPDX-License-Identifier: MIT */
/* Code that the table of its image says nothing of: what a separate debug file describes of it
 * (.debug_frame, which stripping takes along), and the few instructions that handlers of signals
 * return to, which some C libraries and arm64's vdso leave without a description and every unwinder
 * knows by sight. Looked for when such code is met, which is seldom; nothing is kept on disk.
 * Source: libgcc's fallback, config/{i386,aarch64}/linux-unwind.h. */
#ifndef SLW_ANALYZER_UNWIND_UNDESCRIBED_H
#define SLW_ANALYZER_UNWIND_UNDESCRIBED_H

#include "analyzer/symbols_int.h"
#include "analyzer/unwind/stack.h"

/* Of one module; zeroed: not looked for yet. */
struct slw_undescribed {
    bool looked_for, has_image;
    struct slw_elf image;
    enum slw_cfi_machine machine;
    struct slw_cfi_table separate;
};

/* The code at a file offset. 1: *ret_code is that of CFI; 0: nothing is known; -SLW_E_NOMEM. */
int slw_undescribed_find(struct slw_undescribed *u, const struct slw_symbols_options *opts,
                         const struct slw_module *m, uint64_t offset,
                         struct slw_unwind_code *ret_code);
/* The files it is to be found in; debug may be closed. Both are closed in the end. 0 or
 * -SLW_E_NOMEM. */
int slw_undescribed_know(struct slw_undescribed *u, struct slw_elf *image, struct slw_elf *debug);
void slw_undescribed_release(struct slw_undescribed *u);

/* Pure: is the byte at `offset`, or the one behind it, in such instructions? A return address is
 * looked up one before. */
bool slw_is_signal_return(enum slw_cfi_machine machine, const uint8_t *code, size_t length,
                          uint64_t offset);
/* What leads from there to the code that was interrupted. */
struct slw_unwind_code slw_signal_return(enum slw_cfi_machine machine);

#endif

/* SPDX-License-Identifier: MIT */
/* The call frame information of an ELF image: finds its sections and compiles them. */
#ifndef SLW_ANALYZER_UNWIND_CFI_IMAGE_H
#define SLW_ANALYZER_UNWIND_CFI_IMAGE_H

#include "analyzer/elf_file.h"
#include "analyzer/unwind/cfi.h"

/* .eh_frame and .debug_frame together; where there are no section headers, what PT_GNU_EH_FRAME
 * leads to. A table without rows is no error: the image has no such information.
 * -SLW_E_UNSUPPORTED: of another machine than x86-64 and arm64, or of 32 bits; -SLW_E_NOMEM,
 * -SLW_E_LIMIT. */
int slw_cfi_compile_image(const struct slw_elf *elf, struct slw_cfi_table *ret_table,
                          struct slw_error *err);

/* What is described in the separate debug file of an image alone, as that of the image. */
int slw_cfi_compile_separate(const struct slw_elf *elf, const struct slw_elf *debug,
                             struct slw_cfi_table *ret_table, struct slw_error *err);

/* False: of another machine than x86-64 and arm64, or of 32 bits. */
bool slw_cfi_machine_of(const struct slw_elf *elf, enum slw_cfi_machine *ret_machine);

#endif

/* SPDX-License-Identifier: MIT */
/* Which calls the compiler expanded in place around an address, from DWARF. Reads the list of
 * compilation units, and of a unit that is asked about its functions; nothing else. */
#ifndef SLW_ANALYZER_INLINED_H
#define SLW_ANALYZER_INLINED_H

#include <elfutils/libdw.h>
#include <stddef.h>
#include <stdint.h>

/* Deeper nests are cut at the inner end: what is left out counts for the call around it. */
#define SLW_MAX_INLINED 64

struct slw_inlined_call {
    const char *name;      /* the linker's where DWARF has it, else as written; never "" */
    const char *call_file; /* where it is called from; "" unknown */
    uint32_t call_line;    /* 0 unknown */
};

struct slw_inlined;

/* dwarf is lent and outlives it. NULL: out of memory. Free with slw_inlined_free (NULL allowed). */
struct slw_inlined *slw_inlined_new(Dwarf *dwarf);
void slw_inlined_free(struct slw_inlined *in);

/* The calls around the address (as the file has it), outermost first; *ret_count 0: none is known.
 * Strings are dwarf's. 0 or -SLW_E_NOMEM. */
int slw_inlined_at(struct slw_inlined *in, uint64_t address,
                   struct slw_inlined_call ret_calls[SLW_MAX_INLINED], size_t *ret_count);

/* Source file and line of the instruction; "" and 0 unknown. Strings are dwarf's. 0 or
 * -SLW_E_NOMEM.
 */
int slw_inlined_line(struct slw_inlined *in, uint64_t address, const char **ret_file,
                     uint32_t *ret_line);

#endif

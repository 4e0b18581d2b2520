/* SPDX-License-Identifier: MIT */
/* Where functions are in a file of code, for uprobes. Not for: names of addresses (analyzer). */
#ifndef SLW_COLLECTOR_TAPS_BPF_FUNCTIONS_H
#define SLW_COLLECTOR_TAPS_BPF_FUNCTIONS_H

#include <stddef.h>
#include <stdint.h>

/* Offset in the file of each function, 0 for those it does not define, by its symbol tables;
 * anything but an ELF file defines none. How many were found. */
size_t slw_functions_find(const char *path, const char *const *names, size_t count,
                          uint64_t *ret_offsets);

#endif

/* SPDX-License-Identifier: MIT */
/* Where functions are in a file of code, for uprobes. Not for: names of addresses (analyzer). */
#ifndef SLW_COLLECTOR_TAPS_BPF_FUNCTIONS_H
#define SLW_COLLECTOR_TAPS_BPF_FUNCTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Offset in the file of each function, 0 for those it does not define, by its symbol tables;
 * anything but an ELF file defines none. How many were found. */
size_t slw_functions_find(const char *path, const char *const *names, size_t count,
                          uint64_t *ret_offsets);

/* Name of the variable at an address of a process, where the file's first byte is mapped at `bias`
 * (of a program that is not moved, its own addresses). Hostile bytes are what they are. */
bool slw_variable_find(const char *path, uint64_t address, uint64_t bias, char *ret_name,
                       size_t size);

#endif

/* SPDX-License-Identifier: MIT */
/* Trampolines of Python: with -X perf it calls each of its functions by way of a few instructions
 * of the function's own, which a map names and nothing describes. Not for: other generated code,
 * whose callers are found by frame pointers or not at all. */
#ifndef SLW_ANALYZER_UNWIND_TRAMPOLINE_H
#define SLW_ANALYZER_UNWIND_TRAMPOLINE_H

#include "analyzer/symtab.h"
#include "analyzer/unwind/stack.h"

/* function: what a map has at the address, which is one before that a call returns to. False: it is
 * no such place; on arm64 always: there trampolines keep a frame pointer. Source: CPython 3.12 and
 * 3.13, Objects/asm_trampoline.S. */
bool slw_trampoline_find(const struct slw_symbol *function, uint64_t address,
                         struct slw_unwind_code *ret_code);

#endif

/* SPDX-License-Identifier: MIT */
/* Which function of a JIT compiler lay at an address at a time: compilers give out memory again.
 * Not for: maps without times (slw_symtab_finish_latest). */
#ifndef SLW_ANALYZER_JIT_HISTORY_H
#define SLW_ANALYZER_JIT_HISTORY_H

#include "analyzer/symtab.h"

struct slw_jit_history;

/* Pages of code, counted once for each function on them: some GiB. More is no history but
 * nonsense, and would take long to put in order. */
#define SLW_MAX_JIT_PAGES 2000000

/* functions: as they were added, not finished; times: of each, in ns. Both are lent and outlive the
 * history. 0, -SLW_E_NOMEM, or -SLW_E_LIMIT. */
int slw_jit_history_new(const struct slw_symtab *functions, const uint64_t *times,
                        struct slw_jit_history **ret_history);
void slw_jit_history_free(struct slw_jit_history *h); /* NULL allowed */

/* Position of the function that was put there last before the time; of the first one there, where
 * none was yet: a compiler may tell a little late. False: nobody was ever there, or too much was
 * looked for already. */
bool slw_jit_history_find(struct slw_jit_history *h, uint64_t address, uint64_t time_ns,
                          size_t *ret_function);

#endif

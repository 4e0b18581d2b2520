/* SPDX-License-Identifier: MIT */
/* A sorted table of symbols with binary search. Which of several names of one address is shown,
 * and where a symbol without a size ends, follows perf (tools/perf/util/symbol.c), so that names
 * agree with `perf report`. */
#ifndef SLW_ANALYZER_SYMTAB_H
#define SLW_ANALYZER_SYMTAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct slw_symbol {
    uint64_t start, end; /* [start, end); end == start: no size was given */
    const char *name;    /* lent; must outlive the table */
    uint8_t binding;     /* STB_* of <elf.h> */
    uint8_t type;        /* STT_* of <elf.h>, and SLW_SYMBOL_REUSED */
};

/* Another function was here before (slw_symtab_finish_latest). */
#define SLW_SYMBOL_REUSED 0x80

/* Zero-initialise; release with slw_symtab_release. */
struct slw_symtab {
    struct slw_symbol *symbols;
    size_t count, capacity;
};

#define SLW_MAX_SYMBOLS 20000000 /* per module; the largest browsers have a tenth of it */

/* 0, -SLW_E_NOMEM, or -SLW_E_LIMIT. */
int slw_symtab_add(struct slw_symtab *t, const struct slw_symbol *symbol);

/* Sort, give every symbol an end and every address one name. A symbol without a size reaches to the
 * next one, but not over more than max_guess bytes. Call once, before finding. 0 or -SLW_E_NOMEM.
 */
int slw_symtab_finish(struct slw_symtab *t, uint64_t max_guess);

/* The same for code that a JIT compiler made while the program ran, in the order in which symbols
 * were added: where several lie on one address, the last one is found. */
int slw_symtab_finish_latest(struct slw_symtab *t);

/* The symbol that covers the address, or NULL. Lent until release. */
const struct slw_symbol *slw_symtab_find(const struct slw_symtab *t, uint64_t address);
void slw_symtab_release(struct slw_symtab *t);

/* Add the symbols of a text in the format of /proc/kallsyms ("address type name [module]") or of
 * /tmp/perf-PID.map ("start size name", hexadecimal). `text` must be NUL-terminated; its line ends
 * are overwritten and names point into it. *ret_hidden (kallsyms): addresses were all 0. 0,
 * -SLW_E_NOMEM or -SLW_E_LIMIT; malformed lines are skipped. */
int slw_symtab_add_kallsyms(struct slw_symtab *t, char *text, bool *ret_hidden);
int slw_symtab_add_perf_map(struct slw_symtab *t, char *text);

#endif

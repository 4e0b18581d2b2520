/* SPDX-License-Identifier: MIT */
/* Names as people wrote them: C++ (Itanium ABI) and Rust (legacy and v0), by binutils' libiberty.
 * Parameters are left out, as perf leaves them out: `linkage` tells overloads apart. */
#ifndef SLW_ANALYZER_DEMANGLE_H
#define SLW_ANALYZER_DEMANGLE_H

struct slw_demangler;

#define SLW_MAX_MANGLED   8192  /* bytes; templates of templates reach some thousands */
#define SLW_MAX_DEMANGLED 16384 /* a short name can stand for one that fills any memory */

/* NULL when out of memory. Free with slw_demangler_free (NULL allowed). */
struct slw_demangler *slw_demangler_new(void);
void slw_demangler_free(struct slw_demangler *d);

/* What to show for a linker's name; the name itself when it is not mangled, or too long, or stands
 * for what is too long. "name@plt" keeps its ending. Lent until slw_demangler_free; names that are
 * shown as they are stay the caller's. 0 or -SLW_E_NOMEM. */
int slw_demangle(struct slw_demangler *d, const char *linkage, const char **ret_shown);

#endif

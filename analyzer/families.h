/* SPDX-License-Identifier: MIT */
/* Kinds of work a database client's profile is made of, recognised by function and module names.
 * To add one: a line in families.def. Not for: judging (findings). */
#ifndef SLW_ANALYZER_FAMILIES_H
#define SLW_ANALYZER_FAMILIES_H

#include <stdbool.h>

/* Where in the stack a frame of the family must be for the sample to belong to it. */
enum slw_family_place {
    SLW_FAMILY_LEAF, /* the function itself was running */
    SLW_FAMILY_ANY   /* it, or something it called, was running */
};

/* clang-format off */
enum slw_family {
#define SLW_FAMILY(id, place, functions, modules) SLW_FAMILY_##id,
#include "analyzer/families.def"
#undef SLW_FAMILY
    SLW_FAMILY_COUNT
};
/* clang-format on */

enum slw_family_place slw_family_place(enum slw_family family);

/* Does a frame belong to the family? Names are compared without the decoration of system call
 * entries and C library internals ("__x64_sys_", "__GI___libc_", "@@GLIBC_2.17"). */
bool slw_family_has(enum slw_family family, const char *function, const char *module_name);

/* The system call a kernel function is the entry of ("fdatasync" for "__x64_sys_fdatasync"), a
 * pointer into `function`; NULL when it is none. */
const char *slw_family_syscall(const char *function);

#endif

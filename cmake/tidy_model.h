/* SPDX-License-Identifier: MIT */
/* Included in front of every file when clang-tidy looks at it, never when it is compiled: the
 * analyzer does not see into base/error.c and would go on as if a failure returned 0. base/error.c
 * itself defines the functions and is left as it is. */
#if defined(__clang_analyzer__) && !defined(SLW_DEFINES_ERRORS)
#include "base/error.h"

__attribute__((format(printf, 1, 2))) int slw_tidy_text(const char *fmt, ...);
#define slw_fail(err, code, ...) ((void)slw_tidy_text(__VA_ARGS__), (void)(err), -(int)(code))
#define slw_fail_sys(err, code, sys, ...)                                                          \
    ((void)slw_tidy_text(__VA_ARGS__), (void)(err), (void)(sys), -(int)(code))
#endif

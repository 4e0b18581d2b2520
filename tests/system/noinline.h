/* SPDX-License-Identifier: MIT */
/* Functions that keep their names in a profile: no copies for one caller or one argument. clang
 * makes none, and does not know the word for it. */
#ifndef SLW_TESTS_SYSTEM_NOINLINE_H
#define SLW_TESTS_SYSTEM_NOINLINE_H

#ifdef __clang__
#define NOINLINE __attribute__((noinline))
#else
#define NOINLINE __attribute__((noinline, noclone))
#endif

#endif

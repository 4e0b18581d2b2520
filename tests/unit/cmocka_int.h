/* SPDX-License-Identifier: MIT */
/* What cmocka.h needs before it, in one place. */
#ifndef SLW_TESTS_CMOCKA_INT_H
#define SLW_TESTS_CMOCKA_INT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif

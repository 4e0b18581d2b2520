/* SPDX-License-Identifier: MIT */
/* Comparing doubles: cmocka's assert_float_equal rounds both to float first. */
#ifndef SLW_TESTS_NEAR_H
#define SLW_TESTS_NEAR_H

#include "tests/unit/cmocka_int.h"

#include <math.h>

static inline void assert_near(double value, double expected, double tolerance)
{
    if (!(fabs(value - expected) <= tolerance))
        fail_msg("%.17g is not within %g of %.17g", value, tolerance, expected);
}

#endif

/* SPDX-License-Identifier: MIT */
#include "analyzer/scale.h"
#include "tests/unit/cmocka_int.h"

static void half_time_doubles(void **state)
{
    (void)state;
    const struct slw_reading r = {.raw = 10, .enabled_ns = 100, .running_ns = 50};
    uint64_t n = 0;
    assert_int_equal(slw_scale(&r, &n, NULL), 0);
    assert_int_equal(n, 20);
}

static void rounds_to_nearest(void **state)
{
    (void)state;
    const struct slw_reading down = {.raw = 1, .enabled_ns = 4, .running_ns = 3};
    const struct slw_reading up = {.raw = 1, .enabled_ns = 5, .running_ns = 3};
    const struct slw_reading half = {.raw = 1, .enabled_ns = 3, .running_ns = 2};
    uint64_t n = 0;
    assert_int_equal(slw_scale(&down, &n, NULL), 0);
    assert_int_equal(n, 1);
    assert_int_equal(slw_scale(&up, &n, NULL), 0);
    assert_int_equal(n, 2);
    assert_int_equal(slw_scale(&half, &n, NULL), 0);
    assert_int_equal(n, 2);
}

static void never_ran_is_nodata_and_keeps_out(void **state)
{
    (void)state;
    const struct slw_reading r = {.raw = 0, .enabled_ns = 100, .running_ns = 0};
    struct slw_error err = {0};
    uint64_t n = 7;
    assert_int_equal(slw_scale(&r, &n, &err), -SLW_E_NODATA);
    assert_int_equal(err.code, SLW_E_NODATA);
    assert_int_equal(n, 7);
}

static void overflow_is_range(void **state)
{
    (void)state;
    const struct slw_reading r = {.raw = UINT64_MAX, .enabled_ns = 2, .running_ns = 1};
    uint64_t n = 7;
    assert_int_equal(slw_scale(&r, &n, NULL), -SLW_E_RANGE);
    assert_int_equal(n, 7);
}

static void the_largest_reading_is_exact(void **state)
{
    (void)state;
    const struct slw_reading r = {UINT64_MAX, UINT64_MAX, UINT64_MAX};
    uint64_t n = 0;
    assert_int_equal(slw_scale(&r, &n, NULL), 0);
    assert_true(n == UINT64_MAX);
}

static void a_minute_of_cycles_needs_128_bits(void **state)
{
    (void)state;
    const struct slw_reading r = {.raw = UINT64_C(240000000000),
                                  .enabled_ns = UINT64_C(60000000000),
                                  .running_ns = UINT64_C(15000000000)};
    uint64_t n = 0;
    assert_int_equal(slw_scale(&r, &n, NULL), 0);
    assert_true(n == UINT64_C(960000000000));
}

static void bad_times_is_inval(void **state)
{
    (void)state;
    const struct slw_reading r = {.raw = 1, .enabled_ns = 1, .running_ns = 2};
    uint64_t n = 0;
    assert_int_equal(slw_scale(&r, &n, NULL), -SLW_E_INVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(half_time_doubles),
        cmocka_unit_test(rounds_to_nearest),
        cmocka_unit_test(never_ran_is_nodata_and_keeps_out),
        cmocka_unit_test(overflow_is_range),
        cmocka_unit_test(the_largest_reading_is_exact),
        cmocka_unit_test(a_minute_of_cycles_needs_128_bits),
        cmocka_unit_test(bad_times_is_inval),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

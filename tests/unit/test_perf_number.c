/* SPDX-License-Identifier: MIT */
#include "collector/perf_number.h"
#include "tests/unit/cmocka_int.h"

#include <string.h>

static void expect(const char *text, bool machine, uint64_t digits, unsigned places)
{
    struct slw_decimal d = {0};

    if (slw_decimal_parse(text, strlen(text), machine, &d) != strlen(text))
        fail_msg("'%s' is not read whole", text);
    if (d.digits != digits || d.places != places)
        fail_msg("'%s' is %llu with %u places", text, (unsigned long long)d.digits, d.places);
}

static void thousands_of_any_locale_are_read(void **state)
{
    (void)state;
    expect("1234567", false, 1234567, 0);
    expect("1,234,567", false, 1234567, 0);
    expect("1.234.567", false, 1234567, 0);
    expect("1'234'567", false, 1234567, 0);
    expect("1\xe2\x80\xaf"
           "234\xe2\x80\xaf"
           "567",
           false, 1234567, 0);
    expect("12,34,567", false, 1234567, 0); /* lakh */
    expect("0", false, 0, 0);
}

static void decimals_are_told_from_thousands(void **state)
{
    (void)state;
    expect("24,073.58", false, 2407358, 2);
    expect("24.073,58", false, 2407358, 2);
    expect("24\xe2\x80\xaf"
           "073,58",
           false, 2407358, 2);
    expect("0,59", false, 59, 2);
    expect("0.587384", false, 587384, 6);
    expect("1.234", false, 1234, 0);
    expect("1.234", true, 1234, 3);
    expect("18693525.000000", true, UINT64_C(18693525000000), 6);
}

static void what_is_no_number_is_not_read(void **state)
{
    (void)state;
    struct slw_decimal d = {.digits = 7};
    static const char *const bad[] = {"", "-", "x1", ".5", ",", "nan", "<not counted>"};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(slw_decimal_parse(bad[i], strlen(bad[i]), false, &d), 0);
    assert_int_equal(slw_decimal_parse("18446744073709551616", 20, false, &d), 0);
    assert_int_equal(d.digits, 7);
    assert_int_equal(slw_decimal_parse("12.", 3, false, &d), 2);
    assert_int_equal(slw_decimal_parse("5%", 2, false, &d), 1);
}

static void scaling_is_exact_or_says_so(void **state)
{
    (void)state;
    const struct slw_decimal msec = {.digits = 59, .places = 2}, half = {.digits = 5, .places = 1};
    const struct slw_decimal below = {.digits = 5, .places = 1, .negative = true};
    const struct slw_decimal huge = {.digits = UINT64_MAX};
    uint64_t value = 0;
    bool exact = false;

    assert_true(slw_decimal_scale(&msec, 1000000, &value, &exact));
    assert_int_equal(value, 590000);
    assert_true(exact);
    assert_true(slw_decimal_scale(&half, 1, &value, &exact));
    assert_int_equal(value, 1);
    assert_false(exact);
    assert_false(slw_decimal_scale(&below, 1, &value, &exact));
    assert_false(slw_decimal_scale(&huge, 2, &value, &exact));
}

static void printing_keeps_every_digit(void **state)
{
    (void)state;
    const struct slw_decimal d = {.digits = 4302, .places = 2, .negative = true};
    const struct slw_decimal small = {.digits = 5, .places = 3};
    char out[32];

    slw_decimal_print(&d, out, sizeof(out));
    assert_string_equal(out, "-43.02");
    slw_decimal_print(&small, out, sizeof(out));
    assert_string_equal(out, "0.005");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(thousands_of_any_locale_are_read),
        cmocka_unit_test(decimals_are_told_from_thousands),
        cmocka_unit_test(what_is_no_number_is_not_read),
        cmocka_unit_test(scaling_is_exact_or_says_so),
        cmocka_unit_test(printing_keeps_every_digit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

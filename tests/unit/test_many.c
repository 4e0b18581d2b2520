/* SPDX-License-Identifier: MIT */
#include "analyzer/statistics/many.h"
#include "tests/near.h"

/* K and the least pairs of docs/statistics.md. */
static void the_granularity_of_p_needs_so_many_pairs(void **state)
{
    static const size_t table[][2] = {{1, 6},  {2, 7},   {3, 7},   {5, 8},
                                      {10, 9}, {15, 10}, {20, 10}, {40, 11}};

    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
        assert_int_equal(slw_many_least_pairs(.05, table[i][0]), table[i][1]);
}

static void gated_metrics_share_the_error(void **state)
{
    (void)state;
    assert_true(slw_many_alpha(.05, 1) == .05);
    assert_near(slw_many_alpha(.05, 5), .01, 1e-18);
}

static void holm_keeps_the_order_and_never_falls(void **state)
{
    const double p[] = {.04, .01, .03, .005};
    double adjusted[4];

    (void)state;
    assert_int_equal(slw_many_holm(p, 4, adjusted, NULL), 0);
    assert_near(adjusted[3], .02, 1e-15);
    assert_near(adjusted[1], .03, 1e-15);
    assert_near(adjusted[2], .06, 1e-15);
    assert_near(adjusted[0], .06, 1e-15); /* not .04: as large as the one before */
}

static void fdr_is_never_stricter_than_holm(void **state)
{
    const double p[] = {.04, .01, .03, .005};
    double adjusted[4];

    (void)state;
    assert_int_equal(slw_many_fdr(p, 4, adjusted, NULL), 0);
    assert_near(adjusted[3], .02, 1e-15);
    assert_near(adjusted[1], .02, 1e-15);
    assert_near(adjusted[2], .04, 1e-15);
    assert_near(adjusted[0], .04, 1e-15);
}

static void adjusted_values_are_probabilities(void **state)
{
    const double p[] = {.9, .6, 1};
    double adjusted[3];

    (void)state;
    assert_int_equal(slw_many_holm(p, 3, adjusted, NULL), 0);
    for (size_t i = 0; i < 3; i++)
        assert_true(adjusted[i] == 1);
    assert_int_equal(slw_many_holm(p, 0, adjusted, NULL), 0);
}

static void too_many_metrics_are_refused(void **state)
{
    static double p[SLW_MAX_STATEMENTS + 1], adjusted[SLW_MAX_STATEMENTS + 1];

    (void)state;
    for (size_t i = 0; i <= SLW_MAX_STATEMENTS; i++)
        p[i] = 1 - (double)i * 1e-6;
    assert_int_equal(slw_many_holm(p, SLW_MAX_STATEMENTS + 1, adjusted, NULL), -SLW_E_LIMIT);
    assert_int_equal(slw_many_fdr(p, SLW_MAX_STATEMENTS + 1, adjusted, NULL), -SLW_E_LIMIT);
    assert_true(adjusted[0] == 0);
    assert_int_equal(slw_many_holm(p, SLW_MAX_STATEMENTS, adjusted, NULL), 0);
    assert_true(adjusted[0] == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_granularity_of_p_needs_so_many_pairs),
        cmocka_unit_test(gated_metrics_share_the_error),
        cmocka_unit_test(holm_keeps_the_order_and_never_falls),
        cmocka_unit_test(fdr_is_never_stricter_than_holm),
        cmocka_unit_test(adjusted_values_are_probabilities),
        cmocka_unit_test(too_many_metrics_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

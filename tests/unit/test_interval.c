/* SPDX-License-Identifier: MIT */
#include "analyzer/interval.h"
#include "analyzer/share.h"
#include "tests/near.h"
#include "tests/unit/cmocka_int.h"

/* Source: tables of Student's t, two-sided 95 %. */
static void quantiles_are_those_of_the_tables(void **state)
{
    static const struct {
        size_t freedom;
        double t;
    } rows[] = {{1, 12.706205}, {2, 4.302653},   {10, 2.228139},  {11, 2.200985},
                {12, 2.178813}, {15, 2.131450},  {20, 2.085963},  {30, 2.042272},
                {60, 2.000298}, {120, 1.979930}, {1000, 1.962339}};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_near(slw_student_t(rows[i].freedom), rows[i].t, 1e-5);
    for (size_t i = 1; i < 999; i++)
        assert_true(slw_student_t(i) > slw_student_t(i + 1));
}

static void a_series_has_the_mean_and_the_t_interval(void **state)
{
    struct slw_series s = {0};

    (void)state;
    for (int i = 1; i <= 4; i++)
        slw_series_add(&s, i);
    assert_near(s.mean, 2.5, 1e-12);
    assert_near(slw_series_half(&s), 3.182446 * 1.2909944 / 2, 1e-5);
}

static void equal_values_have_an_interval_of_no_width(void **state)
{
    struct slw_series s = {0};

    (void)state;
    for (int i = 0; i < 100; i++)
        slw_series_add(&s, 0.1);
    assert_near(s.mean, 0.1, 1e-15);
    assert_near(slw_series_half(&s), 0, 1e-15);
}

/* Half of the time in 50 stretches: what 100 independent ones would tell. */
static void a_part_of_the_time_is_a_share_of_stretches(void **state)
{
    const struct slw_partial p = {.value = 0.3, .high = 1, .coverage = 0.5, .slices = 50};
    const struct slw_interval i = slw_interval_of_partial(&p);
    const struct slw_share s = slw_share_of(30, 100, 100);

    (void)state;
    assert_true(i.have);
    assert_near(i.low, s.low, 1e-12);
    assert_near(i.high, s.high, 1e-12);
    assert_string_equal(slw_interval_from(&i), "coverage");
}

static void more_of_the_time_is_narrower_and_more_sources_are_wider(void **state)
{
    struct slw_partial p = {.value = 2, .high = 16, .coverage = 0.5, .slices = 50};
    const struct slw_interval half = slw_interval_of_partial(&p);
    p.coverage = 0.9;
    const struct slw_interval most = slw_interval_of_partial(&p);
    p.sources = 2;
    const struct slw_interval two = slw_interval_of_partial(&p);

    (void)state;
    assert_true(most.high - most.low < half.high - half.low);
    assert_near(two.high - two.low, 2 * (most.high - most.low), 1e-12);
    assert_true(half.low <= 2 && half.high >= 2);
}

/* At 0 % nothing was seen, which is not to say that there was nothing. */
static void a_value_at_the_edge_keeps_an_interval(void **state)
{
    const struct slw_partial p = {.value = 0, .high = 1, .coverage = 0.5, .slices = 50};
    const struct slw_interval i = slw_interval_of_partial(&p);

    (void)state;
    assert_near(i.low, 0, 1e-12);
    assert_true(i.high > 0.03);
}

static void reasons_add_up_and_bounds_hold(void **state)
{
    struct slw_interval i = {0};

    (void)state;
    assert_null(slw_interval_from(&i));
    assert_near(slw_interval_half(&i, 0.5), 0, 0);
    slw_interval_widen(&i, 0.9, 0.05, SLW_INTERVAL_ROUNDS);
    slw_interval_widen(&i, 0.9, 0.10, SLW_INTERVAL_BITS);
    assert_near(i.low, 0.75, 1e-12);
    assert_string_equal(slw_interval_from(&i), "rounds+8-bit");
    slw_interval_clip(&i, 0.9, 0, 1);
    assert_near(i.high, 1, 1e-12);
    assert_near(slw_interval_half(&i, 0.9), 0.15, 1e-12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantiles_are_those_of_the_tables),
        cmocka_unit_test(a_series_has_the_mean_and_the_t_interval),
        cmocka_unit_test(equal_values_have_an_interval_of_no_width),
        cmocka_unit_test(a_part_of_the_time_is_a_share_of_stretches),
        cmocka_unit_test(more_of_the_time_is_narrower_and_more_sources_are_wider),
        cmocka_unit_test(a_value_at_the_edge_keeps_an_interval),
        cmocka_unit_test(reasons_add_up_and_bounds_hold),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

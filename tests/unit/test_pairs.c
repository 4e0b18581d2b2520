/* SPDX-License-Identifier: MIT */
/* What becomes a difference, how it was resolved, which quantiles may be compared, and the order of
 * the runs. */
#include "analyzer/statistics/order.h"
#include "analyzer/statistics/paired.h"
#include "analyzer/statistics/pairs.h"
#include "analyzer/statistics/quantile.h"
#include "tests/near.h"

static void ratios_are_logarithms(void **state)
{
    const double a[] = {2, 1e-300, 5}, b[] = {4, 1e300, 5};
    double d[3];
    const struct slw_pairs p = slw_pairs_of(a, b, 3, d);

    (void)state;
    assert_int_equal(p.kind, SLW_PAIRS_RATIO);
    assert_int_equal(p.used, 3);
    assert_int_equal(p.dropped, 0);
    assert_near(d[0], log(2), 1e-15);
    assert_near(d[1], 600 * log(10), 1e-9);
    assert_true(d[2] == 0);
}

static void a_round_without_a_number_is_dropped_as_a_pair_and_counted(void **state)
{
    const double a[] = {1, (double)NAN, 3, (double)INFINITY, 5}, b[] = {2, 2, (double)NAN, 4, 10};
    double d[5];
    const struct slw_pairs p = slw_pairs_of(a, b, 5, d);

    (void)state;
    assert_int_equal(p.kind, SLW_PAIRS_RATIO);
    assert_int_equal(p.used, 2);
    assert_int_equal(p.dropped, 3);
    assert_near(d[0], log(2), 1e-15);
    assert_near(d[1], log(2), 1e-15);
}

static void nothing_measured_is_not_zero(void **state)
{
    const double a[] = {(double)NAN, 1}, b[] = {0, (double)NAN};
    double d[2];
    const struct slw_pairs p = slw_pairs_of(a, b, 2, d);

    (void)state;
    assert_int_equal(p.kind, SLW_PAIRS_NONE);
    assert_int_equal(p.used, 0);
    assert_int_equal(p.dropped, 2);
}

static void zeros_in_both_arms_are_identical(void **state)
{
    const double a[] = {0, 0, (double)NAN}, b[] = {0, 0, 7};
    double d[3];
    const struct slw_pairs p = slw_pairs_of(a, b, 3, d);

    (void)state;
    assert_int_equal(p.kind, SLW_PAIRS_ZERO);
    assert_int_equal(p.used, 2);
    assert_true(d[0] == 0 && d[1] == 0);
}

static void one_zero_leaves_no_ratio(void **state)
{
    const double a[] = {3, 0, 2}, b[] = {4, 5, 0}, negative[] = {1, -1, 1};
    double d[3];
    struct slw_pairs p = slw_pairs_of(a, b, 3, d);

    (void)state;
    assert_int_equal(p.kind, SLW_PAIRS_DIFFERENCE);
    assert_true(d[0] == 1 && d[1] == 5 && d[2] == -2);
    p = slw_pairs_of(negative, b, 2, d);
    assert_int_equal(p.kind, SLW_PAIRS_DIFFERENCE);
}

static void the_smallest_step_is_between_different_values(void **state)
{
    double v[] = {3, 1, 3, 1.25, 2}, equal[] = {4, 4, 4};

    (void)state;
    assert_true(slw_smallest_step(v, 5) == .25);
    assert_true(slw_smallest_step(equal, 3) == 0);
    assert_true(slw_smallest_step(v, 0) == 0);
    assert_near(slw_resolution_of_ratio(1, 50), log(1.02), 1e-15);
    assert_true(slw_resolution_of_ratio(0, 50) == 0);
}

static void quantiles_are_of_type_7(void **state)
{
    const double v[] = {1, 2, 4, 8};

    (void)state;
    assert_true(slw_quantile_of_sorted(v, 4, 0) == 1);
    assert_true(slw_quantile_of_sorted(v, 4, 1) == 8);
    assert_near(slw_quantile_of_sorted(v, 4, .5), 3, 1e-15);
    assert_near(slw_quantile_of_sorted(v, 4, .9), 6.8, 1e-14);
    assert_true(slw_quantile_of_sorted(v, 1, .99) == 1);
}

static void a_quantile_needs_requests_beyond_it(void **state)
{
    (void)state;
    assert_int_equal(slw_quantile_least(.5), 40);
    assert_int_equal(slw_quantile_least(.99), 2000);
    assert_int_equal(slw_quantile_least(.999), 20000);
    assert_true(slw_quantile_plan_of(.99, 2000, 2000).enough);
    assert_false(slw_quantile_plan_of(.99, 1999, 4000).enough);
}

static void unequal_counts_are_cut_to_the_smaller(void **state)
{
    (void)state;
    const struct slw_quantile_plan close = slw_quantile_plan_of(.99, 9000, 10000);
    const struct slw_quantile_plan far = slw_quantile_plan_of(.99, 20000, 10000);

    assert_false(close.cut);
    assert_true(far.cut);
    assert_int_equal(far.use, 10000);
    assert_true(slw_quantile_plan_of(.99, 8999, 10000).cut);
}

/* Saved runs name their seed: the order it gives is part of the format. */
static void a_seed_gives_the_same_order_for_ever(void **state)
{
    static const char expected[] = "BAAAABABABAABBBAAAAB";
    struct slw_coin c = slw_coin_of(42), zero = slw_coin_of(0);
    char order[21] = "";

    (void)state;
    for (size_t i = 0; i < 20; i++)
        order[i] = slw_coin_flip(&c) ? 'B' : 'A';
    assert_string_equal(order, expected);
    assert_true(slw_coin_bits(&zero) == UINT64_C(0xe220a8397b1dcdaf)); /* published */
}

static void the_coin_is_fair_and_forgets(void **state)
{
    struct slw_coin c = slw_coin_of(1);
    int heads = 0, same = 0;
    bool last = false;

    (void)state;
    for (int i = 0; i < 100000; i++) {
        const bool now = slw_coin_flip(&c);

        heads += now;
        same += now == last;
        last = now;
    }
    assert_in_range(heads, 50000 - 950, 50000 + 950); /* six standard deviations */
    assert_in_range(same, 50000 - 950, 50000 + 950);
}

static void every_order_of_a_block_is_as_likely(void **state)
{
    struct slw_coin c = slw_coin_of(5);
    int seen[27] = {0};

    (void)state;
    for (int i = 0; i < 60000; i++) {
        size_t order[3];

        slw_coin_shuffle(&c, order, 3);
        seen[order[0] * 9 + order[1] * 3 + order[2]]++;
    }
    for (size_t i = 0; i < 27; i++) {
        const size_t a = i / 9, b = i / 3 % 3, last = i % 3;

        if (a == b || b == last || a == last)
            assert_int_equal(seen[i], 0);
        else
            assert_in_range(seen[i], 10000 - 550, 10000 + 550);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ratios_are_logarithms),
        cmocka_unit_test(a_round_without_a_number_is_dropped_as_a_pair_and_counted),
        cmocka_unit_test(nothing_measured_is_not_zero),
        cmocka_unit_test(zeros_in_both_arms_are_identical),
        cmocka_unit_test(one_zero_leaves_no_ratio),
        cmocka_unit_test(the_smallest_step_is_between_different_values),
        cmocka_unit_test(quantiles_are_of_type_7),
        cmocka_unit_test(a_quantile_needs_requests_beyond_it),
        cmocka_unit_test(unequal_counts_are_cut_to_the_smaller),
        cmocka_unit_test(a_seed_gives_the_same_order_for_ever),
        cmocka_unit_test(the_coin_is_fair_and_forgets),
        cmocka_unit_test(every_order_of_a_block_is_as_likely),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

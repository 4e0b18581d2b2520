/* SPDX-License-Identifier: MIT */
#include "analyzer/statistics/order.h"
#include "analyzer/statistics/paired.h"
#include "analyzer/statistics/signed_law.h"
#include "tests/near.h"

#include <stdlib.h>
#include <string.h>

#define MOST 40

static struct slw_paired *space;

static int make_space(void **state)
{
    (void)state;
    return slw_paired_new(SLW_MAX_PAIRS, &space, NULL);
}

static int free_space(void **state)
{
    (void)state;
    slw_paired_free(space);
    return 0;
}

static struct slw_difference interval_of(const double *d, size_t n)
{
    struct slw_difference r = {0};

    assert_int_equal(slw_paired_interval(space, d, n, .05, &r, NULL), 0);
    assert_true(r.low <= r.estimate && r.estimate <= r.high);
    return r;
}

/* ---- the law ---- */

/* n, cap, critical score and level of docs/statistics.md; Wilcoxon's critical score. */
static const struct {
    size_t pairs, cap, t;
    double level;
    size_t wilcoxon;
} table[] = {
    {6, 3, 0, .9688, 0},     {7, 4, 2, .9531, 2},     {8, 4, 3, .9609, 3},
    {9, 5, 4, .9727, 5},     {10, 5, 6, .9551, 8},    {11, 5, 8, .9521, 10},
    {12, 5, 9, .9653, 13},   {13, 5, 11, .9543, 17},  {14, 5, 13, .9535, 21},
    {15, 5, 14, .9655, 25},  {16, 5, 16, .9581, 29},  {18, 5, 20, .9544, 40},
    {20, 5, 24, .9555, 52},  {24, 6, 37, .9531, 81},  {25, 7, 45, .9517, 89},
    {30, 8, 66, .9514, 137}, {35, 9, 91, .9508, 195}, {40, 10, 120, .9504, 264},
};

static void the_law_gives_the_documented_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        const size_t n = table[i].pairs;
        double at_most[MOST * (MOST + 1) / 2 + 1];
        size_t t;

        assert_int_equal(slw_signed_cap(n), table[i].cap);
        slw_signed_law(n, table[i].cap, at_most);
        assert_true(slw_signed_critical(at_most, slw_signed_total(n, table[i].cap), .05, &t));
        assert_int_equal(t, table[i].t);
        assert_near(1 - 2 * at_most[t], table[i].level, 5e-5);
        slw_signed_law(n, n, at_most);
        assert_true(slw_signed_critical(at_most, slw_signed_total(n, n), .05, &t));
        assert_int_equal(t, table[i].wilcoxon);
    }
}

/* Every one of the 2^n choices of signs, for every cap: the counts agree, and sum to 2^n. */
static void the_law_counts_every_choice_of_signs(void **state)
{
    (void)state;
    for (size_t n = 1; n <= 12; n++) {
        for (size_t cap = 1; cap <= n; cap++) {
            const size_t total = slw_signed_total(n, cap);
            double counts[79] = {0}, at_most[79], sum = 0;

            for (uint32_t signs = 0; signs < 1u << n; signs++) {
                size_t t = 0;

                for (size_t i = 0; i < n; i++)
                    t += signs >> i & 1 ? (i + 1 < cap ? i + 1 : cap) : 0;
                counts[t]++;
            }
            slw_signed_law(n, cap, at_most);
            for (size_t t = 0; t <= total; t++) {
                sum += counts[t];
                assert_true(at_most[t] * (double)(1u << n) == sum);
            }
            assert_true(sum == (double)(1u << n));
        }
    }
}

static void the_law_sums_to_one_for_any_number_of_pairs(void **state)
{
    const size_t most = slw_signed_total(SLW_MAX_PAIRS, slw_signed_cap(SLW_MAX_PAIRS));
    double *at_most = calloc(most + 1, sizeof(double));

    (void)state;
    assert_non_null(at_most);
    for (size_t n = 1; n <= SLW_MAX_PAIRS; n += n < 60 ? 1 : 34) {
        const size_t cap = slw_signed_cap(n), total = slw_signed_total(n, cap);

        slw_signed_law(n, cap, at_most);
        assert_near(at_most[total], 1, n <= 53 ? 0 : 1e-12);
        if (total % 2) /* symmetric */
            assert_near(at_most[total / 2], .5, 1e-12);
    }
    free(at_most);
}

/* ---- the interval ---- */

static const double with_outlier[] = {.031, -.012, .054, .023, .041, .019, -.640, .037, .028, .046};

static void golden_one_outlier_against_the_trend(void **state)
{
    struct slw_difference wilcoxon;
    const struct slw_difference r = interval_of(with_outlier, 10);

    (void)state;
    assert_near(r.estimate, .02975, 1e-12);
    assert_near(r.low, .0035, 1e-12);
    assert_near(r.high, .0425, 1e-12);
    assert_near(r.p, .0449, 5e-5);
    assert_near(r.level, .9551, 5e-5);
    assert_true(r.enough && !r.equal && slw_difference_real(&r));
    assert_int_equal(slw_paired_interval_capped(space, with_outlier, 10, .05, 10, &wilcoxon, NULL),
                     0);
    assert_near(wilcoxon.low, -.297, 5e-4);
    assert_near(wilcoxon.high, .041, 5e-4);
}

static void golden_zeros_and_ties(void **state)
{
    const double d[] = {0, 0, .04, 0, .04, 0, 0, .04, 0, 0, .04, 0};
    const struct slw_difference r = interval_of(d, 12);

    (void)state;
    assert_near(r.estimate, 0, 1e-12);
    assert_near(r.low, 0, 1e-12);
    assert_near(r.high, .04, 1e-12);
    assert_false(slw_difference_real(&r));
    assert_true(r.p > .05);
}

static void golden_all_equal(void **state)
{
    double d[12];

    (void)state;
    for (size_t i = 0; i < 12; i++)
        d[i] = .1;
    const struct slw_difference r = interval_of(d, 12);

    assert_true(r.equal && r.enough && r.low == .1 && r.high == .1 && r.estimate == .1);
    assert_near(r.p, 0x1p-11, 0);
}

static void all_zero_is_a_difference_of_nothing(void **state)
{
    const double d[20] = {0};
    const struct slw_difference r = interval_of(d, 20);

    (void)state;
    assert_true(r.equal && r.low == 0 && r.high == 0 && r.p == 1);
}

/* 50, 75, 87.5 and 93.75 %: what the extremes of 2 to 5 pairs are worth. */
static void few_pairs_give_their_extremes_and_what_they_are_worth(void **state)
{
    const double d[] = {.3, .2, .5, .4, .1};
    const double level[] = {0, .5, .75, .875, .9375};
    const double low[] = {.3, .2, .2, .2, .1}, high[] = {.3, .3, .5, .5, .5};

    (void)state;
    for (size_t n = 1; n <= 5; n++) {
        const struct slw_difference r = interval_of(d, n);

        assert_true(!r.enough && !slw_difference_real(&r));
        assert_true(r.level == level[n - 1] && r.low == low[n - 1] && r.high == high[n - 1]);
    }
}

static void few_pairs_for_the_confidence_asked_for(void **state)
{
    const double d[] = {1, 2, 3, 4, 5, 6, 7};
    struct slw_difference r;

    (void)state;
    assert_int_equal(slw_paired_interval(space, d, 7, .05 / 5, &r, NULL), 0);
    assert_false(r.enough);
    assert_true(r.low == 1 && r.high == 7 && r.level == 1 - 0x1p-6);
    assert_int_equal(slw_paired_interval(space, d, 7, .05 / 3, &r, NULL), 0);
    assert_true(r.enough);
}

/* ---- against a slow and obvious computation ---- */

static struct slw_coin coin;

static double uniform(void)
{
    return (double)(slw_coin_bits(&coin) >> 11) * 0x1p-53;
}

/* Multiples of 2^-20, so that sums and halves are exact; every other one on a coarse grid. */
static void random_differences(double *d, size_t n, bool ties)
{
    for (size_t i = 0; i < n; i++)
        d[i] = ties ? (double)(int)(uniform() * 7) * .25 - .5
                    : (double)(int)((uniform() - .4) * 0x1p18) * 0x1p-20;
}

static int by_value(const void *a, const void *b)
{
    const double left = *(const double *)a, right = *(const double *)b;

    return (left > right) - (left < right);
}

static int by_size(const void *a, const void *b)
{
    const double left[] = {fabs(*(const double *)a)}, right[] = {fabs(*(const double *)b)};

    return by_value(left, right);
}

static size_t scores_below(const double *d, size_t n, size_t cap, double theta)
{
    double x[MOST];
    size_t sum = 0;

    for (size_t i = 0; i < n; i++)
        x[i] = d[i] - theta;
    qsort(x, n, sizeof(*x), by_size);
    for (size_t i = 0; i < n; i++)
        sum += x[i] < 0 ? (i + 1 < cap ? i + 1 : cap) : 0;
    return sum;
}

/* The right end of the last gap between Walsh averages with scores of t at most, trying all. */
static double slow_lower_end(const double *d, size_t n, size_t cap, size_t t)
{
    double walsh[MOST * (MOST + 1) / 2], end;
    size_t count = 0;

    for (size_t i = 0; i < n; i++)
        for (size_t j = i; j < n; j++)
            walsh[count++] = (d[i] + d[j]) / 2;
    qsort(walsh, count, sizeof(*walsh), by_value);
    end = walsh[0];
    for (size_t i = 1; i < count; i++)
        if (walsh[i] > walsh[i - 1] && scores_below(d, n, cap, (walsh[i - 1] + walsh[i]) / 2) <= t)
            end = walsh[i];
    return end;
}

static void bisection_finds_what_trying_every_gap_finds(void **state)
{
    (void)state;
    coin = slw_coin_of(20261122);
    for (size_t round = 0; round < 500; round++) {
        const size_t n = 6 + round % 15, cap = slw_signed_cap(n);
        double d[MOST], mirrored[MOST], at_most[MOST * (MOST + 1) / 2 + 1];
        const size_t total = slw_signed_total(n, cap), half = (total - 1) / 2;
        size_t t;

        random_differences(d, n, round % 2);
        for (size_t i = 0; i < n; i++)
            mirrored[i] = -d[i];
        slw_signed_law(n, cap, at_most);
        assert_true(slw_signed_critical(at_most, total, .05, &t));
        const struct slw_difference r = interval_of(d, n);

        assert_true(r.low == slow_lower_end(d, n, cap, t));
        assert_true(r.high == -slow_lower_end(mirrored, n, cap, t));
        assert_true(r.estimate ==
                    (slow_lower_end(d, n, cap, half) - slow_lower_end(mirrored, n, cap, half)) / 2);
    }
}

static void p_and_the_interval_agree_about_zero(void **state)
{
    int real = 0;

    (void)state;
    coin = slw_coin_of(7);
    for (size_t round = 0; round < 2000; round++) {
        const size_t n = 6 + round % 35;
        double d[MOST];

        random_differences(d, n, round % 2);
        const struct slw_difference r = interval_of(d, n);

        assert_int_equal(r.p <= .05, r.low > 0 || r.high < 0);
        real += slw_difference_real(&r);
    }
    assert_in_range(real, 200, 1800); /* else nothing was tested */
}

static void assert_same(struct slw_difference r, double estimate, double low, double high)
{
    assert_true(r.estimate == estimate && r.low == low && r.high == high);
}

static void shifts_mirrors_scales_and_orders_carry_over(void **state)
{
    (void)state;
    coin = slw_coin_of(11);
    for (size_t round = 0; round < 300; round++) {
        const size_t n = 1 + round % MOST;
        double d[MOST], changed[MOST];
        size_t order[MOST];

        random_differences(d, n, round % 2);
        const struct slw_difference r = interval_of(d, n);

        for (size_t i = 0; i < n; i++)
            changed[i] = d[i] + .375;
        assert_same(interval_of(changed, n), r.estimate + .375, r.low + .375, r.high + .375);
        for (size_t i = 0; i < n; i++)
            changed[i] = -d[i];
        assert_same(interval_of(changed, n), -r.estimate, -r.high, -r.low);
        assert_true(interval_of(changed, n).p == r.p);
        for (size_t i = 0; i < n; i++)
            changed[i] = d[i] * 1024;
        assert_same(interval_of(changed, n), r.estimate * 1024, r.low * 1024, r.high * 1024);
        slw_coin_shuffle(&coin, order, n);
        for (size_t i = 0; i < n; i++)
            changed[i] = d[order[i]];
        assert_same(interval_of(changed, n), r.estimate, r.low, r.high);
    }
}

/* ---- the rest ---- */

static void widening_moves_both_ends(void **state)
{
    struct slw_difference r = {.enough = true, .low = .01, .high = .03, .p = .001};

    (void)state;
    slw_difference_widen(&r, 0);
    assert_true(slw_difference_real(&r) && r.p == .001);
    slw_difference_widen(&r, .005);
    assert_true(slw_difference_real(&r) && r.p == .001);
    slw_difference_widen(&r, .01);
    assert_near(r.low, -.005, 1e-15);
    assert_near(r.high, .045, 1e-15);
    assert_near(slw_difference_half(&r), .025, 1e-15);
    assert_true(!slw_difference_real(&r) && r.p == 1);
}

static void what_is_no_set_of_differences_is_refused(void **state)
{
    const double bad[] = {1, (double)NAN}, endless[] = {1, 2, (double)INFINITY};
    struct slw_paired *small = NULL, *none = NULL;
    struct slw_difference r = {.pairs = 99};
    struct slw_error err = {0};

    (void)state;
    assert_int_equal(slw_paired_new(SLW_MAX_PAIRS + 1, &none, NULL), -SLW_E_LIMIT);
    assert_null(none);
    assert_int_equal(slw_paired_new(2, &small, NULL), 0);
    assert_int_equal(slw_paired_interval(small, bad, 0, .05, &r, NULL), -SLW_E_NODATA);
    assert_int_equal(slw_paired_interval(small, bad, 2, .05, &r, &err), -SLW_E_INVAL);
    assert_string_equal(err.text, "the difference of pair 2 is not a number");
    assert_int_equal(slw_paired_interval(small, endless, 3, .05, &r, NULL), -SLW_E_LIMIT);
    assert_int_equal(r.pairs, 99);
    slw_paired_free(small);
    slw_paired_free(NULL);
}

static void as_many_pairs_as_are_allowed(void **state)
{
    double d[SLW_MAX_PAIRS];

    (void)state;
    coin = slw_coin_of(3);
    for (size_t i = 0; i < SLW_MAX_PAIRS; i++)
        d[i] = uniform();
    const struct slw_difference r = interval_of(d, SLW_MAX_PAIRS);

    assert_true(r.enough && r.low > .4 && r.high < .6);
    assert_near(r.level, .95, 1e-3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_law_gives_the_documented_table),
        cmocka_unit_test(the_law_counts_every_choice_of_signs),
        cmocka_unit_test(the_law_sums_to_one_for_any_number_of_pairs),
        cmocka_unit_test(golden_one_outlier_against_the_trend),
        cmocka_unit_test(golden_zeros_and_ties),
        cmocka_unit_test(golden_all_equal),
        cmocka_unit_test(all_zero_is_a_difference_of_nothing),
        cmocka_unit_test(few_pairs_give_their_extremes_and_what_they_are_worth),
        cmocka_unit_test(few_pairs_for_the_confidence_asked_for),
        cmocka_unit_test(bisection_finds_what_trying_every_gap_finds),
        cmocka_unit_test(p_and_the_interval_agree_about_zero),
        cmocka_unit_test(shifts_mirrors_scales_and_orders_carry_over),
        cmocka_unit_test(widening_moves_both_ends),
        cmocka_unit_test(what_is_no_set_of_differences_is_refused),
        cmocka_unit_test(as_many_pairs_as_are_allowed),
    };

    return cmocka_run_group_tests(tests, make_space, free_space);
}

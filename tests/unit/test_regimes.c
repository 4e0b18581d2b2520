/* SPDX-License-Identifier: MIT */
#include "analyzer/statistics/paired.h"
#include "analyzer/statistics/regimes.h"
#include "tests/near.h"
#include "tests/noise_models.h"

#define RUNS 20

static double a[RUNS], b[RUNS];

/* Twelve runs around 0, eight around .5, in turns. */
static void two_modes(double *y, uint64_t seed)
{
    struct slw_coin c = slw_coin_of(seed);

    for (size_t i = 0; i < RUNS; i++)
        y[i] = (i % 5 < 3 ? 0 : .5) + .01 * noise_normal(&c);
}

static void two_modes_are_two_regimes(void **state)
{
    two_modes(a, 1);
    const struct slw_regimes r = slw_regimes_of(a, RUNS);

    (void)state;
    assert_true(r.two);
    assert_int_equal(r.low_count, 12);
    assert_int_equal(r.high_count, 8);
    assert_near(r.low, 0, .01);
    assert_near(r.high, .5, .01);
    assert_true(r.boundary > .1 && r.boundary < .4);
}

static void a_few_runs_or_outliers_are_no_regime(void **state)
{
    (void)state;
    two_modes(a, 1);
    assert_false(slw_regimes_of(a, SLW_MIN_REGIME_RUNS - 1).two);
    assert_true(slw_regimes_of(a, SLW_MIN_REGIME_RUNS).two);
    for (size_t i = 0; i < RUNS; i++)
        a[i] = i % 5 == 4 ? 1 : .001 * (double)i; /* four of twenty */
    assert_false(slw_regimes_of(a, RUNS).two);
    for (size_t i = 0; i < RUNS; i++)
        a[i] = 3;
    assert_false(slw_regimes_of(a, RUNS).two);
}

/* 5 % in the upper regime only. */
static void an_effect_in_one_regime_is_told_apart(void **state)
{
    (void)state;
    two_modes(a, 1);
    two_modes(b, 2);
    for (size_t i = 0; i < RUNS; i++)
        b[i] += b[i] > .25 ? .05 : 0;
    b[0] += .55; /* one pair in different regimes */
    const struct slw_regimes of_a = slw_regimes_of(a, RUNS), of_b = slw_regimes_of(b, RUNS);
    const struct slw_regime_pairs p = slw_regime_pairs_of(a, b, RUNS, &of_a, &of_b);

    assert_int_equal(p.low_count, 11);
    assert_int_equal(p.high_count, 8);
    assert_int_equal(p.mixed_count, 1);
    assert_near(p.low, 0, .01);
    assert_near(p.high, .05, .015);
}

static void drift_is_measured_from_end_to_end(void **state)
{
    (void)state;
    for (size_t i = 0; i < RUNS; i++)
        b[i] = (a[i] = .01 * (double)i) + .3;
    a[7] += 2; /* the ends decide, by their medians */
    const struct slw_drift d = slw_drift_of(a, b, RUNS);

    assert_true(d.sure);
    assert_near(d.total, .19, 1e-12);
}

static void no_drift_is_claimed_of_what_stays(void **state)
{
    struct slw_coin c = slw_coin_of(4);
    int sure = 0;

    (void)state;
    for (int trial = 0; trial < 2000; trial++) {
        for (size_t i = 0; i < RUNS; i++)
            a[i] = noise_normal(&c), b[i] = noise_normal(&c);
        sure += slw_drift_of(a, b, RUNS).sure;
    }
    assert_in_range(sure, 1, 100 + 60); /* 5 % and six standard deviations */
    assert_false(slw_drift_of(a, b, 2).sure);
    assert_true(slw_drift_of(a, b, 2).total == 0);
}

static void regimes_are_rarely_seen_where_there_are_none(void **state)
{
    struct slw_coin c = slw_coin_of(6);
    int gauss = 0, bimodal = 0;
    double e[RUNS];

    (void)state;
    for (int trial = 0; trial < 2000; trial++) {
        noise_runs(&c, NOISE_GAUSS, e, RUNS);
        gauss += slw_regimes_of(e, RUNS).two;
        noise_runs(&c, NOISE_BIMODAL, e, RUNS);
        bimodal += slw_regimes_of(e, RUNS).two;
    }
    assert_true(gauss <= 20);
    assert_true(bimodal >= 1800);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_modes_are_two_regimes),
        cmocka_unit_test(a_few_runs_or_outliers_are_no_regime),
        cmocka_unit_test(an_effect_in_one_regime_is_told_apart),
        cmocka_unit_test(drift_is_measured_from_end_to_end),
        cmocka_unit_test(no_drift_is_claimed_of_what_stays),
        cmocka_unit_test(regimes_are_rarely_seen_where_there_are_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

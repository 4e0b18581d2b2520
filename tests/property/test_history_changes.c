/* SPDX-License-Identifier: MIT */
/* Change points keep to what docs/history.md states of them: false changes in noise and found ones,
 * by simulation with a fixed seed; and what has to hold of every series. bench_changes prints all
 * cells. */
#include "tests/history_noise.h"
#include "tests/unit/cmocka_int.h"

#define SEED   20261122
#define TRIALS 400

static struct slw_coin chance;

/* So many of TRIALS may be above a rate of `percent` by chance in one of 1000 tests. */
static int at_most(double percent)
{
    const double p = percent / 100;

    return (int)(TRIALS * p + 3.1 * sqrt(TRIALS * p * (1 - p)));
}

static int at_least(double percent)
{
    return TRIALS - at_most(100 - percent);
}

static void noise_is_seldom_called_a_change(void **state)
{
    static const size_t sizes[] = {8, 12, 20, 40};

    (void)state;
    for (enum history_noise m = 0; m < HISTORY_NOISES; m++)
        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
            int wrong = 0;
            for (int t = 0; t < TRIALS; t++)
                wrong += history_false(&chance, m, sizes[i]);
            if (wrong > at_most(history_noise_bound(m)))
                fail_msg("%s, %zu runs: %d false changes in %d, seed %d", history_noise_name(m),
                         sizes[i], wrong, TRIALS, SEED);
        }
}

static void changes_are_found_where_they_are(void **state)
{
    static const struct {
        enum history_change change;
        size_t runs;
        double percent;
    } cases[] = {
        {HISTORY_STEP5, 10, 60},          {HISTORY_STEP5, 20, 90},     {HISTORY_STEP5, 30, 98},
        {HISTORY_STEP3, 30, 82},          {HISTORY_STEP2, 50, 75},     {HISTORY_STEP10, 10, 85},
        {HISTORY_STEP5_OUTLIERS, 20, 75}, {HISTORY_STEP5_AR5, 50, 90}, {HISTORY_LAST5, 20, 88},
        {HISTORY_AND_BACK, 20, 72},       {HISTORY_AND_BACK, 50, 95},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int found = 0;
        for (int t = 0; t < TRIALS; t++)
            found += history_found(&chance, cases[i].change, cases[i].runs);
        if (found < at_least(cases[i].percent))
            fail_msg("%s, %zu runs: found %d of %d, seed %d", history_change_name(cases[i].change),
                     cases[i].runs, found, TRIALS, SEED);
    }
}

static size_t find(const double *values, size_t n, double step, size_t *starts)
{
    size_t count = 99;

    assert_int_equal(slw_changes_find(values, n, step, starts, &count, NULL), 0);
    return count;
}

static void starts_are_ascending_and_levels_long_enough(void **state)
{
    size_t starts[SLW_MAX_CHANGES];
    double values[400];

    (void)state;
    for (int t = 0; t < 60; t++) {
        const size_t n = 1 + (size_t)slw_coin_below(&chance, 400);
        double at = 0;
        for (size_t i = 0; i < n; i++) { /* a level that jumps now and then, half of it in steps */
            at += noise_uniform(&chance) < .05 ? 20 * noise_normal(&chance) : 0;
            values[i] = t % 2 ? at + noise_normal(&chance) : floor(at);
        }
        const size_t count = find(values, n, 0, starts);
        for (size_t i = 0; i <= count; i++) {
            const size_t from = i ? starts[i - 1] : 0, to = i < count ? starts[i] : n;
            assert_true(to >= from + (count ? SLW_MIN_LEVEL_RUNS : 0));
        }
    }
}

static void scale_and_shift_change_nothing(void **state)
{
    size_t starts[SLW_MAX_CHANGES], again[SLW_MAX_CHANGES];
    double values[60], other[60];

    (void)state;
    for (int t = 0; t < 50; t++) {
        for (size_t i = 0; i < 60; i++) {
            values[i] = floor(noise_normal(&chance) * 64) + (i >= 20 && i < 45 ? 300 : 0);
            other[i] = 1024 - 8 * values[i];
        }
        const size_t count = find(values, 60, 1, starts);
        assert_int_equal(find(other, 60, 8, again), count);
        assert_true(count >= 2);
        assert_memory_equal(starts, again, count * sizeof(starts[0]));
    }
}

static void values_without_noise(void **state)
{
    size_t starts[SLW_MAX_CHANGES];
    double values[40];

    (void)state;
    for (size_t i = 0; i < 40; i++)
        values[i] = 7;
    assert_int_equal(find(values, 40, 0, starts), 0);
    values[12] = 1000; /* once is no level */
    assert_int_equal(find(values, 40, 0, starts), 0);
    values[12] = 7;
    for (size_t i = 25; i < 40; i++)
        values[i] = 8;
    assert_int_equal(find(values, 40, 0, starts), 1);
    assert_int_equal(starts[0], 25);
    assert_int_equal(find(values, 40, 1, starts), 0); /* one step of the clock */
    assert_int_equal(find(values, 7, 0, starts), 0);  /* too few to be looked at */
    assert_int_equal(find(values, 0, 0, starts), 0);
}

static void a_long_series_ends(void **state)
{
    size_t starts[SLW_MAX_CHANGES];
    static double values[10000];
    double at = 0;

    (void)state;
    for (size_t i = 0; i < 10000;
         i++) /* every value lies elsewhere: as many candidates as can be */
        values[i] = at += noise_normal(&chance);
    assert_true(find(values, 10000, 0, starts) <= SLW_MAX_CHANGES);
}

static int seed(void **state)
{
    (void)state;
    chance = slw_coin_of(SEED);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(noise_is_seldom_called_a_change, seed),
        cmocka_unit_test_setup(changes_are_found_where_they_are, seed),
        cmocka_unit_test_setup(starts_are_ascending_and_levels_long_enough, seed),
        cmocka_unit_test_setup(scale_and_shift_change_nothing, seed),
        cmocka_unit_test_setup(values_without_noise, seed),
        cmocka_unit_test_setup(a_long_series_ends, seed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Two arms on simulated machines: how often the interval holds the truth, how often a difference is
 * seen that is not there, and how often one that is. Bounds: docs/statistics.md. */
#include "analyzer/statistics/judgement.h"
#include "analyzer/statistics/pairs.h"
#include "tests/simulation.h"

static const size_t sizes[] = {6, 8, 10, 15, 20, 30};
#define SIZES (sizeof(sizes) / sizeof(*sizes))

static const char *cell(enum noise_model m, size_t n)
{
    static char text[64];

    (void)snprintf(text, sizeof(text), "%s, %zu pairs", noise_name(m), n);
    return text;
}

/* Intervals that miss a difference of `effect`. */
static int misses(enum noise_model m, size_t n, bool coin, double effect, int trials)
{
    double d[40];
    int missed = 0;

    for (int i = 0; i < trials; i++) {
        noise_pairs(&chance, m, effect, coin, d, n);
        const struct slw_difference r = interval_at(d, n, .05);

        missed += r.low > effect + 1e-9 || r.high < effect - 1e-9;
    }
    return missed;
}

static void nothing_is_seen_where_nothing_is(void **state)
{
    const int trials = simulations(2000, 1000);
    int all = 0;

    (void)state;
    for (enum noise_model m = 0; m < NOISE_MODELS; m++) {
        for (size_t i = 0; i < SIZES; i++) {
            const int missed = misses(m, sizes[i], true, 0, trials);

            assert_most(cell(m, sizes[i]), missed, trials, m == NOISE_GRID ? .03 : .065,
                        m == NOISE_GRID ? .01 : .05);
            all += missed;
        }
    }
    assert_most("mean of all", all, trials * NOISE_MODELS * (int)SIZES, .055, .05);
}

static void a_difference_is_within_its_interval(void **state)
{
    const int trials = simulations(2000, 600);

    (void)state;
    for (enum noise_model m = 0; m < NOISE_MODELS; m++)
        for (size_t i = 2; i < SIZES; i += 2)
            if (m != NOISE_GRID) /* rounding moves the difference itself */
                assert_least(cell(m, sizes[i]), trials - misses(m, sizes[i], true, .05, trials),
                             trials, .93, .95);
}

/* Why a coin decides the order. */
static void a_fixed_order_is_fooled_by_a_rhythm(void **state)
{
    const int trials = simulations(2000, 500);

    (void)state;
    assert_least("ABAB on period 2", misses(NOISE_PERIOD2, 10, false, 0, trials), trials, .9, .98);
}

static int found(enum noise_model m, size_t n, double effect, size_t cap, int trials)
{
    double d[40];
    int seen = 0;

    for (int i = 0; i < trials; i++) {
        struct slw_difference r;

        noise_pairs(&chance, m, effect, true, d, n);
        assert_int_equal(slw_paired_interval_capped(space, d, n, .05, cap ? cap : 5, &r, NULL), 0);
        seen += r.low > 0;
    }
    return seen;
}

static void a_difference_is_found_as_often_as_stated(void **state)
{
    const int trials = simulations(2000, 1000);

    (void)state;
    assert_least("gauss, 20 pairs, 2 %", found(NOISE_GAUSS, 20, log(1.02), 5, trials), trials, .65,
                 .70);
    assert_least("gauss, 20 pairs, 5 %", found(NOISE_GAUSS, 20, log(1.05), 5, trials), trials, .99,
                 .999);
    assert_least("5 % outliers, 10 pairs, 5 %", found(NOISE_OUTLIERS, 10, log(1.05), 5, trials),
                 trials, .85, .91);
    assert_least("5 % outliers, 20 pairs, 5 %", found(NOISE_OUTLIERS, 20, log(1.05), 5, trials),
                 trials, .98, .99);
    assert_most("the same by Wilcoxon, 10 pairs", found(NOISE_OUTLIERS, 10, log(1.05), 10, trials),
                trials, .70, .66);
}

struct words {
    int regressed, improved, no_change;
};

static struct words judge(enum noise_model m, size_t n, double effect, int trials)
{
    const struct slw_margin margin = {log(1.02), SLW_MARGIN_USER};
    struct words w = {0};
    double d[40];

    for (int i = 0; i < trials; i++) {
        noise_pairs(&chance, m, effect, true, d, n);
        const struct slw_difference r = interval_at(d, n, .05);
        const enum slw_judged word = slw_judge(&r, &margin, false).word;

        w.regressed += word == SLW_JUDGED_REGRESSED;
        w.improved += word == SLW_JUDGED_IMPROVED;
        w.no_change += word == SLW_JUDGED_NO_CHANGE;
    }
    return w;
}

static void on_the_margin_neither_word_is_said_often(void **state)
{
    const int trials = simulations(2000, 600);

    (void)state;
    for (enum noise_model m = 0; m < NOISE_MODELS; m++) {
        for (size_t i = 1; m != NOISE_GRID && i < SIZES; i += 2) {
            const struct words w = judge(m, sizes[i], log(1.02), trials);

            assert_most(cell(m, sizes[i]), w.regressed, trials, .035, .025);
            assert_most("  no change", w.no_change, trials, .035, .025);
            assert_most("  improved", w.improved, trials, .005, .0005);
        }
    }
}

static void without_a_difference_hardly_any_change_is_said(void **state)
{
    const int trials = simulations(2000, 600);

    (void)state;
    for (enum noise_model m = 0; m < NOISE_MODELS; m++) {
        for (size_t i = 0; i < SIZES; i += 2) {
            const struct words w = judge(m, sizes[i], 0, trials);

            assert_most(cell(m, sizes[i]), w.regressed + w.improved, trials, .01, .01);
        }
    }
}

static void thirty_pairs_of_quiet_noise_settle_it(void **state)
{
    const int trials = simulations(2000, 1000);
    const struct words same = judge(NOISE_GAUSS, 30, 0, trials);
    const struct words five = judge(NOISE_GAUSS, 30, log(1.05), trials);

    (void)state;
    assert_least("no difference: no change", same.no_change, trials, .73, .78);
    assert_least("5 %: changed", five.regressed, trials, .98, .995);
}

/* One comparison of values reported in steps of 2 % of their size, with noise of .3 %. */
static struct slw_difference stepped(double effect, size_t n)
{
    const double base = 50 + noise_uniform(&chance);
    double a[40], b[40], d[40];

    for (size_t i = 0; i < n; i++) {
        a[i] = round(base * exp(.003 * noise_normal(&chance)));
        b[i] = round(base * exp(effect + .003 * noise_normal(&chance)));
    }
    assert_int_equal(slw_pairs_of(a, b, n, d).kind, SLW_PAIRS_RATIO);
    return interval_at(d, n, .05);
}

static void steps_in_the_values_need_a_wider_interval(void **state)
{
    const int trials = simulations(2000, 1000);

    (void)state;
    for (size_t n = 10; n <= 20; n += 10) {
        int plain = 0, widened = 0;

        for (int i = 0; i < trials; i++) {
            const double effect = .02 * noise_uniform(&chance);
            struct slw_difference r = stepped(effect, n);

            plain += r.low <= effect && effect <= r.high;
            slw_difference_widen(&r, slw_resolution_of_ratio(1, 50));
            widened += r.low <= effect && effect <= r.high;
        }
        assert_most("in steps, as it is", plain, trials, .7, .5);
        assert_least("in steps, widened", widened, trials, .98, .995);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        simulation_test(nothing_is_seen_where_nothing_is),
        simulation_test(a_difference_is_within_its_interval),
        simulation_test(a_fixed_order_is_fooled_by_a_rhythm),
        simulation_test(a_difference_is_found_as_often_as_stated),
        simulation_test(on_the_margin_neither_word_is_said_often),
        simulation_test(without_a_difference_hardly_any_change_is_said),
        simulation_test(thirty_pairs_of_quiet_noise_settle_it),
        simulation_test(steps_in_the_values_need_a_wider_interval),
    };

    print_message("seed %llu\n", (unsigned long long)SIMULATION_SEED);
    return cmocka_run_group_tests(tests, simulation_setup, simulation_teardown);
}

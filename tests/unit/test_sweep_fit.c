/* SPDX-License-Identifier: MIT */
#include "analyzer/statistics/lack_of_fit.h"
#include "analyzer/statistics/sweep_fit.h"
#include "tests/near.h"
#include "tests/noise_models.h"

#include <string.h>

#define POINTS 8
#define MOST   16
#define RUNS   ((size_t)MOST * POINTS)

static const double batches[POINTS] = {1, 2, 4, 8, 16, 32, 64, 128};
static double costs[RUNS];

static struct slw_sweep sweep(size_t blocks)
{
    return (struct slw_sweep){blocks, POINTS, batches, costs};
}

static void fill(double fixed, double marginal, double noise)
{
    struct slw_coin c = slw_coin_of(17);

    for (size_t i = 0; i < RUNS; i++)
        costs[i] = (fixed / batches[i % POINTS] + marginal) * exp(noise * noise_normal(&c));
}

static struct slw_sweep_fit fit(size_t blocks)
{
    const struct slw_sweep s = sweep(blocks);
    struct slw_sweep_fit f;
    struct slw_error err = {0};

    if (slw_sweep_fit_of(&s, .05, 1, &f, &err) < 0)
        fail_msg("%s", err.text);
    return f;
}

static void without_noise_the_truth_is_found(void **state)
{
    static const double ratio[] = {.1, 3, 20, 1000};

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        fill(ratio[i] * .7, .7, 0);
        const struct slw_sweep_fit f = fit(10);
        const struct slw_knee k = slw_knee_of(&f, 128, .1);

        assert_near(f.fixed.estimate / (ratio[i] * .7), 1, 1e-9);
        assert_near(f.marginal.estimate / .7, 1, 1e-9);
        assert_near(k.at / (ratio[i] / .1), 1, 1e-9);
        assert_near(k.low / k.high, 1, 1e-9);
        assert_int_equal(k.beyond, ratio[i] > 12.8);
        assert_true(f.fits && f.tested && f.fixed.enough);
    }
}

static void one_wild_run_in_a_block_moves_little(void **state)
{
    (void)state;
    fill(3, 1, .01);
    const struct slw_sweep_fit calm = fit(10);

    for (size_t b = 0; b < 10; b += 2)
        costs[b * POINTS + b % POINTS] *= 3;
    const struct slw_sweep_fit wild = fit(10);

    assert_near(wild.fixed.estimate / calm.fixed.estimate, 1, .02);
    assert_near(wild.marginal.estimate / calm.marginal.estimate, 1, .02);
}

static void a_bend_is_a_lack_of_fit(void **state)
{
    (void)state;
    fill(3, 1, .02);
    assert_true(fit(10).fits);
    for (size_t b = 0; b < MOST; b++)
        costs[b * POINTS + POINTS - 1] *= 1.3;
    const struct slw_sweep_fit few = fit(5), all = fit(10), random = fit(16);

    assert_false(all.fits);
    assert_true(all.lack_p <= .05 && all.misfit > SLW_MISFIT_LEAST);
    assert_false(random.fits);
    assert_true(few.fits && !few.tested);
}

/* Certain, and too small to matter. */
static void a_tiny_bend_is_no_lack_of_fit(void **state)
{
    (void)state;
    fill(3, 1, .0001);
    for (size_t b = 0; b < MOST; b++)
        costs[b * POINTS + 3] *= 1.01;
    const struct slw_sweep_fit f = fit(10);

    assert_true(f.lack_p <= .05 && f.fits);
    assert_true(f.misfit > .005 && f.misfit < .01);
}

static void no_fixed_cost_no_knee(void **state)
{
    (void)state;
    fill(0, 1, .02);
    const struct slw_sweep_fit f = fit(10);

    assert_int_equal(f.knee, SLW_KNEE_NO_FIXED);
    assert_true(f.fixed.low <= 0 && f.fixed.high >= 0);
}

static void no_marginal_cost_no_knee(void **state)
{
    (void)state;
    fill(5, 0, .02);
    assert_int_equal(fit(10).knee, SLW_KNEE_NO_MARGINAL);
}

static void drift_over_the_blocks_is_noticed(void **state)
{
    (void)state;
    fill(3, 1, .02);
    assert_true(fit(16).block_correlation < SLW_BLOCKS_CORRELATED);
    for (size_t i = 0; i < RUNS; i++)
        costs[i] *= exp(.03 * floor((double)i / POINTS));
    assert_true(fit(16).block_correlation > SLW_BLOCKS_CORRELATED);
    assert_true(fit(2).block_correlation == 0);
}

static void the_knee_that_is_seen_needs_no_model(void **state)
{
    const struct slw_sweep s = sweep(10), few = sweep(5);
    struct slw_knee_seen k = {99, 99};

    (void)state;
    fill(3, 1, 0); /* cost(128) = 1.0234: 1.19 at 16, 1.09375 at 32, 1.046 at 64 */
    assert_int_equal(slw_knee_seen_of(&few, .1, .05, &k, NULL), -SLW_E_NODATA);
    assert_int_equal(k.first_sure, 99);
    assert_int_equal(slw_knee_seen_of(&s, .1, .05, &k, NULL), 0);
    assert_int_equal(k.first_possible, 5);
    assert_int_equal(k.first_sure, 5);
    assert_int_equal(slw_knee_seen_of(&s, .05, .05, &k, NULL), 0);
    assert_int_equal(k.first_sure, 6);
    fill(3, 1, .05);
    assert_int_equal(slw_knee_seen_of(&s, .1, .05, &k, NULL), 0);
    assert_true(k.first_possible <= 5 && k.first_sure >= 5);
}

/* Every choice of signs by hand, for a few blocks. */
static void lack_of_fit_tries_every_choice_of_signs(void **state)
{
    const double error[] = {.5, .25, .25, -.125, -.5, .5, .25, .375};
    double seen = 0;
    int as_large = 0;

    (void)state;
    for (unsigned signs = 16; signs-- > 0;) {
        double sum[2] = {0}, squares;

        for (size_t i = 0; i < 8; i++)
            sum[i % 2] += (signs >> (i / 2) & 1 ? 1 : -1) * error[i];
        squares = sum[0] * sum[0] + sum[1] * sum[1];
        seen = signs == 15 ? squares : seen;
        as_large += squares >= seen;
    }
    assert_near(slw_lack_of_fit(error, 4, 2, 0), as_large / 16., 0);
    assert_true(as_large > 2 && as_large < 16);
}

static void random_flips_agree_with_all_of_them(void **state)
{
    double error[12 * 4];
    struct slw_coin c = slw_coin_of(9);

    (void)state;
    for (size_t i = 0; i < 48; i++)
        error[i] = .3 + noise_normal(&c);
    const double eleven = slw_lack_of_fit(error, 11, 4, 0);
    const double twelve = slw_lack_of_fit(error, 12, 4, 1);

    memset(error + 44, 0, 4 * sizeof(*error)); /* a block that changes nothing */
    assert_near(slw_lack_of_fit(error, 12, 4, 1), eleven, 6 * .5 / 32);
    assert_true(slw_lack_of_fit(error, 12, 4, 1) == slw_lack_of_fit(error, 12, 4, 1));
    assert_true(twelve >= 1. / 1024 && twelve <= 1);
}

static void what_is_no_sweep_is_refused(void **state)
{
    const double down[POINTS] = {1, 2, 4, 4, 16, 32, 64, 128};
    struct slw_sweep s = sweep(10);
    struct slw_sweep_fit f = {.misfit = 7};
    struct slw_error err = {0};

    (void)state;
    fill(3, 1, 0);
    s.blocks = 0;
    assert_int_equal(slw_sweep_fit_of(&s, .05, 1, &f, NULL), -SLW_E_NODATA);
    s = sweep(10);
    s.points = 3;
    assert_int_equal(slw_sweep_fit_of(&s, .05, 1, &f, NULL), -SLW_E_NODATA);
    s.points = SLW_MAX_SWEEP_POINTS + 1;
    assert_int_equal(slw_sweep_fit_of(&s, .05, 1, &f, NULL), -SLW_E_LIMIT);
    s = sweep(10);
    s.batch = down;
    assert_int_equal(slw_sweep_fit_of(&s, .05, 1, &f, NULL), -SLW_E_INVAL);
    s = sweep(10);
    costs[POINTS + 2] = 0;
    assert_int_equal(slw_sweep_fit_of(&s, .05, 1, &f, &err), -SLW_E_INVAL);
    assert_string_equal(err.text, "block 2: the cost at batch 4 is not above 0");
    costs[POINTS + 2] = (double)NAN;
    assert_int_equal(slw_sweep_fit_of(&s, .05, 1, &f, NULL), -SLW_E_INVAL);
    assert_true(f.misfit == 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_noise_the_truth_is_found),
        cmocka_unit_test(one_wild_run_in_a_block_moves_little),
        cmocka_unit_test(a_bend_is_a_lack_of_fit),
        cmocka_unit_test(a_tiny_bend_is_no_lack_of_fit),
        cmocka_unit_test(no_fixed_cost_no_knee),
        cmocka_unit_test(no_marginal_cost_no_knee),
        cmocka_unit_test(drift_over_the_blocks_is_noticed),
        cmocka_unit_test(the_knee_that_is_seen_needs_no_model),
        cmocka_unit_test(lack_of_fit_tries_every_choice_of_signs),
        cmocka_unit_test(random_flips_agree_with_all_of_them),
        cmocka_unit_test(what_is_no_sweep_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Looking more than once, at more than one metric, at quantiles, at arms that differ for the whole
 * comparison, and at sweeps, on simulated machines. Bounds: docs/statistics.md. */
#include "analyzer/statistics/looks.h"
#include "analyzer/statistics/many.h"
#include "analyzer/statistics/quantile.h"
#include "analyzer/statistics/sweep_fit.h"
#include "tests/simulation.h"

/* ---- --rounds auto ---- */

struct looked {
    enum slw_judged word; /* at the look it stopped at */
    size_t pairs;
    bool ever, ever_naive; /* 0 was outside at some look, at its confidence or at 95 % each time */
};

static struct looked look(enum noise_model m, double effect)
{
    const struct slw_margin margin = {log(1.02), SLW_MARGIN_USER};
    struct looked r = {.word = SLW_JUDGED_INCONCLUSIVE};
    double d[SLW_LOOK_LAST];

    noise_pairs(&chance, m, effect, true, d, SLW_LOOK_LAST);
    for (size_t i = 0; i < SLW_LOOK_COUNT; i++) {
        const struct slw_look *at = slw_look_at(i);
        const struct slw_difference x = interval_at(d, at->pairs, at->alpha);

        r.ever = r.ever || slw_difference_real(&x);
        r.ever_naive = r.ever_naive || x.p <= .05;
        if (r.word == SLW_JUDGED_INCONCLUSIVE) {
            r.word = slw_judge(&x, &margin, false).word;
            r.pairs = at->pairs;
        }
    }
    return r;
}

static const enum noise_model looked_at[] = {NOISE_GAUSS,     NOISE_TAIL,  NOISE_AR8,
                                             NOISE_STICKY,    NOISE_MIXED, NOISE_OUTLIERS,
                                             NOISE_OUTLIERS15};
#define LOOKED_AT (sizeof(looked_at) / sizeof(*looked_at))

static void looking_often_sees_little_that_is_not_there(void **state)
{
    const int trials = simulations(2000, 400);
    int all = 0, naive = 0;

    (void)state;
    for (size_t i = 0; i < LOOKED_AT; i++) {
        int ever = 0;

        for (int trial = 0; trial < trials; trial++) {
            const struct looked r = look(looked_at[i], 0);

            ever += r.ever;
            naive += r.ever_naive;
        }
        assert_most(noise_name(looked_at[i]), ever, trials, .075, .05);
        all += ever;
    }
    assert_most("mean of all", all, trials * (int)LOOKED_AT, .06, .05);
    assert_least("at 95 % each time", naive, trials * (int)LOOKED_AT, .12, .15);
}

static void looking_often_on_the_margin_says_neither_word(void **state)
{
    const int trials = simulations(2000, 300);

    (void)state;
    for (size_t i = 0; i < LOOKED_AT; i++) {
        int changed = 0, same = 0;

        for (int trial = 0; trial < trials; trial++) {
            const struct looked r = look(looked_at[i], log(1.02));

            changed += r.word == SLW_JUDGED_REGRESSED;
            same += r.word == SLW_JUDGED_NO_CHANGE;
        }
        assert_most(noise_name(looked_at[i]), changed, trials, .045, .03);
        assert_most("  no change", same, trials, .045, .03);
    }
}

static void a_large_change_is_found_at_once(void **state)
{
    const int trials = simulations(2000, 400);
    int changed = 0;
    size_t pairs = 0;

    (void)state;
    for (int trial = 0; trial < trials; trial++) {
        const struct looked r = look(NOISE_GAUSS, log(1.1));

        changed += r.word == SLW_JUDGED_REGRESSED;
        pairs += r.pairs;
    }
    assert_least("10 %: changed", changed, trials, .99, .999);
    print_message("pairs: %.1f\n", (double)pairs / trials);
    assert_true(pairs <= 10 * (size_t)trials);
}

/* ---- many metrics ---- */

#define METRICS 15

struct stars {
    int raw, holm, real; /* of the first three metrics: stars by Holm */
    int false_raw, false_holm;
};

/* Three groups of five; metrics of a group share most of their noise (correlation .8, across
 * groups .2), 3 % per pair in all. The first of each group differs by `effect`. */
static void metrics_of_a_round(double effect, double d[METRICS])
{
    const double all = noise_normal(&chance);

    for (size_t g = 0; g < 3; g++) {
        const double group = noise_normal(&chance);

        for (size_t i = 0; i < 5; i++)
            d[5 * g + i] =
                .03 * (sqrt(.2) * all + sqrt(.6) * group + sqrt(.2) * noise_normal(&chance)) +
                (i == 0 ? effect : 0);
    }
}

static void star(double effect, size_t n, struct stars *s)
{
    double d[METRICS][40], p[METRICS], adjusted[METRICS];
    bool raw = false, holm = false;

    for (size_t i = 0; i < n; i++) {
        double round[METRICS];

        metrics_of_a_round(effect, round);
        for (size_t m = 0; m < METRICS; m++)
            d[m][i] = round[m];
    }
    for (size_t m = 0; m < METRICS; m++)
        p[m] = interval_at(d[m], n, .05).p;
    assert_int_equal(slw_many_holm(p, METRICS, adjusted, NULL), 0);
    for (size_t m = 0; m < METRICS; m++) {
        raw = raw || (m % 5 && p[m] <= .05);
        holm = holm || ((m % 5 || effect == 0) && adjusted[m] <= .05);
        s->real += m % 5 == 0 && adjusted[m] <= .05;
        s->holm += adjusted[m] <= .05;
    }
    s->false_raw += raw;
    s->false_holm += holm;
}

static void holm_stars_few_that_do_not_deserve_it(void **state)
{
    const int trials = simulations(2000, 300);
    struct stars ten = {0}, fifteen = {0}, changed = {0};

    (void)state;
    for (int trial = 0; trial < trials; trial++) {
        star(0, 10, &ten);
        star(0, 15, &fifteen);
        star(.05, 15, &changed);
    }
    assert_most("15 metrics, 10 pairs", ten.false_holm, trials, .06, .04);
    assert_most("15 metrics, 15 pairs", fifteen.false_holm, trials, .06, .045);
    assert_least("without correction", fifteen.false_raw, trials, .2, .27);
    assert_least("5 % is starred", changed.real, 3 * trials, .9, .95);
}

static void too_few_pairs_for_so_many_metrics_give_no_star(void **state)
{
    struct stars eight = {0};

    (void)state;
    assert_int_equal(slw_many_least_pairs(.05, METRICS), 10);
    for (int trial = 0; trial < 50; trial++)
        star(10, 8, &eight);
    assert_int_equal(eight.holm, 0);
}

/* ---- quantiles ---- */

#define REQUESTS 500

static int by_value(const void *a, const void *b)
{
    const double left = *(const double *)a, right = *(const double *)b;

    return (left > right) - (left < right);
}

/* Latencies of one run: each run has its own level, 10 % from the next. */
static void run_latencies(double *v)
{
    const double level = .1 * noise_normal(&chance);

    for (size_t i = 0; i < REQUESTS; i++)
        v[i] = level + .4 * noise_normal(&chance);
}

/* Ranks n/2 +- sqrt(n): 95 % of a median of n independent values. Does the pooled A lie clear of
 * the pooled B by it? */
static bool pooled_apart(double *a, double *b, size_t n)
{
    const size_t off = (size_t)(.98 * sqrt((double)n));

    qsort(a, n, sizeof(*a), by_value);
    qsort(b, n, sizeof(*b), by_value);
    const double half_a = (a[n / 2 + off] - a[n / 2 - off]) / 2;
    const double half_b = (b[n / 2 + off] - b[n / 2 - off]) / 2;

    return fabs(a[n / 2] - b[n / 2]) > sqrt(half_a * half_a + half_b * half_b);
}

static void a_quantile_per_round_covers_where_pooling_does_not(void **state)
{
    static double a[10 * REQUESTS], b[10 * REQUESTS];
    const int trials = simulations(1000, 100);
    int covered = 0, pooled = 0;

    (void)state;
    for (int trial = 0; trial < trials; trial++) {
        double d[10];

        for (size_t i = 0; i < 10; i++) {
            double *of_a = a + i * REQUESTS, *of_b = b + i * REQUESTS;

            run_latencies(of_a);
            run_latencies(of_b);
            qsort(of_a, REQUESTS, sizeof(*a), by_value);
            qsort(of_b, REQUESTS, sizeof(*b), by_value);
            d[i] = slw_quantile_of_sorted(of_b, REQUESTS, .5) -
                   slw_quantile_of_sorted(of_a, REQUESTS, .5);
        }
        const struct slw_difference r = interval_at(d, 10, .05);

        covered += r.low <= 0 && r.high >= 0;
        pooled += !pooled_apart(a, b, sizeof(a) / sizeof(*a));
    }
    assert_least("p50 per round", covered, trials, .92, .95);
    assert_most("p50 of all requests", pooled, trials, .6, .35);
}

/* ---- the floor ---- */

static struct slw_difference biased(double tau)
{
    const double bias = tau * (noise_normal(&chance) - noise_normal(&chance));
    double d[20];

    for (size_t i = 0; i < 20; i++)
        d[i] = bias + .01 * (noise_normal(&chance) - noise_normal(&chance));
    return interval_at(d, 20, .05);
}

static bool changed_at(const struct slw_difference *r, double floor)
{
    const struct slw_margin margin = slw_margin_of(log(1.02), floor, 0);
    const enum slw_judged word = slw_judge(r, &margin, false).word;

    return word == SLW_JUDGED_REGRESSED || word == SLW_JUDGED_IMPROVED;
}

static void a_floor_of_five_stops_what_lasts_the_whole_comparison(void **state)
{
    const int trials = simulations(2000, 600);

    (void)state;
    for (int percent = 1; percent <= 2; percent++) {
        const double tau = percent / 100.;
        int none = 0, five = 0;

        for (int trial = 0; trial < trials; trial++) {
            double estimates[5], floor;

            for (size_t i = 0; i < 5; i++)
                estimates[i] = biased(tau).estimate;
            assert_int_equal(slw_floor_of_many(estimates, 5, &floor, NULL), 0);
            const struct slw_difference r = biased(tau);

            none += slw_difference_real(&r);
            five += changed_at(&r, floor);
        }
        assert_least("hidden bias, no margin", none, trials, .5, .65);
        assert_most("hidden bias, floor of 5 A/As", five, trials, .04, .025);
    }
}

/* ---- sweeps ---- */

#define POINTS 8
#define BLOCKS 10
#define RUNS   ((size_t)BLOCKS * POINTS)

static const double batches[POINTS] = {1, 2, 4, 8, 16, 32, 64, 128};

struct hits {
    int fixed, marginal, knee, misfits;
};

enum sweep_noise { IID, TAIL, OUTLIERS, MIXED, SLOW, SWEEP_NOISES };

static void sweep_noise(enum sweep_noise kind, double *e)
{
    static const enum noise_model models[] = {NOISE_GAUSS, NOISE_TAIL, NOISE_OUTLIERS, NOISE_MIXED,
                                              NOISE_AR8};

    noise_runs(&chance, models[kind], e, RUNS);
    for (size_t i = 0; kind == IID && i < RUNS; i++)
        e[i] *= 1.5; /* 3 % */
}

static bool holds(const struct slw_difference *r, double truth)
{
    return r->low <= truth && truth <= r->high;
}

/* A sweep over noise whose centre is moved to 0. */
static struct slw_sweep_fit sweep_once(enum sweep_noise kind, double ratio, double bend,
                                       double centre)
{
    double e[RUNS], cost[RUNS];
    const struct slw_sweep s = {BLOCKS, POINTS, batches, cost};
    struct slw_sweep_fit f;

    sweep_noise(kind, e);
    for (size_t b = 0; b < BLOCKS; b++) {
        size_t order[POINTS];

        slw_coin_shuffle(&chance, order, POINTS);
        for (size_t i = 0; i < POINTS; i++)
            cost[b * POINTS + i] =
                (ratio / batches[i] + 1) * exp(e[b * POINTS + order[i]] - centre);
        cost[b * POINTS + POINTS - 1] *= 1 + bend;
    }
    assert_int_equal(slw_sweep_fit_of(&s, .05, 1, &f, NULL), 0);
    return f;
}

/* Skewed noise has no centre but the one a method takes for it. One number for every batch and
 * both costs: what sweeps of a cost that does not depend on the batch settle on. */
static double sweep_centre(enum sweep_noise kind)
{
    const int trials = 400;
    double centre = 0;

    for (int i = 0; kind != IID && i < trials; i++)
        centre += log(sweep_once(kind, 1, 0, 0).marginal.estimate) / trials;
    return centre;
}

static void a_sweep_finds_its_fixed_and_marginal_cost(void **state)
{
    static const char *const names[] = {"iid", "tail", "outliers", "mixed", "AR(1) .8"};
    const int trials = simulations(600, 200);

    (void)state;
    for (enum sweep_noise kind = 0; kind < SWEEP_NOISES; kind++) {
        const double centre = sweep_centre(kind);

        for (int ratio = 3; ratio <= 20; ratio += 17) {
            struct hits h = {0};

            for (int trial = 0; trial < trials; trial++) {
                const struct slw_sweep_fit f = sweep_once(kind, ratio, 0, centre);

                h.fixed += holds(&f.fixed, ratio);
                h.marginal += holds(&f.marginal, 1);
                h.knee += f.knee == SLW_KNEE_KNOWN && holds(&f.log_ratio, log(ratio));
                h.misfits += !f.fits;
            }
            print_message("%s noise (centre %.4f), fixed/marginal %d:\n", names[kind], centre,
                          ratio);
            /* What blocks share moves both costs, and no interval over blocks sees it. */
            assert_least("  fixed", h.fixed, trials, kind == SLOW ? .8 : .91, .95);
            assert_least("  marginal", h.marginal, trials, kind == SLOW ? .8 : .91, .95);
            assert_least("  knee", h.knee, trials, .91, .95);
            assert_most("  lack of fit", h.misfits, trials, .08, .05);
        }
    }
}

static void a_bend_of_a_fifth_is_a_lack_of_fit(void **state)
{
    const int trials = simulations(600, 200);
    int misfits = 0;

    (void)state;
    for (int trial = 0; trial < trials; trial++)
        misfits += !sweep_once(IID, 3, .2, 0).fits;
    assert_least("bend of 20 %", misfits, trials, .95, .995);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        simulation_test(looking_often_sees_little_that_is_not_there),
        simulation_test(looking_often_on_the_margin_says_neither_word),
        simulation_test(a_large_change_is_found_at_once),
        simulation_test(holm_stars_few_that_do_not_deserve_it),
        simulation_test(too_few_pairs_for_so_many_metrics_give_no_star),
        simulation_test(a_quantile_per_round_covers_where_pooling_does_not),
        simulation_test(a_floor_of_five_stops_what_lasts_the_whole_comparison),
        simulation_test(a_sweep_finds_its_fixed_and_marginal_cost),
        simulation_test(a_bend_of_a_fifth_is_a_lack_of_fit),
    };

    print_message("seed %llu\n", (unsigned long long)SIMULATION_SEED);
    return cmocka_run_group_tests(tests, simulation_setup, simulation_teardown);
}

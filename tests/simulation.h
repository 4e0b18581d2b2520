/* SPDX-License-Identifier: MIT */
/* Simulations held against what docs/statistics.md states. Seeds are fixed. SLW_STATISTICS_FULL=1
 * in the environment runs the numbers of simulations the stated bounds are for, and holds the
 * shares to these bounds; fewer are run otherwise, and the bounds moved to six standard deviations
 * beyond the value that is expected, where that is looser. */
#ifndef SLW_TESTS_SIMULATION_H
#define SLW_TESTS_SIMULATION_H

#include "analyzer/statistics/paired.h"
#include "tests/near.h"
#include "tests/noise_models.h"

#include <stdio.h>
#include <stdlib.h>

#define SIMULATION_SEED UINT64_C(20261122)

static struct slw_paired *space;
static struct slw_coin chance;

static inline bool simulation_full(void)
{
    return getenv("SLW_STATISTICS_FULL") != NULL;
}

static inline int simulations(int full, int few)
{
    return simulation_full() ? full : few;
}

static inline double six_deviations(double expected, int trials)
{
    return simulation_full() ? 0 : 6 * sqrt(expected * (1 - expected) / trials);
}

static inline void assert_least(const char *what, int hits, int trials, double bound,
                                double expected)
{
    const double least = fmin(bound, expected - six_deviations(expected, trials));
    const double share = (double)hits / trials;

    print_message("%s: %.1f %% of %d (at least %.1f)\n", what, 100 * share, trials, 100 * least);
    assert_true(trials > 0 && share >= least);
}

static inline void assert_most(const char *what, int hits, int trials, double bound,
                               double expected)
{
    const double most = fmax(bound, expected + six_deviations(expected, trials));
    const double share = (double)hits / trials;

    print_message("%s: %.1f %% of %d (at most %.1f)\n", what, 100 * share, trials, 100 * most);
    assert_true(trials > 0 && share <= most);
}

static inline struct slw_difference interval_at(const double *d, size_t n, double alpha)
{
    struct slw_difference r = {0};

    assert_int_equal(slw_paired_interval(space, d, n, alpha, &r, NULL), 0);
    return r;
}

static inline int simulation_setup(void **state)
{
    (void)state;
    return slw_paired_new(40, &space, NULL);
}

static inline int simulation_teardown(void **state)
{
    (void)state;
    slw_paired_free(space);
    return 0;
}

/* Each test starts from the same seed, so that it may be run alone. */
static inline int simulation_reseed(void **state)
{
    (void)state;
    chance = slw_coin_of(SIMULATION_SEED);
    return 0;
}

#define simulation_test(name) cmocka_unit_test_setup(name, simulation_reseed)

#endif

/* SPDX-License-Identifier: MIT */
/* How often do intervals hold a simulated truth? The share of hits is held against 95 % less six
 * standard deviations of what so many trials can give: below it is no bad luck. */
#ifndef SLW_TESTS_HITS_OF_INTERVALS_H
#define SLW_TESTS_HITS_OF_INTERVALS_H

#include "tests/unit/cmocka_int.h"

#include <math.h>
#include <stdint.h>

static uint64_t random_state;

static inline double uniform(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (double)(random_state >> 11) * 0x1p-53;
}

/* Box and Muller. */
static inline double normal(void)
{
    return sqrt(-2 * log(1 - uniform())) * cos(6.283185307179586 * uniform());
}

static inline void start_random(uint64_t seed)
{
    random_state = seed;
    print_message("seed %llu\n", (unsigned long long)seed);
}

static inline void assert_share_of_hits(const char *what, int hits, int trials)
{
    const double share = (double)hits / trials;
    const double least = 0.95 - 6 * sqrt(0.95 * 0.05 / trials);

    print_message("%s: %.2f %% of %d intervals hold the truth (at least %.2f)\n", what, share * 100,
                  trials, least * 100);
    assert_true(share >= least);
}

#endif

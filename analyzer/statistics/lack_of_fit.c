/* SPDX-License-Identifier: MIT */
#include "analyzer/statistics/lack_of_fit.h"
#include "analyzer/statistics/order.h"
#include "analyzer/statistics/sweep_fit.h"

#include <assert.h>
#include <math.h>

#define ALL_UP_TO     11   /* blocks: 1024 choices of signs, the first block's does not matter */
#define RANDOM_CHOICE 1023 /* beyond: so many random ones */

struct flips {
    const double *error;
    size_t points;
    double sum[SLW_MAX_SWEEP_POINTS]; /* over the blocks, with signs */
    signed char sign[SLW_MAX_PAIRS];
};

static void flip(struct flips *f, size_t block)
{
    f->sign[block] = (signed char)-f->sign[block];
    for (size_t i = 0; i < f->points; i++)
        f->sum[i] += 2 * f->sign[block] * f->error[block * f->points + i];
}

static double agreement(const struct flips *f)
{
    double squares = 0;

    for (size_t i = 0; i < f->points; i++)
        squares += f->sum[i] * f->sum[i];
    return squares;
}

/* The next choice of signs: one flip as in a Gray code visits all of them once; else each block's
 * sign by a coin. */
static void choose(struct flips *f, size_t blocks, size_t choice, struct slw_coin *coin)
{
    if (blocks <= ALL_UP_TO) {
        flip(f, 1 + (size_t)__builtin_ctzll(choice));
        return;
    }
    for (size_t b = 0; b < blocks; b++)
        if (slw_coin_flip(coin))
            flip(f, b);
}

double slw_lack_of_fit(const double *error, size_t blocks, size_t points, uint64_t seed)
{
    struct flips f = {.error = error, .points = points};
    struct slw_coin coin = slw_coin_of(seed);

    assert(blocks > 0 && blocks <= SLW_MAX_PAIRS && points <= SLW_MAX_SWEEP_POINTS);
    for (size_t b = 0; b < blocks; b++) {
        f.sign[b] = 1;
        for (size_t i = 0; i < points; i++)
            f.sum[i] += error[b * points + i];
    }
    const double seen = agreement(&f) * (1 - 1e-9); /* sums in another order may round down */
    const size_t others =
        blocks <= ALL_UP_TO ? ((size_t)1 << (blocks - 1)) - 1 : (size_t)RANDOM_CHOICE;
    size_t as_large = 1;

    for (size_t choice = 1; choice <= others; choice++) {
        choose(&f, blocks, choice, &coin);
        as_large += agreement(&f) >= seen;
    }
    return (double)as_large / (double)(others + 1);
}

double slw_misfit_of(const double *error, size_t blocks, size_t points)
{
    double column[SLW_MAX_PAIRS], largest = 0;

    assert(blocks > 0 && blocks <= SLW_MAX_PAIRS);
    for (size_t i = 0; i < points; i++) {
        for (size_t b = 0; b < blocks; b++)
            column[b] = error[b * points + i];
        largest = fmax(largest, fabs(slw_median_of(column, blocks)));
    }
    return largest;
}

double slw_median_of(double *v, size_t n)
{
    assert(n > 0);
    for (size_t i = 1; i < n; i++) {
        const double value = v[i];
        size_t at = i;

        for (; at > 0 && v[at - 1] > value; at--)
            v[at] = v[at - 1];
        v[at] = value;
    }
    return v[(n - 1) / 2] / 2 + v[n / 2] / 2;
}

/* SPDX-License-Identifier: MIT */
#include "analyzer/statistics/regimes.h"
#include "analyzer/statistics/lack_of_fit.h"
#include "analyzer/statistics/paired.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* Part of the scatter that may be left inside the two regimes. Gaussian values leave .36, equally
 * spread ones .25; two modes five standard deviations apart leave .14. */
#define MOST_LEFT  0.12
#define LEAST_PART 4 /* a regime has a quarter of the runs or more: no few outliers */

/* Sum of squared distances from the mean of v[from..to-1]. */
static double scatter(const double *v, size_t from, size_t to)
{
    double mean = 0, squares = 0;

    for (size_t i = from; i < to; i++)
        mean += v[i] / (double)(to - from);
    for (size_t i = from; i < to; i++)
        squares += (v[i] - mean) * (v[i] - mean);
    return squares;
}

struct slw_regimes slw_regimes_of(const double *y, size_t n)
{
    double v[SLW_MAX_PAIRS], least = 0;
    size_t at = 0;

    assert(n <= SLW_MAX_PAIRS);
    if (n < SLW_MIN_REGIME_RUNS)
        return (struct slw_regimes){0};
    memcpy(v, y, n * sizeof(*v));
    (void)slw_median_of(v, n); /* sorts */
    const size_t fewest = (n + LEAST_PART - 1) / LEAST_PART;

    for (size_t i = fewest; i <= n - fewest; i++) {
        const double inside = scatter(v, 0, i) + scatter(v, i, n);

        if (v[i] > v[i - 1] && (at == 0 || inside < least)) {
            least = inside;
            at = i;
        }
    }
    if (at == 0 || least > MOST_LEFT * scatter(v, 0, n))
        return (struct slw_regimes){0};
    return (struct slw_regimes){
        .two = true,
        .boundary = v[at - 1] / 2 + v[at] / 2,
        .low = slw_median_of(v, at),
        .high = slw_median_of(v + at, n - at),
        .low_count = at,
        .high_count = n - at,
    };
}

struct slw_regime_pairs slw_regime_pairs_of(const double *a, const double *b, size_t n,
                                            const struct slw_regimes *of_a,
                                            const struct slw_regimes *of_b)
{
    double low[SLW_MAX_PAIRS], high[SLW_MAX_PAIRS];
    struct slw_regime_pairs p = {0};

    assert(n <= SLW_MAX_PAIRS && of_a->two && of_b->two);
    for (size_t i = 0; i < n; i++) {
        const bool a_high = a[i] > of_a->boundary, b_high = b[i] > of_b->boundary;

        if (a_high != b_high)
            p.mixed_count++;
        else if (a_high)
            high[p.high_count++] = b[i] - a[i];
        else
            low[p.low_count++] = b[i] - a[i];
    }
    p.low = p.low_count ? slw_median_of(low, p.low_count) : 0;
    p.high = p.high_count ? slw_median_of(high, p.high_count) : 0;
    return p;
}

/* Rises less falls among all pairs of rounds, in standard deviations of what a random order gives.
 */
static double trend(const double *v, size_t n)
{
    const double count = (double)n;
    double rises = 0;

    for (size_t i = 0; i < n; i++)
        for (size_t j = i + 1; j < n; j++)
            rises += (v[j] > v[i]) - (v[j] < v[i]);
    const double one_less = rises > 0 ? rises - 1 : rises + (rises < 0); /* continuity */

    return one_less / sqrt(count * (count - 1) * (2 * count + 5) / 18);
}

struct slw_drift slw_drift_of(const double *a, const double *b, size_t n)
{
    double level[SLW_MAX_PAIRS];
    const size_t third = n / 3;

    assert(n <= SLW_MAX_PAIRS);
    if (third == 0)
        return (struct slw_drift){0};
    for (size_t i = 0; i < n; i++)
        level[i] = a[i] / 2 + b[i] / 2;
    const bool sure = fabs(trend(level, n)) > 1.96;
    const double first = slw_median_of(level, third);
    const double last = slw_median_of(level + n - third, third);

    /* The middles of the outer thirds are n - third rounds apart, the ends n - 1. */
    return (struct slw_drift){(last - first) * (double)(n - 1) / (double)(n - third), sure};
}

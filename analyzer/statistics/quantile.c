/* SPDX-License-Identifier: MIT */
#include "analyzer/statistics/quantile.h"

#include <assert.h>
#include <math.h>

double slw_quantile_of_sorted(const double *sorted, size_t n, double q)
{
    assert(n > 0 && q >= 0 && q <= 1);
    const double at = q * (double)(n - 1);
    const size_t below = (size_t)at;

    if (below + 1 >= n)
        return sorted[n - 1];
    return sorted[below] + (at - (double)below) * (sorted[below + 1] - sorted[below]);
}

uint64_t slw_quantile_least(double q)
{
    assert(q >= 0 && q < 1);
    /* 1 - 0.99 is a little below 0.01: do not ask for one more for that. */
    return (uint64_t)ceil(20 / (1 - q) * (1 - 1e-9));
}

struct slw_quantile_plan slw_quantile_plan_of(double q, uint64_t requests_a, uint64_t requests_b)
{
    const uint64_t fewer = requests_a < requests_b ? requests_a : requests_b;
    const uint64_t more = requests_a < requests_b ? requests_b : requests_a;

    return (struct slw_quantile_plan){
        .enough = fewer >= slw_quantile_least(q),
        .cut = (double)(more - fewer) > 0.1 * (double)more,
        .use = fewer,
    };
}

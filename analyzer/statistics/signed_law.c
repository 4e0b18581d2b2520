/* SPDX-License-Identifier: MIT */
#include "analyzer/statistics/signed_law.h"

#include <assert.h>

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t slw_signed_cap(size_t pairs)
{
    const size_t quarter = (pairs + 3) / 4;

    return smaller((pairs + 1) / 2, quarter > 5 ? quarter : 5);
}

size_t slw_signed_total(size_t pairs, size_t cap)
{
    const size_t rising = smaller(pairs, cap);

    return rising * (rising + 1) / 2 + (pairs - rising) * cap;
}

/* Subset sums, one score after the other, halved each time so that they stay probabilities. */
void slw_signed_law(size_t pairs, size_t cap, double *at_most)
{
    size_t reach = 0;

    assert(cap > 0);
    at_most[0] = 1;
    for (size_t i = 1; i <= pairs; i++) {
        const size_t score = smaller(i, cap);

        for (size_t k = reach + 1; k <= reach + score; k++)
            at_most[k] = 0;
        reach += score;
        for (size_t k = reach + 1; k-- > 0;)
            at_most[k] = (at_most[k] + (k >= score ? at_most[k - score] : 0)) / 2;
    }
    for (size_t k = 1; k <= reach; k++)
        at_most[k] += at_most[k - 1];
}

bool slw_signed_critical(const double *at_most, size_t total, double alpha, size_t *ret_t)
{
    size_t t = 0;

    if (at_most[0] > alpha / 2)
        return false;
    while (t < total && at_most[t + 1] <= alpha / 2)
        t++;
    *ret_t = t;
    return true;
}

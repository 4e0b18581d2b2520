/* SPDX-License-Identifier: MIT */
#include "analyzer/statistics/many.h"

#include <assert.h>
#include <math.h>
#include <stdint.h>

double slw_many_alpha(double alpha, size_t gated)
{
    assert(gated > 0);
    return alpha / (double)gated;
}

size_t slw_many_least_pairs(double alpha, size_t statements)
{
    size_t pairs = 1;

    assert(alpha > 0 && statements > 0);
    while (ldexp(1, 1 - (int)pairs) > alpha / (double)statements)
        pairs++;
    return pairs;
}

static double least(double a, double b)
{
    return a < b ? a : b;
}

static int rank(const double *p, size_t count, uint16_t *order, struct slw_error *err)
{
    if (count > SLW_MAX_STATEMENTS)
        return slw_fail(err, SLW_E_LIMIT, "%zu metrics, at most %d are judged together", count,
                        SLW_MAX_STATEMENTS);
    for (size_t i = 0; i < count; i++) {
        size_t at = i;

        for (; at > 0 && p[order[at - 1]] > p[i]; at--)
            order[at] = order[at - 1];
        order[at] = (uint16_t)i;
    }
    return 0;
}

int slw_many_holm(const double *p, size_t count, double *ret_adjusted, struct slw_error *err)
{
    uint16_t order[SLW_MAX_STATEMENTS];
    double largest = 0;
    const int status = rank(p, count, order, err);

    if (status < 0)
        return status;
    for (size_t i = 0; i < count; i++) {
        const double adjusted = least(1, (double)(count - i) * p[order[i]]);

        largest = adjusted > largest ? adjusted : largest;
        ret_adjusted[order[i]] = largest;
    }
    return 0;
}

int slw_many_fdr(const double *p, size_t count, double *ret_adjusted, struct slw_error *err)
{
    uint16_t order[SLW_MAX_STATEMENTS];
    double smallest = 1;
    const int status = rank(p, count, order, err);

    if (status < 0)
        return status;
    for (size_t i = count; i-- > 0;) {
        smallest = least(smallest, (double)count / (double)(i + 1) * p[order[i]]);
        ret_adjusted[order[i]] = smallest;
    }
    return 0;
}

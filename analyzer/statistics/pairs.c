/* SPDX-License-Identifier: MIT */
#include "analyzer/statistics/pairs.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

static enum slw_pairs_kind kind_of(const double *a, const double *b, size_t n)
{
    bool any = false, zero = true, positive = true;

    for (size_t i = 0; i < n; i++) {
        if (!isfinite(a[i]) || !isfinite(b[i]))
            continue;
        any = true;
        zero = zero && a[i] == 0 && b[i] == 0;
        positive = positive && a[i] > 0 && b[i] > 0;
    }
    if (!any)
        return SLW_PAIRS_NONE;
    if (zero)
        return SLW_PAIRS_ZERO;
    return positive ? SLW_PAIRS_RATIO : SLW_PAIRS_DIFFERENCE;
}

struct slw_pairs slw_pairs_of(const double *a, const double *b, size_t n, double *d)
{
    struct slw_pairs p = {.kind = kind_of(a, b, n)};

    for (size_t i = 0; i < n; i++) {
        if (!isfinite(a[i]) || !isfinite(b[i])) {
            p.dropped++;
            continue;
        }
        /* Two logarithms: the quotient may overflow where its logarithm does not. */
        d[p.used++] = p.kind == SLW_PAIRS_RATIO ? log(b[i]) - log(a[i]) : b[i] - a[i];
    }
    return p;
}

static int by_value(const void *a, const void *b)
{
    const double left = *(const double *)a, right = *(const double *)b;

    return (left > right) - (left < right);
}

double slw_smallest_step(double *v, size_t n)
{
    double step = 0;

    qsort(v, n, sizeof(*v), by_value);
    for (size_t i = 1; i < n; i++)
        if (v[i] > v[i - 1] && (step == 0 || v[i] - v[i - 1] < step))
            step = v[i] - v[i - 1];
    return step;
}

double slw_resolution_of_ratio(double step, double median)
{
    assert(step >= 0 && median > 0);
    return log1p(step / median);
}

/* SPDX-License-Identifier: MIT */
#include "analyzer/share.h"

#include <assert.h>
#include <math.h>

#define Z95 1.959963984540054 /* 97.5 % quantile of the normal distribution */

struct slw_share slw_share_of(uint64_t part, uint64_t total, uint64_t samples)
{
    struct slw_share s = {0};

    assert(part <= total);
    if (total == 0)
        return s;
    s.have = true;
    s.value = s.low = s.high = (double)part / (double)total;
    if (samples == 0)
        return s;
    double n = (double)samples, p = s.value, z2 = Z95 * Z95;
    double center = (p + z2 / (2 * n)) / (1 + z2 / n);
    double half = Z95 / (1 + z2 / n) * sqrt(p * (1 - p) / n + z2 / (4 * n * n));
    s.have_interval = true;
    /* Rounding may push a bound past the value or out of 0..1 by an ulp. */
    s.low = fmax(0, fmin(p, center - half));
    s.high = fmin(1, fmax(p, center + half));
    return s;
}

/* SPDX-License-Identifier: MIT */
#include "analyzer/interval.h"

#include <assert.h>
#include <math.h>

#define Z95 1.959963984540054 /* 97.5 % quantile of the normal distribution */

const char *slw_interval_from(const struct slw_interval *i)
{
    static const char *const names[] = {
        NULL,
        "rounds",
        "coverage",
        "rounds+coverage",
        "8-bit",
        "rounds+8-bit",
        "coverage+8-bit",
        "rounds+coverage+8-bit",
        "sample",
        "rounds+sample",
        "coverage+sample",
        "rounds+coverage+sample",
        "8-bit+sample",
        "rounds+8-bit+sample",
        "coverage+8-bit+sample",
        "rounds+coverage+8-bit+sample",
    };

    return i->have ? names[i->from & 15] : NULL;
}

double slw_interval_half(const struct slw_interval *i, double value)
{
    return i->have ? fmax(i->high - value, value - i->low) : 0;
}

double slw_student_t(size_t freedom)
{
    /* Tables of the t distribution, 97.5 %. */
    static const double first[] = {12.706205, 4.302653, 3.182446, 2.776445, 2.570582,
                                   2.446912,  2.364624, 2.306004, 2.262157, 2.228139};

    assert(freedom >= 1);
    if (freedom <= sizeof(first) / sizeof(first[0]))
        return first[freedom - 1];
    /* Cornish-Fisher expansion; from 11 degrees of freedom on right to 1e-5. Source: Abramowitz
     * and Stegun 26.7.5. */
    const double n = (double)freedom, z = Z95, z2 = z * z;
    const double g1 = (z2 + 1) * z / 4;
    const double g2 = ((5 * z2 + 16) * z2 + 3) * z / 96;
    const double g3 = (((3 * z2 + 19) * z2 + 17) * z2 - 15) * z / 384;
    const double g4 = ((((79 * z2 + 776) * z2 + 1482) * z2 - 1920) * z2 - 945) * z / 92160;
    return z + (g1 + (g2 + (g3 + g4 / n) / n) / n) / n;
}

void slw_series_add(struct slw_series *s, double value)
{
    const double before = value - s->mean;

    s->count++;
    s->mean += before / (double)s->count;
    s->squares += before * (value - s->mean);
}

double slw_series_half(const struct slw_series *s)
{
    assert(s->count >= 2);
    const double n = (double)s->count, variance = fmax(s->squares, 0) / (n - 1);

    return slw_student_t(s->count - 1) * sqrt(variance / n);
}

struct slw_interval slw_interval_of_partial(const struct slw_partial *p)
{
    assert(p->low < p->high && p->coverage > 0 && p->coverage < 1 && p->slices >= 1);
    const double width = p->high - p->low;
    const double share = fmin(fmax((p->value - p->low) / width, 0), 1);
    const double n = p->slices / (1 - p->coverage), z2 = Z95 * Z95;
    const double center = (share + z2 / (2 * n)) / (1 + z2 / n);
    const double half = Z95 / (1 + z2 / n) * sqrt(share * (1 - share) / n + z2 / (4 * n * n));
    const double times = p->sources > 1 ? (double)p->sources : 1;
    struct slw_interval i = {.have = true, .from = SLW_INTERVAL_COVERAGE};

    i.low = p->value - times * width * fmax(share - (center - half), 0);
    i.high = p->value + times * width * fmax(center + half - share, 0);
    return i;
}

void slw_interval_widen(struct slw_interval *i, double value, double more, unsigned from)
{
    if (!i->have)
        *i = (struct slw_interval){.have = true, .low = value, .high = value};
    i->low -= more;
    i->high += more;
    i->from |= from;
}

void slw_interval_clip(struct slw_interval *i, double value, double low, double high)
{
    i->low = fmin(fmax(i->low, low), value);
    i->high = fmax(fmin(i->high, high), value);
}

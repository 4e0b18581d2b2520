/* SPDX-License-Identifier: MIT */
#include "analyzer/statistics/paired.h"
#include "analyzer/statistics/signed_law.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct slw_paired {
    size_t max_pairs;
    size_t pairs, cap, total; /* at_most is the law of these; pairs 0: of none yet */
    double *values;           /* the differences, ascending */
    double *averages;         /* of any two of them, ascending, without repetitions */
    double *spare;            /* for merging, as long as averages */
    double *at_most;
    double space[]; /* all of them */
};

static size_t average_count(size_t pairs)
{
    return pairs * (pairs + 1) / 2;
}

int slw_paired_new(size_t max_pairs, struct slw_paired **ret_paired, struct slw_error *err)
{
    if (max_pairs > SLW_MAX_PAIRS)
        return slw_fail(err, SLW_E_LIMIT, "%zu pairs of runs, at most %d are compared", max_pairs,
                        SLW_MAX_PAIRS);
    const size_t most = average_count(max_pairs);
    struct slw_paired *p = calloc(1, sizeof(*p) + (max_pairs + 3 * most + 1) * sizeof(double));

    if (!p)
        return slw_fail(err, SLW_E_NOMEM, "no memory to compare %zu pairs", max_pairs);
    p->max_pairs = max_pairs;
    p->values = p->space;
    p->averages = p->values + max_pairs;
    p->spare = p->averages + most;
    p->at_most = p->spare + most;
    *ret_paired = p;
    return 0;
}

void slw_paired_free(struct slw_paired *p)
{
    free(p);
}

static void use_law(struct slw_paired *p, size_t pairs, size_t cap)
{
    if (p->pairs == pairs && p->cap == cap)
        return;
    slw_signed_law(pairs, cap, p->at_most);
    p->pairs = pairs;
    p->cap = cap;
    p->total = slw_signed_total(pairs, cap);
}

/* ---- sorted values and averages, without qsort, which allocates ---- */

static void insertion_sort(double *v, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        const double value = v[i];
        size_t at = i;

        for (; at > 0 && v[at - 1] > value; at--)
            v[at] = v[at - 1];
        v[at] = value;
    }
}

static void merge(const double *from, size_t middle, size_t end, double *to)
{
    size_t left = 0, right = middle;

    for (size_t i = 0; i < end; i++)
        to[i] = right >= end || (left < middle && from[left] <= from[right]) ? from[left++]
                                                                             : from[right++];
}

/* Where the row of averages with the value `row` starts; rows follow each other and ascend. */
static size_t row_start(size_t n, size_t row)
{
    return row >= n ? average_count(n) : row * n - row * (row - 1) / 2;
}

/* The rows are runs that are sorted already: merge neighbours until one is left. */
static void merge_rows(struct slw_paired *p, size_t n)
{
    const size_t count = average_count(n);

    for (size_t rows = 1; rows < n; rows *= 2) {
        for (size_t row = 0; row < n; row += 2 * rows) {
            const size_t start = row_start(n, row);

            merge(p->averages + start, row_start(n, row + rows) - start,
                  row_start(n, row + 2 * rows) - start, p->spare + start);
        }
        memcpy(p->averages, p->spare, count * sizeof(double));
    }
}

/* Fill p->values and p->averages; returns how many averages differ. */
static size_t sort_averages(struct slw_paired *p, const double *d, size_t n)
{
    size_t count = 0, kept = 0;

    memcpy(p->values, d, n * sizeof(double));
    insertion_sort(p->values, n);
    for (size_t i = 0; i < n; i++)
        for (size_t j = i; j < n; j++)
            p->averages[count++] = p->values[i] / 2 + p->values[j] / 2;
    merge_rows(p, n);
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || p->averages[i] != p->averages[kept - 1])
            p->averages[kept++] = p->averages[i];
    return kept;
}

/* Turn v into its negative, ascending again. */
static void mirror(double *v, size_t n)
{
    for (size_t i = 0; i < n / 2; i++) {
        const double first = v[i];

        v[i] = -v[n - 1 - i];
        v[n - 1 - i] = -first;
    }
    if (n % 2)
        v[n / 2] = -v[n / 2];
}

/* ---- the statistic and the search ---- */

/* Scores of the values below theta, just right of theta: a value equal to theta counts as below,
 * and of two at the same distance the one below ranks higher. Ranks come from walking outward from
 * theta to both sides. */
static size_t below_scores(const struct slw_paired *p, size_t n, double theta)
{
    const double *v = p->values;
    size_t above = 0, sum = 0;

    while (above < n && v[above] <= theta)
        above++;
    for (size_t rank = 1, below = above; below > 0; rank++) {
        if (above < n && v[above] - theta <= theta - v[below - 1]) {
            above++;
        } else {
            below--;
            sum += rank < p->cap ? rank : p->cap;
        }
    }
    return sum;
}

/* The upper end of the last gap between averages in which the scores below are t at most. They
 * only grow from gap to gap; gap k ends at averages[k], and below gap 0 there is nothing. */
static double lower_end(const struct slw_paired *p, size_t n, size_t averages, size_t t)
{
    size_t first = 0, last = averages - 1;

    while (first < last) {
        const size_t gap = last - (last - first) / 2;

        if (below_scores(p, n, p->averages[gap - 1] / 2 + p->averages[gap] / 2) <= t)
            first = gap;
        else
            last = gap - 1;
    }
    return p->averages[first];
}

/* Lower end and estimate of what p holds; the upper ones are those of its mirror image. */
static void search(struct slw_paired *p, size_t n, size_t averages, const size_t *t,
                   struct slw_difference *d)
{
    const size_t half = (p->total - 1) / 2;
    const double below = lower_end(p, n, averages, half);

    if (t)
        d->low = lower_end(p, n, averages, *t);
    const size_t scores_below = below_scores(p, n, 0);
    mirror(p->values, n);
    mirror(p->averages, averages);
    d->estimate = below / 2 - lower_end(p, n, averages, half) / 2;
    if (t)
        d->high = -lower_end(p, n, averages, *t);
    const size_t scores_above = below_scores(p, n, 0);
    d->p = 2 * p->at_most[scores_below < scores_above ? scores_below : scores_above];
    d->p = d->p < 1 ? d->p : 1;
}

static int check(const struct slw_paired *p, const double *d, size_t n, struct slw_error *err)
{
    if (n == 0)
        return slw_fail(err, SLW_E_NODATA, "no pair of runs to compare");
    if (n > p->max_pairs)
        return slw_fail(err, SLW_E_LIMIT, "%zu pairs of runs, room for %zu", n, p->max_pairs);
    for (size_t i = 0; i < n; i++)
        if (!isfinite(d[i]))
            return slw_fail(err, SLW_E_INVAL, "the difference of pair %zu is not a number", i + 1);
    return 0;
}

int slw_paired_interval_capped(struct slw_paired *p, const double *d, size_t n, double alpha,
                               size_t cap, struct slw_difference *ret_difference,
                               struct slw_error *err)
{
    size_t t = 0;
    const int status = check(p, d, n, err);

    if (status < 0)
        return status;
    assert(cap >= 1 && alpha > 0 && alpha < 1);
    use_law(p, n, cap);
    const size_t averages = sort_averages(p, d, n);
    struct slw_difference found = {.pairs = n, .low = p->values[0], .high = p->values[n - 1]};

    found.equal = found.low == found.high;
    found.enough = n >= SLW_MIN_PAIRS && slw_signed_critical(p->at_most, p->total, alpha, &t);
    search(p, n, averages, found.enough ? &t : NULL, &found);
    found.level = 1 - 2 * p->at_most[t]; /* the extremes are what t = 0 gives */
    *ret_difference = found;
    return 0;
}

int slw_paired_interval(struct slw_paired *p, const double *d, size_t n, double alpha,
                        struct slw_difference *ret_difference, struct slw_error *err)
{
    return slw_paired_interval_capped(p, d, n, alpha, slw_signed_cap(n), ret_difference, err);
}

void slw_difference_widen(struct slw_difference *d, double by)
{
    assert(by >= 0);
    d->low -= by;
    d->high += by;
    if (d->low <= 0 && d->high >= 0 && by > 0)
        d->p = 1;
}

bool slw_difference_real(const struct slw_difference *d)
{
    return d->enough && (d->low > 0 || d->high < 0);
}

double slw_difference_half(const struct slw_difference *d)
{
    return d->high / 2 - d->low / 2;
}

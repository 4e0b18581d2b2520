/* SPDX-License-Identifier: MIT */
/* In two steps. First, candidates: a stretch of values is split where two neighbouring stretches
 * differ most in rank (Wilcoxon 1945, standardised; over windows of growing length, so that a level
 * that came and went is seen), and so are its parts (binary segmentation, Vostrikova 1981). Then
 * the weakest candidate is taken away until all that are left are strong: the difference of the
 * medians on both sides against the scatter around all levels (MAD) and against how much of that
 * scatter hangs together from value to value, which makes n values worth fewer. */
#include "analyzer/history/changes.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define WINDOWS      16     /* lengths tried on one side: 4, 7, 11, ... */
#define LONGEST      200    /* of them; longer ones tell no more about one place */
#define SCATTER      1.4826 /* MAD to standard deviation, for normal noise */
#define SCATTER_MEAN 1.2533 /* the same of the mean absolute deviation */
#define CLIP         2.5    /* scatters: farther values do not count for the correlation */
#define BIAS         2.0    /* of a correlation of residuals, for each level, over n */
#define BIAS_MORE    3.0    /* the same once more, for each unit of the correlation */
#define MOST_RELATED .95

/* One series and the room it takes. */
struct work {
    const double *values;
    size_t n;
    size_t *order;                              /* of values, for ranks */
    double *ranks, *sums, *residuals, *scratch; /* n; sums n + 1 */
    size_t starts[SLW_MAX_CHANGES + 1];         /* of the levels after the first */
    size_t count;
    double medians[SLW_MAX_CHANGES + 2];
};

static void release(struct work *w)
{
    free(w->order);
    free(w->ranks);
    free(w->sums);
    free(w->residuals);
    free(w->scratch);
    free(w);
}

static struct work *new_work(const double *values, size_t n)
{
    struct work *w = calloc(1, sizeof(*w));

    if (!w)
        return NULL;
    w->values = values;
    w->n = n;
    w->order = calloc(n, sizeof(*w->order));
    w->ranks = calloc(n, sizeof(*w->ranks));
    w->sums = calloc(n + 1, sizeof(*w->sums));
    w->residuals = calloc(n, sizeof(*w->residuals));
    w->scratch = calloc(n, sizeof(*w->scratch));
    if (w->order && w->ranks && w->sums && w->residuals && w->scratch)
        return w;
    release(w);
    return NULL;
}

static int ascending(const void *a, const void *b)
{
    const double *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

double slw_changes_median(const double *values, size_t n, double *scratch)
{
    assert(n > 0);
    memcpy(scratch, values, n * sizeof(*values));
    qsort(scratch, n, sizeof(*scratch), ascending);
    return n % 2 ? scratch[n / 2] : (scratch[n / 2 - 1] + scratch[n / 2]) / 2;
}

/* ---- candidates ---- */

static int by_value(const void *a, const void *b, void *values)
{
    const double *v = values;
    const size_t *x = a, *y = b;

    return (v[*x] > v[*y]) - (v[*x] < v[*y]);
}

/* Ranks of values[from..from+n-1] about their mean, equal values sharing theirs; sums of the first
 * so many. Returns their standard deviation. */
static double rank(struct work *w, size_t from, size_t n)
{
    double *v = w->scratch, squares = 0;

    memcpy(v, w->values + from, n * sizeof(*v));
    for (size_t i = 0; i < n; i++)
        w->order[i] = i;
    qsort_r(w->order, n, sizeof(*w->order), by_value, v);
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && v[w->order[end]] == v[w->order[i]]; end++)
            continue;
        for (size_t k = i; k < end; k++)
            w->ranks[w->order[k]] = ((double)(i + end) - 1 - ((double)n - 1)) / 2;
    }
    w->sums[0] = 0;
    for (size_t i = 0; i < n; i++) {
        w->sums[i + 1] = w->sums[i] + w->ranks[i];
        squares += w->ranks[i] * w->ranks[i];
    }
    return sqrt(squares / ((double)n - 1));
}

/* Lengths of the stretches on one side of a place that has `room` values. */
static size_t window_lengths(size_t room, size_t *ret_lengths)
{
    size_t count = 0, length = SLW_MIN_LEVEL_RUNS;

    while (length < room && length <= LONGEST && count + 1 < WINDOWS) {
        ret_lengths[count++] = length;
        length = length + length / 2 + 1;
    }
    ret_lengths[count++] = room;
    return count;
}

/* How far the stretches that end and begin at `at` differ, at most. */
static double score_at(const struct work *w, size_t at, size_t n, double deviation)
{
    size_t left[WINDOWS], right[WINDOWS];
    const size_t lefts = window_lengths(at, left), rights = window_lengths(n - at, right);
    double best = 0;

    for (size_t i = 0; i < lefts; i++)
        for (size_t k = 0; k < rights; k++) {
            const double l = (double)left[i], r = (double)right[k];
            const double d = (w->sums[at] - w->sums[at - left[i]]) / l -
                             (w->sums[at + right[k]] - w->sums[at]) / r;
            best = fmax(best, fabs(d) / (deviation * sqrt(1 / l + 1 / r)));
        }
    return best;
}

/* The best place to split n values, and its score; 0 where they are all equal or too few. */
static double best_split(struct work *w, size_t from, size_t n, size_t *ret_at)
{
    double best = 0;

    if (n < (size_t)2 * SLW_MIN_LEVEL_RUNS)
        return 0;
    const double deviation = rank(w, from, n);
    for (size_t at = SLW_MIN_LEVEL_RUNS; deviation > 0 && at + SLW_MIN_LEVEL_RUNS <= n; at++) {
        const double score = score_at(w, at, n, deviation);
        if (score > best) {
            best = score;
            *ret_at = from + at;
        }
    }
    return best;
}

/* Keep starts ascending. */
static void insert(struct work *w, size_t start)
{
    size_t i = w->count++;

    for (; i > 0 && w->starts[i - 1] > start; i--)
        w->starts[i] = w->starts[i - 1];
    w->starts[i] = start;
}

/* Split, and split the parts, until no part is worth it: breadth first, so that where there are too
 * many the clearest are kept. */
static void find_candidates(struct work *w)
{
    struct part {
        size_t from, n;
    } parts[(size_t)2 * SLW_MAX_CHANGES + 1] = {{0, w->n}};
    size_t part_count = 1;

    for (size_t i = 0; i < part_count && w->count < SLW_MAX_CHANGES; i++) {
        const struct part p = parts[i];
        size_t at = 0;

        if (best_split(w, p.from, p.n, &at) <= slw_changes_score_limit(p.n))
            continue;
        insert(w, at);
        parts[part_count++] = (struct part){p.from, at - p.from};
        parts[part_count++] = (struct part){at, p.from + p.n - at};
    }
}

/* ---- how strong they are ---- */

static size_t level_start(const struct work *w, size_t level)
{
    return level == 0 ? 0 : level <= w->count ? w->starts[level - 1] : w->n;
}

static void find_residuals(struct work *w)
{
    for (size_t level = 0; level <= w->count; level++) {
        const size_t from = level_start(w, level), to = level_start(w, level + 1);
        const double median = slw_changes_median(w->values + from, to - from, w->scratch);

        w->medians[level] = median;
        for (size_t i = from; i < to; i++)
            w->residuals[i] = w->values[i] - median;
    }
}

/* Of the residuals; 0 only where all are 0. */
static double scatter_of(struct work *w)
{
    const double n = (double)w->n, levels = (double)w->count + 1;
    double sum = 0;

    for (size_t i = 0; i < w->n; i++) {
        w->scratch[i] = fabs(w->residuals[i]);
        sum += w->scratch[i];
    }
    qsort(w->scratch, w->n, sizeof(*w->scratch), ascending);
    const double mad =
        w->n % 2 ? w->scratch[w->n / 2] : (w->scratch[w->n / 2 - 1] + w->scratch[w->n / 2]) / 2;
    /* Values in coarse steps: most lie on the median itself. */
    return mad > 0 ? SCATTER * mad * sqrt(n / fmax(1, n - levels)) : SCATTER_MEAN * sum / n;
}

/* What differences are to be divided by: n values of which each tells something of the next are
 * worth n (1 - r) / (1 + r). Residuals show less of r than there is: the more levels were taken
 * out, the less. */
static double relatedness(struct work *w, double scatter)
{
    double squares = 0, products = 0, last = 0;

    for (size_t i = 0; i < w->n; i++) {
        const double r = fmax(-CLIP * scatter, fmin(CLIP * scatter, w->residuals[i]));
        squares += r * r;
        products += r * last;
        last = r;
    }
    const double seen = squares > 0 ? products / squares : 0;
    const double bias = BIAS * ((double)w->count + 1) / (double)w->n;
    const double r = fmin(MOST_RELATED, fmax(0, seen + bias * (1 + BIAS_MORE * fmax(seen, 0))));
    return sqrt((1 + r) / (1 - r));
}

static double strength_of(const struct work *w, size_t change, double unit)
{
    const double before = (double)(w->starts[change] - level_start(w, change));
    const double after = (double)(level_start(w, change + 2) - w->starts[change]);
    const double d = fabs(w->medians[change + 1] - w->medians[change]);

    return unit > 0 ? d / (unit * sqrt(1 / before + 1 / after)) : d > 0 ? HUGE_VAL : 0;
}

/* The weakest of the changes; one that is no larger than `step` is weaker than any. */
static double weakest(struct work *w, double step, size_t *ret_change)
{
    double least = HUGE_VAL;

    find_residuals(w);
    const double scatter = scatter_of(w);
    const double unit = scatter * relatedness(w, scatter);
    *ret_change = 0;
    for (size_t i = 0; i < w->count; i++) {
        const bool seen = fabs(w->medians[i + 1] - w->medians[i]) > step * (1 + 1e-9);
        const double strength = seen ? strength_of(w, i, unit) : -1;
        if (strength < least) {
            least = strength;
            *ret_change = i;
        }
    }
    return least;
}

/* Take away changes that are not above the limit. Returns the strength of the strongest that was
 * the weakest once: the limit that would have left none. */
static double drop_weak(struct work *w, double step, double limit)
{
    double strongest = 0;

    while (w->count > 0) {
        size_t change;
        const double strength = weakest(w, step, &change);

        strongest = fmax(strongest, strength);
        if (strength > limit)
            break;
        w->count--;
        memmove(w->starts + change, w->starts + change + 1,
                (w->count - change) * sizeof(w->starts[0]));
    }
    return strongest;
}

/* ---- all of it ---- */

static int no_memory(struct slw_error *err)
{
    return slw_fail(err, SLW_E_NOMEM, "no memory to look for changes");
}

int slw_changes_find(const double *values, size_t n, double step, size_t *ret_starts,
                     size_t *ret_count, struct slw_error *err)
{
    if (n < SLW_MIN_CHANGE_RUNS) {
        *ret_count = 0;
        return 0;
    }
    struct work *w = new_work(values, n);
    if (!w)
        return no_memory(err);
    find_candidates(w);
    (void)drop_weak(w, step, slw_changes_strength_limit(n));
    memcpy(ret_starts, w->starts, w->count * sizeof(*ret_starts));
    *ret_count = w->count;
    release(w);
    return 0;
}

int slw_changes_score(const double *values, size_t n, double *ret_score, struct slw_error *err)
{
    struct work *w = new_work(values, n);
    size_t at;

    if (!w)
        return no_memory(err);
    *ret_score = best_split(w, 0, n, &at);
    release(w);
    return 0;
}

int slw_changes_strength(const double *values, size_t n, double *ret_strength,
                         struct slw_error *err)
{
    struct work *w = new_work(values, n);

    if (!w)
        return no_memory(err);
    find_candidates(w);
    *ret_strength = drop_weak(w, 0, HUGE_VAL);
    release(w);
    return 0;
}

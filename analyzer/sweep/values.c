/* SPDX-License-Identifier: MIT */
/* One value per block and point, and what all blocks say together. */
#include "analyzer/statistics/lack_of_fit.h"
#include "analyzer/statistics/pairs.h"
#include "analyzer/sweep/sweep_int.h"

#include <math.h>
#include <string.h>

/* The i-th observation that a value is summed of; NULL: past the last. */
static const char *part_of(const struct slw_sweep_build *b, const struct slw_sweep_metric *metric,
                           size_t i)
{
    if (b->r->own_count && metric->own)
        return i == 0 ? metric->own : NULL;
    return i < 2 ? metric->parts[i] : NULL;
}

/* Requests as the client counts them, where those of the run are not the same at every point. */
static void count_again(const struct slw_sweep_build *b, size_t point,
                        const struct slw_sweep_metric *metric, double *values)
{
    if (!b->r->own_count || metric->of == SLW_SWEEP_LATENCY)
        return;
    slw_sweep_own_requests(b, point, b->own);
    for (size_t k = 0; k < b->r->blocks; k++)
        values[k] =
            metric->of == SLW_SWEEP_REQUESTS ? values[k] * b->own[k] : values[k] / b->own[k];
}

const struct slw_observation *slw_sweep_values(const struct slw_sweep_build *b, size_t point,
                                               const struct slw_sweep_metric *metric,
                                               double *values)
{
    const struct slw_observation *first = NULL;
    const char *part;

    for (size_t k = 0; k < b->r->blocks; k++)
        values[k] = 0;
    for (size_t i = 0; (part = part_of(b, metric, i)) != NULL; i++) {
        const struct slw_observation *o = slw_run_find_observation(b->r->points[point].run, part);

        for (size_t k = 0; k < b->r->blocks; k++)
            values[k] += o && k < o->length && isfinite(o->values[k]) ? o->values[k] : (double)NAN;
        first = i == 0 ? o : o ? first : NULL;
    }
    count_again(b, point, metric, values);
    return first;
}

double slw_sweep_step(const struct slw_sweep_build *b, size_t point,
                      const struct slw_sweep_metric *metric)
{
    double step = 0;
    const char *part;

    for (size_t i = 0; (part = part_of(b, metric, i)) != NULL; i++) {
        const struct slw_observation *o = slw_run_find_observation(b->r->points[point].run, part);

        step += o && isfinite(o->step) && o->step > 0 ? o->step : 0;
    }
    if (!b->r->own_count || metric->of == SLW_SWEEP_LATENCY || b->r->blocks == 0)
        return step;
    slw_sweep_own_requests(b, point, b->own);
    if (!isfinite(b->own[0]) || !(b->own[0] > 0))
        return step;
    return metric->of == SLW_SWEEP_REQUESTS ? step * b->own[0] : step / b->own[0];
}

static size_t without_gaps(double *values, size_t count)
{
    size_t kept = 0;

    for (size_t i = 0; i < count; i++)
        if (isfinite(values[i]))
            values[kept++] = values[i];
    return kept;
}

static const char *why_absent(const struct slw_sweep_build *b, size_t point,
                              const struct slw_sweep_metric *metric)
{
    const char *part;

    for (size_t i = 0; (part = part_of(b, metric, i)) != NULL; i++) {
        const struct slw_observation *o = slw_run_find_observation(b->r->points[point].run, part);

        if (!o)
            return "not measured";
        if (o->absent)
            return o->absent;
    }
    return "no block has a value";
}

int slw_sweep_figure(const struct slw_sweep_build *b, size_t point,
                     const struct slw_sweep_metric *metric, struct slw_figure *ret_figure,
                     struct slw_error *err)
{
    const struct slw_observation *o = slw_sweep_values(b, point, metric, b->a);
    const size_t count = without_gaps(b->a, b->r->blocks);
    struct slw_figure f = {.unit = metric->unit ? metric->unit : o ? o->unit : NULL};
    struct slw_difference d;

    if (o)
        f.from = o->from;
    f.from.imported = f.from.imported || (o && b->r->own_count);
    if (!o || count == 0) {
        f.absent = why_absent(b, point, metric);
        *ret_figure = f;
        return 0;
    }
    const int status = slw_paired_interval(b->space, b->a, count, SLW_SWEEP_ALPHA, &d, err);
    if (status < 0)
        return status;
    const double floor =
        d.low >= 0 ? 0 : -(double)INFINITY; /* a step must not make a time negative */
    slw_difference_widen(&d, slw_sweep_step(b, point, metric));
    f.value = d.estimate;
    f.coverage = 1;
    if (d.enough)
        f.interval = (struct slw_interval){
            .have = true, .low = fmax(d.low, floor), .high = d.high, .from = SLW_INTERVAL_ROUNDS};
    *ret_figure = f;
    return 0;
}

/* Values in steps: the truth lies anywhere within one, in either of both. */
static double resolution(const struct slw_sweep_build *b, size_t from, size_t to,
                         const struct slw_sweep_metric *metric)
{
    const size_t points[] = {from, to};
    double most = 0;

    for (size_t i = 0; i < 2; i++) {
        const double step = slw_sweep_step(b, points[i], metric);

        (void)slw_sweep_values(b, points[i], metric, b->a);
        const size_t count = without_gaps(b->a, b->r->blocks);
        if (step > 0 && count > 0)
            most = fmax(most, slw_resolution_of_ratio(step, slw_median_of(b->a, count)));
    }
    return most;
}

int slw_sweep_log_ratio(const struct slw_sweep_build *b, size_t from, size_t to,
                        const struct slw_sweep_metric *metric, struct slw_difference *ret_ratio,
                        struct slw_error *err)
{
    struct slw_difference d;

    (void)slw_sweep_values(b, from, metric, b->a);
    (void)slw_sweep_values(b, to, metric, b->b);
    const struct slw_pairs p = slw_pairs_of(b->a, b->b, b->r->blocks, b->d);
    if (p.kind != SLW_PAIRS_RATIO)
        return slw_fail(err, SLW_E_NODATA, "no ratio");
    const int status = slw_paired_interval(b->space, b->d, p.used, SLW_SWEEP_ALPHA, &d, err);
    if (status < 0)
        return status;
    slw_difference_widen(&d, resolution(b, from, to, metric));
    *ret_ratio = d;
    return 0;
}

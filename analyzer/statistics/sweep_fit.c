/* SPDX-License-Identifier: MIT */
#include "analyzer/statistics/sweep_fit.h"
#include "analyzer/statistics/lack_of_fit.h"
#include "base/cleanup.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#define ROUNDS     12    /* of reweighting; the weights have settled by then */
#define HUBER      1.345 /* standard deviations: 95 % efficient for Gaussian noise */
#define LEAST_PART 0.05  /* of a cost that the line may predict: keeps weights finite */

struct line {
    double fixed, marginal;
};

static int check(const struct slw_sweep *s, struct slw_error *err)
{
    if (s->blocks == 0)
        return slw_fail(err, SLW_E_NODATA, "no block of the sweep is complete");
    if (s->points < SLW_MIN_SWEEP_POINTS)
        return slw_fail(err, SLW_E_NODATA, "%zu batch sizes, a fit takes %d or more", s->points,
                        SLW_MIN_SWEEP_POINTS);
    if (s->points > SLW_MAX_SWEEP_POINTS || s->blocks > SLW_MAX_PAIRS)
        return slw_fail(err, SLW_E_LIMIT, "%zu batch sizes in %zu blocks, at most %d in %d",
                        s->points, s->blocks, SLW_MAX_SWEEP_POINTS, SLW_MAX_PAIRS);
    for (size_t i = 0; i < s->points; i++)
        if (!(s->batch[i] > (i ? s->batch[i - 1] : 0)) || !isfinite(s->batch[i]))
            return slw_fail(err, SLW_E_INVAL, "batch sizes must ascend, number %zu does not",
                            i + 1);
    for (size_t i = 0; i < s->blocks * s->points; i++)
        if (!(s->cost[i] > 0) || !isfinite(s->cost[i]))
            return slw_fail(err, SLW_E_INVAL, "block %zu: the cost at batch %g is not above 0",
                            i / s->points + 1, s->batch[i % s->points]);
    return 0;
}

/* ---- one block ---- */

static double predicted(struct line l, double batch)
{
    return l.fixed / batch + l.marginal;
}

/* What residuals and weights are relative to. */
static double positive(struct line l, double batch, double cost)
{
    return fmax(predicted(l, batch), LEAST_PART * cost);
}

static struct line weighted_line(const struct slw_sweep *s, const double *cost,
                                 const double *weight)
{
    double total = 0, x_mean = 0, y_mean = 0, xx = 0, xy = 0;

    for (size_t i = 0; i < s->points; i++) {
        total += weight[i];
        x_mean += weight[i] / s->batch[i];
        y_mean += weight[i] * cost[i];
    }
    x_mean /= total;
    y_mean /= total;
    for (size_t i = 0; i < s->points; i++) {
        const double x = 1 / s->batch[i] - x_mean;

        xx += weight[i] * x * x;
        xy += weight[i] * x * (cost[i] - y_mean);
    }
    return (struct line){xy / xx, y_mean - xy / xx * x_mean};
}

/* Weights for the next round from the residuals of this one; false when there are none to speak
 * of, so that nothing can be told from their ratios. */
static bool reweight(const struct slw_sweep *s, const double *cost, struct line l, double *weight)
{
    double residual[SLW_MAX_SWEEP_POINTS], size[SLW_MAX_SWEEP_POINTS];

    for (size_t i = 0; i < s->points; i++) {
        residual[i] = (cost[i] - predicted(l, s->batch[i])) / positive(l, s->batch[i], cost[i]);
        size[i] = fabs(residual[i]);
    }
    const double scale =
        1.4826 * slw_median_of(size, s->points) * sqrt((double)s->points / (double)(s->points - 2));

    if (scale < 1e-12)
        return false;
    for (size_t i = 0; i < s->points; i++) {
        const double height = positive(l, s->batch[i], cost[i]);
        const double far = fabs(residual[i]) / (HUBER * scale);

        weight[i] = (far > 1 ? 1 / far : 1) / (height * height);
    }
    return true;
}

static struct line fit_block(const struct slw_sweep *s, const double *cost)
{
    double weight[SLW_MAX_SWEEP_POINTS];

    for (size_t i = 0; i < s->points; i++)
        weight[i] = 1 / (cost[i] * cost[i]);
    struct line l = weighted_line(s, cost, weight);

    for (int round = 0; round < ROUNDS && reweight(s, cost, l, weight); round++)
        l = weighted_line(s, cost, weight);
    return l;
}

/* ---- all blocks ---- */

struct fits { /* of every block, one array each */
    double *fixed, *marginal, *log_ratio, *misfit, *mean;
    double space[];
};

static struct fits *fits_new(const struct slw_sweep *s)
{
    const size_t blocks = s->blocks;
    struct fits *f = calloc(1, sizeof(*f) + (4 + s->points) * blocks * sizeof(double));

    if (!f)
        return NULL;
    f->fixed = f->space;
    f->marginal = f->fixed + blocks;
    f->log_ratio = f->marginal + blocks;
    f->mean = f->log_ratio + blocks;
    f->misfit = f->mean + blocks;
    return f;
}

static enum slw_knee_state fit_blocks(const struct slw_sweep *s, struct fits *f)
{
    enum slw_knee_state knee = SLW_KNEE_KNOWN;

    for (size_t b = 0; b < s->blocks; b++) {
        const double *cost = s->cost + b * s->points;
        const struct line l = fit_block(s, cost);

        for (size_t i = 0; i < s->points; i++) {
            f->misfit[b * s->points + i] = log(cost[i] / positive(l, s->batch[i], cost[i]));
            f->mean[b] += log(cost[i]) / (double)s->points;
        }
        f->fixed[b] = l.fixed;
        f->marginal[b] = l.marginal;
        if (l.fixed <= 0)
            knee = SLW_KNEE_NO_FIXED;
        else if (l.marginal <= 0 && knee == SLW_KNEE_KNOWN)
            knee = SLW_KNEE_NO_MARGINAL;
        else if (l.marginal > 0)
            f->log_ratio[b] = log(l.fixed / l.marginal);
    }
    return knee;
}

/* Correlation of each value with the one before. */
static double lag_correlation(const double *v, size_t n)
{
    double mean = 0, squares = 0, products = 0;

    for (size_t i = 0; i < n; i++)
        mean += v[i] / (double)n;
    for (size_t i = 0; i < n; i++) {
        squares += (v[i] - mean) * (v[i] - mean);
        products += i ? (v[i] - mean) * (v[i - 1] - mean) : 0;
    }
    return n < 3 || squares == 0 ? 0 : products / squares;
}

static int judge_blocks(const struct slw_sweep *s, double alpha, const struct fits *f,
                        struct slw_sweep_fit *fit, struct slw_error *err)
{
    struct slw_paired *p = NULL;
    int status = slw_paired_new(s->blocks, &p, err);

    if (status == 0)
        status = slw_paired_interval(p, f->fixed, s->blocks, alpha, &fit->fixed, err);
    if (status == 0)
        status = slw_paired_interval(p, f->marginal, s->blocks, alpha, &fit->marginal, err);
    if (status == 0 && fit->knee == SLW_KNEE_KNOWN)
        status = slw_paired_interval(p, f->log_ratio, s->blocks, alpha, &fit->log_ratio, err);
    slw_paired_free(p);
    return status;
}

int slw_sweep_fit_of(const struct slw_sweep *s, double alpha, uint64_t seed,
                     struct slw_sweep_fit *ret_fit, struct slw_error *err)
{
    SLW_AUTO(free) struct fits *f = NULL;
    struct slw_sweep_fit fit = {.fits = true};
    int status = check(s, err);

    if (status < 0)
        return status;
    f = fits_new(s);
    if (!f)
        return slw_fail(err, SLW_E_NOMEM, "no memory to fit %zu blocks", s->blocks);
    fit.knee = fit_blocks(s, f);
    status = judge_blocks(s, alpha, f, &fit, err);
    if (status < 0)
        return status;
    fit.block_correlation = lag_correlation(f->mean, s->blocks);
    fit.misfit = slw_misfit_of(f->misfit, s->blocks, s->points);
    fit.tested = s->blocks >= SLW_MIN_PAIRS;
    if (fit.tested) {
        fit.lack_p = slw_lack_of_fit(f->misfit, s->blocks, s->points, seed);
        fit.fits = fit.lack_p > 0.05 || fit.misfit <= SLW_MISFIT_LEAST;
    }
    *ret_fit = fit;
    return 0;
}

/* ---- knees ---- */

struct slw_knee slw_knee_of(const struct slw_sweep_fit *fit, double largest_batch, double excess)
{
    assert(fit->knee == SLW_KNEE_KNOWN && excess > 0);
    const struct slw_knee k = {
        .at = exp(fit->log_ratio.estimate) / excess,
        .low = exp(fit->log_ratio.low) / excess,
        .high = exp(fit->log_ratio.high) / excess,
    };

    return (struct slw_knee){k.at, k.low, k.high, k.at > largest_batch};
}

int slw_knee_seen_of(const struct slw_sweep *s, double excess, double alpha,
                     struct slw_knee_seen *ret_knee, struct slw_error *err)
{
    struct slw_paired *p = NULL;
    struct slw_knee_seen knee = {0};
    double d[SLW_MAX_PAIRS];
    int status = check(s, err);

    if (status == 0)
        status = slw_paired_new(s->blocks, &p, err);
    for (size_t i = 0; status == 0 && i < s->points; i++) {
        struct slw_difference dearer;

        for (size_t b = 0; b < s->blocks; b++)
            d[b] = log(s->cost[b * s->points + i] / s->cost[(b + 1) * s->points - 1]);
        status = slw_paired_interval(p, d, s->blocks, alpha, &dearer, err);
        if (status == 0 && !dearer.enough)
            status = slw_fail(err, SLW_E_NODATA, "%zu blocks are too few to tell batches apart",
                              s->blocks);
        if (status == 0 && dearer.low > log1p(excess))
            knee.first_possible = i + 1;
        if (status == 0 && dearer.high > log1p(excess))
            knee.first_sure = i + 1;
    }
    if (status == 0)
        *ret_knee = knee;
    slw_paired_free(p);
    return status;
}

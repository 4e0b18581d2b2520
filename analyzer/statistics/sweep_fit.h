/* SPDX-License-Identifier: MIT */
/* What batching buys: cost(B) = fixed/B + marginal, fitted to a sweep in blocks, with intervals;
 * whether that model fits at all; and from which batch on more of it gains little, with the model
 * and without it. Knows nothing of what a cost is or of how the blocks were run. */
#ifndef SLW_ANALYZER_STATISTICS_SWEEP_FIT_H
#define SLW_ANALYZER_STATISTICS_SWEEP_FIT_H

#include "analyzer/statistics/paired.h"

#include <stdint.h>

#define SLW_MIN_SWEEP_POINTS 4  /* batches: two are spent on the line, and its misfit needs two */
#define SLW_MAX_SWEEP_POINTS 64 /* of one sweep; every block runs them all */

/* A block ran every batch once, in random order. */
struct slw_sweep {
    size_t blocks, points;
    const double *batch; /* requests per flush, ascending, above 0 */
    const double *cost;  /* per request, above 0: cost[block * points + point] */
};

enum slw_knee_state {
    SLW_KNEE_KNOWN,
    SLW_KNEE_NO_FIXED,    /* a block showed no fixed cost: no knee can be told */
    SLW_KNEE_NO_MARGINAL, /* a block showed no marginal cost: more batching always gains */
};

#define SLW_MISFIT_LEAST      0.03 /* relative; a smaller misfit does not matter, however sure */
#define SLW_BLOCKS_CORRELATED 0.5  /* above: the machine drifts over blocks; spread them in time */

struct slw_sweep_fit {
    struct slw_difference fixed, marginal; /* of the blocks' fits, in the unit of the cost */
    enum slw_knee_state knee;
    struct slw_difference log_ratio; /* of log(fixed/marginal); KNOWN only */
    bool tested;                     /* lack of fit was: there were SLW_MIN_PAIRS blocks */
    double lack_p;                   /* of "the model fits" */
    double misfit;                   /* the largest relative one, median over the blocks */
    bool fits;                       /* false: lack_p <= .05 and it matters; use slw_knee_seen */
    double block_correlation;        /* of neighbouring blocks' mean costs; 0 below 3 blocks */
};

/* Fit each block by itself, with relative weights that spare outliers (Huber 1964), and judge the
 * blocks' values at confidence 1 - alpha. `seed` chooses the sign flips of the lack-of-fit test
 * when there are too many to try all.
 * -SLW_E_NODATA (no block, too few batches), -SLW_E_LIMIT, -SLW_E_INVAL (a value that is not above
 * 0, batches that do not ascend), -SLW_E_NOMEM. */
int slw_sweep_fit_of(const struct slw_sweep *s, double alpha, uint64_t seed,
                     struct slw_sweep_fit *ret_fit, struct slw_error *err);

/* The batch from which on cost is within (1 + excess) of the marginal cost: fixed/(excess *
 * marginal), with its interval. Not the chord knee ("Kneedle"), which lies at the square root of
 * the largest batch whatever the costs are. The fit's knee is KNOWN. */
struct slw_knee {
    double at, low, high;
    bool beyond; /* at is larger than any batch that was tried */
};
struct slw_knee slw_knee_of(const struct slw_sweep_fit *fit, double largest_batch, double excess);

/* The same without a model, against the cost at the largest batch: every batch before
 * `first_possible` is surely more than `excess` dearer, and from `first_sure` on none is. Indices
 * of points. -SLW_E_NODATA: fewer than SLW_MIN_PAIRS blocks; else as slw_sweep_fit_of. */
struct slw_knee_seen {
    size_t first_possible, first_sure;
};
int slw_knee_seen_of(const struct slw_sweep *s, double excess, double alpha,
                     struct slw_knee_seen *ret_knee, struct slw_error *err);

#endif

/* SPDX-License-Identifier: MIT */
/* What batching buys: arms that differ in a parameter, as cost(B) = fixed/B + marginal for CPU time
 * per request and, where the tier gives them, for each slot category; the knee, where gains end,
 * the latency price. Renderers only format this. Pure: no I/O. */
#ifndef SLW_ANALYZER_SWEEP_SWEEP_H
#define SLW_ANALYZER_SWEEP_SWEEP_H

#include "analyzer/renderer.h"
#include "analyzer/statistics/sweep_fit.h"
#include "record/experiment.h"

struct slw_sweep_input {
    const struct slw_experiment *experiment;
    const struct slw_run *const *runs;       /* of the arms, with observations */
    const struct slw_report *const *reports; /* of the arms */
    const char *parameter;                   /* what is on the x axis: "batch"; NULL: the first */
};

/* One arm, as a point on every curve. */
struct slw_sweep_point {
    const struct slw_experiment_arm *arm;
    double parameter;               /* as asked for */
    struct slw_figure batch_factor; /* as observed: requests per flush, median over the blocks */
    struct slw_figure throughput, p50, p99; /* medians over the blocks, with intervals */
};

/* cost(B) of one metric. Where there are other parameters (depth), one curve for each of their
 * values. */
struct slw_sweep_curve {
    const char *metric, *title, *unit; /* "cpu_per_request", "slots.frontend_bound" */
    const char *series;                /* "depth=4"; NULL: there is one */
    struct slw_provenance from;
    size_t *points; /* indices of slw_sweep_report.points, ascending in x */
    size_t point_count;
    double *x;               /* what was fitted against */
    struct slw_figure *cost; /* of each point, median over the blocks with interval */
    size_t blocks;           /* used: those in which every point has a value */
    const char *absent;      /* why there is no fit; NULL: fit is set */
    struct slw_sweep_fit fit;
    struct slw_knee knee; /* fit.knee KNOWN only */
    bool knee_seen_known;
    struct slw_knee_seen knee_seen;
    double removed, removed_low, removed_high; /* part of the cost at the smallest batch that the
                                                  largest removed, 0..1; NAN: unknown */
};

struct slw_sweep_report {
    struct slw_arena *arena;
    struct slw_sweep_input in;
    bool observed_x;     /* x is the observed batch factor, not what was asked for */
    const char *x_basis; /* one sentence: which, and why */
    struct slw_sweep_point *points;
    size_t point_count;
    struct slw_sweep_curve *curves; /* CPU time first */
    size_t curve_count;
    const char *verdict; /* "batching removed X of Y per request, of which Z % was front-end" */
    const char *verdict_basis;
    struct slw_note *notes;
    size_t note_count;
};

/* -SLW_E_NODATA, -SLW_E_INVAL (arms that do not make a sweep), -SLW_E_NOMEM. */
int slw_sweep_report_new(const struct slw_sweep_input *in, struct slw_sweep_report **ret_report,
                         struct slw_error *err);
void slw_sweep_report_free(struct slw_sweep_report *r);

/* A sweep as bytes: sweep/render/NAME.c, SLW_SWEEP_RENDERER(NAME) in sweep/renderers.def. */
struct slw_sweep_renderer {
    const char *name, *summary, *extension;
    int (*render)(const struct slw_sweep_report *sweep, const struct slw_render_options *opts,
                  struct slw_buf *out, struct slw_error *err);
};
extern const struct slw_sweep_renderer *const slw_sweep_renderers[];
extern const size_t slw_sweep_renderer_count;
const struct slw_sweep_renderer *slw_sweep_renderer_find(const char *name);

#endif

/* SPDX-License-Identifier: MIT */
/* What batching buys: arms that differ in a parameter, as cost(B) = fixed/B + marginal for CPU time
 * per request and, where the tier gives them, for each slot category; the knee, where gains end,
 * the latency price. Renderers only format this. Pure: no I/O. */
#ifndef SLW_ANALYZER_SWEEP_SWEEP_H
#define SLW_ANALYZER_SWEEP_SWEEP_H

#include "analyzer/renderer.h"
#include "analyzer/statistics/sweep_fit.h"
#include "record/experiment.h"

#define SLW_SWEEP_EXCESS 0.10 /* over the marginal cost: where gains are said to end */
#define SLW_SWEEP_ALPHA  0.05

#define SLW_MAX_PARAMETER_BYTES 64 /* of a name, of a value: they stand in sentences and tables */

struct slw_sweep_input {
    const struct slw_experiment *experiment;
    const struct slw_run *const *runs;       /* of the arms, with observations */
    const struct slw_report *const *reports; /* of the arms; NULL: not looked at */
    const char *parameter;                   /* what is on the x axis: "batch"; NULL: the first */
};

/* One arm, as a point on every curve. */
struct slw_sweep_point {
    const struct slw_experiment_arm *arm;
    const struct slw_run *run;
    const char *series;             /* "depth=4"; NULL: there is one parameter only */
    double parameter;               /* as asked for */
    double x;                       /* what costs are told against: see x_basis */
    struct slw_figure batch_factor; /* as observed: requests per flush */
    /* Centres over the blocks (paired.h), with intervals where there are SLW_MIN_PAIRS. */
    struct slw_figure throughput, p50, p99;
};

/* What the latency of a request became, from the smallest batch to another one of its series. */
struct slw_sweep_price {
    const char *series;
    size_t from, to; /* indices of points */
    bool at_knee;    /* `to` is the first batch tried at or past the knee; else the largest */
    struct slw_figure p50, p99; /* times that of `from`, over the blocks */
    const char *text;           /* one sentence */
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
    struct slw_figure *cost; /* of each point: centre over the blocks that have one */
    size_t blocks;           /* used for the fit: those in which every point has a value */
    const char *absent;      /* why there is no fit; NULL: fit is set */
    struct slw_sweep_fit fit;
    bool knee_known;      /* there is a fit, it fits, and its knee is KNOWN */
    struct slw_knee knee; /* in x */
    bool knee_seen_known;
    struct slw_knee_seen knee_seen;
    double removed, removed_low, removed_high; /* part of the cost at the smallest batch that the
                                                  largest removed, at most 1; NAN: unknown. Without
                                                  SLW_MIN_PAIRS blocks there are no low and high */
    /* CPU time only: what part of what was removed was front-end slots, or else system time. */
    const char *part_of; /* "front-end", "system time"; NULL: unknown */
    double part, part_low, part_high;
    const char *text; /* fit and knee, or why there is none, in one or two sentences */
};

struct slw_sweep_report {
    struct slw_arena *arena;
    struct slw_sweep_input in;
    bool observed_x;         /* x is the observed batch factor, not what was asked for */
    const char *x_basis;     /* one sentence: which, and why */
    bool own_count;          /* requests are those the client itself counted, not the wire tap's */
    const char *count_basis; /* one sentence about that; NULL: nothing to say */
    struct slw_sweep_point *points;
    size_t point_count;
    struct slw_sweep_curve *curves; /* CPU time first */
    size_t curve_count;
    struct slw_sweep_price *prices;
    size_t price_count;
    const char *parameter; /* "batch" */
    const char *others;    /* names of further parameters: "depth"; NULL: none */
    const char **series;   /* in the order they were given */
    size_t series_count;   /* 0: one parameter */
    size_t blocks;
    const char *verdict; /* "batching removed X of Y per request, of which Z % was front-end" */
    const char *verdict_basis;
    struct slw_note *notes;
    size_t note_count;
};

/* -SLW_E_NODATA (no arm), -SLW_E_INVAL (arms that do not make a sweep), -SLW_E_LIMIT,
 * -SLW_E_NOMEM. */
int slw_sweep_report_new(const struct slw_sweep_input *in, struct slw_sweep_report **ret_report,
                         struct slw_error *err);
void slw_sweep_report_free(struct slw_sweep_report *r);

/* The whole text as a finite decimal number: what a parameter on the x axis has to be. */
bool slw_sweep_number(const char *text, double *ret_value);

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

/* SPDX-License-Identifier: MIT */
/* What the parts of slw_sweep_report_new share: the report while it is made, values over blocks,
 * and texts that end up in its arena. */
#ifndef SLW_ANALYZER_SWEEP_SWEEP_INT_H
#define SLW_ANALYZER_SWEEP_SWEEP_INT_H

#include "analyzer/sweep/sweep.h"
#include "base/arena.h"

#define SLW_MAX_SWEEP_NOTES 64
#define SLW_SWEEP_SPOKEN    8 /* series of which the verdict speaks */

/* Points of one series: r->points[first .. first + count - 1], ascending in the parameter. */
struct slw_sweep_range {
    const char *series; /* NULL: there is one */
    size_t first, count;
};

/* What becomes of a metric when requests are counted otherwise. */
enum slw_sweep_of {
    SLW_SWEEP_PER_REQUEST, /* was divided by requests */
    SLW_SWEEP_REQUESTS,    /* is requests for each of something */
    SLW_SWEEP_LATENCY,     /* of a request: then the client's own */
};

/* Where the values of a curve come from. */
struct slw_sweep_metric {
    const char *metric, *title, *unit; /* title and unit NULL: those of the observation */
    const char *parts[2];              /* observations that are summed; [1] NULL: one */
    enum slw_sweep_of of;
    const char *own; /* LATENCY: the observation of what the client said of itself */
};

struct slw_sweep_build {
    struct slw_sweep_report *r;
    struct slw_paired *space;
    struct slw_sweep_range *ranges;
    size_t range_count;
    double *a, *b, *d, *own; /* work space: a value for each block */
    double *costs;           /* SLW_MAX_SWEEP_POINTS times that */
};

extern const struct slw_sweep_metric slw_sweep_cpu, slw_sweep_user, slw_sweep_system,
    slw_sweep_batch_factor, slw_sweep_throughput, slw_sweep_p50, slw_sweep_p99;

/* ---- values (values.c) ---- */

/* values[block] of a point, NAN where it has none. The observation they are of, or of a sum the
 * first; NULL: the run has none, and all are NAN. */
const struct slw_observation *slw_sweep_values(const struct slw_sweep_build *b, size_t point,
                                               const struct slw_sweep_metric *metric,
                                               double *values);

/* The step of a metric's values; of a sum those of both. */
double slw_sweep_step(const struct slw_sweep_build *b, size_t point,
                      const struct slw_sweep_metric *metric);

/* Centre over the blocks of a point that have a value. -SLW_E_NOMEM. */
int slw_sweep_figure(const struct slw_sweep_build *b, size_t point,
                     const struct slw_sweep_metric *metric, struct slw_figure *ret_figure,
                     struct slw_error *err);

/* log(to/from) over the blocks that have both, widened by how finely the values are resolved.
 * -SLW_E_NODATA: none, or a value is not above 0. */
int slw_sweep_log_ratio(const struct slw_sweep_build *b, size_t from, size_t to,
                        const struct slw_sweep_metric *metric, struct slw_difference *ret_ratio,
                        struct slw_error *err);

/* ---- counts (counts.c) ---- */

/* What of the client's own requests one request of the run is, block by block; 1 where the run's
 * count is used. */
void slw_sweep_own_requests(const struct slw_sweep_build *b, size_t point, double *values);

/* Did the requests of a round fall so much along the series that they cannot be the same thing at
 * both ends, for all that is known? */
bool slw_sweep_count_falls(const struct slw_sweep_build *b, const struct slw_sweep_range *range,
                           double *ret_first, double *ret_last);

/* ---- parts of the report ---- */

int slw_sweep_choose_count(struct slw_sweep_build *b, struct slw_error *err);

int slw_sweep_make_points(struct slw_sweep_build *b, struct slw_error *err);
int slw_sweep_choose_x(struct slw_sweep_build *b, struct slw_error *err);
int slw_sweep_make_curves(struct slw_sweep_build *b, struct slw_error *err);
int slw_sweep_make_prices(struct slw_sweep_build *b, struct slw_error *err);
int slw_sweep_make_texts(struct slw_sweep_build *b, struct slw_error *err);
int slw_sweep_make_notes(struct slw_sweep_build *b, struct slw_error *err);

/* The CPU time of a series: its curve. */
struct slw_sweep_curve *slw_sweep_cpu_curve(const struct slw_sweep_report *r, const char *series);

/* Is the parameter named as if it were a batch size? */
bool slw_sweep_asks_for_batches(const struct slw_sweep_report *r);

/* Did batching change with the parameter at all, where it was observed? */
bool slw_sweep_flat(const struct slw_sweep_build *b, const struct slw_sweep_range *range);

/* ---- text (text.c) ---- */

/* Take the bytes of a buffer into the arena, made safe to print on one line, and release it; NULL:
 * no memory. */
const char *slw_sweep_keep(struct slw_arena *arena, struct slw_buf *text);

#endif

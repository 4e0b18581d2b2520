/* SPDX-License-Identifier: MIT */
/* Numbers and sentences of a sweep, the same in every renderer. */
#ifndef SLW_ANALYZER_SWEEP_TEXT_H
#define SLW_ANALYZER_SWEEP_TEXT_H

#include "analyzer/sweep/sweep.h"

/* "21.0 us", "1.87", "412 bytes" */
void slw_sweep_put_value(struct slw_buf *out, const char *unit, double value);

/* "21.0 us [20.6, 21.4]", or the word for why there is no number. */
void slw_sweep_put_figure(struct slw_buf *out, const struct slw_figure *f);

/* "16", "15.8" */
void slw_sweep_put_number(struct slw_buf *out, double value);

/* "batch=16": a parameter's value as it was given */
void slw_sweep_put_point(struct slw_buf *out, const struct slw_sweep_report *r, size_t point);

/* "87 % [85, 88]"; "unknown" */
void slw_sweep_put_part(struct slw_buf *out, double part, double low, double high);

/* Where gains end, as a cell of a table: "39.8 [39.4, 40.5]", "beyond: 90 [88, 92]" or "> 64",
 * "16-32" where it was seen without a model, "no fixed", "no end", "unknown". */
void slw_sweep_put_knee(struct slw_buf *out, const struct slw_sweep_report *r,
                        const struct slw_sweep_curve *c, bool interval);

/* Gains end before the smallest batch that was tried. */
bool slw_sweep_knee_before_all(const struct slw_sweep_curve *c);

/* A cost of the fit, or 0 where it is nothing next to the costs of the curve. */
double slw_sweep_no_dust(const struct slw_sweep_curve *c, double value);

/* Where the fitted curve is at x; NAN: there is none. */
double slw_sweep_fitted(const struct slw_sweep_curve *c, double x);

/* The command of a point's arm, never NULL. */
const char *slw_sweep_command(const struct slw_sweep_report *r, size_t point);

/* "stopped by a signal"; NULL: it was not stopped early */
const char *slw_sweep_stopped(const struct slw_experiment *e);

#endif

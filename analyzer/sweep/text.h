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

/* "89", "[84, 95]" of a knee; "no", "beyond" and so on: a cell of a table */
void slw_sweep_put_knee(struct slw_buf *out, const struct slw_sweep_report *r,
                        const struct slw_sweep_curve *c);

/* Where the fitted curve is at x; NAN: there is none. */
double slw_sweep_fitted(const struct slw_sweep_curve *c, double x);

/* "stopped by a signal"; NULL: it was not stopped early */
const char *slw_sweep_stopped(const struct slw_experiment *e);

#endif

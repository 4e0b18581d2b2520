/* SPDX-License-Identifier: MIT */
/* A curve in characters: cost against x, x on a logarithmic axis, cost from 0. Pure. */
#ifndef SLW_ANALYZER_SWEEP_CHART_H
#define SLW_ANALYZER_SWEEP_CHART_H

#include "analyzer/sweep/sweep.h"

/* Append lines of at most `width` columns: 'o' a point, '|' its interval, '.' the fitted curve.
 * Nothing where no point has a value. */
void slw_sweep_chart(struct slw_buf *out, const struct slw_sweep_report *r,
                     const struct slw_sweep_curve *c, size_t width);

#endif

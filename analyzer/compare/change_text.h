/* SPDX-License-Identifier: MIT */
/* Values, differences and what they were judged by, in words that every renderer of comparisons
 * uses. Plain text made of our own words and numbers; foreign text (why a value is absent) is not
 * cleaned: text.h, md_text.h. Never prints NaN or infinity. */
#ifndef SLW_ANALYZER_COMPARE_CHANGE_TEXT_H
#define SLW_ANALYZER_COMPARE_CHANGE_TEXT_H

#include "analyzer/compare/comparison.h"
#include "base/buf.h"

/* "12.3 us", "81,300 requests/s", "0.42", or why there is none. */
void slw_change_put_value(struct slw_buf *out, const struct slw_figure *figure);

/* Of B / A as a logarithm: "+14 %", "-0.4 %", "x 2.4e+09". */
void slw_change_put_ratio(struct slw_buf *out, double log_ratio);

/* One end of a difference or its estimate: a ratio, or "+3.1 us" where the row has no ratios. */
void slw_change_put_end(struct slw_buf *out, const struct slw_metric_row *row, double end);

/* "+14 %", "none (0 in all rounds)", or why there is no difference. */
void slw_change_put_estimate(struct slw_buf *out, const struct slw_metric_row *row);

/* "+11 % to +17 %"; nothing where there is no difference. */
void slw_change_put_interval(struct slw_buf *out, const struct slw_metric_row *row);

/* "+14 % (95 % interval +11 % to +17 %)"; with fewer rounds than an interval takes "(smallest and
 * largest of 3 pairs ...)". */
void slw_change_put_whole(struct slw_buf *out, const struct slw_metric_row *row);

/* What is still open: "about 30 more rounds would settle it (could be a third of that)". Nothing
 * where nothing is. */
void slw_change_put_forecast(struct slw_buf *out, const struct slw_metric_row *row);

/* What the gate, or where there is none the margin, makes of the row. */
enum slw_judged slw_change_word(const struct slw_metric_row *row);

#endif

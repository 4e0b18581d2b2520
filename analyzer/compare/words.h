/* SPDX-License-Identifier: MIT */
/* Numbers and words of a comparison, the same in every renderer and sentence. B is always told
 * against A: "-18 %" is less in B. */
#ifndef SLW_ANALYZER_COMPARE_WORDS_H
#define SLW_ANALYZER_COMPARE_WORDS_H

#include "analyzer/compare/comparison.h"

/* "improved", "regressed", "no change", "inconclusive"; "higher" and "lower" of metrics that have
 * no good direction. Static. */
const char *slw_row_word(const struct slw_metric_row *row);

/* "passed", "failed", "inconclusive" of a gate; "" where there is none. Static. */
const char *slw_row_gate_word(const struct slw_metric_row *row);
const char *slw_gate_word(enum slw_gate gate);

/* "12.3 us", "4,210", "16.0", "18.2 %", or the word for why there is no value. */
void slw_row_put_value(struct slw_buf *out, const struct slw_metric_row *row,
                       const struct slw_figure *value);

/* The same without its unit where the title tells it, and with 1.23M for a million and more: for
 * the cells of tables. */
void slw_row_put_cell(struct slw_buf *out, const struct slw_metric_row *row,
                      const struct slw_figure *value);

/* The command of a side as a shell would be given it, cleaned; "" where nobody knows. `letter` is
 * "A" or "B". */
void slw_side_put_command(struct slw_buf *out, const struct slw_comparison *c, const char *letter);

/* "-18 %", "3.2x" from twice as much on, "+0.5" where there is no ratio, "identical"; the reason
 * where there is no difference. */
void slw_row_put_change(struct slw_buf *out, const struct slw_metric_row *row);

/* Not where there are too few rounds, nor where nothing is left to chance. */
bool slw_row_has_interval(const struct slw_metric_row *row);

/* "[-20, -16]" in the unit of the change; nothing where there is none. */
void slw_row_put_interval(struct slw_buf *out, const struct slw_metric_row *row);

/* "18 %", "3.20 times": how far B is from A, without the direction; where there is no ratio the
 * plain difference with its sign. */
void slw_row_put_size(struct slw_buf *out, const struct slw_metric_row *row);

/* "0.82 times, 95 % 0.80 to 0.84; 20 pairs" */
void slw_row_put_ratio(struct slw_buf *out, const struct slw_metric_row *row);

/* "2.0 %": of a margin, a floor, a half width as a logarithm. */
void slw_words_put_log_percent(struct slw_buf *out, double log_ratio);

/* "+1,234", "-1.23M": what is too long to be read in full is told in three digits. `sign`: a plus,
 * too. */
void slw_words_put_large(struct slw_buf *out, double value, bool sign);

/* "about 12 more rounds (could be a third of that)"; nothing where nothing can be said. */
void slw_row_put_forecast(struct slw_buf *out, const struct slw_metric_row *row);

/* Why the word is what it is, and what would settle it. May be "". */
void slw_row_put_reason(struct slw_buf *out, const struct slw_metric_row *row);

/* What the whole row says beyond its word: the reason, and the margin where it is not
 * the one asked for. May be "". */
void slw_row_put_remark(struct slw_buf *out, const struct slw_metric_row *row);

/* Is it worth saying that the difference is none of chance? What is exact has no chance in it. */
bool slw_row_has_star(const struct slw_metric_row *row);

/* What functions are weighed by: "time", "slots" where they are simulated. */
const char *slw_comparison_weight(const struct slw_comparison *c);

#endif

/* SPDX-License-Identifier: MIT */
/* Numbers as people read them, the same in every renderer and sentence. Never prints NaN: what has
 * no value prints the word for it. */
#ifndef SLW_ANALYZER_FORMAT_H
#define SLW_ANALYZER_FORMAT_H

#include "analyzer/report.h"
#include "base/buf.h"

/* "1,234,567" */
void slw_format_integer(struct slw_buf *out, uint64_t value);

/* "1.20 s", "12.3 ms", "850 us", "42 ns": three digits and the unit that fits. */
void slw_format_ns(struct slw_buf *out, uint64_t ns);

/* "71 %" from 10 % up, "7.1 %" below, "<0.1 %" when not 0; value 0..1 or a little outside. */
void slw_format_percent(struct slw_buf *out, double value);

/* "22.1 % (19.8-24.5 %)": the share with its 95 % interval, where there is one. */
void slw_format_share(struct slw_buf *out, const struct slw_share *share);

/* A number of no particular unit: integers with separators, else three significant digits. */
void slw_format_number(struct slw_buf *out, double value);

/* A figure with its unit, or the word for why there is none (not cleaned: see text.h). Units of
 * share ("slots", "clocks") print as percent, "ns" as time. */
void slw_format_figure(struct slw_buf *out, const struct slw_figure *figure);

/* "too high" or "too low": what a value outside its plausible range is printed as, because the
 * number would be taken for a fact (the JSON has it). NULL: it is inside, up to rounding. */
const char *slw_format_implausible(const struct slw_report_node *node);

/* "±2.1": half of the figure's interval, the larger side, in points of percent for shares; nothing
 * when there is none. */
void slw_format_half(struct slw_buf *out, const struct slw_figure *figure);

/* " (19.8-24.5 %)": the interval of the figure; nothing when there is none. */
void slw_format_interval(struct slw_buf *out, const struct slw_figure *figure);

/* Is this unit a share of something ("slots", "clocks", ...), to be printed as percent? */
bool slw_format_is_share(const char *unit);

/* The mark a number from this source carries: "" for live hardware, "s" software, "m" simulated,
 * and "i" appended when imported. slw_format_mark_meaning explains one letter. */
const char *slw_format_mark(const struct slw_provenance *from);
const char *slw_format_mark_meaning(char letter);

/* "hardware", "simulated", "software" */
const char *slw_format_source(enum slw_source source);

/* "all", "user", "kernel" */
const char *slw_format_mode(enum slw_mode mode);

/* "  tma_retiring              14.6 %" and a line end: a metric as another tool printed it. */
void slw_format_printed(struct slw_buf *out, const struct slw_printed *p);

/* "losses: 3 samples lost" and so on, a line each; nothing when nothing was lost. */
void slw_format_losses(struct slw_buf *out, const struct slw_losses *l);

/* "slotwise itself: 61 us user, ...": what measuring cost, and what of that is not in the number.
 */
void slw_format_self(struct slw_buf *out, const struct slw_report *r);

/* Has some node of the tree, or a metric, an interval? */
bool slw_format_has_intervals(const struct slw_report *r);

#endif

/* SPDX-License-Identifier: MIT */
/* The per-function top-down table as text: what the renderers share. */
#ifndef SLW_ANALYZER_FUNCTION_TABLE_H
#define SLW_ANALYZER_FUNCTION_TABLE_H

#include "analyzer/report.h"
#include "base/buf.h"

/* "FE", "BE", "BS", "RET", "IPC", "icache MPKI" */
const char *slw_function_cell_name(enum slw_function_cell cell);

/* "45.1" (percent of slots, without the sign), "0.92", or the word "none". */
void slw_function_cell_put(struct slw_buf *out, const struct slw_report_function_topdown *t,
                           enum slw_function_cell cell);

/* The widest margin of the row's shares, in points. */
double slw_function_margin(const struct slw_report_function_topdown *t);

/* What must stand below every such table. Static. */
const char *slw_function_table_caveat(const struct slw_report *r);

/* The table of at most `most` functions for a terminal of `width` columns; nothing where there is
 * none. */
void slw_function_table_term(struct slw_buf *out, const struct slw_report *r, size_t width,
                             size_t most);

#endif

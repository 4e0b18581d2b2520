/* SPDX-License-Identifier: MIT */
/* Threads, privilege levels and the time line as text: what the renderers share. */
#ifndef SLW_ANALYZER_SCOPE_TABLE_H
#define SLW_ANALYZER_SCOPE_TABLE_H

#include "analyzer/scopes.h"
#include "base/buf.h"

enum slw_scope_table { SLW_SCOPES_TASKS, SLW_SCOPES_MODES, SLW_SCOPES_INTERVALS };
#define SLW_SCOPE_TABLES 3

/* Rows of that table; 0: it is not shown. */
size_t slw_scope_rows(const struct slw_report *r, enum slw_scope_table table);

/* "BY THREAD", "USER AND KERNEL", "TIME LINE", and half a line that explains it. */
const char *slw_scope_title(const struct slw_report *r, enum slw_scope_table table);
const char *slw_scope_explained(enum slw_scope_table table);

/* The table for a terminal of `width` columns: at most `most` tasks, the rest of them in one row;
 * the time line as one line of bars a value. */
void slw_scope_term(struct slw_buf *out, const struct slw_report *r, enum slw_scope_table table,
                    size_t width, size_t most);

/* Cells of the table, without rows of bars: "CPU time", "IPC", "FE" ...; the last is the name of
 * the row. */
size_t slw_scope_cells(const struct slw_report *r, enum slw_scope_table table);
const char *slw_scope_cell_title(const struct slw_report *r, enum slw_scope_table table,
                                 size_t cell);
/* The text of a cell but the last; "-" where nothing is known. */
void slw_scope_cell_put(struct slw_buf *out, const struct slw_report *r, enum slw_scope_table table,
                        size_t row, size_t cell);
/* The last cell, as foreign text: not cleaned. */
void slw_scope_name_put(struct slw_buf *out, const struct slw_report *r, enum slw_scope_table table,
                        size_t row);

/* What must stand below the table: whether the parts make the whole. Not cleaned. */
void slw_scope_foot_put(struct slw_buf *out, const struct slw_report *r,
                        enum slw_scope_table table);

/* Tasks past the first `most` as one: their CPU time and its share. */
void slw_scope_pool(const struct slw_report *r, size_t most, struct slw_scope *ret_scope);

#endif

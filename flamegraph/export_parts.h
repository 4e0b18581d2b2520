/* SPDX-License-Identifier: MIT */
/* What exporters of stacks have in common: which columns they take, how they name a frame, a
 * column and where a number comes from. Not for metrics. */
#ifndef SLW_FLAMEGRAPH_EXPORT_PARTS_H
#define SLW_FLAMEGRAPH_EXPORT_PARTS_H

#include "flamegraph/exporter.h"

/* The one column of a format that holds one. SLW_E_NODATA: there is none such. */
int slw_export_column(const struct slw_stacks *s, const struct slw_export_options *opts,
                      size_t *ret_column, struct slw_error *err);

/* Does a format that holds many take this column? All, or those of the event and unit asked for. */
bool slw_export_takes(const struct slw_stacks *s, const struct slw_export_options *opts,
                      size_t column);

/* SLW_E_NODATA, when slw_export_takes no column. */
int slw_export_takes_any(const struct slw_stacks *s, const struct slw_export_options *opts,
                         struct slw_error *err);

/* "cpu-clock (nanoseconds; software)": the event, its unit, and where the numbers come from when it
 * is not the hardware of this machine. */
void slw_export_put_column(struct slw_buf *out, const struct slw_column *column);

/* "", "software", "simulated, imported": the part after the ';'. */
const char *slw_export_source(const struct slw_provenance *from);

bool slw_export_is_time(const struct slw_column *column);

/* The path of the module, "" when unknown. */
const char *slw_export_module(const struct slw_stacks *s, const struct slw_frame *f);

/* What a frame is called: its function, else its module in brackets, else "[unknown]". */
void slw_export_put_label(struct slw_buf *out, const struct slw_stacks *s,
                          const struct slw_frame *f);

/* A thread by its name; "[unknown]" without one. */
const char *slw_export_comm(const struct slw_stacks *s, uint32_t thread);

/* A quoted JSON string. Bytes that are no UTF-8 travel as record/text.h says. */
void slw_export_put_json(struct slw_buf *out, const char *text);

/* `text` for formats of lines without escapes: control characters become blanks. */
void slw_export_put_line(struct slw_buf *out, const char *text);

#endif

/* SPDX-License-Identifier: MIT */
/* Foreign text made safe and fitting for people: names come from binaries and may hold escape
 * sequences, newlines, 4 KB of C++ or bytes that are no UTF-8. Not for: JSON, which keeps them
 * whole. */
#ifndef SLW_ANALYZER_TEXT_H
#define SLW_ANALYZER_TEXT_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Could this character steer a terminal or reorder or hide text? Controls (C0, C1, DEL),
 * bidirectional and invisible format characters, line separators. */
bool slw_text_is_unsafe(uint32_t code);

/* Append `s` with everything that could steer a terminal or reorder a line written out: C0 and C1
 * controls, DEL and bytes that are no UTF-8 as \xNN, bidirectional and invisible format characters
 * and line separators as \u{NNNN}. The result is valid UTF-8 on one line. */
void slw_text_clean(struct slw_buf *out, const char *s);

/* Columns a terminal gives this UTF-8 text: wide characters 2, combining ones 0. */
size_t slw_text_columns(const char *s);

/* Append clean `s` in at most `columns` columns (at least 1), the middle replaced by an ellipsis
 * where it is too long: both ends of a C++ name tell more than its middle. */
void slw_text_fit(struct slw_buf *out, const char *s, size_t columns);

/* The same, padded with spaces to exactly `columns`. */
void slw_text_cell(struct slw_buf *out, const char *s, size_t columns);

/* Append clean `s` wrapped at `columns`, every line but the first indented by `indent`. */
void slw_text_wrap(struct slw_buf *out, const char *s, size_t columns, size_t indent);

/* Bytes of the UTF-8 character at s (1..4) and its code point; 0 when it is none (or the end). */
size_t slw_text_decode(const char *s, uint32_t *ret_code);

#endif

/* SPDX-License-Identifier: MIT */
/* Names of other people's programs made safe for XML and HTML text, attributes and the eye. */
#ifndef SLW_FLAMEGRAPH_ESCAPE_H
#define SLW_FLAMEGRAPH_ESCAPE_H

#include "base/buf.h"

#include <stdint.h>

/* The next character of a NUL-terminated string, moving *text behind it. Always one that XML 1.0
 * allows and that shows: bytes that are not UTF-8, surrogates and non-characters give U+FFFD,
 * control characters their picture (U+2400..), and characters that reorder or hide text U+FFFD.
 * Returns 0 at the end. Source: XML 1.0 section 2.2, RFC 3629, Unicode UAX #9. */
uint32_t slw_escape_next(const char **text);

/* Columns of a fixed-width font the character needs: 1, or 2 for the wide East Asian ranges. */
int slw_escape_columns(uint32_t c);

/* Append up to `columns` columns of text, escaped for XML and HTML text and quoted attributes
 * (& < > " '); what does not fit becomes one ellipsis. columns must be > 0. */
void slw_escape_put(struct slw_buf *out, const char *text, int columns);

#endif

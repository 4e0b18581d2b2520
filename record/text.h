/* SPDX-License-Identifier: MIT */
/* Any bytes as well-formed UTF-8, and back without loss. Names come from argv, comm and ELF files
 * and need not be UTF-8, but the strings of JSON and protobuf must be. Not for HTML or JSON
 * quoting. */
#ifndef SLW_RECORD_TEXT_H
#define SLW_RECORD_TEXT_H

#include "base/buf.h"

/* Append s to out. A byte that belongs to no well-formed sequence (RFC 3629: no overlong forms, no
 * surrogates, nothing past U+10FFFF) becomes U+FFFD followed by its two lowercase hex digits. The
 * three bytes of a U+FFFD in s are written so too, which keeps the way back unambiguous. */
void slw_text_escape(struct slw_buf *out, const char *s);

/* Undo slw_text_escape in place; the text never grows. A U+FFFD that slw_text_escape cannot have
 * written is left as it is. */
void slw_text_unescape(char *s);

#endif

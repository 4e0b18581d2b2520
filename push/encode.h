/* SPDX-License-Identifier: MIT */
/* The few encodings that requests are made of. Appends; failure is sticky in the buffer. */
#ifndef SLW_PUSH_ENCODE_H
#define SLW_PUSH_ENCODE_H

#include "base/buf.h"

#include <stdint.h>

/* RFC 4648 with padding; `url`: its alphabet for URLs. */
void slw_push_put_base64(struct slw_buf *out, const void *bytes, size_t length, int url);

/* RFC 3986: everything but unreserved characters as %XX. */
void slw_push_put_percent(struct slw_buf *out, const char *text);

/* A quoted JSON string; bytes that are no UTF-8 as record/text.h says. */
void slw_push_put_json(struct slw_buf *out, const char *text);

/* Protocol buffers: one field of wire type 2 (a message, a string, bytes). number < 16. */
void slw_push_put_field(struct slw_buf *out, unsigned number, const void *bytes, size_t length);

#endif

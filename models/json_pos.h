/* SPDX-License-Identifier: MIT */
/* Where in a JSON text a value stands. The text must have been accepted by jansson, so this scanner
 * checks nothing but the end of the text. Private to models/. */
#ifndef SLW_MODELS_JSON_POS_H
#define SLW_MODELS_JSON_POS_H

#include <stddef.h>

struct slw_json;

/* Byte offset of the value (or, with key_itself, of its key's opening quote). The deepest place on
 * the path that exists, when the value itself is absent. */
size_t slw_json_offset(const char *text, size_t length, const struct slw_json *at, int key_itself);

/* The byte of the text where byte `decoded` of the string at `offset` is written. */
size_t slw_json_string_offset(const char *text, size_t length, size_t offset, size_t decoded);

/* Line and column, both from 1; columns count characters, not bytes. */
void slw_json_line_column(const char *text, size_t offset, unsigned *ret_line,
                          unsigned *ret_column);

#endif

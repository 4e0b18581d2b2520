/* SPDX-License-Identifier: MIT */
/* What all parts of the JSON report write their values with. Not for: the run's own files
 * (record/run_json_int.h). */
#ifndef SLW_ANALYZER_JSON_VALUE_H
#define SLW_ANALYZER_JSON_VALUE_H

#include "base/buf.h"

#include <stdint.h>

struct json_t;

/* New values, NULL when out of memory, which jansson's *_new functions take as failure. */

/* Text, null for NULL. Bytes that are no UTF-8 cannot be JSON: they become U+FFFD. */
struct json_t *slw_json_text(const char *s);

/* JSON integers are signed 64 bit here; what is larger is written as a string of digits. */
struct json_t *slw_json_integer(uint64_t value);

/* null for what is not finite. */
struct json_t *slw_json_real(double value);

/* A JSON text, and a line end. People look at JSON in terminals too: jansson escapes C0 controls;
 * the others stand only inside strings, where an escape means the same character. `text` is UTF-8.
 */
void slw_json_print(struct slw_buf *out, const char *text);

#endif

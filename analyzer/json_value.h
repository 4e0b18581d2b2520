/* SPDX-License-Identifier: MIT */
/* What all parts of the JSON report write their values with. Not for: the run's own files
 * (record/run_json_int.h). */
#ifndef SLW_ANALYZER_JSON_VALUE_H
#define SLW_ANALYZER_JSON_VALUE_H

#include "analyzer/report.h"
#include "base/buf.h"
#include "record/run.h"

#include <stdbool.h>
#include <stdint.h>

struct json_t;

/* New values, NULL when out of memory, which jansson's *_new functions take as failure. */

/* Text, null for NULL. Bytes that are no UTF-8 cannot be JSON: they become U+FFFD. */
struct json_t *slw_json_text(const char *s);

/* JSON integers are signed 64 bit here; what is larger is written as a string of digits. */
struct json_t *slw_json_integer(uint64_t value);

/* null for what is not finite. */
struct json_t *slw_json_real(double value);

/* Building is sticky like slw_buf: what takes a new value takes NULL for a failure, so that one
 * look at the end is enough. Objects and arrays are lent, values are taken. */
struct slw_json {
    bool failed;
};

void slw_json_put(struct slw_json *j, struct json_t *object, const char *key, struct json_t *value);
void slw_json_push(struct slw_json *j, struct json_t *array, struct json_t *value);

/* Text, or null; where bytes are no UTF-8, KEY_hex keeps them all. */
void slw_json_put_text(struct slw_json *j, struct json_t *object, const char *key,
                       const char *text);

/* "source", "imported", "source_detail". */
void slw_json_put_provenance(struct slw_json *j, struct json_t *object,
                             const struct slw_provenance *from);

/* {"value", "absent"} */
void slw_json_put_maybe(struct slw_json *j, struct json_t *object, const char *key,
                        const struct slw_maybe_u64 *n);

/* {"value", "unit", "absent"} */
void slw_json_put_figure(struct slw_json *j, struct json_t *object, const char *key,
                         const struct slw_figure *f);

/* [{"key", "value"}] */
struct json_t *slw_json_labels(struct slw_json *j, const struct slw_label *labels, size_t count);

/* [{"level", "code", "text", "hint"}] */
struct json_t *slw_json_notes(struct slw_json *j, const struct slw_note *notes, size_t count);

/* `json`, or NULL when building it failed; then it is freed. */
struct json_t *slw_json_done(const struct slw_json *j, struct json_t *json);

/* A character as "\uXXXX", two of them past the basic plane. */
void slw_json_put_escape(struct slw_buf *out, uint32_t code);

/* A JSON text, and a line end. People look at JSON in terminals too: jansson escapes C0 controls;
 * the others stand only inside strings, where an escape means the same character. `text` is UTF-8.
 */
void slw_json_print(struct slw_buf *out, const char *text);

#endif

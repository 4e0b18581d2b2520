/* SPDX-License-Identifier: MIT */
/* Walking a JSON document so that every complaint can name line and column. jansson gives positions
 * for syntax errors only; a cursor remembers its path, and the path is looked up in the text when,
 * and only when, there is something to complain about. Private to models/. */
#ifndef SLW_MODELS_JSON_CURSOR_H
#define SLW_MODELS_JSON_CURSOR_H

#include "base/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Deepest path a cursor walks: a model nests 5. */
#define SLW_JSON_MAX_DEPTH 8

/* Text that jansson has accepted, and how to name it. Values may come from the file it is based on
 * (base.c): complaints then point there. */
struct slw_json_doc {
    const char *text;
    size_t length;
    const char *origin;
    struct slw_error *err;
    json_t *own;                     /* the text as parsed, before the base was merged in */
    const struct slw_json_doc *base; /* NULL: stands alone */
};

/* A value and the way to it. `up` must outlive the cursor. value NULL: absent. */
struct slw_json {
    const struct slw_json *up; /* NULL: the root */
    const char *key;           /* NULL: element `index` of an array */
    size_t index;
    json_t *value;
};

/* The member `key`, or element `index`; its value may be NULL. */
struct slw_json slw_json_member(const struct slw_json *at, const char *key);
struct slw_json slw_json_element(const struct slw_json *at, size_t index);

/* Fail at the value; at the member's key; `offset` decoded bytes into the string value. */
__attribute__((format(printf, 4, 5))) int slw_json_fail(const struct slw_json_doc *doc,
                                                        const struct slw_json *at,
                                                        enum slw_code code, const char *fmt, ...);
__attribute__((format(printf, 4, 5))) int slw_json_fail_key(const struct slw_json_doc *doc,
                                                            const struct slw_json *at,
                                                            enum slw_code code, const char *fmt,
                                                            ...);

/* Add the place `offset` bytes into the string at `at` to an error already recorded. */
void slw_json_where_in(const struct slw_json_doc *doc, const struct slw_json *at, size_t offset);

/* 0, or -SLW_E_FORMAT at the first key that is not in `known` (NULL-terminated); also when `at` is
 * no object. */
int slw_json_keys(const struct slw_json_doc *doc, const struct slw_json *at,
                  const char *const *known);

/* Typed values. Absent: -SLW_E_FORMAT when required, else 0 and *ret is left alone. A wrong type is
 * -SLW_E_FORMAT. Strings are lent from the JSON tree and never empty. */
int slw_json_string(const struct slw_json_doc *doc, const struct slw_json *at, const char *key,
                    bool required, const char **ret_string);
int slw_json_bool(const struct slw_json_doc *doc, const struct slw_json *at, const char *key,
                  bool *ret_bool);
int slw_json_number(const struct slw_json_doc *doc, const struct slw_json *at, const char *key,
                    bool required, double *ret_number);

/* The value itself: an integer >= 0, or "0x..." in a string. */
int slw_json_code(const struct slw_json_doc *doc, const struct slw_json *at, uint64_t *ret_u64);

/* A member of that kind, within [min, max]. */
int slw_json_int(const struct slw_json_doc *doc, const struct slw_json *at, const char *key,
                 bool required, int64_t min, int64_t max, int64_t *ret_int);
int slw_json_u64(const struct slw_json_doc *doc, const struct slw_json *at, const char *key,
                 uint64_t *ret_u64);

/* -SLW_E_FORMAT unless it is an array (object) of min to max entries. Absent counts as empty. */
int slw_json_array(const struct slw_json_doc *doc, const struct slw_json *at, size_t min,
                   size_t max);
int slw_json_object(const struct slw_json_doc *doc, const struct slw_json *at, size_t min,
                    size_t max);

#endif

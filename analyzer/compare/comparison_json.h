/* SPDX-License-Identifier: MIT */
/* The JSON of a comparison as a value, for what carries it inside something else: its page.
 * docs/compare.md documents every key. */
#ifndef SLW_ANALYZER_COMPARE_COMPARISON_JSON_H
#define SLW_ANALYZER_COMPARE_COMPARISON_JSON_H

#include "analyzer/compare/comparison.h"

struct json_t;

/* function_max: rows of the function table; 0: all. New reference; NULL when out of memory. */
struct json_t *slw_comparison_json(const struct slw_comparison *c, size_t function_max);

#endif

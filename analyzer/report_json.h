/* SPDX-License-Identifier: MIT */
/* The JSON report as a value, for what carries it inside something else: pages, comparisons.
 * docs/report-json.md documents every key. */
#ifndef SLW_ANALYZER_REPORT_JSON_H
#define SLW_ANALYZER_REPORT_JSON_H

#include "analyzer/report.h"

struct json_t;

#define SLW_REPORT_JSON_PRECISION 12 /* digits; more than any measurement here has */

/* function_max: rows of the function table; 0: all. New reference; NULL when out of memory. */
struct json_t *slw_report_json(const struct slw_report *report, size_t function_max);

#endif

/* SPDX-License-Identifier: MIT */
/* Threads, privilege levels and the time line for the JSON report. */
#ifndef SLW_ANALYZER_SCOPE_JSON_H
#define SLW_ANALYZER_SCOPE_JSON_H

#include "analyzer/scopes.h"

struct json_t;

/* New objects; NULL when out of memory. docs/report-json.md documents the keys. */
struct json_t *slw_scope_tasks_json(const struct slw_report *r);
struct json_t *slw_scope_modes_json(const struct slw_report *r);
struct json_t *slw_scope_intervals_json(const struct slw_report *r);

#endif

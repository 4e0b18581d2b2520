/* SPDX-License-Identifier: MIT */
/* The part of the JSON report that tells where the wall time of the threads went. Its keys are in
 * docs/report-json.md. */
#ifndef SLW_ANALYZER_WAITING_JSON_H
#define SLW_ANALYZER_WAITING_JSON_H

#include "record/run.h"

struct json_t;

/* A new array, empty where it was not measured; NULL when out of memory. */
struct json_t *slw_waiting_json(const struct slw_run *run);

/* What they waited for by name; empty when nobody knows. */
struct json_t *slw_waited_for_json(const struct slw_run *run);

#endif

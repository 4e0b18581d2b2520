/* SPDX-License-Identifier: MIT */
/* The part of the JSON report that tells of the stages the client marked. Its keys are in
 * docs/report-json.md. */
#ifndef SLW_ANALYZER_STAGES_JSON_H
#define SLW_ANALYZER_STAGES_JSON_H

#include "record/run.h"

struct json_t;

/* A new array, empty where nothing was marked; NULL when out of memory. */
struct json_t *slw_stages_json(const struct slw_run *run);

#endif

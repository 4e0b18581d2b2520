/* SPDX-License-Identifier: MIT */
/* The part of the JSON report that tells what went over the wire. Its keys are in
 * docs/report-json.md. */
#ifndef SLW_ANALYZER_TRAFFIC_JSON_H
#define SLW_ANALYZER_TRAFFIC_JSON_H

#include "analyzer/traffic.h"

struct json_t;

/* A new object; NULL when out of memory. */
struct json_t *slw_traffic_json(const struct slw_traffic *t);

#endif

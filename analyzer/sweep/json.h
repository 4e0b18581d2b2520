/* SPDX-License-Identifier: MIT */
/* The document that the json renderer of sweeps writes, and that pages are drawn from. */
#ifndef SLW_ANALYZER_SWEEP_JSON_H
#define SLW_ANALYZER_SWEEP_JSON_H

#include "analyzer/sweep/sweep.h"

struct json_t;

/* New reference; NULL: no memory. docs/sweep.md. */
struct json_t *slw_sweep_json(const struct slw_sweep_report *r);

#endif

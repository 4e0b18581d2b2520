/* SPDX-License-Identifier: MIT */
/* What a run took that no counter counted by itself, whole and per request: wall and thread time,
 * pipeline slots by category, system calls, bytes. The counts of events are rows.h. */
#ifndef SLW_ANALYZER_COSTS_H
#define SLW_ANALYZER_COSTS_H

#include "analyzer/report.h"

struct json_t;

#define SLW_MAX_COSTS 24 /* eleven of the taps, the slots and their categories */

struct slw_cost {
    const char *key, *name; /* "bytes_sent", "bytes sent"; "slots.frontend_bound" */
    struct slw_figure total, per_request;
};

struct slw_costs {
    const char *per_request_absent; /* why nothing is divided; NULL: known requests */
    struct slw_cost rows[SLW_MAX_COSTS];
    size_t count;
};

/* Divide a figure by the requests of the run, its interval too. Where they are unknown, were seen
 * in part only, or were none, the result is absent with the reason. Where the rounds of the run did
 * not do equal work there is no interval: that of the figure is of the work as well. */
struct slw_figure slw_cost_per_request(const struct slw_figure *total, const struct slw_run *run);

/* Fill r->costs; r->rows, the tree and r->traffic are there. -SLW_E_NOMEM. */
int slw_costs_fill(struct slw_report *r, struct slw_error *err);

/* {"absent", "rows": [...]}; new reference, NULL when out of memory. */
struct json_t *slw_costs_json(const struct slw_costs *costs);

#endif

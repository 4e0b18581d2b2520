/* SPDX-License-Identifier: MIT */
/* Undo counter multiplexing. Pure: no I/O, no allocation, no globals. */
#ifndef SLW_ANALYZER_SCALE_H
#define SLW_ANALYZER_SCALE_H

#include "base/error.h"

#include <stdint.h>

struct slw_reading {     /* source: perf_event_open(2), PERF_FORMAT_TOTAL_TIME_* */
    uint64_t raw;        /* events counted while scheduled */
    uint64_t enabled_ns; /* time the event asked for a counter */
    uint64_t running_ns; /* time it held one; <= enabled_ns */
};

/* Estimate the events of all of enabled_ns: raw * enabled / running, to nearest.
 * Returns 0 and writes *ret_events; else leaves it alone and returns -SLW_E_INVAL (running
 * exceeds enabled), -SLW_E_NODATA (never ran: a number would be invented) or -SLW_E_RANGE. */
int slw_scale(const struct slw_reading *r, uint64_t *ret_events, struct slw_error *err);

#endif

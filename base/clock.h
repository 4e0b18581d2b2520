/* SPDX-License-Identifier: MIT */
/* Time in nanoseconds, and a time stamp people read. */
#ifndef SLW_BASE_CLOCK_H
#define SLW_BASE_CLOCK_H

#include <stdint.h>

/* CLOCK_MONOTONIC, ns: the clock perf samples are stamped with (attr.use_clockid). */
uint64_t slw_clock_monotonic_ns(void);

/* CLOCK_REALTIME, ns since the epoch. */
uint64_t slw_clock_realtime_ns(void);

/* CPU time of this process so far, ns. */
uint64_t slw_clock_process_cpu_ns(void);

/* "2026-11-21T21:12:05Z" */
#define SLW_CLOCK_ISO_BYTES 32
void slw_clock_iso(uint64_t realtime_ns, char ret_text[SLW_CLOCK_ISO_BYTES]);

#endif

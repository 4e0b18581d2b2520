/* SPDX-License-Identifier: MIT */
/* Where the wall time of the threads went, as the renderers show it. Not for: measuring it
 * (collector/taps/offcpu). */
#ifndef SLW_ANALYZER_WAITING_H
#define SLW_ANALYZER_WAITING_H

#include "analyzer/report.h"
#include "base/buf.h"

#include <stdbool.h>

struct slw_waiting_part {
    enum slw_wait state;
    uint64_t ns, waits;
    double share; /* of the wall time */
};

/* The states with any time, on-CPU first, the others by time; returns how many. The shares sum to
 * 1. */
size_t slw_waiting_parts(const struct slw_waiting *w,
                         struct slw_waiting_part ret_parts[SLW_WAIT_COUNT]);

/* Context switches: times a thread left the CPU by itself, and times it was preempted. */
uint64_t slw_waiting_switches(const struct slw_waiting *w);

/* "48,210 system calls: 9,630 a second, 4.1 per request; 512 context switches: ..." */
void slw_waiting_rates(struct slw_buf *out, const struct slw_run *run);

/* "on-CPU 12 %, sleep 80 %, lock (futex) 8 %": the parts of 1 % and more. */
void slw_waiting_summary(struct slw_buf *out, const struct slw_waiting *w);

/* The section of a terminal report; nothing where it was not measured. */
void slw_waiting_term(struct slw_buf *out, const struct slw_report *r, size_t width, bool color);

#endif

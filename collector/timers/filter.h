/* SPDX-License-Identifier: MIT */
/* Whose samples are kept: a BPF program that the timers of all CPUs ask. It follows the target as
 * the kernel's own per-task events do: a command from its exec on, a process from now on, and what
 * they start; or a cgroup of version 2. Not for: opening the timers (perf_timers.c). */
#ifndef SLW_COLLECTOR_TIMERS_FILTER_H
#define SLW_COLLECTOR_TIMERS_FILTER_H

#include "base/error.h"

#include <linux/types.h>
#include <stdint.h>

#include "collector/timers/layout.h"

struct slw_live_target;
struct slw_timer_filter;

/* Load the program and begin to follow. process_max: SLW_TIMER_PROCESSES; tests take less.
 * -SLW_E_UNSUPPORTED: not built in, no BTF, too old a kernel, a cgroup of version 1. -SLW_E_PERM:
 * refused. -SLW_E_GONE: the process is. -SLW_E_NOMEM, -SLW_E_IO (descriptors). */
int slw_timer_filter_open(const struct slw_live_target *target, uint32_t process_max,
                          struct slw_timer_filter **ret_filter, struct slw_error *err);
void slw_timer_filter_close(struct slw_timer_filter *f); /* NULL allowed */

/* For PERF_EVENT_IOC_SET_BPF. */
int slw_timer_filter_program(const struct slw_timer_filter *f);

/* Processes of the target that could not be followed: there were too many at a time. */
uint64_t slw_timer_filter_lost(const struct slw_timer_filter *f);

/* CPU time of its programs so far; 0: they have not run, or the kernel does not tell. */
uint64_t slw_timer_filter_time_ns(const struct slw_timer_filter *f);

/* Bytes of its maps, for the self cost. */
uint64_t slw_timer_filter_bytes(const struct slw_timer_filter *f);

#endif

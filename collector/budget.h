/* SPDX-License-Identifier: MIT */
/* What can the counters here hold? Tried on ourselves before anything is measured, since a group
 * that is too large may open without an error and then never run: the Arm driver does not look at a
 * leader that is off, and nobody tells how many counters a hypervisor, another profiler or a
 * watchdog left. Nothing stays open. Source: linux drivers/perf/arm_pmu.c, validate_group(). */
#ifndef SLW_COLLECTOR_BUDGET_H
#define SLW_COLLECTOR_BUDGET_H

#include "collector/plan.h"
#include "collector/sys.h"

struct slw_perf_event;

/* False when the kernel says that there is no such event. True also when it cannot be tried, as
 * when the kernel refuses everything: opening it for the target will tell why. */
bool slw_budget_opens(const struct slw_sys *sys, uint32_t type, uint64_t config, uint64_t config1);

/* False when some hardware group of the plan found no counters for all of its events while
 * `sampled` (NULL: no sampling) was running. What cannot be tried counts as fitting. */
bool slw_budget_fits(const struct slw_sys *sys, const struct slw_plan *plan,
                     const struct slw_perf_event *sampled);

#endif

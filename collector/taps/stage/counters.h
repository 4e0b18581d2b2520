/* SPDX-License-Identifier: MIT */
/* The hardware counters that are read at every mark of a stage: one group on each CPU, because a
 * BPF program can read no others. Where there is no PMU there is none, and the reason says so. Not
 * for: the counts of the whole target (perf_events.h). */
#ifndef SLW_COLLECTOR_TAPS_STAGE_COUNTERS_H
#define SLW_COLLECTOR_TAPS_STAGE_COUNTERS_H

#include "base/error.h"

#include <stddef.h>

struct slw_live_target;
struct slw_session_options;
struct slw_stage_counters;
struct slw_stage_prog;
struct slw_stage_results;

/* Opens what can be opened, and counts at once. 0 also when that is nothing. -SLW_E_NOMEM. */
int slw_stage_counters_open(const struct slw_session_options *opts,
                            const struct slw_live_target *target,
                            struct slw_stage_counters **ret_counters, struct slw_error *err);
void slw_stage_counters_close(struct slw_stage_counters *c); /* NULL allowed */

size_t slw_stage_counters_count(const struct slw_stage_counters *c);

/* The BPF program reads them from now on. */
int slw_stage_counters_hand_over(struct slw_stage_counters *c, struct slw_stage_prog *p,
                                 struct slw_error *err);

/* Which counter is which event, and why the others are absent. What is written is lent by c. */
void slw_stage_counters_tell(const struct slw_stage_counters *c, struct slw_stage_results *r);

#endif

/* SPDX-License-Identifier: MIT */
/* Which counters are read with every sample, so that each function can be charged with what they
 * counted. Pure: a model and limits in, a group out. Not for: opening it (perf_group.c).
 * Source: perf_event_open(2) PERF_SAMPLE_READ; linux tools/perf/Documentation/topdown.txt: in a
 * sampled group of PERF_METRICS slots leads and another event samples. */
#ifndef SLW_COLLECTOR_SAMPLE_GROUP_H
#define SLW_COLLECTOR_SAMPLE_GROUP_H

#include "collector/plan.h"

struct slw_sample_group {
    const char *why;    /* event_count 0: why there is none; static or lent from `absent` */
    size_t event_count; /* 0: samples carry no counters */
    size_t sampling;    /* the event that samples */
    struct slw_plan_event events[SLW_MAX_GROUP_EVENTS]; /* the first leads */
};

/* The events of the model's level 1, or of its plain metrics when it has no tree, and cycles, which
 * sample; instructions per cycle and instruction cache misses where counters are left for them.
 * All of level 1 or nothing: half of it says nothing about a function. absent: per model event why
 * it cannot be had here, or NULL. */
void slw_sample_group_plan(const struct slw_model *m, const struct slw_model_vars *vars,
                           int reserved_counters, const char *const *absent,
                           struct slw_sample_group *ret_group);

/* The CPU clock samples; page faults and, where the kernel may be seen, context switches. */
void slw_sample_group_software(struct slw_sample_group *ret_group);

#endif

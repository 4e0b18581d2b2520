/* SPDX-License-Identifier: MIT */
/* The engine behind the backends that use perf_event_open: counting groups and one sampled event on
 * every part of the target, in one run. The functions after open are those of struct slw_backend.
 * Source: perf_event_open(2). */
#ifndef SLW_COLLECTOR_PERF_EVENTS_H
#define SLW_COLLECTOR_PERF_EVENTS_H

#include "collector/backend.h"
#include "collector/plan.h"
#include "collector/sample_group.h"

/* The event that takes samples, and that stands for the backend: when it cannot be opened, nothing
 * can be measured this way. */
struct slw_perf_event {
    const char *name;
    const char *unit; /* of its period */
    enum slw_source source;
    uint32_t type;
    uint64_t config;
};

/* Open everything, disabled, and begin the spool. Plan and group are copied from, not kept; group
 * NULL: samples carry no counters. A group that cannot be had here is a note. Besides errors
 * of the spool: SLW_E_UNSUPPORTED (no such event here), SLW_E_PERM, SLW_E_GONE, SLW_E_LIMIT (out of
 * descriptors), SLW_E_NOMEM. */
int slw_perf_open(const struct slw_session_options *opts, struct slw_live_target *target,
                  struct slw_spool *spool, const struct slw_plan *plan,
                  const struct slw_perf_event *sampled, const struct slw_sample_group *group,
                  struct slw_run *run, struct slw_backend_state **ret_state, struct slw_error *err);
int slw_perf_start(struct slw_backend_state *s, struct slw_error *err);
int slw_perf_poll(struct slw_backend_state *s, int timeout_ms, struct slw_error *err);
int slw_perf_stop(struct slw_backend_state *s, struct slw_error *err);
int slw_perf_collect(struct slw_backend_state *s, struct slw_run *run, struct slw_error *err);
void slw_perf_close(struct slw_backend_state *s);

/* Can this event be opened on ourselves? For slw_backend.probe. */
void slw_perf_probe(const struct slw_perf_event *event, struct slw_probe *ret_probe);

#endif

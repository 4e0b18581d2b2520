/* SPDX-License-Identifier: MIT */
/* Stacks of waits as samples of an event of their own in perf.data, so that they are unwound,
 * symbolized and drawn as all others are. The name and the event are those of `perf record
 * --off-cpu`. */
#ifndef SLW_COLLECTOR_TAPS_OFFCPU_SPOOL_STACKS_H
#define SLW_COLLECTOR_TAPS_OFFCPU_SPOOL_STACKS_H

#include "base/error.h"
#include "collector/session.h"

#include <linux/perf_event.h>
#include <linux/types.h>
#include <stdint.h>

#include "collector/taps/offcpu/layout.h"

struct slw_spool;
struct slw_spool_event;

/* How the callers of waits are seen in a session with these options. */
enum slw_off_callers slw_off_callers(const struct slw_session_options *opts);
/* Bytes of stack in a copy, where that is by copies. */
uint32_t slw_off_copy_bytes(const struct slw_session_options *opts);

/* The event, for slw_spool_begin; lends *attr, which it fills. */
struct slw_spool_event slw_off_spool_event(const struct slw_session_options *opts,
                                           struct perf_event_attr *attr);

/* One sample: its period is the time waited. Errors of slw_spool_write. */
int slw_off_spool_stack(struct slw_spool *spool, enum slw_off_callers callers,
                        const struct slw_off_sample *s);

#endif

/* SPDX-License-Identifier: MIT */
/* Stacks of waits as samples of an event of their own in perf.data, so that they are symbolized and
 * drawn as all others are. The name and the event are those of `perf record --off-cpu`. */
#ifndef SLW_COLLECTOR_TAPS_OFFCPU_SPOOL_STACKS_H
#define SLW_COLLECTOR_TAPS_OFFCPU_SPOOL_STACKS_H

#include "base/error.h"

#include <linux/types.h>
#include <stdint.h>

#include "collector/taps/offcpu/layout.h"

struct slw_spool;
struct slw_spool_event;

/* The event, for slw_spool_begin; static. */
const struct slw_spool_event *slw_off_spool_event(void);

/* One sample: its period is the time waited, its time the end of the last of the waits. Addresses
 * end with 0 or after SLW_OFF_STACK_DEPTH. Errors of slw_spool_write. */
int slw_off_spool_stack(struct slw_spool *spool, const struct slw_off_stack_key *key,
                        const struct slw_off_stack_sum *sum, const uint64_t *kernel_ips,
                        const uint64_t *user_ips);

#endif

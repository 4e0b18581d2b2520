/* SPDX-License-Identifier: MIT */
/* The threads a target has now, for taps that follow threads by themselves. */
#ifndef SLW_COLLECTOR_TAPS_BPF_TASKS_H
#define SLW_COLLECTOR_TAPS_BPF_TASKS_H

#include "base/error.h"

#include <stdint.h>

struct slw_live_target;

/* Negative ends the walk. */
typedef int slw_tap_task_fn(void *ctx, uint32_t pid, uint32_t tid, struct slw_error *err);

/* Of a process, its threads when the target was opened; of a cgroup, the threads in it now: one
 * that is moved in later is missed; of a command, the one that waits for exec. What fn returned
 * last, or -SLW_E_UNSUPPORTED: the threads of this kind of target, or of this cgroup, cannot be
 * listed. */
int slw_tap_tasks(const struct slw_live_target *t, slw_tap_task_fn *fn, void *ctx,
                  struct slw_error *err);

#endif

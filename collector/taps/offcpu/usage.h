/* SPDX-License-Identifier: MIT */
/* Off-CPU time without any event of the kernel: the wall time of a command of one thread less the
 * CPU time that getrusage tells. Not for: causes, several threads. */
#ifndef SLW_COLLECTOR_TAPS_OFFCPU_USAGE_H
#define SLW_COLLECTOR_TAPS_OFFCPU_USAGE_H

#include "base/error.h"
#include "collector/target.h"
#include "record/run.h"

#include <stdbool.h>
#include <stdint.h>

struct slw_off_usage {
    uint64_t start_ns, end_ns; /* of the command */
    bool several; /* threads or child processes were seen: their wall time is unknown */
};

/* Can it be known of this target? A command that is measured from its start to its end. */
bool slw_off_usage_possible(const struct slw_live_target *target);

/* Look whether it has several threads or children now. */
void slw_off_usage_look(struct slw_off_usage *u, const struct slw_live_target *target);

/* Put a row into the run when the command was waited for and had one thread, else a note with what
 * is known. -SLW_E_NOMEM. */
int slw_off_usage_put(const struct slw_off_usage *u, const struct slw_live_target *target,
                      struct slw_run *run, struct slw_error *err);

#endif

/* SPDX-License-Identifier: MIT */
/* From what the BPF program sums per stage to what a run says. Pure. */
#ifndef SLW_COLLECTOR_TAPS_STAGE_SUMS_H
#define SLW_COLLECTOR_TAPS_STAGE_SUMS_H

#include "base/error.h"
#include "collector/taps/stage/marks.h"
#include "record/run.h"

struct slw_stage_results {
    const struct slw_stage_marks *marks;
    const struct slw_stage_sum *sums; /* of marks->stage_count stages */
    /* By enum slw_stage_event: which of the counters it is; -1: absent[] says why none. */
    int counter[SLW_STAGE_EVENT_COUNT];
    const char *absent[SLW_STAGE_EVENT_COUNT];
    uint64_t slots_per_cycle;           /* > 0: slots are cycles times this */
    struct slw_provenance counted_from; /* of the counters */
    struct slw_stage_losses losses;
    uint64_t not_followed; /* threads that were too many */
    uint64_t skipped;      /* events the kernel did not hand over */
    uint64_t not_attached; /* marks */
};

/* Put the stages that were called into the run, and what was missed into its notes. -SLW_E_NOMEM.
 */
int slw_stage_put(const struct slw_stage_results *r, struct slw_run *run, struct slw_error *err);

#endif

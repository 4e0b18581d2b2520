/* SPDX-License-Identifier: MIT */
/* Samples by the kernel's CPU clock and counts of kernel software events: works where there is no
 * PMU, in nearly every virtual machine. */
#include "collector/perf_events.h"

#include <linux/perf_event.h>

static const struct slw_perf_event cpu_clock = {"cpu-clock", "nanoseconds", SLW_SOURCE_SOFTWARE,
                                                PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_CLOCK};

static void probe(struct slw_probe *ret_probe)
{
    slw_perf_probe(&cpu_clock, ret_probe);
}

static int open_clock(const struct slw_session_options *opts, struct slw_live_target *target,
                      struct slw_spool *spool, struct slw_run *run,
                      struct slw_backend_state **ret_state, struct slw_error *err)
{
    struct slw_plan_options plan_options = {.system_wide = opts->target == SLW_TARGET_ALL};
    struct slw_sample_group group;
    struct slw_plan *plan = NULL;
    int rc = slw_plan_new(&plan_options, &plan, err);

    slw_sample_group_software(&group);
    if (rc == 0)
        rc = slw_perf_open(opts, target, spool, plan, &cpu_clock,
                           opts->per_function ? &group : NULL, run, ret_state, err);
    slw_plan_free(plan);
    if (rc == 0 && opts->split_modes)
        (void)slw_run_note(run, SLW_NOTE_INFO, "modes-not-split", NULL,
                           "no hardware events were counted: user and kernel time are told by the "
                           "samples and the kernel's accounting");
    return rc;
}

const struct slw_backend slw_backend_swclock = {
    .name = "swclock",
    .summary = "CPU-clock samples and kernel software events",
    .source = SLW_SOURCE_SOFTWARE,
    .probe = probe,
    .open = open_clock,
    .start = slw_perf_start,
    .poll = slw_perf_poll,
    .stop = slw_perf_stop,
    .collect = slw_perf_collect,
    .close = slw_perf_close,
};

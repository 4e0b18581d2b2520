/* SPDX-License-Identifier: MIT */
/* The CPU's own counters: the events of the model in groups, cycles sampled, software events beside
 * them, all in one run. */
#include "base/cleanup.h"
#include "base/file.h"
#include "base/parse.h"
#include "collector/perf_events.h"

#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SYSFS_DEVICES "/sys/bus/event_source/devices"

static const struct slw_perf_event cycles = {"cycles", "count", SLW_SOURCE_HARDWARE,
                                             PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES};

static void probe(struct slw_probe *ret_probe)
{
    slw_perf_probe(&cycles, ret_probe);
}

/* Events whose name the PMU must list under events/ and does not. NULL when out of memory. */
static const char **missing_events(const struct slw_model *m)
{
    const char **absent = calloc(m->event_count + 1, sizeof(absent[0]));
    char path[256];

    for (size_t i = 0; absent && i < m->event_count; i++) {
        if (!m->events[i].sysfs)
            continue;
        (void)snprintf(path, sizeof(path), SYSFS_DEVICES "/%s/events/%s", m->pmu,
                       m->events[i].sysfs);
        if (access(path, F_OK) < 0)
            absent[i] = "not supported: the kernel does not list it for this PMU";
    }
    return absent;
}

/* attr.type of the model's PMU: hybrid machines have one per core type. */
static uint32_t pmu_type(const struct slw_model *m)
{
    char *SLW_AUTO(free) text = NULL;
    char path[256];
    uint64_t type = PERF_TYPE_RAW;

    (void)snprintf(path, sizeof(path), SYSFS_DEVICES "/%s/type", m->pmu ? m->pmu : "cpu");
    if (slw_file_read(path, 64, &text, NULL, NULL) < 0)
        return PERF_TYPE_RAW;
    text[strcspn(text, "\n")] = '\0';
    (void)slw_parse_u64(text, "type", 0, UINT32_MAX, &type, NULL);
    return (uint32_t)type;
}

/* The model's codes are the kernel's (modelc has libpfm4 confirm them when it is built), but for
 * the number of the PMU, which only the running kernel knows. */
static void set_pmu(const struct slw_model *m, struct slw_plan *plan)
{
    uint32_t type = pmu_type(m);

    for (size_t g = 0; g < plan->group_count; g++)
        for (size_t i = 0; i < plan->groups[g].event_count; i++)
            if (plan->groups[g].events[i].type == PERF_TYPE_RAW)
                plan->groups[g].events[i].type = type;
}

/* What could not be planned is absent with its reason, or noted as counted at different times. */
static int report_gaps(const struct slw_plan *plan, const struct slw_model *m, struct slw_run *run,
                       struct slw_error *err)
{
    int rc = 0;

    for (size_t i = 0; i < plan->gap_count && rc == 0; i++) {
        const struct slw_plan_gap *gap = &plan->gaps[i];

        if (gap->model_event < 0) {
            rc = slw_run_note(run, SLW_NOTE_INFO, "group-split", NULL,
                              "the events of %s were counted at different times, because they do "
                              "not fit on the counters together",
                              m->nodes[gap->node].name);
            continue;
        }
        struct slw_count count = {.event = m->events[gap->model_event].name,
                                  .unit = "events",
                                  .from = {.source = SLW_SOURCE_HARDWARE},
                                  .group = -1,
                                  .pid = -1,
                                  .tid = -1,
                                  .cpu = -1,
                                  .absent = gap->why};
        rc = slw_run_add_count(run, &count, err);
    }
    return rc;
}

static int open_pmu(const struct slw_session_options *opts, struct slw_live_target *target,
                    struct slw_spool *spool, struct slw_run *run,
                    struct slw_backend_state **ret_state, struct slw_error *err)
{
    const struct slw_model *m = opts->model;
    const char **SLW_AUTO(free) absent = m ? missing_events(m) : NULL;
    struct slw_plan_options plan_options = {.model = m,
                                            .level = opts->level,
                                            .reserved_counters = (run->host.nmi_watchdog == 1) +
                                                                 (opts->sample ? 1 : 0),
                                            .system_wide = opts->target == SLW_TARGET_ALL,
                                            .hardware = true,
                                            .needs = slw_model_needs,
                                            .absent = absent};
    struct slw_plan *plan = NULL;

    if (m && !absent)
        return slw_fail(err, SLW_E_NOMEM, "no memory for a plan");
    int rc = slw_plan_new(&plan_options, &plan, err);
    if (rc < 0)
        return rc;
    if (m)
        set_pmu(m, plan);
    rc = slw_perf_open(opts, target, spool, plan, &cycles, run, ret_state, err);
    if (rc == 0 && m)
        rc = report_gaps(plan, m, run, err);
    if (rc < 0 && *ret_state) {
        slw_perf_close(*ret_state);
        *ret_state = NULL;
    }
    slw_plan_free(plan);
    return rc;
}

const struct slw_backend slw_backend_hwpmu = {
    .name = "hwpmu",
    .summary = "hardware counters and cycle samples",
    .source = SLW_SOURCE_HARDWARE,
    .probe = probe,
    .open = open_pmu,
    .start = slw_perf_start,
    .poll = slw_perf_poll,
    .stop = slw_perf_stop,
    .collect = slw_perf_collect,
    .close = slw_perf_close,
};

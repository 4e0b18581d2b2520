/* SPDX-License-Identifier: MIT */
/* The CPU's own counters: the events of the model in groups, cycles sampled, software events beside
 * them, all in one run. */
#include "base/cleanup.h"
#include "collector/budget.h"
#include "collector/perf_events.h"
#include "collector/plan_pass.h"
#include "collector/pmu.h"
#include "collector/target.h"

#include <linux/perf_event.h>
#include <stdlib.h>

static const struct slw_perf_event cycles = {"cycles", "count", SLW_SOURCE_HARDWARE,
                                             PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES};

static void probe(struct slw_probe *ret_probe)
{
    slw_perf_probe(&cycles, ret_probe);
}

/* Where a model is to be measured. */
struct place {
    const struct slw_sys *sys;
    const char *root, *release;
    struct slw_pmu pmu;
    const char *core; /* kind of core the model is of; NULL: there is only one */
    bool in_sysfs;    /* else pmu holds only a type: in many containers /sys is empty */
};

/* Why an event of the model cannot be counted here; NULL: it should. Left in the plan, it would
 * take the room of others and make them take turns. */
static const char *missing(const struct slw_model_event *e, const struct place *at)
{
    if (at->in_sysfs && e->sysfs && !slw_pmu_has_event(at->root, &at->pmu, e->sysfs))
        return "not supported: the kernel does not list it for this PMU";
    if (e->type == PERF_TYPE_RAW && slw_pmu_lists(&at->pmu, e->config) == SLW_PMU_UNLISTED &&
        slw_pmu_kernel_lists_all(at->release))
        return "not supported: the CPU does not count it";
    if (e->role != SLW_EVENT_PERF_METRIC &&
        !slw_budget_opens(at->sys, e->type == PERF_TYPE_RAW ? at->pmu.type : e->type, e->config,
                          e->config1))
        return "not supported";
    return NULL;
}

/* Per event of the model why it is absent, or NULL; NULL when out of memory. */
static const char **missing_events(const struct slw_model *m, const struct place *at)
{
    const char **absent = calloc(m->event_count + 1, sizeof(absent[0]));

    for (size_t i = 0; absent && i < m->event_count; i++)
        absent[i] = missing(&m->events[i], at);
    return absent;
}

/* The model's codes are the kernel's (modelc has libpfm4 confirm them when it is built), but for
 * the number of the PMU, which only the running kernel knows. */
static void set_pmu(const struct place *at, struct slw_plan *plan)
{
    for (size_t g = 0; g < plan->group_count; g++) {
        if (plan->groups[g].source == SLW_SOURCE_HARDWARE)
            plan->groups[g].pmu = at->core;
        for (size_t i = 0; i < plan->groups[g].event_count; i++) {
            struct slw_plan_event *e = &plan->groups[g].events[i];

            if (e->type != PERF_TYPE_RAW)
                continue;
            e->doubtful = slw_pmu_lists(&at->pmu, e->config) == SLW_PMU_UNLISTED;
            e->type = at->pmu.type;
        }
    }
}

/* The counters read with every sample. Without a model nobody knows what they would mean. */
static void plan_group(const struct slw_session_options *opts, const struct slw_run *run,
                       const struct place *at, const char *const *absent,
                       struct slw_sample_group *ret_group)
{
    const struct slw_model_vars vars = {.smt_on = run->host.cpu.smt == 1,
                                        .single_task = slw_command_is_tasks(opts->target)};

    *ret_group = (struct slw_sample_group){.why = "there is no model of this CPU"};
    if (opts->model)
        slw_sample_group_plan(opts->model, &vars, run->host.nmi_watchdog == 1, absent, ret_group);
    for (size_t i = 0; i < ret_group->event_count; i++)
        if (ret_group->events[i].type == PERF_TYPE_RAW)
            ret_group->events[i].type = at->pmu.type;
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

static int new_plan(const struct slw_plan_options *o, const struct place *at,
                    struct slw_plan **ret_plan, struct slw_error *err)
{
    int rc = slw_plan_new(o, ret_plan, err);

    if (rc == 0)
        set_pmu(at, *ret_plan);
    return rc;
}

/* A plan whose groups do get counters here, with as few set aside as that takes. Where not even
 * single events get one, the plan of before: what never runs will be absent. */
static int plan_within_budget(const struct place *at, struct slw_plan_options *o, bool sample,
                              struct slw_plan **ret_plan, struct slw_error *err)
{
    const int first = o->reserved_counters;
    const int last = (o->model ? o->model->general_counters : SLW_PLAN_GENERIC_EVENTS) - 1;
    struct slw_plan *plan = NULL;

    for (; o->reserved_counters <= last; o->reserved_counters++) {
        int rc = new_plan(o, at, &plan, err);

        if (rc < 0)
            return rc;
        if (slw_budget_fits(at->sys, plan, sample ? &cycles : NULL)) {
            *ret_plan = plan;
            return 0;
        }
        slw_plan_free(plan);
    }
    o->reserved_counters = first;
    return new_plan(o, at, ret_plan, err);
}

static void note_budget(struct slw_run *run, const struct slw_plan_options *o, int expected)
{
    if (o->reserved_counters > expected)
        (void)slw_run_note(run, SLW_NOTE_INFO, "counters-held",
                           "end other profilers, or the NMI watchdog: sudo sysctl "
                           "kernel.nmi_watchdog=0",
                           "%d counters less than this CPU has could be had, so that more events "
                           "take turns",
                           o->reserved_counters - expected);
}

static void note_hybrid(struct slw_run *run, const struct place *at)
{
    if (at->core)
        (void)slw_run_note(run, SLW_NOTE_WARNING, "hybrid-part",
                           "pin the client to the cores of one kind with taskset",
                           "this machine has cores of several kinds, and only %s was counted: what "
                           "ran on the others is in no event of the model",
                           at->core);
}

/* What of the plan this session counts. */
static void choose_groups(const struct slw_session_options *opts, const struct place *at,
                          struct slw_plan *plan)
{
    if (opts->ret_group_count)
        *opts->ret_group_count = slw_plan_hardware_groups(plan);
    if (opts->only_group > 0)
        slw_plan_keep(plan, (size_t)opts->only_group, opts->model, at->sys);
}

static int open_plan(const struct slw_session_options *opts, struct slw_live_target *target,
                     struct slw_spool *spool, const struct slw_plan *plan,
                     const struct slw_sample_group *group, struct slw_run *run,
                     struct slw_backend_state **ret_state, struct slw_error *err)
{
    int rc = slw_perf_open(opts, target, spool, plan, &cycles, group, run, ret_state, err);

    if (rc == 0 && opts->model && opts->only_group <= 1) /* once is enough */
        rc = report_gaps(plan, opts->model, run, err);
    if (rc < 0 && *ret_state) {
        slw_perf_close(*ret_state);
        *ret_state = NULL;
    }
    return rc;
}

static int open_pmu(const struct slw_session_options *opts, struct slw_live_target *target,
                    struct slw_spool *spool, struct slw_run *run,
                    struct slw_backend_state **ret_state, struct slw_error *err)
{
    const struct slw_model *m = opts->model;
    struct place at = {.sys = target->sys,
                       .root = opts->sysfs_root ? opts->sysfs_root : "",
                       .release = run->host.kernel,
                       .pmu = {.type = PERF_TYPE_RAW}};
    const int expected =
        m ? (run->host.nmi_watchdog == 1) + (opts->sample && !opts->per_function ? 1 : 0) : 0;
    const struct slw_model_vars vars = {.smt_on = run->host.cpu.smt == 1,
                                        .single_task = slw_command_is_tasks(opts->target)};
    struct slw_plan_options plan_options = {.model = m,
                                            .level = opts->level,
                                            .reserved_counters = expected,
                                            .system_wide = opts->target == SLW_TARGET_ALL,
                                            .hardware = true,
                                            .needs = slw_model_needs,
                                            .vars = run->host.cpu.smt >= 0 ? &vars : NULL};
    struct slw_sample_group group;
    struct slw_plan *plan = NULL;

    at.in_sysfs = m && slw_pmu_find(at.root, m->pmu, &at.pmu);
    at.core = at.in_sysfs && slw_pmu_hybrid(at.root) ? m->pmu : NULL;
    const char **SLW_AUTO(free) absent = m ? missing_events(m, &at) : NULL;
    if (m && !absent)
        return slw_fail(err, SLW_E_NOMEM, "no memory for a plan");
    plan_options.absent = absent;
    int rc = plan_within_budget(&at, &plan_options, opts->sample, &plan, err);
    if (rc < 0)
        return rc;
    choose_groups(opts, &at, plan);
    plan_group(opts, run, &at, absent, &group);
    rc = open_plan(opts, target, spool, plan, opts->per_function ? &group : NULL, run, ret_state,
                   err);
    if (rc == 0) {
        note_budget(run, &plan_options, expected);
        note_hybrid(run, &at);
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

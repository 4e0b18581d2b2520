/* SPDX-License-Identifier: MIT */
#include "collector/place.h"

#include "collector/budget.h"
#include "collector/perf_events.h"

#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>

static void own_code(const struct slw_place *at, uint32_t *type, uint64_t *config)
{
    if (*type == PERF_TYPE_RAW)
        *type = at->pmu.type;
    else if (at->kind && (*type == PERF_TYPE_HARDWARE || *type == PERF_TYPE_HW_CACHE))
        *config |= (uint64_t)at->pmu.type << SLW_PMU_TYPE_SHIFT;
}

/* Why an event of the model cannot be counted here; NULL: it should. Left in the plan, it would
 * take the room of others and make them take turns. */
static const char *missing(const struct slw_model_event *e, const struct slw_place *at)
{
    uint32_t type = e->type;
    uint64_t config = e->config;

    if (at->in_sysfs && e->sysfs && !slw_pmu_has_event(at->root, &at->pmu, e->sysfs))
        return "not supported: the kernel does not list it for this PMU";
    if (e->type == PERF_TYPE_RAW && slw_pmu_lists(&at->pmu, e->config) == SLW_PMU_UNLISTED &&
        slw_pmu_kernel_lists_all(at->release))
        return "not supported: the CPU does not count it";
    own_code(at, &type, &config);
    if (e->role != SLW_EVENT_PERF_METRIC && !slw_budget_opens(at->sys, type, config, e->config1))
        return "not supported";
    return NULL;
}

/* The model's codes are the kernel's (modelc has libpfm4 confirm them when it is built), but for
 * the number of the PMU, which only the running kernel knows. */
static void set_pmu(const struct slw_place *at, struct slw_plan *plan)
{
    for (size_t g = 0; g < plan->group_count; g++) {
        if (plan->groups[g].source != SLW_SOURCE_HARDWARE)
            continue;
        plan->groups[g].kind = at->kind;
        for (size_t i = 0; i < plan->groups[g].event_count; i++) {
            struct slw_plan_event *e = &plan->groups[g].events[i];

            e->doubtful =
                e->type == PERF_TYPE_RAW && slw_pmu_lists(&at->pmu, e->config) == SLW_PMU_UNLISTED;
            own_code(at, &e->type, &e->config);
        }
    }
}

void slw_place_sample_group(const struct slw_place *at, const struct slw_run *run,
                            struct slw_sample_group *ret_group)
{
    *ret_group = (struct slw_sample_group){.why = "there is no model of this CPU"};
    if (at->kind)
        ret_group->why = "this CPU has cores of several kinds, which count different events";
    else if (at->model)
        slw_sample_group_plan(at->model, &at->vars, run->host.nmi_watchdog == 1, at->absent,
                              ret_group);
    for (size_t i = 0; i < ret_group->event_count; i++)
        own_code(at, &ret_group->events[i].type, &ret_group->events[i].config);
}

int slw_place_report_gaps(const struct slw_place *at, struct slw_run *run, struct slw_error *err)
{
    int rc = 0;

    for (size_t i = 0; at->model && i < at->plan->gap_count && rc == 0; i++) {
        const struct slw_plan_gap *gap = &at->plan->gaps[i];

        if (gap->model_event < 0) {
            rc = slw_run_note(run, SLW_NOTE_INFO, "group-split", NULL,
                              "the events of %s were counted at different times, because they do "
                              "not fit on the counters together",
                              at->model->nodes[gap->node].name);
            continue;
        }
        struct slw_count count = {.event = at->model->events[gap->model_event].name,
                                  .unit = "events",
                                  .pmu = at->kind ? at->kind->pmu : NULL,
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

/* ---- planning ---- */

static int new_plan(const struct slw_plan_options *o, const struct slw_place *at,
                    struct slw_plan **ret_plan, struct slw_error *err)
{
    int rc = slw_plan_new(o, ret_plan, err);

    if (rc == 0)
        set_pmu(at, *ret_plan);
    return rc;
}

/* A plan whose groups do get counters here, with as few set aside as that takes. Where not even
 * single events get one, the plan of before: what never runs will be absent. */
static int plan_within_budget(struct slw_place *at, const struct slw_perf_event *sampled,
                              bool sample, struct slw_error *err)
{
    struct slw_plan_options *o = &at->options;
    const int first = o->reserved_counters;
    const int last = (o->model ? o->model->general_counters : SLW_PLAN_GENERIC_EVENTS) - 1;
    struct slw_perf_event held = *sampled;
    struct slw_plan *plan = NULL;

    own_code(at, &held.type, &held.config);
    for (; o->reserved_counters <= last; o->reserved_counters++) {
        int rc = new_plan(o, at, &plan, err);

        if (rc < 0)
            return rc;
        if (slw_budget_fits(at->sys, plan, sample ? &held : NULL)) {
            at->plan = plan;
            return 0;
        }
        slw_plan_free(plan);
    }
    o->reserved_counters = first;
    return new_plan(o, at, &at->plan, err);
}

/* Two counters may be taken before we come: by the NMI watchdog and by our samples. */
static int expected_taken(const struct slw_session_options *opts, const struct slw_run *run,
                          const struct slw_model *m)
{
    if (!m)
        return 0;
    return (run->host.nmi_watchdog == 1) + (opts->sample && !opts->per_function ? 1 : 0);
}

int slw_place_plan(const struct slw_session_options *opts, const struct slw_sys *sys,
                   const struct slw_run *run, const struct slw_perf_event *sampled,
                   struct slw_place *ret_place, struct slw_error *err)
{
    struct slw_place *at = ret_place;
    const struct slw_model *m = at->model;
    cpu_set_t before;
    bool moved = slw_core_kind_visit(at->kind, &before);

    at->sys = sys;
    at->root = opts->sysfs_root ? opts->sysfs_root : "";
    at->release = run->host.kernel;
    at->pmu.type = PERF_TYPE_RAW;
    at->in_sysfs = m && slw_pmu_find(at->root, at->kind ? at->kind->pmu : m->pmu, &at->pmu);
    at->expected_taken = expected_taken(opts, run, m);
    at->vars = (struct slw_model_vars){.smt_on = run->host.cpu.smt == 1,
                                       .single_task = slw_command_is_tasks(opts->target)};
    at->absent = calloc(m ? m->event_count + 1 : 1, sizeof(at->absent[0]));
    for (size_t i = 0; m && at->absent && i < m->event_count; i++)
        at->absent[i] = missing(&m->events[i], at);
    at->options = (struct slw_plan_options){.model = m,
                                            .level = opts->level,
                                            .reserved_counters = at->expected_taken,
                                            .system_wide = opts->target == SLW_TARGET_ALL,
                                            .mode = opts->mode,
                                            .split_modes = opts->split_modes,
                                            .hardware = true,
                                            .needs = slw_model_needs,
                                            .absent = m ? at->absent : NULL,
                                            .vars = run->host.cpu.smt >= 0 ? &at->vars : NULL};
    int rc = at->absent ? plan_within_budget(at, sampled, opts->sample, err)
                        : slw_fail(err, SLW_E_NOMEM, "no memory for a plan");
    slw_core_kind_leave(moved, &before);
    return rc;
}

void slw_place_release(struct slw_place *at)
{
    slw_plan_free(at->plan);
    free(at->absent);
    *at = (struct slw_place){0};
}

/* SPDX-License-Identifier: MIT */
/* The CPU's own counters: the events of the model in groups, cycles sampled, software events beside
 * them, all in one run. On a hybrid CPU one set of groups for each kind of core. */
#include "collector/perf_events.h"
#include "collector/place.h"
#include "collector/plan_pass.h"
#include "collector/target.h"

#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct slw_perf_event cycles = {"cycles", "count", SLW_SOURCE_HARDWARE,
                                             PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES};

static void probe(struct slw_probe *ret_probe)
{
    slw_perf_probe(&cycles, ret_probe);
}

/* The kinds of core there are, and those that are counted. */
struct machine {
    struct slw_core_kind kinds[SLW_MAX_CORE_KINDS];
    size_t kind_count;
    struct slw_place places[SLW_MAX_CORE_KINDS];
    size_t place_count;
};

static const struct slw_core_kind *find_kind(const struct machine *m, const char *pmu)
{
    for (size_t i = 0; i < m->kind_count; i++)
        if (strcmp(m->kinds[i].pmu, pmu) == 0)
            return &m->kinds[i];
    return NULL;
}

static bool has_place(const struct machine *m, const struct slw_core_kind *kind)
{
    for (size_t i = 0; i < m->place_count; i++)
        if (m->places[i].kind == kind)
            return true;
    return false;
}

static int add_place(const struct slw_session_options *opts, const struct slw_sys *sys,
                     const struct slw_run *run, const struct slw_model *model,
                     const struct slw_core_kind *kind, struct machine *m, struct slw_error *err)
{
    struct slw_place *at = &m->places[m->place_count++];

    *at = (struct slw_place){.model = model, .kind = kind};
    return slw_place_plan(opts, sys, run, &cycles, at, err);
}

static int plan_all(const struct slw_session_options *opts, const struct slw_sys *sys,
                    const struct slw_run *run, struct machine *m, struct slw_error *err)
{
    m->kind_count = slw_core_kinds(opts->sysfs_root ? opts->sysfs_root : "", m->kinds);
    int rc = add_place(opts, sys, run, opts->model,
                       slw_core_kind_of(opts->model, m->kinds, m->kind_count), m, err);

    for (size_t i = 0; i < opts->other_core_count && rc == 0; i++) {
        const struct slw_session_core *core = &opts->other_cores[i];
        const struct slw_core_kind *kind = find_kind(m, core->pmu);

        if (kind && !has_place(m, kind))
            rc = add_place(opts, sys, run, core->model, kind, m, err);
    }
    return rc;
}

/* The groups of all places; the software group is the first one's. */
static int join_plans(const struct machine *m, struct slw_plan *ret_plan, struct slw_error *err)
{
    struct slw_plan plan = {.kinds = m->kinds, .kind_count = m->kind_count};
    size_t all = 0;

    for (size_t i = 0; i < m->place_count; i++)
        all += m->places[i].plan->group_count;
    plan.groups = calloc(all + 1, sizeof(plan.groups[0]));
    if (!plan.groups)
        return slw_fail(err, SLW_E_NOMEM, "no memory for a plan");
    for (size_t i = 0; i < m->place_count; i++) {
        const struct slw_plan *own = m->places[i].plan;

        for (size_t g = 0; g < own->group_count; g++)
            if (i == 0 || own->groups[g].source == SLW_SOURCE_HARDWARE)
                plan.groups[plan.group_count++] = own->groups[g];
    }
    *ret_plan = plan;
    return 0;
}

/* ---- what the reader of the report must know ---- */

static void note_budget(struct slw_run *run, const struct slw_place *at)
{
    const int missing = at->options.reserved_counters - at->expected_taken;

    if (missing > 0)
        (void)slw_run_note(run, SLW_NOTE_INFO, "counters-held",
                           "end other profilers, or the NMI watchdog: sudo sysctl "
                           "kernel.nmi_watchdog=0",
                           "%d counters less than this CPU has could be had%s%s, so that more "
                           "events take turns",
                           missing, at->kind ? " on " : "", at->kind ? at->kind->pmu : "");
}

static void note_uncounted(struct slw_run *run, const struct machine *m)
{
    for (size_t i = 0; i < m->kind_count; i++)
        if (!has_place(m, &m->kinds[i]))
            (void)slw_run_note(run, SLW_NOTE_WARNING, "hybrid-part",
                               "pin the client to cores of the other kind with taskset",
                               "the cores of the kind %s were not counted, for want of a CPU "
                               "model: what ran on them is in no event of the models",
                               m->kinds[i].pmu);
}

static void note_modes(struct slw_run *run, const struct slw_session_options *opts)
{
    if (opts->split_modes)
        (void)slw_run_note(run, SLW_NOTE_INFO, "modes-split", NULL,
                           "hardware events were counted apart in user and in kernel mode; the "
                           "top-down tree and what is said of it are of user mode");
}

static int set_ref(struct slw_run *run, const struct slw_place *at, struct slw_model_ref *ref,
                   struct slw_error *err)
{
    const struct slw_model *m = at->model;

    *ref = (struct slw_model_ref){.name = slw_run_str(run, m->name),
                                  .source = slw_run_str(run, m->source),
                                  .version = slw_run_str(run, m->version),
                                  .pmu = at->kind ? slw_run_str(run, at->kind->pmu) : NULL};
    if (!ref->name || (at->kind && !ref->pmu))
        return slw_fail(err, SLW_E_NOMEM, "no memory for CPU models");
    return 0;
}

/* Which model reads which counts. */
static int name_models(struct slw_run *run, const struct machine *m, struct slw_error *err)
{
    struct slw_model_ref ref;
    int rc = 0;

    if (m->kind_count == 0 || !m->places[0].model || run->model.name)
        return 0;
    rc = set_ref(run, &m->places[0], &run->model, err);
    for (size_t i = 1; i < m->place_count && rc == 0; i++) {
        rc = set_ref(run, &m->places[i], &ref, err);
        if (rc == 0)
            rc = slw_run_add_model(run, &ref, err);
    }
    return rc;
}

/* ---- opening ---- */

/* What of the plan this session counts. */
static void choose_groups(const struct slw_session_options *opts, const struct slw_sys *sys,
                          struct slw_plan *plan)
{
    if (opts->ret_group_count)
        *opts->ret_group_count = slw_plan_hardware_groups(plan);
    if (opts->only_group > 0)
        slw_plan_keep(plan, (size_t)opts->only_group, opts->model, sys);
}

static int report(const struct slw_session_options *opts, const struct machine *m,
                  struct slw_run *run, struct slw_error *err)
{
    int rc = name_models(run, m, err);

    if (opts->only_group > 1) /* once is enough */
        return rc;
    for (size_t i = 0; i < m->place_count && rc == 0; i++)
        rc = slw_place_report_gaps(&m->places[i], run, err);
    return rc;
}

static int open_machine(const struct slw_session_options *opts, struct slw_live_target *target,
                        struct slw_spool *spool, const struct machine *m, struct slw_run *run,
                        struct slw_backend_state **ret_state, struct slw_error *err)
{
    struct slw_sample_group group;
    struct slw_plan plan;
    int rc = join_plans(m, &plan, err);

    if (rc < 0)
        return rc;
    choose_groups(opts, target->sys, &plan);
    slw_place_sample_group(&m->places[0], run, &group);
    rc = slw_perf_open(opts, target, spool, &plan, &cycles, opts->per_function ? &group : NULL, run,
                       ret_state, err);
    free(plan.groups);
    if (rc == 0)
        rc = report(opts, m, run, err);
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
    struct machine *m = calloc(1, sizeof(*m));

    if (!m)
        return slw_fail(err, SLW_E_NOMEM, "no memory for a plan");
    int rc = plan_all(opts, target->sys, run, m, err);
    if (rc == 0)
        rc = open_machine(opts, target, spool, m, run, ret_state, err);
    for (size_t i = 0; i < m->place_count && rc == 0; i++)
        note_budget(run, &m->places[i]);
    if (rc == 0)
        note_uncounted(run, m);
    if (rc == 0)
        note_modes(run, opts);
    for (size_t i = 0; i < m->place_count; i++)
        slw_place_release(&m->places[i]);
    free(m);
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

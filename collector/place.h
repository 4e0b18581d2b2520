/* SPDX-License-Identifier: MIT */
/* What the hardware counters of one kind of core are to count: a model, fitted to the PMU that the
 * kernel shows and to the counters that are left. Not for: opening what was planned
 * (perf_events.h). */
#ifndef SLW_COLLECTOR_PLACE_H
#define SLW_COLLECTOR_PLACE_H

#include "collector/cores.h"
#include "collector/plan.h"
#include "collector/sample_group.h"
#include "collector/session.h"
#include "collector/sys.h"

struct slw_perf_event;
struct slw_live_target;

struct slw_place {
    const struct slw_sys *sys;
    const char *root, *release;
    const struct slw_model *model;    /* NULL: none */
    const struct slw_core_kind *kind; /* the model is of these cores; NULL: there is one kind */
    struct slw_pmu pmu;
    bool in_sysfs;              /* else pmu holds only a type: in many containers /sys is empty */
    struct slw_model_vars vars; /* what the model's formulas ask */
    struct slw_plan_options options; /* as the plan came about */
    int expected_taken;              /* counters somebody else was known to hold */
    const char **absent;             /* per event of the model why it cannot be had, or NULL */
    struct slw_plan *plan;
};

/* Plan to count ret_place->model on ret_place->kind; both are set, the rest is filled. `sampled` is
 * what takes samples beside it. Tries the counters on ourselves (budget.h), on a core of that kind
 * where we may go there. -SLW_E_NOMEM, -SLW_E_LIMIT. Release it also after a failure. */
int slw_place_plan(const struct slw_session_options *opts, const struct slw_sys *sys,
                   const struct slw_run *run, const struct slw_perf_event *sampled,
                   struct slw_place *ret_place, struct slw_error *err);
void slw_place_release(struct slw_place *at);

/* The counters read with every sample there, or why there are none. */
void slw_place_sample_group(const struct slw_place *at, const struct slw_run *run,
                            struct slw_sample_group *ret_group);

/* What could not be planned becomes a count that is absent with its reason, or a note that it is
 * counted at different times. */
int slw_place_report_gaps(const struct slw_place *at, struct slw_run *run, struct slw_error *err);

#endif

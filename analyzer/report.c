/* SPDX-License-Identifier: MIT */
#include "analyzer/report.h"

#include "analyzer/bar.h"
#include "analyzer/cores.h"
#include "analyzer/costs.h"
#include "analyzer/facts.h"
#include "analyzer/findings.h"
#include "analyzer/function_topdown.h"
#include "analyzer/hot.h"
#include "analyzer/rows.h"
#include "analyzer/scopes.h"
#include "analyzer/side.h"
#include "analyzer/traffic.h"
#include "analyzer/verdict.h"
#include "base/arena.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static int fill(struct slw_report *r, struct slw_error *err)
{
    /* Each step reads what the ones before it wrote. */
    static int (*const steps[])(struct slw_report *, struct slw_error *) = {
        slw_rows_fill,    slw_hot_fill,   slw_scopes_topdown, slw_function_topdown_fill,
        slw_cores_fill,   slw_facts_fill, slw_scopes_fill,    slw_traffic_fill,
        slw_bar_fill,     slw_costs_fill, slw_side_fill,      slw_verdict_fill,
        slw_findings_fill};

    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        int rc = steps[i](r, err);
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* Which counts of the run this model reads; NULL: the run does not name it. */
static const char *pmu_of(const struct slw_run *run, const struct slw_model *model)
{
    if (!model)
        return run->model.pmu;
    if (run->model.name && strcmp(run->model.name, model->name) == 0)
        return run->model.pmu;
    for (size_t i = 0; i < run->other_model_count; i++)
        if (run->other_models[i].name && strcmp(run->other_models[i].name, model->name) == 0)
            return run->other_models[i].pmu;
    return NULL;
}

int slw_report_new(const struct slw_run *run, const struct slw_stacks *stacks,
                   const struct slw_model *model, struct slw_report **ret_report,
                   struct slw_error *err)
{
    return slw_report_new_hybrid(run, stacks, model, NULL, ret_report, err);
}

int slw_report_new_hybrid(const struct slw_run *run, const struct slw_stacks *stacks,
                          const struct slw_model *model, const struct slw_model *const *others,
                          struct slw_report **ret_report, struct slw_error *err)
{
    assert(run && ret_report);
    struct slw_report *r = calloc(1, sizeof(*r));
    if (!r || !(r->arena = slw_arena_new())) {
        free(r);
        return slw_fail(err, SLW_E_NOMEM, "no memory for a report");
    }
    r->run = run;
    r->stacks = stacks;
    r->model = model;
    r->pmu = pmu_of(run, model);
    r->others = others;
    r->other_count = others ? run->other_model_count : 0;
    int rc = fill(r, err);
    if (rc < 0)
        slw_report_free(r);
    else
        *ret_report = r;
    return rc;
}

void slw_report_free(struct slw_report *r)
{
    if (!r)
        return;
    slw_arena_free(r->arena);
    free(r);
}

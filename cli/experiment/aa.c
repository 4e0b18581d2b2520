/* SPDX-License-Identifier: MIT */
/* The A/A test: how far two arms of the same command lie apart on this machine. */
#include "cli/experiment/aa_int.h"

#include "base/arena.h"
#include "base/cleanup.h"
#include "record/run_dir.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- one of them ---- */

bool slw_aa_excludes_zero(const struct slw_experiment *aa)
{
    for (size_t i = 0; i < aa->floor_count; i++)
        if (aa->floors[i].differs)
            return true;
    return false;
}

static int take_floors(struct slw_experiment *aa, const struct slw_comparison *c,
                       struct slw_error *err)
{
    aa->floors = slw_arena_array(aa->arena, c->row_count + 1, sizeof(aa->floors[0]));
    if (!aa->floors)
        return slw_fail(err, SLW_E_NOMEM, "no memory for noise floors");
    for (size_t i = 0; i < c->row_count && aa->floor_count < SLW_MAX_FLOORS; i++) {
        const struct slw_difference *d = &c->rows[i].difference;
        struct slw_floor f = {
            .pairs = d->pairs, .estimate = d->estimate, .low = d->low, .high = d->high, .tests = 1};

        if (c->rows[i].absent || slw_floor_of_one(d, &f.floor, NULL) < 0 || !isfinite(f.floor))
            continue;
        f.metric = slw_arena_strdup(aa->arena, c->rows[i].metric);
        if (!f.metric)
            return slw_fail(err, SLW_E_NOMEM, "no memory for noise floors");
        aa->floors[aa->floor_count++] = f;
    }
    return 0;
}

/* Both arms, as runs to look at; their samples are of no use to anybody. */
static int save_runs(const char *directory, const struct slw_experiment *aa,
                     const struct slw_arm *arms, struct slw_error *err)
{
    int rc = 0;

    for (size_t i = 0; i < 2 && rc == 0; i++) {
        char *SLW_AUTO(free) path = slw_run_dir_file(directory, aa->arms[i].directory);

        rc = path ? slw_run_dir_save(path, arms[i].run, NULL, err)
                  : slw_fail(err, SLW_E_NOMEM, "no memory for a path");
    }
    return rc;
}

/* aa-1 and aa-2; of a second test aa-3 and aa-4. */
static int name_directories(struct slw_experiment *aa, size_t test, struct slw_error *err)
{
    aa->arm_count = 2;
    aa->arms = slw_arena_array(aa->arena, 2, sizeof(aa->arms[0]));
    for (size_t i = 0; aa->arms && i < 2; i++) {
        aa->arms[i].directory = slw_arena_printf(aa->arena, "aa-%zu", 2 * test + i + 1);
        if (!aa->arms[i].directory)
            aa->arms = NULL;
    }
    return aa->arms ? 0 : slw_fail(err, SLW_E_NOMEM, "no memory for an experiment");
}

static int judge(struct slw_aa_test *t, const struct slw_aa_request *request,
                 const struct slw_arm *arms, struct slw_error *err)
{
    const struct slw_judging how = *request->judging;
    struct slw_judged_arms judged;
    struct slw_error why = {0};
    int rc = slw_judge_arms(&arms[0], &arms[1], t->experiment, &how, &judged, &why);

    if (rc >= 0)
        rc = take_floors(t->experiment, judged.comparison, &why);
    t->differs = slw_aa_excludes_zero(t->experiment);
    slw_judged_release(&judged);
    /* No floor then, as with a gate on a metric that only B has. */
    return rc == -SLW_E_NOMEM ? slw_fail(err, SLW_E_NOMEM, "%s", why.text) : 0;
}

int slw_aa_measure(const struct slw_aa_request *request, size_t test, bool is_up,
                   struct slw_aa_test *ret, struct slw_error *err)
{
    const struct slw_measure_plan *of = request->plan;
    struct slw_arm arms[2] = {of->arms[0], of->arms[0]};
    struct slw_measure_plan plan = *of;

    plan.arms = arms;
    plan.arm_count = 2;
    plan.blocks = of->blocks;
    plan.seed = of->seed + test + 1;
    plan.enough = NULL;
    plan.is_up = is_up;
    plan.keep_up = true;
    plan.what = "A/A";
    plan.budget_ms = of->budget_ms / 3; /* the comparison itself needs more */
    int rc = slw_experiment_new(&ret->experiment, err);
    if (rc == 0)
        rc = name_directories(ret->experiment, test, err);
    if (rc == 0)
        rc = slw_experiment_measure(&plan, ret->experiment, err);
    ret->interrupted = rc == 0 && ret->experiment->stopped == SLW_STOPPED_INTERRUPTED;
    if (rc == 0)
        rc = save_runs(plan.directory, ret->experiment, arms, err);
    if (rc == 0 && !ret->interrupted)
        rc = judge(ret, request, arms, err);
    slw_arms_release(arms, 2);
    return rc;
}

/* ---- from tests to floors ---- */

static const struct slw_floor *floor_of(const struct slw_experiment *aa, const char *metric)
{
    for (size_t i = 0; i < aa->floor_count; i++)
        if (strcmp(aa->floors[i].metric, metric) == 0)
            return &aa->floors[i];
    return NULL;
}

/* Of several tests the spread of their estimates; of fewer than that takes, the worst of them. */
static struct slw_floor combine(const struct slw_aa_tests *tests, const struct slw_floor *latest)
{
    double estimates[SLW_MAX_AA_TESTS];
    struct slw_floor sum = *latest;
    size_t count = 0;

    for (size_t i = 0; i < tests->count; i++) {
        const struct slw_floor *f = floor_of(tests->all[i].experiment, latest->metric);

        if (!f)
            continue;
        estimates[count++] = f->estimate;
        sum.floor = fmax(sum.floor, f->floor);
    }
    if (count >= SLW_FLOOR_RUNS)
        (void)slw_floor_of_many(estimates, count, &sum.floor, NULL);
    sum.tests = count;
    return sum;
}

int slw_aa_combine(const struct slw_aa_tests *tests, bool differs, struct slw_experiment *e,
                   struct slw_error *err)
{
    const struct slw_experiment *latest = tests->all[tests->count - 1].experiment;

    assert(latest);
    e->floors = slw_arena_array(e->arena, latest->floor_count + 1, sizeof(e->floors[0]));
    if (!e->floors)
        return slw_fail(err, SLW_E_NOMEM, "no memory for noise floors");
    for (size_t i = 0; i < latest->floor_count; i++) {
        struct slw_floor f = combine(tests, &latest->floors[i]);

        f.metric = slw_arena_strdup(e->arena, f.metric);
        f.differs = differs && latest->floors[i].differs;
        if (!f.metric)
            return slw_fail(err, SLW_E_NOMEM, "no memory for noise floors");
        e->floors[e->floor_count++] = f;
    }
    return 0;
}

void slw_aa_tests_release(struct slw_aa_tests *tests)
{
    for (size_t i = 0; i < tests->count; i++)
        slw_experiment_free(tests->all[i].experiment);
    tests->count = 0;
}

/* ---- which to make ---- */

static int make_one(const struct slw_aa_request *request, struct slw_aa_tests *tests,
                    bool *ret_measured, struct slw_error *err)
{
    struct slw_aa_test t = {0};
    int rc = slw_aa_measure(request, tests->made, *ret_measured, &t, err);

    tests->made++;
    *ret_measured = *ret_measured || rc >= 0;
    if (rc < 0) {
        slw_experiment_free(t.experiment);
        return rc;
    }
    if (tests->count == SLW_MAX_AA_TESTS) {
        slw_experiment_free(tests->all[0].experiment);
        memmove(&tests->all[0], &tests->all[1], --tests->count * sizeof(tests->all[0]));
    }
    tests->all[tests->count++] = t;
    if (t.interrupted)
        return slw_fail(err, SLW_E_NODATA, "interrupted during the A/A test");
    slw_aa_store(request, t.experiment);
    return 0;
}

/* 0 is outside in one healthy test of twenty: then it is repeated; twice in a row is no chance. */
static int make(const struct slw_aa_request *request, struct slw_aa_tests *tests, bool *ret_differs,
                bool *ret_measured, struct slw_error *err)
{
    const size_t wanted = request->kind == SLW_AA_COUNT ? request->count : 1;
    size_t in_a_row = 0;
    int rc = 0;

    for (size_t i = 0; rc >= 0 && (i < wanted || in_a_row == 1); i++) {
        rc = make_one(request, tests, ret_measured, err);
        if (rc >= 0)
            in_a_row = tests->all[tests->count - 1].differs ? in_a_row + 1 : 0;
        if (in_a_row >= 2)
            break;
    }
    *ret_differs = in_a_row >= 2;
    return rc;
}

static int nothing(struct slw_experiment *e, const char *why, struct slw_error *err)
{
    e->floor_absent = slw_arena_strdup(e->arena, why);
    return e->floor_absent ? 0 : slw_fail(err, SLW_E_NOMEM, "no memory for an experiment");
}

int slw_aa_floors(const struct slw_aa_request *request, struct slw_experiment *experiment,
                  bool *ret_measured, struct slw_error *err)
{
    struct slw_aa_tests tests = {0};
    bool differs = false;
    int rc = 0;

    *ret_measured = false;
    if (request->kind == SLW_AA_NO)
        return nothing(experiment, "no A/A test was made (--aa no)", err);
    if (request->kind == SLW_AA_AUTO)
        slw_aa_recall(request, &tests);
    experiment->floor_reused = tests.count > 0;
    if (tests.count >= 2)
        differs = tests.all[tests.count - 1].differs && tests.all[tests.count - 2].differs;
    if (tests.count == 0)
        rc = make(request, &tests, &differs, ret_measured, err);
    if (rc >= 0)
        rc = slw_aa_combine(&tests, differs, experiment, err);
    if (rc >= 0 && experiment->floor_count == 0)
        rc = nothing(experiment, "the A/A test had too few rounds", err);
    slw_aa_tests_release(&tests);
    return rc;
}

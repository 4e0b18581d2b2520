/* SPDX-License-Identifier: MIT */
/* The run of an arm: what its executions become together. */
#include "cli/experiment/experiment_int.h"

#include "analyzer/compare/observe.h"
#include "cli/load.h"
#include "collector/host.h"
#include "record/run_merge.h"
#include "record/stacks_merge.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DISAGREEMENT 0.01 /* between the tap's and the client's requests; more is a finding */

void slw_arms_release(struct slw_arm *arms, size_t arm_count)
{
    for (size_t i = 0; arms && i < arm_count; i++) {
        struct slw_arm *a = &arms[i];

        slw_report_free(a->report);
        slw_models_release(&a->models);
        slw_moments_free(a->moments);
        slw_stacks_free(a->stacks);
        slw_run_free(a->run);
        a->run = NULL;
        a->stacks = NULL;
        a->moments = NULL;
        a->report = NULL;
        a->models = (struct slw_models){0};
    }
}

int slw_arm_report(struct slw_arm *arm, struct slw_error *err)
{
    struct slw_report *report = NULL;

    if (!arm->models.own && !arm->models.hybrid && slw_models_load(arm->run, &arm->models) < 0)
        return slw_fail(err, SLW_E_NOMEM, "no memory for CPU models");
    int rc = slw_models_report(arm->run, arm->stacks, &arm->models, &report, err);
    if (rc < 0)
        return rc;
    slw_report_free(arm->report);
    arm->report = report;
    return 0;
}

/* ---- begin ---- */

int slw_arm_begin(struct slw_measuring *m, size_t arm, struct slw_error *err)
{
    struct slw_arm *a = &m->plan->arms[arm];
    struct slw_profile p = m->base;
    int rc = slw_run_new(&a->run, err);

    if (rc == 0)
        rc = slw_run_sums_new(&m->states[arm].sums, err);
    if (rc < 0)
        return rc;
    p.run = a->run;
    a->run->tool = m->base.run->tool;
    a->run->experiment = (struct slw_experiment_ref){.id = slw_run_str(a->run, m->experiment->id),
                                                     .arm = slw_run_str(a->run, a->name),
                                                     .seed = m->plan->seed};
    if (!a->run->experiment.id || !a->run->experiment.arm)
        return slw_fail(err, SLW_E_NOMEM, "no memory for a run");
    rc = slw_host_read(a->run, "", err);
    return rc < 0 ? rc : slw_profile_add_labels(&p, err);
}

void slw_arm_end(struct slw_arm_state *s)
{
    slw_run_sums_free(s->sums);
    s->sums = NULL;
}

/* ---- add ---- */

/* Every observation has a value for every round, be it that there is none. */
static int pad_observations(struct slw_run *run, size_t rounds, const char *why,
                            struct slw_error *err)
{
    int rc = 0;

    for (size_t i = 0; i < run->observation_count && rc == 0; i++) {
        if (run->observations[i].length >= rounds)
            continue;
        while (rc == 0 && run->observations[i].length < rounds)
            rc = slw_run_append_value(run, i, (double)NAN, err);
        run->observations[i].absent = slw_run_str(run, why);
        if (rc == 0 && !run->observations[i].absent)
            rc = slw_fail(err, SLW_E_NOMEM, "no memory for observations");
    }
    return rc;
}

static int list_round(struct slw_run *run, size_t round, const struct slw_arm_round *x,
                      bool sampled, const char *why, struct slw_error *err)
{
    struct slw_round r = {.round = (int)round,
                          .sampled = sampled,
                          .started_ns = x->started_ns,
                          .wall_ns = {.absent = "it was not measured"},
                          .requests = {.absent = "it was not measured"},
                          .left_out = why};

    if (x->run) {
        r.wall_ns = x->run->wall_ns;
        r.requests = x->run->requests;
        r.exit = x->run->command.exit;
        r.exit_value = x->run->command.exit_value;
    }
    return slw_run_add_round(run, &r, err);
}

static int leave_out(struct slw_measuring *m, size_t arm, size_t round,
                     const struct slw_arm_round *x, const char *why, struct slw_error *err)
{
    struct slw_run *run = m->plan->arms[arm].run;
    struct slw_arm_state *s = &m->states[arm];
    int rc = list_round(run, round, x, false, why, err);

    if (rc < 0)
        return rc;
    if (s->left_out_count++ == 0)
        s->left_out = run->rounds[run->round_count - 1].left_out;
    return pad_observations(run, round, why, err);
}

static int add_counts(struct slw_run *run, size_t round, const struct slw_run *from,
                      struct slw_error *err)
{
    int rc = 0;

    for (size_t i = 0; i < from->count_count && rc == 0; i++) {
        struct slw_count c = from->counts[i];

        c.round = (int)round;
        rc = slw_run_add_count(run, &c, err);
    }
    return rc;
}

static int begin_with(struct slw_run *run, const struct slw_run *first, struct slw_error *err)
{
    int rc = slw_run_copy_command(run, &first->command, err);

    run->command.pid = -1; /* another in every round */
    run->started_realtime_ns = first->started_realtime_ns;
    return rc;
}

/* path_map: of the round's stacks, in the arm's. */
static int add_moments(struct slw_arm *a, size_t round, const struct slw_moments *moments,
                       const uint32_t *path_map, struct slw_error *err)
{
    int rc = a->moments ? 0 : slw_moments_new(a->stacks, SLW_MOMENT_NS, &a->moments, err);

    return rc < 0 ? rc : slw_moments_merge(a->moments, moments, path_map, (uint32_t)round, err);
}

static int add_samples(struct slw_arm *a, size_t round, const struct slw_arm_round *x,
                       struct slw_error *err)
{
    int rc = slw_run_merge_samplings(a->run, x->run, err);

    if (rc < 0 || !x->stacks)
        return rc;
    uint32_t *path_map = calloc(slw_stacks_path_count(x->stacks) + 1, sizeof(*path_map));
    if (!path_map)
        return slw_fail(err, SLW_E_NOMEM, "no memory to put samples together");
    rc = slw_stacks_merge(&a->stacks, x->stacks, path_map, err);
    if (rc == 0 && x->moments)
        rc = add_moments(a, round, x->moments, path_map, err);
    free(path_map);
    return rc;
}

static int add_rest(struct slw_measuring *m, size_t arm, const struct slw_arm_round *x,
                    struct slw_error *err)
{
    struct slw_run *run = m->plan->arms[arm].run;
    struct slw_arm_state *s = &m->states[arm];
    int rc = slw_run_copy_models(run, x->run, err);

    if (rc == 0)
        rc = slw_run_merge_notes(run, x->run, true);
    if (rc == 0)
        rc = slw_run_merge_costs(run, x->run, s->kept == 0);
    return rc == 0 ? slw_run_sums_add(s->sums, x->run, err) : rc;
}

int slw_arm_add(struct slw_measuring *m, size_t arm, size_t round, const struct slw_arm_round *x,
                const char *why, struct slw_error *err)
{
    struct slw_arm *a = &m->plan->arms[arm];
    struct slw_arm_state *s = &m->states[arm];

    if (why)
        return leave_out(m, arm, round, x, why, err);
    int rc = s->kept == 0 ? begin_with(a->run, x->run, err) : 0;
    if (rc == 0)
        rc = list_round(a->run, round, x, m->base.session.sample, NULL, err);
    if (rc == 0)
        rc = add_counts(a->run, round, x->run, err);
    if (rc == 0)
        rc = add_samples(a, round, x, err);
    if (rc == 0)
        rc = add_rest(m, arm, x, err);
    if (rc == 0)
        rc = slw_observe_round(a->run, round - 1, x->report, &x->client, err);
    if (rc < 0)
        return rc;
    if (x->tap_requests > 0 && x->client_requests > 0 && !x->client.requests_asked_for) {
        s->tap += (double)x->tap_requests;
        s->client += (double)x->client_requests;
    }
    s->kept++;
    return pad_observations(a->run, round, "it was not measured in every round", err);
}

/* ---- the whole ---- */

int slw_arm_refresh(struct slw_measuring *m, size_t arm, struct slw_error *err)
{
    struct slw_arm *a = &m->plan->arms[arm];
    const char *model = slw_args_get(m->plan->args, "model");
    int rc = slw_run_sums_put(m->states[arm].sums, a->run, err);

    if (rc == 0 && model && a->run->model.name && !a->models.own)
        rc = slw_load_model(model, &a->models.own, err);
    return rc == 0 ? slw_arm_report(a, err) : rc;
}

static int note_left_out(struct slw_run *run, const struct slw_arm_state *s)
{
    if (s->left_out_count == 0)
        return 0;
    return slw_run_note(run, SLW_NOTE_WARNING, "round-left-out", NULL,
                        "%zu of %zu rounds are not in the values, nor are those of the same block "
                        "of any other arm; the first: %s",
                        s->left_out_count, s->left_out_count + s->kept, s->left_out);
}

static int note_disagreement(struct slw_run *run, const struct slw_arm_state *s)
{
    const double larger = fmax(s->tap, s->client);

    if (larger <= 0 || fabs(s->tap - s->client) <= MAX_DISAGREEMENT * larger)
        return 0;
    return slw_run_note(run, SLW_NOTE_WARNING, "requests-disagree",
                        "find out which is right before trusting anything per request",
                        "the wire tap saw %.0f requests in %zu rounds, the client says it made "
                        "%.0f; values are per request as the wire tap saw them",
                        s->tap, s->kept, s->client);
}

int slw_arm_finish(struct slw_measuring *m, size_t arm, struct slw_error *err)
{
    struct slw_run *run = m->plan->arms[arm].run;
    const struct slw_arm_state *s = &m->states[arm];
    int rc = note_left_out(run, s);

    if (rc == 0)
        rc = note_disagreement(run, s);
    if (rc == 0 && s->kept > 1)
        rc = slw_run_note(run, SLW_NOTE_INFO, "rounds", NULL,
                          "counts and times are means of %zu rounds; samples and latencies are of "
                          "all of them together",
                          s->kept);
    if (rc < 0)
        return slw_fail(err, SLW_E_NOMEM, "no memory for notes");
    return slw_arm_refresh(m, arm, err);
}

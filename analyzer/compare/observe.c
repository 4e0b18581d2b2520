/* SPDX-License-Identifier: MIT */
#include "analyzer/compare/observe.h"

#include "analyzer/compare/observe_int.h"
#include "analyzer/rounds.h"
#include "analyzer/statistics/lack_of_fit.h"
#include "base/arena.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- one metric ---- */

static void fail(struct slw_observing *o, int rc)
{
    if (rc < 0)
        o->rc = rc;
}

static void fail_nomem(struct slw_observing *o)
{
    fail(o, slw_fail(o->err, SLW_E_NOMEM, "no memory for observations"));
}

static size_t index_of(const struct slw_run *arm, const char *metric)
{
    size_t i = 0;

    while (i < arm->observation_count && strcmp(arm->observations[i].metric, metric) != 0)
        i++;
    return i;
}

static void set_absent(struct slw_observing *o, size_t index, const char *why)
{
    struct slw_observation *kept = &o->arm->observations[index];

    if (kept->absent && strcmp(kept->absent, why) == 0)
        return; /* the same in every round: kept once */
    const char *copy = slw_run_str(o->arm, why);
    if (!copy) {
        fail_nomem(o);
        return;
    }
    kept->absent = copy;
}

/* Rounds in which it was not there. */
static void pad(struct slw_observing *o, size_t index, size_t length, const char *why)
{
    while (o->rc == 0 && o->arm->observations[index].length < length) {
        fail(o, slw_run_append_value(o->arm, index, (double)NAN, o->err));
        if (o->rc == 0)
            set_absent(o, index, why);
    }
}

static bool same_source(const struct slw_provenance *a, const struct slw_provenance *b)
{
    return a->source == b->source && a->imported == b->imported;
}

static const char *why_not(const struct slw_observing *o, const struct slw_observation *kept,
                           const struct slw_measure *m, bool first_value)
{
    if (o->absent)
        return o->absent;
    if (m->figure.absent)
        return m->figure.absent[0] ? m->figure.absent : "unknown";
    if (!isfinite(m->figure.value))
        return "not a number";
    if (!first_value && !same_source(&kept->from, &m->figure.from))
        return "measured in another way than in the rounds before";
    return NULL;
}

static bool has_value(const struct slw_observation *kept)
{
    for (size_t i = 0; i < kept->length; i++)
        if (isfinite(kept->values[i]))
            return true;
    return false;
}

static int own_provenance(struct slw_run *arm, struct slw_observation *kept,
                          const struct slw_provenance *from)
{
    kept->from = *from;
    kept->from.detail = slw_run_str(arm, from->detail);
    return from->detail && !kept->from.detail ? -SLW_E_NOMEM : 0;
}

static double median_of(const struct slw_observation *kept)
{
    double space[SLW_MAX_ROUNDS];
    size_t count = 0;

    for (size_t i = 0; i < kept->length && i < SLW_MAX_ROUNDS; i++)
        if (isfinite(kept->values[i]))
            space[count++] = kept->values[i];
    return count > 0 ? slw_median_of(space, count) : 0;
}

/* Of all rounds so far and this one, as part of the value: the step of a slow round says nothing
 * about the others. */
static double relative_step(const struct slw_observation *kept, const struct slw_measure *m)
{
    const double median = median_of(kept);
    const double before = median > 0 ? kept->step / median : 0;
    const double now = m->figure.value > 0 ? m->step / m->figure.value : 0;

    return now > before ? now : before;
}

static void append(struct slw_observing *o, size_t index, const struct slw_measure *m)
{
    struct slw_observation *kept = &o->arm->observations[index];
    const bool first_value = !has_value(kept);
    const char *absent = why_not(o, kept, m, first_value);

    if (absent) {
        pad(o, index, o->before + 1, absent);
        return;
    }
    if (first_value && own_provenance(o->arm, kept, &m->figure.from) < 0) {
        fail_nomem(o);
        return;
    }
    const double relative = m->relative ? relative_step(kept, m) : 0;
    if (isfinite(m->step) && m->step > kept->step && !m->relative)
        kept->step = m->step;
    fail(o, slw_run_append_value(o->arm, index, m->figure.value, o->err));
    if (m->relative)
        kept->step = relative * median_of(kept);
}

void slw_observing_add(struct slw_observing *o, const struct slw_observation *metric,
                       const struct slw_measure *m)
{
    const size_t index = index_of(o->arm, metric->metric);

    if (o->rc < 0)
        return;
    if (index == o->arm->observation_count) {
        struct slw_observation fresh = *metric;

        fresh.values = NULL;
        fresh.length = 0;
        fresh.from = m->figure.from;
        fail(o, slw_run_add_observation(o->arm, &fresh, o->err));
    }
    if (o->rc < 0 || o->arm->observations[index].length > o->before)
        return;
    pad(o, index, o->before, "not measured in the first rounds");
    if (o->rc == 0)
        append(o, index, m);
}

/* ---- a round ---- */

static void add_table(struct slw_observing *o, const struct slw_report *report)
{
    for (size_t i = 0; i < slw_metric_count && o->rc == 0; i++) {
        const struct slw_metric *metric = &slw_metrics[i];
        const struct slw_observation what = {.metric = metric->key,
                                             .title = metric->title,
                                             .unit = metric->unit,
                                             .better = metric->better,
                                             .gateable = metric->use != SLW_METRIC_NEVER_GATED};
        struct slw_measure m;

        memset(&m, 0, sizeof(m));
        if (metric->get(report, metric->argument, &m))
            slw_observing_add(o, &what, &m);
    }
}

static int observe(struct slw_observing *o, const struct slw_report *report,
                   const struct slw_client_readings *client)
{
    add_table(o, report);
    slw_observe_found(o, report);
    if (client)
        slw_observe_client(o, client);
    for (size_t i = 0; i < o->arm->observation_count && o->rc == 0; i++)
        pad(o, i, o->before + 1, "a round does not have it");
    return o->rc;
}

int slw_observe_round(struct slw_run *arm, size_t rounds_before, const struct slw_report *report,
                      const struct slw_client_readings *client, struct slw_error *err)
{
    struct slw_observing o = {.arm = arm, .before = rounds_before, .err = err};

    if (rounds_before >= SLW_MAX_ROUNDS)
        return slw_fail(err, SLW_E_LIMIT, "more than %d rounds", SLW_MAX_ROUNDS);
    return observe(&o, report, client);
}

/* ---- runs saved without observations ---- */

/* What only the whole run tells is of no round. */
static void leave_whole(struct slw_run *view)
{
    view->connection_count = view->latency_count = view->waiting_count = view->stage_count = 0;
    view->round_count = view->series_count = view->interval_count = view->printed_count = 0;
    view->task_count = view->observation_count = 0;
}

/* Wall time and requests of a round; of one with several executions only what they agree on. */
static void set_work(struct slw_run *view, const struct slw_run *run, int round)
{
    bool first = true;

    view->wall_ns = (struct slw_maybe_u64){.absent = "unknown of this round"};
    view->requests = view->wall_ns;
    for (size_t i = 0; i < run->round_count; i++) {
        const struct slw_round *r = &run->rounds[i];

        if (r->round != round || r->left_out)
            continue;
        if (first) {
            view->wall_ns = r->wall_ns;
            view->requests = r->requests;
        } else {
            view->wall_ns.absent = "the round is several executions";
            if (view->requests.absent || r->requests.absent ||
                r->requests.value != view->requests.value)
                view->requests.absent = "the executions of a round did not do the same work";
        }
        first = false;
    }
}

static size_t take_counts(struct slw_count *to, const struct slw_run *run, int round)
{
    size_t count = 0;

    for (size_t i = 0; i < run->count_count; i++) {
        if (run->counts[i].round != round)
            continue;
        to[count] = run->counts[i];
        to[count].round = to[count].pass = 0;
        count++;
    }
    return count;
}

/* The counts of one round as if it were a run. */
static int observe_counts(struct slw_run *run, const struct slw_report *whole, int round,
                          size_t before, struct slw_count *counts, struct slw_error *err)
{
    struct slw_run view = *run;
    struct slw_report *report = NULL;

    leave_whole(&view);
    set_work(&view, run, round);
    view.counts = counts;
    view.count_count = take_counts(counts, run, round);
    int rc = slw_report_new_hybrid(&view, NULL, whole->model, whole->others, &report, err);
    if (rc == 0)
        rc = slw_observe_round(run, before, report, NULL, err);
    slw_report_free(report);
    return rc;
}

static int last_round(const struct slw_run *run)
{
    int last = 0;

    for (size_t i = 0; i < run->count_count; i++)
        if (run->counts[i].round > last && run->counts[i].round <= SLW_MAX_ROUNDS)
            last = run->counts[i].round;
    return last;
}

/* Metrics that the run has as a whole stand with a reason, so that a reader is told. */
static int mark_whole(struct slw_run *run, const struct slw_report *report, size_t rounds,
                      struct slw_error *err)
{
    struct slw_observing o = {.arm = run,
                              .before = rounds - 1,
                              .absent = "known of all rounds together only",
                              .err = err};

    add_table(&o, report);
    slw_observe_found(&o, report);
    return o.rc;
}

static int observe_rounds(struct slw_run *run, const struct slw_report *report,
                          struct slw_error *err)
{
    const int last = last_round(run);
    struct slw_count *counts = calloc(run->count_count + 1, sizeof(*counts));
    int rc = counts ? 0 : slw_fail(err, SLW_E_NOMEM, "no memory for observations");

    for (int round = 1; round <= last && rc == 0; round++)
        rc = observe_counts(run, report, round, (size_t)round - 1, counts, err);
    free(counts);
    return rc == 0 ? mark_whole(run, report, (size_t)last, err) : rc;
}

int slw_observe_run(struct slw_run *run, const struct slw_report *report, struct slw_error *err)
{
    if (run->observation_count > 0)
        return 0;
    if (slw_rounds_count(run) > 0)
        return observe_rounds(run, report, err);
    return slw_observe_round(run, 0, report, NULL, err);
}

/* SPDX-License-Identifier: MIT */
/* Saved runs of one metric, made up, and their history. */
#ifndef SLW_TESTS_HISTORY_FIXTURE_H
#define SLW_TESTS_HISTORY_FIXTURE_H

#include "analyzer/history/history.h"
#include "tests/unit/cmocka_int.h"

#include <stdio.h>
#include <string.h>

#define PAST_RUNS 64
#define PAST_DAY  UINT64_C(86400000000000)

struct past {
    struct slw_history_run runs[PAST_RUNS];
    struct slw_run *own[PAST_RUNS];
    char paths[PAST_RUNS][64];
    size_t count;
    struct slw_history *history;
    struct slw_error err;
};

/* A run of the day after the last one; rounds scatter by `step` around value. */
static inline struct slw_run *past_add_rounds(struct past *p, const char *metric, double value,
                                              double step, size_t rounds)
{
    double values[SLW_MAX_ROUNDS];
    const struct slw_observation o = {.metric = metric,
                                      .title = "CPU time per request",
                                      .unit = "ns",
                                      .gateable = true,
                                      .from = {.source = SLW_SOURCE_SOFTWARE},
                                      .values = values,
                                      .length = rounds};
    struct slw_run *run = NULL;

    assert_true(p->count < PAST_RUNS);
    assert_int_equal(slw_run_new(&run, NULL), 0);
    for (size_t i = 0; i < rounds; i++)
        values[i] = value + step * (double)(i % 5) - 2 * step;
    run->tool = "slotwise 0.1.0";
    run->started_realtime_ns = UINT64_C(1700000000000000000) + p->count * PAST_DAY;
    run->host.kernel = "6.1";
    run->host.cpu.name = "CPU A";
    if (metric)
        assert_int_equal(slw_run_add_observation(run, &o, NULL), 0);
    (void)snprintf(p->paths[p->count], sizeof(p->paths[0]), "runs/%02zu", p->count);
    p->own[p->count] = run;
    p->runs[p->count] = (struct slw_history_run){p->paths[p->count], run};
    p->count++;
    return run;
}

static inline struct slw_run *past_add(struct past *p, double value)
{
    return past_add_rounds(p, "cpu_per_request", value, value * .01, 10);
}

static inline const struct slw_history *past_history(struct past *p, const char *metric,
                                                     const struct slw_label *labels, size_t count)
{
    slw_history_free(p->history);
    p->history = NULL;
    memset(&p->err, 0, sizeof(p->err));
    (void)slw_history_new(p->runs, p->count, metric, labels, count, &p->history, &p->err);
    return p->history;
}

static inline void past_release(struct past *p)
{
    slw_history_free(p->history);
    for (size_t i = 0; i < p->count; i++)
        slw_run_free(p->own[i]);
}

#endif

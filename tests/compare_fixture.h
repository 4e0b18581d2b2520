/* SPDX-License-Identifier: MIT */
/* Two runs with observations, as an experiment or measured apart, for the tests of comparisons.
 * Every helper asserts its own success. */
#ifndef SLW_TESTS_COMPARE_FIXTURE_H
#define SLW_TESTS_COMPARE_FIXTURE_H

#include "analyzer/compare/comparison.h"
#include "analyzer/compare/metrics.h"
#include "analyzer/compare/renderer.h"
#include "tests/unit/cmocka_int.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct versus {
    struct slw_run *a, *b;
    struct slw_experiment *experiment; /* NULL: measured apart */
    struct slw_gates gates;
    struct slw_comparison_input in;
    struct slw_comparison *comparison;
};

static const struct slw_provenance versus_software = {.source = SLW_SOURCE_SOFTWARE};

static inline struct slw_run *versus_run(const char *arm, const char *const *argv, size_t argc)
{
    struct slw_run *run = NULL;

    assert_int_equal(slw_run_new(&run, NULL), 0);
    run->tool = "slotwise test";
    run->host.hostname = "box";
    run->host.kernel = "6.1.0";
    run->host.cpu.name = "A CPU";
    run->host.cpu.online_count = 2;
    run->command.argv = (const char **)(uintptr_t)argv;
    run->command.argc = argc;
    run->experiment = (struct slw_experiment_ref){.id = "0123456789abcdef", .arm = arm, .seed = 42};
    return run;
}

/* Two arms of one experiment of `rounds` rounds. */
static inline struct versus versus_new(size_t rounds)
{
    static const char *const a[] = {"client", "--batch", "1"};
    static const char *const b[] = {"client", "--batch", "16"};
    struct versus v = {.a = versus_run("A", a, 3), .b = versus_run("B", b, 3)};

    /* In plain memory: nothing here is of the experiment's own arena. */
    v.experiment = calloc(1, sizeof(*v.experiment));
    assert_non_null(v.experiment);
    v.experiment->id = "0123456789abcdef";
    v.experiment->seed = 42;
    v.experiment->warmup = 1;
    v.experiment->block_count = rounds;
    v.in = (struct slw_comparison_input){
        .a = {.name = "A", .run = v.a}, .b = {.name = "B", .run = v.b}, .experiment = v.experiment};
    return v;
}

/* The same runs, measured apart. */
static inline void versus_apart(struct versus *v)
{
    v->a->experiment.id = v->b->experiment.id = NULL;
    v->in.experiment = NULL;
}

/* A metric of the table, or one of the test's own: lower is better, in ns. */
static inline void versus_add(struct slw_run *run, const char *metric, const double *values,
                              size_t length)
{
    const struct slw_metric *known = slw_metric_find(metric);
    const struct slw_observation o = {.metric = metric,
                                      .title = known ? known->title : metric,
                                      .unit = known ? known->unit : "ns",
                                      .better = known ? known->better : SLW_BETTER_LOWER,
                                      .gateable = !known || known->use != SLW_METRIC_NEVER_GATED,
                                      .from = versus_software,
                                      .values = (double *)(uintptr_t)values,
                                      .length = length};

    assert_int_equal(slw_run_add_observation(run, &o, NULL), 0);
}

/* Values near `centre`, the same sequence for every call with one phase: noise of half a percent
 * that repeats after 7 rounds. */
static inline void versus_near(struct slw_run *run, const char *metric, double centre, size_t phase,
                               size_t rounds)
{
    static const double noise[] = {.003, -.004, .001, .005, -.002, -.005, .002};
    double values[512];

    assert_true(rounds <= sizeof(values) / sizeof(values[0]));
    for (size_t i = 0; i < rounds; i++)
        values[i] = centre * (1 + noise[(i + phase) % 7]);
    versus_add(run, metric, values, rounds);
}

static inline void versus_both(struct versus *v, const char *metric, double a, double b,
                               size_t rounds)
{
    versus_near(v->a, metric, a, 0, rounds);
    versus_near(v->b, metric, b, 3, rounds);
}

static inline void versus_gates(struct versus *v, const char *text)
{
    assert_int_equal(slw_gates_parse(text, &v->gates, NULL), 0);
    v->in.gates = &v->gates;
}

static inline const struct slw_comparison *versus_compare(struct versus *v)
{
    struct slw_error err = {0};

    slw_comparison_free(v->comparison);
    v->comparison = NULL;
    v->in.gates = v->gates.count > 0 ? &v->gates : NULL; /* a fixture may have been moved */
    if (slw_comparison_new(&v->in, &v->comparison, &err) < 0)
        fail_msg("%s", err.text);
    return v->comparison;
}

static inline char *versus_render(struct versus *v, const char *renderer,
                                  const struct slw_render_options *opts)
{
    struct slw_buf b = {0};

    assert_int_equal(
        slw_comparison_renderer_find(renderer)->render(versus_compare(v), opts, &b, NULL), 0);
    return slw_buf_take(&b);
}

static inline void versus_free(struct versus *v)
{
    slw_comparison_free(v->comparison);
    free(v->experiment);
    slw_run_free(v->a);
    slw_run_free(v->b);
    *v = (struct versus){0};
}

/* A client that batches 16 requests: less CPU time, most of it saved in the kernel; p99 pays. */
static inline struct versus versus_batching(size_t rounds)
{
    struct versus v = versus_new(rounds);

    versus_both(&v, "cpu_per_request", 12300, 4100, rounds);
    versus_both(&v, "user_per_request", 4100, 2900, rounds);
    versus_both(&v, "system_per_request", 8200, 1200, rounds);
    versus_both(&v, "requests_per_second", 24123, 61200, rounds);
    versus_both(&v, "p50", 41000, 180000, rounds);
    versus_both(&v, "p99", 90000, 410000, rounds);
    versus_both(&v, "requests_per_flush", 1, 16, rounds);
    versus_both(&v, "syscalls_per_request", 2.1, .13, rounds);
    versus_both(&v, "bytes_sent_per_request", 40, 40, rounds);
    versus_both(&v, "voluntary_switches_per_request", 1, .06, rounds);
    versus_both(&v, "requests", 200000, 200000, rounds);
    return v;
}

#endif

/* SPDX-License-Identifier: MIT */
/* Sweeps that nobody measured: arms with observations whose truth is known. */
#ifndef SLW_TESTS_SWEEP_FIXTURE_H
#define SLW_TESTS_SWEEP_FIXTURE_H

#include "analyzer/sweep/sweep.h"
#include "base/arena.h"
#include "tests/near.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIXTURE_ARMS   64
#define FIXTURE_BLOCKS 16

struct sweep_fixture {
    struct slw_experiment experiment;
    struct slw_experiment_arm arms[FIXTURE_ARMS];
    struct slw_parameter parameters[FIXTURE_ARMS][2];
    struct slw_run *runs[FIXTURE_ARMS];
    size_t blocks;
    struct slw_arena *arena;
    struct slw_sweep_report *report;
};

static inline struct sweep_fixture *fixture_new(size_t blocks)
{
    struct sweep_fixture *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    f->blocks = blocks;
    f->arena = slw_arena_new();
    f->experiment.kind = SLW_EXPERIMENT_SWEEP;
    f->experiment.id = "0123456789abcdef";
    f->experiment.tool = "slotwise 0.1.0";
    f->experiment.seed = 42;
    f->experiment.arms = f->arms;
    f->experiment.block_count = blocks;
    return f;
}

static inline void fixture_free(struct sweep_fixture *f)
{
    slw_sweep_report_free(f->report);
    for (size_t i = 0; i < f->experiment.arm_count; i++)
        slw_run_free(f->runs[i]);
    slw_arena_free(f->arena);
    free(f);
}

/* An arm NAME=VALUE, or with another parameter; its index. */
static inline size_t fixture_arm(struct sweep_fixture *f, const char *name, const char *value,
                                 const char *other, const char *other_value)
{
    const size_t i = f->experiment.arm_count++;

    assert_true(i < FIXTURE_ARMS);
    f->parameters[i][0] = (struct slw_parameter){name, value};
    f->parameters[i][1] = (struct slw_parameter){other, other_value};
    f->arms[i] = (struct slw_experiment_arm){
        .name = slw_arena_printf(f->arena, "%s=%s%s%s", name, value, other ? "," : "",
                                 other ? other_value : ""),
        .directory = slw_arena_printf(f->arena, "arm-%zu", i),
        .command = slw_arena_printf(f->arena, "./client --%s %s", name, value),
        .parameters = f->parameters[i],
        .parameter_count = other ? 2 : 1,
    };
    assert_int_equal(slw_run_new(&f->runs[i], NULL), 0);
    f->runs[i]->tool = "slotwise 0.1.0";
    f->runs[i]->host.kernel = "6.1.0";
    f->runs[i]->host.cpu.name = "a CPU";
    return i;
}

static inline void fixture_observe(struct sweep_fixture *f, size_t arm, const char *metric,
                                   const char *title, const char *unit, const double *values)
{
    struct slw_observation o = {
        .metric = metric,
        .title = title,
        .unit = unit,
        .from = {.source = SLW_SOURCE_SOFTWARE, .detail = "task-clock"},
        .length = f->blocks,
    };
    double copy[FIXTURE_BLOCKS];

    memcpy(copy, values, f->blocks * sizeof(*copy));
    o.values = copy;
    assert_int_equal(slw_run_add_observation(f->runs[arm], &o, NULL), 0);
}

/* The same value in every block but for a wave that blocks share, so that ratios are exact. */
static inline void fixture_wave(struct sweep_fixture *f, size_t arm, const char *metric,
                                const char *title, const char *unit, double value)
{
    static const double wave[FIXTURE_BLOCKS] = {1,    1.02, .99, 1.01, .98,  1.03, 1,    .97,
                                                1.01, 1.02, 1,   .99,  1.01, .98,  1.02, 1};
    double values[FIXTURE_BLOCKS];

    for (size_t i = 0; i < f->blocks; i++)
        values[i] = value * wave[i];
    fixture_observe(f, arm, metric, title, unit, values);
}

static inline void fixture_same(struct sweep_fixture *f, size_t arm, const char *metric,
                                const char *title, const char *unit, double value)
{
    double values[FIXTURE_BLOCKS];

    for (size_t i = 0; i < f->blocks; i++)
        values[i] = value;
    fixture_observe(f, arm, metric, title, unit, values);
}

/* What a client that sends `batch` requests with a flush looks like. */
struct sweep_client {
    double fixed, marginal; /* ns */
    double cliff;           /* added from batch 8 on, ns */
    bool batches;           /* does it really? */
    bool slots;
};

static inline void fixture_client(struct sweep_fixture *f, size_t arm, double batch,
                                  const struct sweep_client *c)
{
    const double real = c->batches ? batch : 1;
    const double cost = c->fixed / real + c->marginal + (batch >= 8 ? c->cliff : 0);

    fixture_wave(f, arm, "cpu_per_request", "CPU time per request", "ns", cost);
    fixture_wave(f, arm, "system_per_request", "system CPU time per request", "ns",
                 c->fixed / real * .75 + c->marginal * .1);
    fixture_same(f, arm, "requests_per_flush", "requests per flush", "1", real);
    fixture_same(f, arm, "sends_per_request", "sends per request", "1", 1 / real);
    fixture_same(f, arm, "reads_per_request", "reads per request", "1", 1 / real);
    fixture_wave(f, arm, "requests_per_second", "requests per second", "requests/s", 1e9 / cost);
    fixture_wave(f, arm, "p50", "p50 latency", "ns", 50000 + 1000 * real);
    fixture_wave(f, arm, "p99", "p99 latency", "ns", 100000 + 10000 * real);
    if (!c->slots)
        return;
    fixture_wave(f, arm, "slots", "pipeline slots per request", "1", 4 * cost);
    fixture_wave(f, arm, "slots.frontend_bound", "slots: front-end bound", "1",
                 4 * .6 * c->fixed / real + 4 * .1 * c->marginal);
}

static inline int fixture_report(struct sweep_fixture *f, struct slw_error *err)
{
    const struct slw_sweep_input in = {.experiment = &f->experiment,
                                       .runs = (const struct slw_run *const *)f->runs};

    slw_sweep_report_free(f->report);
    f->report = NULL;
    return slw_sweep_report_new(&in, &f->report, err);
}

static inline const struct slw_sweep_report *fixture_made(struct sweep_fixture *f)
{
    struct slw_error err = {0};

    if (fixture_report(f, &err) < 0)
        fail_msg("%s", err.text);
    return f->report;
}

static const char *const fixture_batches[] = {"1", "2", "4", "8", "16", "32", "64"};
#define FIXTURE_POINTS (sizeof(fixture_batches) / sizeof(fixture_batches[0]))

static inline struct sweep_fixture *fixture_sweep(size_t blocks, const struct sweep_client *c)
{
    struct sweep_fixture *f = fixture_new(blocks);

    for (size_t i = 0; i < FIXTURE_POINTS; i++)
        fixture_client(f, fixture_arm(f, "batch", fixture_batches[i], NULL, NULL),
                       atof(fixture_batches[i]), c);
    return f;
}

static inline const struct slw_sweep_curve *fixture_curve(const struct slw_sweep_report *r,
                                                          const char *metric, const char *series)
{
    static const struct slw_sweep_curve none;

    for (size_t i = 0; i < r->curve_count; i++)
        if (strcmp(r->curves[i].metric, metric) == 0 &&
            (series ? r->curves[i].series && strcmp(r->curves[i].series, series) == 0
                    : !r->curves[i].series))
            return &r->curves[i];
    fail_msg("no curve of %s", metric);
    return &none;
}

/* The note of that code; one without level and text where there is none. */
static inline const struct slw_note *fixture_note(const struct slw_sweep_report *r,
                                                  const char *code)
{
    static const struct slw_note none = {.text = ""};

    for (size_t i = 0; i < r->note_count; i++)
        if (strcmp(r->notes[i].code, code) == 0)
            return &r->notes[i];
    return &none;
}

static inline bool fixture_has_note(const struct slw_sweep_report *r, const char *code)
{
    return fixture_note(r, code)->code != NULL;
}

#endif

/* SPDX-License-Identifier: MIT */
/* Comparisons that are hard to make and to render: hostile strings, huge and missing values, too
 * many metrics. */
#ifndef SLW_TESTS_AWKWARD_COMPARISONS_H
#define SLW_TESTS_AWKWARD_COMPARISONS_H

#include "tests/compare_fixture.h"
#include "tests/unit/run_observations_int.h"

#include <float.h>
#include <stdio.h>

#define AWKWARD_ROUNDS 12

static inline struct versus awkward_plain(void)
{
    return versus_batching(AWKWARD_ROUNDS);
}

static inline struct versus awkward_one_round(void)
{
    struct versus v = versus_batching(1);

    versus_apart(&v);
    return v;
}

/* Everything a file or a client can name. */
static inline struct versus awkward_strings(void)
{
    static const char *const argv[] = {"/bin/\x1b]0;x\x07" HOSTILE, "<script>alert(1)</script>",
                                       "=cmd|' /C calc'!A0", "`$(id)`", "| a | b |\n# head"};
    struct versus v = versus_batching(AWKWARD_ROUNDS);

    versus_apart(&v);
    v.in.a.name = "A" HOSTILE;
    v.in.b.name = "<b>|`*_\x1b[2J\xe2\x80\xae";
    v.b->command.argv = (const char **)(uintptr_t)argv;
    v.b->command.argc = 5;
    v.a->host.kernel = "6.1 " HOSTILE;
    v.a->tool = "slotwise " HOSTILE;
    versus_both(&v, "m" HOSTILE, 1, 2, AWKWARD_ROUNDS);
    versus_both(&v, "stage.<img src=x onerror=alert(1)>.cpu_per_request", 1, .5, AWKWARD_ROUNDS);
    v.a->observations[v.a->observation_count - 1].title =
        v.b->observations[v.b->observation_count - 1].title = "title " HOSTILE;
    v.a->observations[0].from.detail = v.b->observations[0].from.detail = "detail " HOSTILE;
    versus_near(v.a, "p90", 1, 0, AWKWARD_ROUNDS);
    v.a->observations[v.a->observation_count - 1].absent = "why " HOSTILE;
    v.in.force = true;
    return v;
}

static inline struct versus awkward_numbers(void)
{
    static const double values[][2] = {
        {DBL_MAX, -DBL_MAX}, {DBL_MIN, DBL_MAX}, {1e300, 1e-300},       {5e-324, 5e-324}, {-1, 1},
        {0, 1e18},           {1e15, 1.1e15},     {123456789, 987654321}};
    struct versus v = versus_batching(AWKWARD_ROUNDS);
    char name[32];

    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        double a[AWKWARD_ROUNDS], b[AWKWARD_ROUNDS];

        for (size_t k = 0; k < AWKWARD_ROUNDS; k++) {
            a[k] = values[i][0];
            b[k] = values[i][1];
        }
        (void)snprintf(name, sizeof(name), "value %zu", i);
        versus_add(v.a, name, a, AWKWARD_ROUNDS);
        versus_add(v.b, name, b, AWKWARD_ROUNDS);
        v.a->observations[v.a->observation_count - 1].step = i % 2 ? DBL_MAX : (double)NAN;
    }
    return v;
}

static inline struct versus awkward_gaps(void)
{
    struct versus v = versus_batching(AWKWARD_ROUNDS);
    double none[AWKWARD_ROUNDS], other[AWKWARD_ROUNDS];

    for (size_t i = 0; i < AWKWARD_ROUNDS; i++) {
        none[i] = (double)NAN;
        other[i] = i % 2 ? (double)INFINITY : (double)NAN;
    }
    versus_add(v.a, "p90", none, AWKWARD_ROUNDS);
    versus_add(v.b, "p90", other, AWKWARD_ROUNDS);
    versus_add(v.a, "only a", none, AWKWARD_ROUNDS);
    versus_near(v.a, "a alone", 3, 0, AWKWARD_ROUNDS);
    versus_near(v.b, "b alone", 3, 0, 3);
    versus_near(v.a, "no rounds", 3, 0, 0);
    versus_near(v.b, "no rounds", 3, 0, 0);
    versus_near(v.a, "shorter", 3, 0, 4);
    versus_near(v.b, "shorter", 3, 0, 9);
    return v;
}

static inline struct versus awkward_many(void)
{
    struct versus v = versus_batching(AWKWARD_ROUNDS);
    char name[32];

    for (int i = 0; i < 1000; i++) {
        (void)snprintf(name, sizeof(name), "metric_%d", i);
        versus_near(v.a, name, 1000, (size_t)i, AWKWARD_ROUNDS);
        versus_near(v.b, name, 1000 + i, (size_t)i + 1, AWKWARD_ROUNDS);
    }
    return v;
}

/* More rounds than are compared. */
static inline struct versus awkward_rounds_beyond(void)
{
    struct versus v = versus_new(SLW_MAX_PAIRS + 100);

    versus_both(&v, "cpu_per_request", 1000, 900, SLW_MAX_PAIRS + 100);
    return v;
}

static inline struct versus awkward_gated(void)
{
    struct versus v = versus_batching(AWKWARD_ROUNDS);

    versus_near(v.a, "p90", 3, 0, AWKWARD_ROUNDS);
    versus_gates(&v, "cpu_per_request>+3%,p99>+5%,requests_per_flush<-10%,p90>0%,p50>400%");
    return v;
}

static const struct {
    const char *name;
    struct versus (*make)(void);
} awkward_comparisons[] = {
    {"plain", awkward_plain},     {"one round", awkward_one_round},
    {"strings", awkward_strings}, {"numbers", awkward_numbers},
    {"gaps", awkward_gaps},       {"many", awkward_many},
    {"gated", awkward_gated},     {"rounds beyond", awkward_rounds_beyond},
};
#define AWKWARD_COMPARISON_COUNT (sizeof(awkward_comparisons) / sizeof(awkward_comparisons[0]))

#endif

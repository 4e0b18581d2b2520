/* SPDX-License-Identifier: MIT */
/* Histories without and with changes, for the simulations of tests/property and bench/statistics.
 */
#ifndef SLW_TESTS_HISTORY_NOISE_H
#define SLW_TESTS_HISTORY_NOISE_H

#include "analyzer/history/changes.h"
#include "tests/noise_models.h"

#include <stdlib.h>
#include <string.h>

#define HISTORY_MOST 2000 /* runs */

enum history_noise {
    HISTORY_WHITE,
    HISTORY_TAIL,
    HISTORY_UNIFORM,
    HISTORY_BIMODAL,    /* drawn anew for each run */
    HISTORY_OUTLIERS,   /* 5 %, far out */
    HISTORY_OUTLIERS15, /* 15 % */
    HISTORY_GRID,       /* steps of one sd */
    HISTORY_GRID3,      /* steps of three: nearly all equal */
    HISTORY_AR3,
    HISTORY_AR5,
    HISTORY_AR7,
    HISTORY_AR8,
    HISTORY_AR_GRID, /* AR(1) .5 in steps of 1.5 sd */
    HISTORY_STICKY,  /* two levels 3 sd apart, each kept for 10 runs on average */
    HISTORY_NOISES
};

static inline const char *history_noise_name(enum history_noise m)
{
    static const char *const names[] = {
        "white",         "log-normal",    "uniform",        "two modes, iid",   "5 % outliers",
        "15 % outliers", "steps of 1 sd", "steps of 3 sd",  "AR(1) .3",         "AR(1) .5",
        "AR(1) .7",      "AR(1) .8",      "AR(1) .5 steps", "levels of 10 runs"};

    return names[m];
}

/* Percent of histories in which it may be called a change. Levels that last are changes, to every
 * method: nothing is stated of them. */
static inline double history_noise_bound(enum history_noise m)
{
    return m == HISTORY_STICKY ? 100 : m == HISTORY_AR8 ? 7 : 5;
}

static inline double history_noise_step(enum history_noise m)
{
    return m == HISTORY_GRID ? 1 : m == HISTORY_GRID3 ? 3 : m == HISTORY_AR_GRID ? 1.5 : 0;
}

static inline double history_noise_relation(enum history_noise m)
{
    return m == HISTORY_AR3 ? .3 : m == HISTORY_AR7 ? .7 : m == HISTORY_AR8 ? .8 : .5;
}

static inline double history_noise_value(struct slw_coin *c, enum history_noise m)
{
    const double z = noise_normal(c), u = noise_uniform(c), v = noise_uniform(c);

    switch (m) {
    case HISTORY_TAIL:
        return exp(z);
    case HISTORY_UNIFORM:
        return u;
    case HISTORY_BIMODAL:
        return z + (u < .5 ? 6 : 0);
    case HISTORY_OUTLIERS:
        return z + (u < .05 ? 20 + 30 * v : 0);
    case HISTORY_OUTLIERS15:
        return z + (u < .15 ? 20 + 30 * v : 0);
    case HISTORY_WHITE:
    case HISTORY_GRID:
    case HISTORY_GRID3:
    case HISTORY_AR3:
    case HISTORY_AR5:
    case HISTORY_AR7:
    case HISTORY_AR8:
    case HISTORY_AR_GRID:
    case HISTORY_STICKY:
    case HISTORY_NOISES:
        break;
    }
    return z;
}

static inline void history_noise_fill(struct slw_coin *c, enum history_noise m, double *values,
                                      size_t n)
{
    const double step = history_noise_step(m);

    memset(values, 0, n * sizeof(*values));
    if (m >= HISTORY_AR3 && m <= HISTORY_AR_GRID)
        noise_ar(c, values, n, history_noise_relation(m), 1);
    else
        for (size_t i = 0; i < n; i++)
            values[i] = history_noise_value(c, m);
    if (m == HISTORY_STICKY)
        noise_modes(c, values, n, .9, 3);
    for (size_t i = 0; i < n && step > 0; i++)
        values[i] = step * floor(values[i] / step + .5);
}

/* Was a change called in noise? */
static inline bool history_false(struct slw_coin *c, enum history_noise m, size_t n)
{
    size_t starts[SLW_MAX_CHANGES], count = 0;
    double values[HISTORY_MOST];

    history_noise_fill(c, m, values, n);
    if (slw_changes_find(values, n, history_noise_step(m), starts, &count, NULL) < 0)
        abort();
    return count > 0;
}

enum history_change {
    HISTORY_STEP2,
    HISTORY_STEP3,
    HISTORY_STEP5,
    HISTORY_STEP10,
    HISTORY_STEP5_OUTLIERS,
    HISTORY_STEP5_AR5,
    HISTORY_LAST5,    /* the last five runs only */
    HISTORY_AND_BACK, /* the middle third */
    HISTORY_CHANGES
};

static inline const char *history_change_name(enum history_change c)
{
    static const char *const names[] = {"2, half way",
                                        "3",
                                        "5",
                                        "10",
                                        "5, with 5 % outliers",
                                        "5, AR(1) .5",
                                        "10, the last 5 runs",
                                        "5 and back (both are found)"};

    return names[c];
}

static inline double history_change_size(enum history_change c)
{
    return c == HISTORY_STEP2                          ? 2
           : c == HISTORY_STEP3                        ? 3
           : c == HISTORY_STEP10 || c == HISTORY_LAST5 ? 10
                                                       : 5;
}

static inline bool history_has(const size_t *starts, size_t count, size_t at)
{
    for (size_t i = 0; i < count; i++)
        if (starts[i] + 1 >= at && starts[i] <= at + 1)
            return true;
    return false;
}

/* Was every change found where it is? */
static inline bool history_found(struct slw_coin *c, enum history_change kind, size_t n)
{
    const size_t from = kind == HISTORY_LAST5 ? n - 5 : kind == HISTORY_AND_BACK ? n / 3 : n / 2;
    const size_t to = kind == HISTORY_AND_BACK ? 2 * n / 3 : n;
    size_t starts[SLW_MAX_CHANGES], count = 0;
    double values[HISTORY_MOST];

    history_noise_fill(c,
                       kind == HISTORY_STEP5_OUTLIERS ? HISTORY_OUTLIERS
                       : kind == HISTORY_STEP5_AR5    ? HISTORY_AR5
                                                      : HISTORY_WHITE,
                       values, n);
    for (size_t i = from; i < to; i++)
        values[i] += history_change_size(kind);
    if (slw_changes_find(values, n, 0, starts, &count, NULL) < 0)
        abort();
    return history_has(starts, count, from) && (to == n || history_has(starts, count, to));
}

#endif

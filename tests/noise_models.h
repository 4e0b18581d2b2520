/* SPDX-License-Identifier: MIT */
/* What machines do to repeated runs of one command: models of noise on log(metric), in the order of
 * the runs. For the simulations of tests/property and bench/statistics. */
#ifndef SLW_TESTS_NOISE_MODELS_H
#define SLW_TESTS_NOISE_MODELS_H

#include "analyzer/statistics/order.h"

#include <math.h>

#define NOISE_PI 3.14159265358979323846

static inline double noise_uniform(struct slw_coin *c)
{
    return (double)(slw_coin_bits(c) >> 11) * 0x1p-53;
}

/* Box and Muller; the second value is thrown away so that a model is a function of its runs. */
static inline double noise_normal(struct slw_coin *c)
{
    const double u = 1 - noise_uniform(c);

    return sqrt(-2 * log(u)) * cos(2 * NOISE_PI * noise_uniform(c));
}

enum noise_model {
    NOISE_GAUSS,      /* sd 2 % */
    NOISE_TAIL,       /* log-normal, long to the right */
    NOISE_DRIFT,      /* 10 % over the comparison, and 2 % */
    NOISE_AR3,        /* AR(1), rho .3, sd 3 % */
    NOISE_AR8,        /* AR(1), rho .8, sd 3 % */
    NOISE_BIMODAL,    /* two modes 6 % apart, drawn anew for each run */
    NOISE_STICKY,     /* the same, stays in its mode with probability .9 */
    NOISE_OUTLIERS,   /* 1 %; 5 % of the runs take 2 to 5 times as long */
    NOISE_OUTLIERS15, /* 15 % of them */
    NOISE_GRID,       /* sd 2 %, reported in steps of 4 % */
    NOISE_PERIOD2,    /* every other run is 2 % slower */
    NOISE_MIXED,      /* drift 3 %, AR(1) .8, modes of 5 runs 3 % apart, 3 % outliers */
    NOISE_MODELS
};

static inline const char *noise_name(enum noise_model m)
{
    static const char *const names[] = {
        "gauss 2 %",     "log-normal tail", "drift 10 %",      "AR(1) .3",
        "AR(1) .8",      "bimodal, iid",    "bimodal, sticky", "5 % outliers",
        "15 % outliers", "4 % grid",        "period 2",        "mixed",
    };

    return names[m];
}

static inline double noise_outlier(struct slw_coin *c, double share)
{
    return noise_uniform(c) < share ? log(2 + 3 * noise_uniform(c)) : 0;
}

static inline void noise_ar(struct slw_coin *c, double *e, size_t runs, double rho, double sd)
{
    double last = sd * noise_normal(c);

    for (size_t i = 0; i < runs; i++) {
        e[i] += last;
        last = rho * last + sd * sqrt(1 - rho * rho) * noise_normal(c);
    }
}

static inline void noise_modes(struct slw_coin *c, double *e, size_t runs, double stay, double by)
{
    bool high = slw_coin_flip(c);

    for (size_t i = 0; i < runs; i++) {
        e[i] += high ? by : 0;
        high = noise_uniform(c) < stay ? high : !high;
    }
}

/* Noise that is drawn for each run of its own; `at` goes from 0 to 1 over the comparison. */
static inline double noise_of_run(struct slw_coin *c, enum noise_model m, size_t run, double at)
{
    switch (m) {
    case NOISE_TAIL:
        return .015 * exp(noise_normal(c));
    case NOISE_DRIFT:
        return .1 * at + .02 * noise_normal(c);
    case NOISE_BIMODAL:
    case NOISE_STICKY:
        return .005 * noise_normal(c);
    case NOISE_OUTLIERS:
        return .01 * noise_normal(c) + noise_outlier(c, .05);
    case NOISE_OUTLIERS15:
        return .01 * noise_normal(c) + noise_outlier(c, .15);
    case NOISE_PERIOD2:
        return .005 * noise_normal(c) + (run % 2 ? .02 : 0);
    case NOISE_MIXED:
        return .03 * at + .005 * noise_normal(c) + noise_outlier(c, .03);
    case NOISE_AR3:
    case NOISE_AR8:
        return 0;
    case NOISE_GAUSS:
    case NOISE_GRID:
    case NOISE_MODELS:
        break;
    }
    return .02 * noise_normal(c);
}

/* Fill e with the noise of so many runs, one after the other. */
static inline void noise_runs(struct slw_coin *c, enum noise_model m, double *e, size_t runs)
{
    for (size_t i = 0; i < runs; i++)
        e[i] = noise_of_run(c, m, i, (double)i / (double)runs);
    if (m == NOISE_AR3)
        noise_ar(c, e, runs, .3, .03);
    if (m == NOISE_AR8)
        noise_ar(c, e, runs, .8, .03);
    if (m == NOISE_MIXED)
        noise_ar(c, e, runs, .8, .01);
    if (m == NOISE_BIMODAL)
        noise_modes(c, e, runs, .5, .06);
    if (m == NOISE_STICKY)
        noise_modes(c, e, runs, .9, .06);
    if (m == NOISE_MIXED)
        noise_modes(c, e, runs, .8, .03);
}

/* Differences of n pairs of runs (at most 64) whose true difference is `effect`, in the order a
 * coin gives, or A before B in all of them. */
static inline void noise_pairs(struct slw_coin *c, enum noise_model m, double effect, bool coin,
                               double *d, size_t n)
{
    double e[128];

    noise_runs(c, m, e, 2 * n);
    for (size_t i = 0; i < n; i++) {
        const bool b_first = coin && slw_coin_flip(c);
        double a = e[2 * i + b_first], b = e[2 * i + !b_first] + effect;

        if (m == NOISE_GRID) {
            a = .04 * round(a / .04);
            b = .04 * round(b / .04);
        }
        d[i] = b - a;
    }
}

#endif

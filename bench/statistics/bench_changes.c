/* SPDX-License-Identifier: MIT */
/* What the change points of a history are worth, by simulation: how often noise without a change is
 * called one, and how often changes are found, for the models of noise in tests/noise_models.h and
 * some more. Prints markdown tables, docs/history.md quotes them.
 *
 *   bench_changes [SIMULATIONS]          per cell; 1000 unless told
 *   bench_changes limits [SIMULATIONS]   the table of analyzer/history/changes_limits.c
 *
 * Exit status 1: a bound that the documentation states was not kept. */
#include "tests/history_noise.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct slw_coin chance;
static int trials = 1000, unmet;

static int ascending(const void *a, const void *b)
{
    const double *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

/* A quantile over simulations of `of` of noise. */
static double quantile(double part, enum history_noise noise, size_t n, int simulations,
                       int (*of)(const double *, size_t, double *, struct slw_error *))
{
    double *found = calloc((size_t)simulations, sizeof(*found)), values[HISTORY_MOST];

    for (int i = 0; found && i < simulations; i++) {
        history_noise_fill(&chance, noise, values, n);
        if (of(values, n, &found[i], NULL) < 0)
            exit(1);
    }
    if (!found)
        exit(1);
    qsort(found, (size_t)simulations, sizeof(*found), ascending);
    const double q = found[(size_t)(part * simulations)];
    free(found);
    return q;
}

static void print_limits(void)
{
    static const size_t sizes[] = {8, 10, 12, 14, 16, 20, 25, 30, 40, 60, 100, 200, 500, 1000};

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        const size_t n = sizes[i];
        const int s = n > 200 ? trials / 10 : n > 60 ? trials / 2 : trials;
        const double score = quantile(.95, HISTORY_WHITE, n, s, slw_changes_score);
        const double related = quantile(.96, HISTORY_AR7, n, s, slw_changes_strength);
        const double tail = quantile(.96, HISTORY_TAIL, n, s, slw_changes_strength);

        (void)printf("    {%zu, %.2f, %.2f},\n", n, score, related > tail ? related : tail);
        (void)fflush(stdout);
    }
}

static void false_changes(void)
{
    static const size_t sizes[] = {8, 10, 15, 20, 30, 50, 100};

    (void)printf(
        "## A change is called where there is none, %%\n\n| noise | 8 | 10 | 15 | 20 | 30 | "
        "50 | 100 |\n|---|---|---|---|---|---|---|---|\n");
    for (enum history_noise m = 0; m < HISTORY_NOISES; m++) {
        (void)printf("| %s |", history_noise_name(m));
        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
            int wrong = 0;
            for (int t = 0; t < trials; t++)
                wrong += history_false(&chance, m, sizes[i]);
            (void)printf(" %.1f |", 100. * wrong / trials);
            /* Three standard errors of the simulation above what is stated. */
            const double bound = history_noise_bound(m);
            unmet += 100. * wrong / trials >
                     bound + 300 * sqrt(bound / 100 * (1 - bound / 100) / trials);
        }
        (void)printf("\n");
    }
}

static void found_changes(void)
{
    static const size_t sizes[] = {8, 10, 15, 20, 30, 50, 100};

    (void)printf(
        "\n## A change is found at its place, +-1 run, %%\n\n| change, in sd of the noise | 8 "
        "| 10 | 15 | 20 | 30 | 50 | 100 |\n|---|---|---|---|---|---|---|---|\n");
    for (enum history_change c = 0; c < HISTORY_CHANGES; c++) {
        (void)printf("| %s |", history_change_name(c));
        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
            int found = 0;
            for (int t = 0; t < trials; t++)
                found += history_found(&chance, c, sizes[i]);
            (void)printf(" %.0f |", 100. * found / trials);
        }
        (void)printf("\n");
    }
}

int main(int argc, char **argv)
{
    const bool limits = argc > 1 && strcmp(argv[1], "limits") == 0;

    if (argc > 1 + limits)
        trials = (int)strtol(argv[1 + limits], NULL, 10);
    if (trials < 20) {
        (void)fprintf(stderr, "usage: bench_changes [limits] [SIMULATIONS], 20 or more\n");
        return 64;
    }
    chance = slw_coin_of(20261122);
    if (limits) {
        print_limits();
        return 0;
    }
    false_changes();
    found_changes();
    (void)printf("\nbounds of docs/history.md: %s\n", unmet ? "NOT MET" : "met");
    return unmet > 0;
}

/* SPDX-License-Identifier: MIT */
/* What the intervals and words of comparisons are worth, by simulation: coverage, false alarms,
 * power, what other methods and orders would give, what looking often costs, and how long a look
 * takes. Prints markdown tables with the stated values (docs/statistics.md) beside the measured.
 *
 *   bench_statistics [SIMULATIONS]     per cell; 2000 unless told
 *
 * Exit status 1: a bound that the documentation states was not kept. */
#include "analyzer/interval.h"
#include "analyzer/statistics/judgement.h"
#include "analyzer/statistics/looks.h"
#include "analyzer/statistics/signed_law.h"
#include "tests/noise_models.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static struct slw_paired *space;
static struct slw_coin chance;
static int trials = 2000, unmet;

static struct slw_difference look_capped(const double *d, size_t n, double alpha, size_t cap)
{
    struct slw_difference r = {0};
    struct slw_error err = {0};

    if (slw_paired_interval_capped(space, d, n, alpha, cap, &r, &err) < 0) {
        (void)fprintf(stderr, "%s\n", err.text);
        exit(1);
    }
    return r;
}

static struct slw_difference look_at(const double *d, size_t n, double alpha)
{
    return look_capped(d, n, alpha, slw_signed_cap(n));
}

static double percent(int hits)
{
    return 100. * hits / trials;
}

static void claim(const char *what, bool met)
{
    (void)printf("%s: %s\n", what, met ? "met" : "NOT MET");
    unmet += !met;
}

/* ---- coverage of 0, which is 100 % less the false alarms ---- */

static void coverage(void)
{
    static const size_t sizes[] = {6, 8, 10, 15, 20, 30};
    double lowest = 100, sum = 0;

    (void)printf("\n## The interval holds the truth, %%\n\n| noise | 6 | 8 | 10 | 15 | 20 | 30 |\n"
                 "|---|---|---|---|---|---|---|\n");
    for (enum noise_model m = 0; m < NOISE_MODELS; m++) {
        (void)printf("| %s |", noise_name(m));
        for (size_t i = 0; i < 6; i++) {
            double d[40];
            int held = 0;

            for (int t = 0; t < trials; t++) {
                noise_pairs(&chance, m, 0, true, d, sizes[i]);
                const struct slw_difference r = look_at(d, sizes[i], .05);

                held += r.low <= 0 && r.high >= 0;
            }
            (void)printf(" %.1f |", percent(held));
            lowest = fmin(lowest, percent(held));
            sum += percent(held) / (6 * NOISE_MODELS);
        }
        (void)printf("\n");
    }
    (void)printf("\nlowest %.1f, mean %.1f; stated: 94.4 to 100, mean 96.4\n", lowest, sum);
    claim("every cell at least 93 %, mean at least 94.5 %", lowest >= 93 && sum >= 94.5);
}

/* ---- other methods ---- */

static struct slw_difference student(const double *d, size_t n)
{
    struct slw_series s = {0};

    for (size_t i = 0; i < n; i++)
        slw_series_add(&s, d[i]);
    return (struct slw_difference){.low = s.mean - slw_series_half(&s),
                                   .high = s.mean + slw_series_half(&s)};
}

enum { BY_T, BY_SIGN, BY_WILCOXON, BY_CAPPED, METHODS };

/* Shares of 0 covered and of `effect` seen, by each method on the same differences. */
static void methods_of(enum noise_model m, size_t n, double effect)
{
    int held[METHODS] = {0}, seen[METHODS] = {0};
    double d[40];

    for (int t = 0; t < trials; t++) {
        noise_pairs(&chance, m, 0, true, d, n);
        for (int change = 0; change < 2; change++) {
            const struct slw_difference r[METHODS] = {student(d, n), look_capped(d, n, .05, 1),
                                                      look_capped(d, n, .05, n),
                                                      look_at(d, n, .05)};

            for (int by = 0; by < METHODS; by++) {
                held[by] += !change && r[by].low <= 0 && r[by].high >= 0;
                seen[by] += change && r[by].low > 0;
            }
            for (size_t i = 0; i < n; i++)
                d[i] += effect;
        }
    }
    (void)printf("| %s, %zu |", noise_name(m), n);
    for (int by = 0; by < METHODS; by++)
        (void)printf(" %.1f / %.0f |", percent(held[by]), percent(seen[by]));
    (void)printf("\n");
}

static void methods(void)
{
    (void)printf("\n## Other intervals: coverage / power at a true 5 %%, %%\n\n"
                 "| noise, pairs | t | sign | Wilcoxon | capped |\n|---|---|---|---|---|\n");
    for (enum noise_model m = 0; m < NOISE_MODELS; m++)
        if (m == NOISE_GAUSS || m == NOISE_TAIL || m == NOISE_OUTLIERS || m == NOISE_OUTLIERS15 ||
            m == NOISE_MIXED)
            for (size_t n = 10; n <= 20; n += 10)
                methods_of(m, n, log(1.05));
}

/* ---- power of the default ---- */

static const struct {
    enum noise_model model;
    size_t pairs;
    double half; /* stated width and powers */
    int stated[3];
} powers[] = {
    {NOISE_GAUSS, 6, 3.5, {7, 18, 77}},       {NOISE_GAUSS, 10, 2.2, {13, 42, 99}},
    {NOISE_GAUSS, 20, 1.5, {26, 72, 100}},    {NOISE_GAUSS, 30, 1.2, {36, 89, 100}},
    {NOISE_AR8, 10, 1.5, {23, 69, 100}},      {NOISE_AR8, 20, 1.1, {42, 94, 100}},
    {NOISE_BIMODAL, 10, 3.4, {17, 25, 77}},   {NOISE_BIMODAL, 20, 2.4, {29, 42, 87}},
    {NOISE_OUTLIERS, 10, 1.3, {35, 79, 92}},  {NOISE_OUTLIERS, 20, .9, {62, 98, 100}},
    {NOISE_OUTLIERS15, 10, 27, {20, 50, 60}}, {NOISE_OUTLIERS15, 20, 1.2, {40, 81, 88}},
};

static int by_value(const void *a, const void *b)
{
    const double left = *(const double *)a, right = *(const double *)b;

    return (left > right) - (left < right);
}

static void power(void)
{
    static const double effects[] = {.01, .02, .05};
    double *half = calloc((size_t)trials, sizeof(*half)), d[40];

    if (!half)
        exit(1);
    (void)printf("\n## Power: half width (median), then 0 excluded at a true 1 / 2 / 5 %%\n\n"
                 "| noise, pairs | measured | stated |\n|---|---|---|\n");
    for (size_t i = 0; i < sizeof(powers) / sizeof(*powers); i++) {
        const size_t n = powers[i].pairs;
        int seen[3] = {0};

        for (int t = 0; t < trials; t++) {
            noise_pairs(&chance, powers[i].model, 0, true, d, n);
            const struct slw_difference r = look_at(d, n, .05);

            half[t] = slw_difference_half(&r);
            for (int e = 0; e < 3; e++)
                seen[e] += r.low + log1p(effects[e]) > 0;
        }
        qsort(half, (size_t)trials, sizeof(*half), by_value);
        (void)printf("| %s, %zu | %.1f: %.0f %.0f %.0f | %.1f: %d %d %d |\n",
                     noise_name(powers[i].model), n, 100 * expm1(half[trials / 2]),
                     percent(seen[0]), percent(seen[1]), percent(seen[2]), powers[i].half,
                     powers[i].stated[0], powers[i].stated[1], powers[i].stated[2]);
    }
    free(half);
}

/* ---- words ---- */

static void words(void)
{
    static const double effects[] = {0, .01, .02, .03, .05, .1};
    static const struct {
        size_t pairs;
        const char *stated;
    } rows[] = {{10, ".000/.113 .003/.077 .024/.017 .122/.001 .745/.000 1.000/.000"},
                {20, ".000/.463 .001/.227 .019/.023 .235/.001 .963/.000 1.000/.000"},
                {30, ".000/.780 .000/.348 .025/.028 .355/.001 .997/.000 1.000/.000"}};
    const struct slw_margin margin = {log(1.02), SLW_MARGIN_USER};

    (void)printf("\n## Words, gauss 2 %%, margin 2 %%: changed/no change at a true 0, 1, 2, 3, 5, "
                 "10 %%\n\n| pairs | measured | stated |\n|---|---|---|\n");
    for (size_t i = 0; i < 3; i++) {
        (void)printf("| %zu |", rows[i].pairs);
        for (size_t e = 0; e < 6; e++) {
            int changed = 0, same = 0;
            double d[40];

            for (int t = 0; t < trials; t++) {
                noise_pairs(&chance, NOISE_GAUSS, log1p(effects[e]), true, d, rows[i].pairs);
                const struct slw_difference r = look_at(d, rows[i].pairs, .05);
                const enum slw_judged word = slw_judge(&r, &margin, false).word;

                changed += word == SLW_JUDGED_REGRESSED || word == SLW_JUDGED_IMPROVED;
                same += word == SLW_JUDGED_NO_CHANGE;
            }
            (void)printf(" %.3f/%.3f", percent(changed) / 100, percent(same) / 100);
        }
        (void)printf(" | %s |\n", rows[i].stated);
    }
}

/* ---- order ---- */

static void orders(void)
{
    static const enum noise_model models[] = {NOISE_DRIFT, NOISE_PERIOD2, NOISE_AR3, NOISE_AR8};

    (void)printf("\n## Order: false alarms at 10 / 20 pairs, %%\n\n| noise | ABAB | coin |\n"
                 "|---|---|---|\n");
    for (size_t i = 0; i < 4; i++) {
        (void)printf("| %s |", noise_name(models[i]));
        for (int coin = 0; coin < 2; coin++) {
            for (size_t n = 10; n <= 20; n += 10) {
                double d[40];
                int seen = 0;

                for (int t = 0; t < trials; t++) {
                    noise_pairs(&chance, models[i], 0, coin, d, n);
                    const struct slw_difference r = look_at(d, n, .05);

                    seen += slw_difference_real(&r);
                }
                (void)printf(" %.1f %s", percent(seen), n == 10 ? "/" : "|");
            }
        }
        (void)printf("\n");
    }
}

/* ---- looking often ---- */

static const struct {
    enum noise_model model;
    const char *stated;
} looked_at[] = {
    {NOISE_GAUSS, "4.5, 14.1, .999, 14, .85, 31"},
    {NOISE_TAIL, "4.0, 14.9, .967, 22, .49, 37"},
    {NOISE_MIXED, "5.4, 16.2, 1, 12, .99, 22"},
    {NOISE_OUTLIERS, "6.5, 17.4, 1, 11, 1, 17"},
    {NOISE_OUTLIERS15, "4.4, 15.6, .996, 18, .95, 27"},
    {NOISE_AR8, "5.4, 15.9, 1, 10, 1, 20"},
};

struct looked {
    int ever, naive, regressed, same;
    size_t pairs;
};

static void look_once(enum noise_model m, double effect, struct looked *sum)
{
    const struct slw_margin margin = {log(1.02), SLW_MARGIN_USER};
    enum slw_judged word = SLW_JUDGED_INCONCLUSIVE;
    bool ever = false, naive = false;
    size_t pairs = 0;
    double d[SLW_LOOK_LAST];

    noise_pairs(&chance, m, effect, true, d, SLW_LOOK_LAST);
    for (size_t i = 0; i < SLW_LOOK_COUNT; i++) {
        const struct slw_look *at = slw_look_at(i);
        const struct slw_difference r = look_at(d, at->pairs, at->alpha);

        ever = ever || slw_difference_real(&r);
        naive = naive || r.p <= .05;
        if (!slw_looks_settled(&word, 1)) {
            word = slw_judge(&r, &margin, false).word;
            pairs = at->pairs;
        }
    }
    sum->ever += ever;
    sum->naive += naive;
    sum->regressed += word == SLW_JUDGED_REGRESSED;
    sum->same += word == SLW_JUDGED_NO_CHANGE;
    sum->pairs += pairs;
}

static void looks(void)
{
    double worst = 0;

    (void)printf("\n## --rounds auto: 0 ever excluded at a true 0 (%%), the same at 95 %% each "
                 "time, regressed and pairs at a true 5 %%, no change and pairs at a true 0\n\n"
                 "| noise | measured | stated |\n|---|---|---|\n");
    for (size_t i = 0; i < sizeof(looked_at) / sizeof(*looked_at); i++) {
        struct looked none = {0}, five = {0};

        for (int t = 0; t < trials; t++) {
            look_once(looked_at[i].model, 0, &none);
            look_once(looked_at[i].model, log(1.05), &five);
        }
        (void)printf("| %s | %.1f, %.1f, %.3f, %.0f, %.2f, %.0f | %s |\n",
                     noise_name(looked_at[i].model), percent(none.ever), percent(none.naive),
                     percent(five.regressed) / 100, (double)five.pairs / trials,
                     percent(none.same) / 100, (double)none.pairs / trials, looked_at[i].stated);
        worst = fmax(worst, percent(none.ever));
    }
    claim("0 excluded at any look in at most 7.5 %", worst <= 7.5);
}

/* ---- speed ---- */

static double now_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static void speed(void)
{
    double d[40], least = 1e9;

    noise_pairs(&chance, NOISE_GAUSS, 0, true, d, 40);
    for (int round = 0; round < 20; round++) {
        const double start = now_ms();

        for (int metric = 0; metric < 20; metric++) {
            d[metric] += .001;
            (void)look_at(d, 40, .05);
        }
        least = fmin(least, now_ms() - start);
    }
    (void)printf("\n## Speed\n\n20 metrics of 40 pairs: %.2f ms of CPU time\n", least);
    claim("under 5 ms", least < 5);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        trials = (int)strtol(argv[1], NULL, 10);
    if (trials < 1 || trials > 1000000) {
        (void)fprintf(stderr, "usage: bench_statistics [SIMULATIONS]\n");
        return 64;
    }
    if (slw_paired_new(40, &space, NULL) < 0)
        return 70;
    chance = slw_coin_of(1);
    (void)printf("%d simulations per cell, seed 1\n", trials);
    coverage();
    methods();
    power();
    words();
    orders();
    looks();
    speed();
    slw_paired_free(space);
    return unmet > 0;
}

/* SPDX-License-Identifier: MIT */
#include "analyzer/compare/weighing.h"

#include "analyzer/statistics/many.h"

#include <math.h>
#include <stdlib.h>

/* An interval looks at n * n pairs of differences: a picture must not take minutes. */
#define MAX_WORK 40000000

int slw_weighing_init(struct slw_weighing *w, size_t parts, const double *per_a, size_t rounds_a,
                      const double *per_b, size_t rounds_b, struct slw_error *err)
{
    const double *per[2] = {per_a, per_b};

    *w = (struct slw_weighing){.parts = parts};
    w->pairs = rounds_a < rounds_b ? rounds_a : rounds_b;
    if (w->pairs > SLW_MAX_PAIRS)
        w->pairs = SLW_MAX_PAIRS;
    for (size_t side = 0; side < 2; side++) {
        w->weights[side] = calloc(parts * w->pairs + 1, sizeof(double));
        w->per[side] = calloc(w->pairs + 1, sizeof(double));
        w->samples[side] = calloc(parts + 1, sizeof(uint64_t));
        if (!w->weights[side] || !w->per[side] || !w->samples[side])
            return slw_fail(err, SLW_E_NOMEM, "no memory for the weights of %zu parts", parts);
        for (size_t i = 0; i < w->pairs; i++)
            w->per[side][i] =
                per[side][i] > 0 && isfinite(per[side][i]) ? per[side][i] : (double)NAN;
    }
    return 0;
}

void slw_weighing_release(struct slw_weighing *w)
{
    for (size_t side = 0; side < 2; side++) {
        free(w->weights[side]);
        free(w->per[side]);
        free(w->samples[side]);
    }
    *w = (struct slw_weighing){0};
}

void slw_weighing_add(struct slw_weighing *w, size_t which, const struct slw_moment *m, size_t part)
{
    if (m->round < 1 || m->round > w->pairs || part >= w->parts)
        return;
    w->weights[which][part * w->pairs + m->round - 1] += (double)m->weight;
    w->samples[which][part] += m->samples;
}

void slw_weighing_close(struct slw_weighing *w)
{
    for (size_t side = 0; side < 2; side++)
        for (size_t i = 0; i < w->pairs; i++) {
            double sum = 0;

            for (size_t part = 0; part < w->parts; part++)
                sum += w->weights[side][part * w->pairs + i];
            if (!(sum > 0))
                w->per[side][i] = (double)NAN;
        }
}

static bool good(const struct slw_weighing *w, size_t pair)
{
    return isfinite(w->per[0][pair]) && isfinite(w->per[1][pair]);
}

size_t slw_weighing_good_pairs(const struct slw_weighing *w)
{
    size_t count = 0;

    for (size_t i = 0; i < w->pairs; i++)
        count += good(w, i);
    return count;
}

/* ---- judging ---- */

struct candidate {
    size_t part;
    double size; /* of both sides together: under no change it says nothing about the difference */
};

struct judging {
    const struct slw_weighing *w;
    struct slw_paired *paired;
    struct candidate *candidates; /* heap, the heaviest first */
    size_t count;
    double *p, *adjusted; /* heap, of the candidates */
    double d[SLW_MAX_PAIRS];
};

static double size_of(const struct slw_weighing *w, size_t part)
{
    double size = 0;

    for (size_t side = 0; side < 2; side++)
        for (size_t i = 0; i < w->pairs; i++)
            if (good(w, i))
                size += w->weights[side][part * w->pairs + i] / w->per[side][i];
    return size;
}

static int heaviest_first(const void *left, const void *right)
{
    const struct candidate *a = left, *b = right;

    if (a->size != b->size)
        return a->size > b->size ? -1 : 1;
    return (a->part > b->part) - (a->part < b->part);
}

/* How many statements so many rounds can make: each takes a p-value of alpha by their number, and
 * the smallest there is is 2^(1-pairs). */
static size_t most_statements(enum slw_weighing_rule rule, size_t pairs, double alpha)
{
    const double told_apart = floor(ldexp(alpha, (int)pairs - 1));
    size_t most = MAX_WORK / (pairs * pairs);

    if (most > SLW_MAX_STATEMENTS)
        most = SLW_MAX_STATEMENTS;
    return rule == SLW_WEIGHING_EVERY && told_apart < (double)most ? (size_t)told_apart : most;
}

static void choose(struct judging *j, enum slw_weighing_rule rule, size_t pairs, double alpha)
{
    const struct slw_weighing *w = j->w;
    const size_t most = most_statements(rule, pairs, alpha);

    for (size_t part = 0; part < w->parts; part++) {
        const uint64_t a = w->samples[0][part], b = w->samples[1][part];

        if ((a > b ? a : b) >= SLW_LEAST_SAMPLES * pairs)
            j->candidates[j->count++] = (struct candidate){part, size_of(w, part)};
    }
    if (j->count > 1)
        qsort(j->candidates, j->count, sizeof(*j->candidates), heaviest_first);
    if (j->count > most)
        j->count = most;
}

/* Two that differ by less than a division rounds are equal. */
static double difference(double a, double b)
{
    return fabs(b - a) <= 1e-12 * (fabs(a) + fabs(b)) ? 0 : b - a;
}

static int judge_one(struct judging *j, size_t index, double alpha, struct slw_part_change *changes,
                     struct slw_error *err)
{
    const struct slw_weighing *w = j->w;
    const size_t row = j->candidates[index].part * w->pairs;
    struct slw_part_change *change = &changes[j->candidates[index].part];
    size_t n = 0;

    for (size_t i = 0; i < w->pairs; i++)
        if (good(w, i))
            j->d[n++] = difference(w->weights[0][row + i] / w->per[0][i],
                                   w->weights[1][row + i] / w->per[1][i]);
    int rc = slw_paired_interval(j->paired, j->d, n, alpha, &change->difference, err);
    if (rc < 0)
        return rc;
    change->judged = change->difference.enough;
    j->p[index] = change->judged ? change->difference.p : 1;
    return 0;
}

static int correct(struct judging *j, enum slw_weighing_rule rule, double alpha,
                   struct slw_part_change *changes, struct slw_error *err)
{
    int rc = rule == SLW_WEIGHING_EVERY ? slw_many_holm(j->p, j->count, j->adjusted, err)
                                        : slw_many_fdr(j->p, j->count, j->adjusted, err);

    for (size_t i = 0; rc == 0 && i < j->count; i++) {
        struct slw_part_change *change = &changes[j->candidates[i].part];
        change->real =
            change->judged && j->adjusted[i] <= alpha && slw_difference_real(&change->difference);
    }
    return rc;
}

static int judge(struct judging *j, enum slw_weighing_rule rule, double alpha,
                 struct slw_part_change *changes, struct slw_error *err)
{
    const size_t pairs = slw_weighing_good_pairs(j->w);

    if (pairs < SLW_MIN_PAIRS)
        return 0;
    j->candidates = calloc(j->w->parts + 1, sizeof(*j->candidates));
    j->p = calloc(j->w->parts + 1, sizeof(*j->p));
    j->adjusted = calloc(j->w->parts + 1, sizeof(*j->adjusted));
    if (!j->candidates || !j->p || !j->adjusted)
        return slw_fail(err, SLW_E_NOMEM, "no memory to judge %zu parts", j->w->parts);
    choose(j, rule, pairs, alpha);
    int rc = slw_paired_new(pairs, &j->paired, err);
    for (size_t i = 0; rc == 0 && i < j->count; i++)
        rc = judge_one(j, i, alpha, changes, err);
    return rc < 0 ? rc : correct(j, rule, alpha, changes, err);
}

int slw_weighing_judge(const struct slw_weighing *w, enum slw_weighing_rule rule, double alpha,
                       struct slw_part_change *changes, struct slw_error *err)
{
    struct judging j = {.w = w};

    for (size_t i = 0; i < w->parts; i++)
        changes[i] = (struct slw_part_change){0};
    int rc = judge(&j, rule, alpha, changes, err);
    slw_paired_free(j.paired);
    free(j.candidates);
    free(j.p);
    free(j.adjusted);
    return rc;
}

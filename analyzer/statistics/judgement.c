/* SPDX-License-Identifier: MIT */
#include "analyzer/statistics/judgement.h"
#include "analyzer/interval.h"
#include "analyzer/statistics/looks.h"

#include <assert.h>
#include <math.h>

struct slw_margin slw_margin_of(double user, double floor, double resolution)
{
    struct slw_margin m = {user, SLW_MARGIN_USER};

    assert(user >= 0 && floor >= 0 && resolution >= 0);
    if (floor > m.size)
        m = (struct slw_margin){floor, SLW_MARGIN_FLOOR};
    if (resolution > m.size)
        m = (struct slw_margin){resolution, SLW_MARGIN_RESOLUTION};
    return m;
}

const char *slw_margin_from_text(enum slw_margin_from from)
{
    static const char *const texts[] = {
        [SLW_MARGIN_USER] = "the margin asked for",
        [SLW_MARGIN_FLOOR] = "the A/A floor",
        [SLW_MARGIN_RESOLUTION] = "the resolution of the values",
    };

    return texts[from];
}

static enum slw_judged word_of(const struct slw_difference *d, double margin, bool higher_is_better)
{
    if (!d->enough)
        return SLW_JUDGED_INCONCLUSIVE;
    if (d->low > margin)
        return higher_is_better ? SLW_JUDGED_IMPROVED : SLW_JUDGED_REGRESSED;
    if (d->high < -margin)
        return higher_is_better ? SLW_JUDGED_REGRESSED : SLW_JUDGED_IMPROVED;
    return -margin <= d->low && d->high <= margin ? SLW_JUDGED_NO_CHANGE : SLW_JUDGED_INCONCLUSIVE;
}

struct slw_judgement slw_judge(const struct slw_difference *d, const struct slw_margin *margin,
                               bool higher_is_better)
{
    struct slw_judgement j = {
        .word = word_of(d, margin->size, higher_is_better),
        .too_few = !d->enough,
        .few = d->pairs < SLW_FEW_PAIRS,
        .margin = *margin,
    };

    j.unsettled = j.word == SLW_JUDGED_INCONCLUSIVE && slw_difference_real(d);
    return j;
}

const char *slw_judged_text(enum slw_judged word)
{
    static const char *const texts[] = {
        [SLW_JUDGED_INCONCLUSIVE] = "inconclusive",
        [SLW_JUDGED_NO_CHANGE] = "no change beyond the margin",
        [SLW_JUDGED_IMPROVED] = "improved",
        [SLW_JUDGED_REGRESSED] = "regressed",
    };

    return texts[word];
}

enum slw_gate slw_gate_of(const enum slw_judged *words, size_t count)
{
    enum slw_gate gate = SLW_GATE_PASSED;

    for (size_t i = 0; i < count; i++) {
        if (words[i] == SLW_JUDGED_REGRESSED)
            return SLW_GATE_REGRESSED;
        if (words[i] == SLW_JUDGED_INCONCLUSIVE)
            gate = SLW_GATE_INCONCLUSIVE;
    }
    return gate;
}

int slw_floor_of_one(const struct slw_difference *aa, double *ret_floor, struct slw_error *err)
{
    if (!aa->enough)
        return slw_fail(err, SLW_E_NODATA, "an A/A of %zu pairs has no interval", aa->pairs);
    *ret_floor = fmax(fabs(aa->low), fabs(aa->high));
    return 0;
}

int slw_floor_of_many(const double *estimates, size_t count, double *ret_floor,
                      struct slw_error *err)
{
    double squares = 0;

    if (count < SLW_FLOOR_RUNS)
        return slw_fail(err, SLW_E_NODATA, "%zu A/A comparisons, a floor rests on %d or more",
                        count, SLW_FLOOR_RUNS);
    for (size_t i = 0; i < count; i++)
        squares += estimates[i] * estimates[i];
    *ret_floor = slw_student_t(count) * sqrt(squares / (double)count);
    return 0;
}

double slw_smallest_found(const struct slw_difference *d, double margin)
{
    return margin + 1.4 * slw_difference_half(d);
}

/* The next look where --rounds auto would find the answer; beyond the last one, the number. */
static size_t rounds_until(double needed, size_t pairs)
{
    size_t look = slw_look_next(pairs);

    while (look != 0 && (double)look < needed)
        look = slw_look_next(look);
    return look ? look : (size_t)fmax(ceil(needed), (double)pairs + 1);
}

struct slw_forecast slw_forecast_of(const struct slw_difference *d, const struct slw_judgement *j,
                                    size_t max_pairs)
{
    const double pairs = (double)d->pairs, half = slw_difference_half(d);
    const double gap = fabs(fabs(d->estimate) - j->margin.size);

    assert(max_pairs > d->pairs);
    if (j->word != SLW_JUDGED_INCONCLUSIVE || d->pairs < SLW_FEW_PAIRS || !d->enough)
        return (struct slw_forecast){.kind = SLW_FORECAST_NONE};
    /* Written so that a gap of 0 needs no division. */
    if (pairs * half * half <= 2 * (double)max_pairs * gap * gap)
        return (struct slw_forecast){
            .kind = SLW_FORECAST_ROUNDS,
            .more = rounds_until(pairs * half * half / (gap * gap), d->pairs) - d->pairs,
        };
    return (struct slw_forecast){
        .kind = SLW_FORECAST_HARDLY,
        .margin = fabs(d->estimate) + half * sqrt(pairs / (double)max_pairs),
    };
}

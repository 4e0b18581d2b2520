/* SPDX-License-Identifier: MIT */
/* Did the executions of a run do the same work? */
#include "collector/rounds_int.h"

#include "collector/plan_pass.h"

#include <string.h>

struct spread {
    double low, high;
    size_t known, unknown;
};

static void widen(struct spread *s, bool known, double value)
{
    s->unknown += !known;
    if (!known)
        return;
    s->low = s->known == 0 || value < s->low ? value : s->low;
    s->high = s->known == 0 || value > s->high ? value : s->high;
    s->known++;
}

static bool instructions_of(const struct slw_executions *x, const struct slw_execution *e,
                            double *ret_count)
{
    const struct slw_model *m = x->opts->session->model;
    double sum = 0;

    for (size_t i = 0; i < e->run->count_count; i++) {
        const struct slw_count *c = &e->run->counts[i];

        if (c->absent || c->running_ns == 0 || c->from.source != SLW_SOURCE_HARDWARE)
            continue;
        if (strcmp(c->event, "instructions") != 0 &&
            !(m && slw_plan_counts_instructions(m, slw_model_find_event(m, c->event))))
            continue;
        sum = (double)c->raw * ((double)c->enabled_ns / (double)c->running_ns);
        break;
    }
    *ret_count = sum;
    return sum > 0;
}

static bool requests_of(const struct slw_executions *x, const struct slw_execution *e,
                        double *ret_count)
{
    (void)x;
    *ret_count = (double)e->run->requests.value;
    return !e->run->requests.absent;
}

static bool wide(const struct spread *s)
{
    return s->known > 1 && s->high - s->low > SLW_MAX_WORK_SPREAD * s->high;
}

static void note_work(const struct slw_executions *x, struct slw_run *run, const char *what,
                      bool (*amount)(const struct slw_executions *, const struct slw_execution *,
                                     double *))
{
    struct spread all = {0}, within = {0}, widest = {0};
    int round = 0;

    for (size_t i = 0; i < x->count; i++) {
        double value = 0;
        if (!x->all[i].kept)
            continue;
        const bool known = amount(x, &x->all[i], &value);
        if (x->all[i].round != round)
            within = (struct spread){0};
        round = x->all[i].round;
        widen(&within, known, value);
        widen(&all, known, value);
        if (wide(&within) && within.high * widest.low >= widest.high * within.low)
            widest = within;
    }
    if (wide(&widest))
        (void)slw_run_note(run, SLW_NOTE_WARNING, "passes-differ",
                           "let the client do a fixed amount of work, or leave out --no-multiplex",
                           "executions of one round did different amounts of work (%s from %.4g to "
                           "%.4g), so that values made of several of them do not fit together",
                           what, widest.low, widest.high);
    else if (wide(&all))
        (void)slw_run_note(run, SLW_NOTE_WARNING, "rounds-differ",
                           "let the client do a fixed amount of work",
                           "the rounds did different amounts of work (%s from %.4g to %.4g)", what,
                           all.low, all.high);
}

/* Executions of a round that nothing can be compared by. */
static void note_unchecked(const struct slw_executions *x, struct slw_run *run)
{
    struct spread s = {0};

    for (size_t i = 0; i < x->count; i++) {
        double value = 0;
        if (x->all[i].kept && x->all[i].group_count > 1 && x->all[i].pass > 0)
            widen(&s, instructions_of(x, &x->all[i], &value), value);
    }
    if (s.unknown > 0)
        (void)slw_run_note(run, SLW_NOTE_INFO, "work-unchecked", NULL,
                           "in %zu of %zu executions no counter was left for the retired "
                           "instructions: whether they did the same work as the others is unknown",
                           s.unknown, s.unknown + s.known);
}

void slw_executions_note_work(const struct slw_executions *x, struct slw_run *run)
{
    note_work(x, run, "retired instructions", instructions_of);
    note_work(x, run, "requests", requests_of);
    note_unchecked(x, run);
}

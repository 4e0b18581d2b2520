/* SPDX-License-Identifier: MIT */
#include "collector/perf_timeline.h"

#include <stdlib.h>
#include <string.h>

int slw_timeline_open(const struct slw_perf_env *env, const struct slw_counting *c,
                      struct slw_timeline *ret_timeline, struct slw_error *err)
{
    const size_t n = c->counter_count;
    struct slw_timeline t = {.interval_ns = env->opts->interval_ms * UINT64_C(1000000),
                             .counter_count = n};

    if (t.interval_ns == 0)
        return 0;
    if (env->kind_count > 0)
        return slw_run_note(env->run, SLW_NOTE_WARNING, "no-timeline", NULL,
                            "there is no time line: this CPU has cores of several kinds, and how "
                            "long the target was on which is known for the whole run only");
    t.intervals = calloc(SLW_MAX_INTERVALS, sizeof(t.intervals[0]));
    t.cells = calloc(SLW_MAX_INTERVALS, (n + 1) * sizeof(t.cells[0]));
    t.last = calloc(n + 1, sizeof(t.last[0]));
    t.now = calloc(n + 1, sizeof(t.now[0]));
    *ret_timeline = t;
    return t.intervals && t.cells && t.last && t.now
               ? 0
               : slw_fail(err, SLW_E_NOMEM, "no memory for a time line");
}

void slw_timeline_start(const struct slw_perf_env *env, struct slw_timeline *t)
{
    if (t->interval_ns == 0)
        return;
    t->begin_ns = env->sys->now_ns();
    if (t->origin_ns == 0)
        t->origin_ns = t->begin_ns;
    t->next_ns = t->begin_ns + t->interval_ns;
    t->running = true;
}

int slw_timeline_timeout_ms(const struct slw_perf_env *env, const struct slw_timeline *t,
                            int timeout_ms)
{
    if (t->interval_ns == 0 || !t->running)
        return timeout_ms;
    const uint64_t now_ns = env->sys->now_ns();
    const uint64_t left_ms = now_ns < t->next_ns ? (t->next_ns - now_ns + 999999) / 1000000 : 0;

    return left_ms < (uint64_t)timeout_ms ? (int)left_ms : timeout_ms;
}

/* A count that seems to have gone back (the parts of PERF_METRICS round) stays where it was, so
 * that nothing is told twice. */
static uint64_t advance(uint64_t *last, uint64_t now)
{
    const uint64_t delta = now > *last ? now - *last : 0;

    *last += delta;
    return delta;
}

static struct slw_counted *cells_of(const struct slw_timeline *t, size_t interval)
{
    return &t->cells[interval * t->counter_count];
}

/* Room by half the resolution: each two neighbours become one. */
static void halve(struct slw_timeline *t)
{
    for (size_t i = 0; i < t->count; i++) {
        const struct slw_time_slice *from = &t->intervals[i];
        struct slw_counted *to = cells_of(t, i / 2);

        if (i % 2 == 0) {
            t->intervals[i / 2] = *from;
            memmove(to, cells_of(t, i), t->counter_count * sizeof(*to));
            continue;
        }
        t->intervals[i / 2].length_ns += from->length_ns;
        for (size_t k = 0; k < t->counter_count; k++) {
            to[k].raw += cells_of(t, i)[k].raw;
            to[k].enabled_ns += cells_of(t, i)[k].enabled_ns;
            to[k].running_ns += cells_of(t, i)[k].running_ns;
        }
    }
    t->count = (t->count + 1) / 2;
    t->interval_ns *= 2;
    t->doubled = true;
}

static void take(const struct slw_perf_env *env, struct slw_timeline *t, struct slw_counting *c)
{
    const uint64_t now_ns = env->sys->now_ns();

    memset(t->now, 0, t->counter_count * sizeof(t->now[0]));
    for (size_t spot = 0; spot < c->spot_count; spot++)
        slw_counting_read(env, c, spot, t->now);
    if (t->count == SLW_MAX_INTERVALS)
        halve(t);
    t->intervals[t->count] =
        (struct slw_time_slice){t->begin_ns - t->origin_ns, now_ns - t->begin_ns};
    for (size_t k = 0; k < t->counter_count; k++) {
        struct slw_counted *cell = &cells_of(t, t->count)[k];

        cell->raw = advance(&t->last[k].raw, t->now[k].raw);
        cell->enabled_ns = advance(&t->last[k].enabled_ns, t->now[k].enabled_ns);
        cell->running_ns = advance(&t->last[k].running_ns, t->now[k].running_ns);
    }
    t->count++;
    t->begin_ns = now_ns;
    t->next_ns += t->interval_ns;
    if (t->next_ns <= now_ns) /* late by more than an interval: it has its real length */
        t->next_ns = now_ns + t->interval_ns;
}

void slw_timeline_tick(const struct slw_perf_env *env, struct slw_timeline *t,
                       struct slw_counting *c)
{
    if (t->interval_ns > 0 && t->running && env->sys->now_ns() >= t->next_ns)
        take(env, t, c);
}

void slw_timeline_stop(const struct slw_perf_env *env, struct slw_timeline *t,
                       struct slw_counting *c)
{
    if (t->interval_ns > 0 && t->running)
        take(env, t, c);
    t->running = false;
}

/* `room` holds SLW_MAX_INTERVALS numbers of each kind. */
static int add_series(const struct slw_perf_env *env, const struct slw_timeline *t,
                      const struct slw_counting *c, size_t counter,
                      const struct slw_time_series *room, struct slw_error *err)
{
    struct slw_time_series s = *room;

    s.count_index = (int)(c->first_count + counter);
    s.length = t->count;
    if (env->run->counts[s.count_index].absent)
        return 0;
    for (size_t i = 0; i < t->count; i++) {
        const struct slw_counted *cell = &cells_of(t, i)[counter];

        s.raw[i] = cell->raw;
        s.enabled_ns[i] = cell->enabled_ns;
        /* Read while they run, the two times are not of one moment. */
        s.running_ns[i] = cell->running_ns < cell->enabled_ns ? cell->running_ns : cell->enabled_ns;
    }
    return slw_run_add_series(env->run, &s, err);
}

int slw_timeline_collect(const struct slw_perf_env *env, const struct slw_timeline *t,
                         const struct slw_counting *c, struct slw_error *err)
{
    int rc = 0;

    if (t->count == 0)
        return 0;
    uint64_t *numbers = calloc((size_t)3 * SLW_MAX_INTERVALS, sizeof(*numbers));
    if (!numbers)
        return slw_fail(err, SLW_E_NOMEM, "no memory for a time line");
    const struct slw_time_series room = {.raw = numbers,
                                         .enabled_ns = numbers + SLW_MAX_INTERVALS,
                                         .running_ns = numbers + (size_t)2 * SLW_MAX_INTERVALS};
    for (size_t i = 0; i < t->count && rc == 0; i++)
        rc = slw_run_add_interval(env->run, &t->intervals[i], err);
    for (size_t k = 0; k < t->counter_count && rc == 0; k++)
        rc = add_series(env, t, c, k, &room, err);
    free(numbers);
    if (t->doubled)
        (void)slw_run_note(env->run, SLW_NOTE_INFO, "interval-doubled", "ask for a longer interval",
                           "the time line has room for %d intervals; each is now of %llu ms",
                           SLW_MAX_INTERVALS,
                           (unsigned long long)(t->interval_ns / UINT64_C(1000000)));
    return rc;
}

void slw_timeline_close(struct slw_timeline *t)
{
    free(t->intervals);
    free(t->cells);
    free(t->last);
    free(t->now);
    *t = (struct slw_timeline){0};
}

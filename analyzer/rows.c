/* SPDX-License-Identifier: MIT */
#include "analyzer/rows.h"

#include "analyzer/costs.h"
#include "analyzer/rounds.h"
#include "analyzer/scale.h"
#include "base/arena.h"
#include "base/hash.h"
#include "record/replicates.h"

#include <assert.h>
#include <math.h>
#include <string.h>

bool slw_count_is_whole(const struct slw_count *c)
{
    return c->pid == -1 && c->tid == -1 && c->cpu == -1;
}

static bool same_pmu(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_event(const void *ctx, uint32_t position, const void *key)
{
    const struct slw_report *r = ctx;
    const struct slw_count *a = r->rows[position].count, *b = key;

    return a->mode == b->mode && same_pmu(a->pmu, b->pmu) && strcmp(a->event, b->event) == 0;
}

bool slw_count_has_coverage(const struct slw_count *c)
{
    return c->scaled || c->enabled_ns > 0;
}

double slw_count_coverage(const struct slw_count *c)
{
    if (c->scaled)
        return c->covered_bp / 10000.0;
    if (c->enabled_ns == 0 || c->running_ns > c->enabled_ns)
        return 0;
    return (double)c->running_ns / (double)c->enabled_ns;
}

const char *slw_count_events(struct slw_arena *arena, const struct slw_count *c,
                             uint64_t *ret_events)
{
    const struct slw_reading reading = {c->raw, c->enabled_ns, c->running_ns};
    struct slw_error err = {0};

    if (c->absent)
        return c->absent;
    if (c->scaled) {
        *ret_events = c->raw;
        return NULL;
    }
    /* A part of a sum (a thread, a CPU) that was never enabled did not run: nothing happened. */
    if (!slw_count_is_whole(c) && c->enabled_ns == 0 && c->running_ns == 0 && c->raw == 0) {
        *ret_events = 0;
        return NULL;
    }
    if (slw_scale(&reading, ret_events, &err) == 0)
        return NULL;
    const char *why = slw_arena_strdup(arena, err.text);
    return why ? why : "cannot be scaled";
}

static void add_part(struct slw_report *r, struct slw_report_row *row, const struct slw_count *c)
{
    uint64_t events = 0;
    const char *absent = slw_count_events(r->arena, c, &events);

    row->part_count++;
    if (row->total.absent)
        return;
    if (!absent && __builtin_add_overflow(row->events, events, &row->events))
        absent = "the sum of its parts needs more than 64 bits";
    if (absent) {
        row->total.absent = absent;
        row->events = 0;
        return;
    }
    if (slw_count_has_coverage(c) && slw_count_coverage(c) < row->total.coverage)
        row->total.coverage = slw_count_coverage(c);
}

static void start_row(struct slw_report_row *row, const struct slw_count *c)
{
    *row = (struct slw_report_row){
        .name = c->event,
        .total = {.unit = c->unit ? c->unit : "events", .from = c->from, .coverage = 1},
        .count = c};
}

/* What is concluded from a sample of the instructions. */
static void widen_by_sample(struct slw_report_row *row)
{
    const struct slw_count *c = row->count;
    const double error = slw_count_error(c);

    if (row->total.absent || error == 0 || c->raw == 0)
        return;
    slw_interval_widen(&row->total.interval, row->total.value,
                       slw_student_t(c->replicate_count - 1) * error * row->total.value /
                           (double)c->raw,
                       SLW_INTERVAL_SAMPLE);
    slw_interval_clip(&row->total.interval, row->total.value, 0, (double)INFINITY);
}

static void fill_per_request(struct slw_report_row *row, const struct slw_run *run)
{
    if (row->execution_count < 2)
        row->total.value = (double)row->events;
    widen_by_sample(row);
    row->per_request = slw_cost_per_request(&row->total, run);
    if (row->total.absent)
        row->total.value = row->total.coverage = row->per_request.coverage = 0;
}

/* The row of a count, a new one when its event is new; UINT32_MAX: out of memory. */
static uint32_t row_of(struct slw_report *r, struct slw_index *index, const struct slw_count *c)
{
    uint64_t hash = slw_hash_bytes(c->event, strlen(c->event), (uint64_t)c->mode);
    uint32_t row;

    if (slw_index_find(index, hash, same_event, r, c, &row))
        return row;
    row = (uint32_t)r->row_count;
    if (slw_index_add(index, hash, row) < 0)
        return UINT32_MAX;
    start_row(&r->rows[r->row_count++], c);
    return row;
}

/* The rows of one execution. */
static int add_counts(struct slw_report *r, struct slw_index *index,
                      const struct slw_count *const *counts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct slw_count *c = counts[i];
        uint32_t at = row_of(r, index, c);

        if (at == UINT32_MAX)
            return -SLW_E_NOMEM;
        struct slw_report_row *row = &r->rows[at];
        bool have_whole = slw_count_is_whole(row->count) && row->part_count > 0;
        bool better = slw_count_is_whole(c) && row->total.absent && !c->absent;
        if (have_whole && !better)
            continue; /* the parts are in it; of several whole ones the first counted is shown */
        if (slw_count_is_whole(c))
            start_row(row, c);
        else if (c->group != row->count->group)
            continue; /* the same once more, counted in another group */
        add_part(r, row, c);
    }
    return 0;
}

/* ---- of several executions the mean ---- */

/* Of a row so far; it takes the first execution that has a value. */
static void add_row(struct slw_report_row *row, struct slw_series *series,
                    const struct slw_report_row *more)
{
    if (series->count == 0 && (row->part_count == 0 || !more->total.absent))
        *row = *more;
    if (more->total.absent)
        return;
    row->total.coverage = fmin(row->total.coverage, more->total.coverage);
    slw_series_add(series, (double)more->events);
}

static void finish_mean(struct slw_report_row *row, const struct slw_series *series)
{
    row->execution_count = series->count;
    if (series->count < 2)
        return;
    row->total.value = series->mean;
    row->events = series->mean < 0x1p63 ? (uint64_t)llround(series->mean) : UINT64_MAX;
    slw_interval_widen(&row->total.interval, series->mean, slw_series_half(series),
                       SLW_INTERVAL_ROUNDS);
    slw_interval_clip(&row->total.interval, series->mean, 0, (double)INFINITY);
}

static int add_execution(struct slw_report *r, struct slw_index *index, struct slw_series *series,
                         const struct slw_count *const *counts, size_t count)
{
    struct slw_report sub = {.arena = r->arena, .run = r->run};
    struct slw_index own = {0};

    sub.rows = slw_arena_array(r->arena, count, sizeof(*sub.rows));
    int rc = sub.rows ? add_counts(&sub, &own, counts, count) : -SLW_E_NOMEM;
    for (size_t i = 0; rc == 0 && i < sub.row_count; i++) {
        uint32_t at = row_of(r, index, sub.rows[i].count);

        if (at == UINT32_MAX)
            rc = -SLW_E_NOMEM;
        else
            add_row(&r->rows[at], &series[at], &sub.rows[i]);
    }
    slw_index_release(&own);
    return rc;
}

static bool same_execution(const struct slw_count *a, const struct slw_count *b)
{
    return a->round == b->round && a->pass == b->pass;
}

static int add_executions(struct slw_report *r, struct slw_index *index,
                          const struct slw_count *const *counts, size_t count)
{
    struct slw_series *series = slw_arena_array(r->arena, count + 1, sizeof(*series));
    int rc = series ? 0 : -SLW_E_NOMEM;

    for (size_t i = 0, end; i < count && rc == 0; i = end) {
        for (end = i; end < count && same_execution(counts[i], counts[end]);)
            end++;
        rc = add_execution(r, index, series, &counts[i], end - i);
    }
    for (size_t i = 0; i < r->row_count && rc == 0; i++)
        finish_mean(&r->rows[i], &series[i]);
    return rc;
}

static int fill_rows(struct slw_report *r, struct slw_index *index)
{
    const size_t count = r->run->count_count;
    const struct slw_count **counts = slw_rounds_sorted(r->run, r->arena);

    r->rows = slw_arena_array(r->arena, count + 1, sizeof(*r->rows));
    if (!r->rows || !counts)
        return -SLW_E_NOMEM;
    return slw_rounds_in(r->run) ? add_executions(r, index, counts, count)
                                 : add_counts(r, index, counts, count);
}

int slw_rows_fill(struct slw_report *r, struct slw_error *err)
{
    struct slw_index index = {0};

    assert(r->run && r->run->count_count <= SLW_MAX_COUNTS);
    int rc = fill_rows(r, &index);
    slw_index_release(&index);
    if (rc < 0)
        return slw_fail(err, SLW_E_NOMEM, "no memory for the counts of a report");
    for (size_t i = 0; i < r->row_count; i++)
        fill_per_request(&r->rows[i], r->run);
    return 0;
}

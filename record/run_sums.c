/* SPDX-License-Identifier: MIT */
/* Connections, threads and stages of several executions, row by row. */
#include "record/run_merge.h"

#include "base/int128.h"

#include <stdlib.h>
#include <string.h>

/* Rows of one protocol past this are told together: a client that is given another server each
 * time names a new one in every execution. */
#define MAX_PEERS 256
#define SEVERAL   "several"

struct slw_run_sums {
    struct slw_run *sums; /* holds sums where a run holds numbers */
    size_t count;         /* executions */
    bool threads_differ;  /* they had not the same threads */
    bool waiting_missing; /* some were not followed at all */
};

int slw_run_sums_new(struct slw_run_sums **ret_sums, struct slw_error *err)
{
    struct slw_run_sums *s = calloc(1, sizeof(*s));

    if (!s)
        return slw_fail(err, SLW_E_NOMEM, "no memory to put executions together");
    int rc = slw_run_new(&s->sums, err);
    if (rc < 0) {
        free(s);
        return rc;
    }
    s->sums->wall_ns = s->sums->requests = (struct slw_maybe_u64){0};
    *ret_sums = s;
    return 0;
}

void slw_run_sums_free(struct slw_run_sums *s)
{
    if (!s)
        return;
    slw_run_free(s->sums);
    free(s);
}

size_t slw_run_sums_count(const struct slw_run_sums *s)
{
    return s->count;
}

/* ---- numbers ---- */

static uint64_t plus(uint64_t a, uint64_t b)
{
    uint64_t sum;

    return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

static void raise(uint64_t *most, uint64_t value)
{
    *most = value > *most ? value : *most;
}

static int add_maybe(struct slw_run *run, struct slw_maybe_u64 *sum,
                     const struct slw_maybe_u64 *more)
{
    sum->value = plus(sum->value, more->value);
    if (sum->absent || !more->absent)
        return 0;
    sum->absent = slw_run_str(run, more->absent);
    return sum->absent ? 0 : -SLW_E_NOMEM;
}

/* What happened in one execution of many did happen: it does not become 0. */
static uint64_t mean(uint64_t sum, size_t count)
{
    const uint64_t nearest = (uint64_t)(((slw_u128)sum + count / 2) / count);

    return nearest == 0 && sum > 0 ? 1 : nearest;
}

static struct slw_maybe_u64 mean_maybe(struct slw_maybe_u64 sum, size_t count)
{
    sum.value = sum.absent ? 0 : mean(sum.value, count);
    return sum;
}

static bool same(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

/* ---- connections ---- */

/* clang-format off */
#define CONNECTION_SUMS(X)                                                                     \
    X(connections) X(lost) X(requests) X(responses) X(errors) X(statements) X(prepares)        \
    X(pushes) X(rows) X(flushes) X(flush_bytes) X(depth_sum) X(sends) X(sent_bytes)            \
    X(sends_blocked) X(reads) X(received_bytes) X(reads_blocked) X(latency_count)              \
    X(latency_sum_ns) X(batch_count) X(batch_sum_ns) X(merged) X(unmatched) X(bytes_unseen)
/* clang-format on */

static struct slw_connection *find_connection(struct slw_run *sums, const char *protocol,
                                              const char *peer)
{
    for (size_t i = 0; i < sums->connection_count; i++)
        if (same(sums->connections[i].protocol, protocol) &&
            strcmp(sums->connections[i].peer, peer) == 0)
            return &sums->connections[i];
    return NULL;
}

/* The row of this peer, a new one where there is none. */
static struct slw_connection *connection_row(struct slw_run *sums, const struct slw_connection *c,
                                             struct slw_error *err)
{
    const bool full = sums->connection_count >= MAX_PEERS;
    struct slw_connection *row = find_connection(sums, c->protocol, c->peer);

    if (!row && full)
        row = find_connection(sums, c->protocol, SEVERAL);
    if (row)
        return row;
    const struct slw_connection fresh = {
        .protocol = c->protocol, .peer = full ? SEVERAL : c->peer, .pid = -1, .from = c->from};
    if (slw_run_add_connection(sums, &fresh, err) < 0)
        return NULL;
    return &sums->connections[sums->connection_count - 1];
}

static int add_connection(struct slw_run *sums, const struct slw_connection *c,
                          struct slw_error *err)
{
    struct slw_connection *row = connection_row(sums, c, err);

    if (!row)
        return -SLW_E_NOMEM;
#define X(member) row->member = plus(row->member, c->member);
    CONNECTION_SUMS(X)
#undef X
    raise(&row->max_batch, c->max_batch);
    raise(&row->max_depth, c->max_depth);
    raise(&row->latency_max_ns, c->latency_max_ns);
    raise(&row->batch_max_ns, c->batch_max_ns);
    if (!c->lost_why)
        return 0;
    row->lost_why = slw_run_str(sums, c->lost_why);
    return row->lost_why ? 0 : slw_fail(err, SLW_E_NOMEM, "no memory for connections");
}

static int put_connections(const struct slw_run_sums *s, struct slw_run *run, struct slw_error *err)
{
    int rc = 0;

    run->connection_count = 0;
    for (size_t i = 0; i < s->sums->connection_count && rc == 0; i++) {
        struct slw_connection c = s->sums->connections[i];

#define X(member) c.member = mean(c.member, s->count);
        CONNECTION_SUMS(X)
#undef X
        rc = slw_run_add_connection(run, &c, err);
    }
    return rc;
}

/* ---- latencies ---- */

static bool before(const struct slw_latency *a, const struct slw_latency *b)
{
    return a->of != b->of ? a->of < b->of : a->low_ns < b->low_ns;
}

/* In order: a histogram is ascending. Buckets are the same in every execution. */
static int add_latency(struct slw_run *sums, const struct slw_latency *l, struct slw_error *err)
{
    size_t at = 0;

    while (at < sums->latency_count && before(&sums->latencies[at], l))
        at++;
    struct slw_latency *row = at < sums->latency_count ? &sums->latencies[at] : NULL;
    if (row && row->of == l->of && row->low_ns == l->low_ns) {
        row->count = plus(row->count, l->count);
        raise(&row->high_ns, l->high_ns);
        return 0;
    }
    int rc = slw_run_add_latency(sums, l, err);
    if (rc < 0)
        return rc;
    memmove(&sums->latencies[at + 1], &sums->latencies[at],
            (sums->latency_count - 1 - at) * sizeof(*l));
    sums->latencies[at] = *l;
    return 0;
}

static int put_latencies(const struct slw_run_sums *s, struct slw_run *run, struct slw_error *err)
{
    int rc = 0;

    run->latency_count = 0;
    for (size_t i = 0; i < s->sums->latency_count && rc == 0; i++)
        rc = slw_run_add_latency(run, &s->sums->latencies[i], err);
    return rc;
}

/* ---- waiting ---- */

/* The row of the n-th thread of that name; rows past the first, which is all threads. */
static struct slw_waiting *find_thread(struct slw_run *run, const char *comm, size_t rank)
{
    for (size_t i = 1; run->waiting && i < run->waiting_count; i++)
        if (same(run->waiting[i].comm, comm) && rank-- == 0)
            return &run->waiting[i];
    return NULL;
}

static size_t rank_of(const struct slw_run *run, size_t index)
{
    size_t rank = 0;

    for (size_t i = 1; i < index; i++)
        rank += same(run->waiting[i].comm, run->waiting[index].comm);
    return rank;
}

static int sum_waiting(struct slw_run *sums, struct slw_waiting *row, const struct slw_waiting *w)
{
    row->by_cause = row->by_cause && w->by_cause;
    row->wall_ns = plus(row->wall_ns, w->wall_ns);
    row->thread_count = plus(row->thread_count, w->thread_count);
    row->lost_threads = plus(row->lost_threads, w->lost_threads);
    for (int k = 0; k < SLW_WAIT_COUNT; k++) {
        row->ns[k] = plus(row->ns[k], w->ns[k]);
        row->waits[k] = plus(row->waits[k], w->waits[k]);
    }
    return add_maybe(sums, &row->syscalls, &w->syscalls);
}

/* The threads of another execution are others: they have no ids in common. */
static int append_waiting(struct slw_run *sums, const struct slw_waiting *w, struct slw_error *err)
{
    struct slw_waiting row = *w;

    row.pid = row.tid = -1;
    return slw_run_add_waiting(sums, &row, err);
}

static int add_waiting(struct slw_run_sums *s, const struct slw_run *run, struct slw_error *err)
{
    const bool first = s->count == 0;
    int rc = 0;

    if (!first && run->waiting_count != s->sums->waiting_count)
        s->threads_differ = true;
    if (!first && (run->waiting_count == 0) != (s->sums->waiting_count == 0))
        s->waiting_missing = true;
    for (size_t i = 0; i < run->waiting_count && rc == 0; i++) {
        const struct slw_waiting *w = &run->waiting[i];
        struct slw_waiting *row;

        if (first) {
            rc = append_waiting(s->sums, w, err);
            continue;
        }
        row = i == 0 && s->sums->waiting_count > 0 ? &s->sums->waiting[0]
                                                   : find_thread(s->sums, w->comm, rank_of(run, i));
        s->threads_differ = s->threads_differ || !row;
        if (row && sum_waiting(s->sums, row, w) < 0)
            rc = slw_fail(err, SLW_E_NOMEM, "no memory for threads");
    }
    return rc;
}

static size_t rows_to_show(const struct slw_run_sums *s)
{
    if (s->waiting_missing)
        return 0;
    return s->threads_differ && s->sums->waiting_count > 1 ? 1 : s->sums->waiting_count;
}

static int note_waiting(const struct slw_run_sums *s, struct slw_run *run)
{
    if (s->waiting_missing)
        return slw_run_note(run, SLW_NOTE_WARNING, "waiting-missing", NULL,
                            "what the threads waited for was not measured in every round: it is "
                            "left out");
    if (rows_to_show(s) < s->sums->waiting_count)
        return slw_run_note(run, SLW_NOTE_INFO, "threads-differ", NULL,
                            "the rounds had not the same threads: where their time went is told of "
                            "all of them together");
    return 0;
}

static int put_waiting(const struct slw_run_sums *s, struct slw_run *run, struct slw_error *err)
{
    int rc = 0;

    run->waiting_count = run->waited_for_count = 0;
    for (size_t i = 0; i < rows_to_show(s) && rc == 0; i++) {
        struct slw_waiting w = s->sums->waiting[i];

        w.wall_ns = mean(w.wall_ns, s->count);
        w.thread_count = mean(w.thread_count, s->count);
        w.lost_threads = mean(w.lost_threads, s->count);
        w.syscalls = mean_maybe(w.syscalls, s->count);
        for (int k = 0; k < SLW_WAIT_COUNT; k++) {
            w.ns[k] = mean(w.ns[k], s->count);
            w.waits[k] = mean(w.waits[k], s->count);
        }
        rc = slw_run_add_waiting(run, &w, err);
    }
    return rc == 0 && note_waiting(s, run) == -SLW_E_NOMEM ? -SLW_E_NOMEM : rc;
}

/* ---- stages ---- */

static struct slw_stage *find_stage(struct slw_run *sums, const struct slw_stage *like)
{
    for (size_t i = 0; i < sums->stage_count; i++)
        if (strcmp(sums->stages[i].name, like->name) == 0 &&
            same(sums->stages[i].provider, like->provider))
            return &sums->stages[i];
    return NULL;
}

static int add_stage(struct slw_run *sums, const struct slw_stage *g, struct slw_error *err)
{
    struct slw_stage *row = find_stage(sums, g);
    int rc = 0;

    if (!row)
        return slw_run_add_stage(sums, g, err);
    row->calls = plus(row->calls, g->calls);
    row->requests = plus(row->requests, g->requests);
    raise(&row->max_batch, g->max_batch);
    row->wall_ns = plus(row->wall_ns, g->wall_ns);
    row->self_ns = plus(row->self_ns, g->self_ns);
    row->missed_begins = plus(row->missed_begins, g->missed_begins);
    row->missed_ends = plus(row->missed_ends, g->missed_ends);
    rc = add_maybe(sums, &row->cpu_ns, &g->cpu_ns);
    for (int k = 0; k < SLW_STAGE_EVENT_COUNT && rc == 0; k++)
        rc = add_maybe(sums, &row->events[k], &g->events[k]);
    return rc < 0 ? slw_fail(err, SLW_E_NOMEM, "no memory for stages") : 0;
}

static int put_stages(const struct slw_run_sums *s, struct slw_run *run, struct slw_error *err)
{
    int rc = 0;

    run->stage_count = 0;
    for (size_t i = 0; i < s->sums->stage_count && rc == 0; i++) {
        struct slw_stage g = s->sums->stages[i];

        g.calls = mean(g.calls, s->count);
        g.requests = mean(g.requests, s->count);
        g.wall_ns = mean(g.wall_ns, s->count);
        g.self_ns = mean(g.self_ns, s->count);
        g.missed_begins = mean(g.missed_begins, s->count);
        g.missed_ends = mean(g.missed_ends, s->count);
        g.cpu_ns = mean_maybe(g.cpu_ns, s->count);
        for (int k = 0; k < SLW_STAGE_EVENT_COUNT; k++)
            g.events[k] = mean_maybe(g.events[k], s->count);
        rc = slw_run_add_stage(run, &g, err);
    }
    return rc;
}

/* ---- all of it ---- */

int slw_run_sums_add(struct slw_run_sums *s, const struct slw_run *run, struct slw_error *err)
{
    int rc = add_waiting(s, run, err);

    for (size_t i = 0; i < run->connection_count && rc == 0; i++)
        rc = add_connection(s->sums, &run->connections[i], err);
    for (size_t i = 0; i < run->latency_count && rc == 0; i++)
        rc = add_latency(s->sums, &run->latencies[i], err);
    for (size_t i = 0; i < run->stage_count && rc == 0; i++)
        rc = add_stage(s->sums, &run->stages[i], err);
    if (rc == 0 && (add_maybe(s->sums, &s->sums->wall_ns, &run->wall_ns) < 0 ||
                    add_maybe(s->sums, &s->sums->requests, &run->requests) < 0))
        rc = slw_fail(err, SLW_E_NOMEM, "no memory to put executions together");
    s->count++;
    return rc;
}

static int put_maybe(const struct slw_maybe_u64 *sum, size_t count, struct slw_run *run,
                     struct slw_maybe_u64 *ret, struct slw_error *err)
{
    struct slw_maybe_u64 m = mean_maybe(*sum, count);

    m.absent = slw_run_str(run, sum->absent);
    if (sum->absent && !m.absent)
        return slw_fail(err, SLW_E_NOMEM, "no memory to put executions together");
    *ret = m;
    return 0;
}

int slw_run_sums_put(const struct slw_run_sums *s, struct slw_run *run, struct slw_error *err)
{
    if (s->count == 0)
        return 0;
    int rc = put_maybe(&s->sums->wall_ns, s->count, run, &run->wall_ns, err);
    if (rc == 0)
        rc = put_maybe(&s->sums->requests, s->count, run, &run->requests, err);
    if (rc == 0)
        rc = put_connections(s, run, err);
    if (rc == 0)
        rc = put_latencies(s, run, err);
    if (rc == 0)
        rc = put_waiting(s, run, err);
    return rc == 0 ? put_stages(s, run, err) : rc;
}

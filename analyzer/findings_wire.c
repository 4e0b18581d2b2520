/* SPDX-License-Identifier: MIT */
/* Rules about what went over the wire: batches, pipelines, rows, latencies. */
#include "analyzer/asked.h"
#include "analyzer/facts.h"
#include "analyzer/findings_int.h"
#include "analyzer/format.h"
#include "analyzer/traffic.h"

#include <string.h>

#define MIN_REQUESTS 1000 /* fewer are a login and a few statements */
/* Requests per flush up to which there is no batching: logins and stragglers reach 1.05. */
#define UNBATCHED 1.05
/* Half of what was asked for; less happens at the end of every client's work. */
#define ASKED_PART 0.5
/* In flight on average: four requests that wait together could have been sent together. */
#define DEEP               4.0
#define FLUSHED_ONE_BY_ONE 1.5

/* A result of so many rows is worth a larger buffer. */
#define MANY_ROWS        10.0
#define READS_PER_ROW    0.9
#define FETCH_MOST_BYTES 40.0 /* "FETCH 1 FROM c" is 20 bytes, Execute and Sync of one row 15 */
#define FETCH_LEAST_ROWS 0.9

/* Linux and Windows delay an acknowledgement by 40 ms at least (TCP_DELACK_MIN, one tick more). */
#define DELAYED_LOW_NS  UINT64_C(38000000)
#define DELAYED_HIGH_NS UINT64_C(46000000)
#define NEAR_LOW_NS     UINT64_C(24000000) /* the neighbourhood in which it must stand out */
#define NEAR_HIGH_NS    UINT64_C(70000000)
#define DELAYED_SHARE   0.01 /* it then is the p99 */
#define DELAYED_LEAST   20
#define STANDS_OUT      4      /* times as many as all of its neighbours */
#define SEGMENT_BYTES   1448.0 /* Nagle's algorithm holds back less than one segment only */

#define BATCHED      4.0 /* a batch of so many makes another latency of the same server */
#define P99_OF_BATCH 0.8

static bool enough(const struct slw_traffic *t)
{
    return t->present && t->seen >= MIN_REQUESTS && !t->batch_factor.absent;
}

static void put_factor(struct slw_buf *out, const struct slw_traffic *t)
{
    slw_buf_printf(out, "%.2f requests per flush in ", t->batch_factor.value);
    slw_evidence_count(out, t->flushes, "flush", "flushes");
}

/* System calls where they were counted, else those of the connections, which are fewer. */
static void put_calls(struct slw_buf *out, const struct slw_report *r)
{
    const struct slw_run *run = r->run;
    const struct slw_traffic *t = r->traffic;

    if (run->waiting_count > 0 && !run->waiting[0].syscalls.absent && !run->requests.absent &&
        run->requests.value > 0) {
        slw_buf_printf(out, ", %.1f system calls per request",
                       (double)run->waiting[0].syscalls.value / (double)run->requests.value);
        return;
    }
    slw_buf_printf(out, ", %.1f sends and reads per request",
                   ((double)t->sends + (double)t->reads) / (double)t->seen);
}

/* A commit of SQLite is no round trip: durable commits are told by what they cost. */
bool slw_find_one_request_per_flush(const struct slw_report *r, struct slw_evidence *e)
{
    const struct slw_traffic *t = r->traffic;

    if (!enough(t) || t->sends == 0 || t->batch_factor.value > UNBATCHED || t->depth.value >= DEEP)
        return false;
    if (!r->facts->split_absent)
        e->weight = r->facts->kernel.value; /* what batching shares out */
    put_factor(e->out, t);
    put_calls(e->out, r);
    return true;
}

bool slw_find_pipeline_not_batched(const struct slw_report *r, struct slw_evidence *e)
{
    const struct slw_traffic *t = r->traffic;
    uint64_t asked = 0;

    if (!enough(t))
        return false;
    const bool told = slw_asked_pipeline(&r->run->command, &asked) && asked >= 2 &&
                      t->batch_factor.value <= ASKED_PART * (double)asked;
    if (!told && (t->depth.value < DEEP || t->batch_factor.value > FLUSHED_ONE_BY_ONE))
        return false;
    if (!r->facts->split_absent)
        e->weight = r->facts->kernel.value;
    if (told)
        slw_buf_printf(e->out, "a pipeline of %llu was asked for; ", (unsigned long long)asked);
    else
        slw_buf_printf(e->out, "%.1f requests are in flight on average; ", t->depth.value);
    put_factor(e->out, t);
    return true;
}

/* ---- rows ---- */

bool slw_find_one_row_reads(const struct slw_report *r, struct slw_evidence *e)
{
    const struct slw_traffic *t = r->traffic;

    if (!t->present || t->rows < MIN_REQUESTS || (double)t->rows < MANY_ROWS * (double)t->seen ||
        (double)t->reads < READS_PER_ROW * (double)t->rows)
        return false;
    slw_evidence_count(e->out, t->rows, "row", "rows");
    slw_buf_puts(e->out, " came in ");
    slw_evidence_count(e->out, t->reads, "read", "reads");
    slw_buf_printf(e->out, ", %.1f rows to a request", (double)t->rows / (double)t->seen);
    return true;
}

bool slw_find_one_row_fetches(const struct slw_report *r, struct slw_evidence *e)
{
    const struct slw_traffic *t = r->traffic;

    if (!enough(t) || strcmp(t->protocols, "PostgreSQL") != 0 || t->batch_factor.value > UNBATCHED)
        return false;
    const double bytes = (double)t->sent_bytes / (double)t->seen;
    const double rows = (double)t->rows / (double)t->seen;
    if (bytes > FETCH_MOST_BYTES || rows < FETCH_LEAST_ROWS || rows > 1)
        return false;
    slw_evidence_count(e->out, t->seen, "request", "requests");
    slw_buf_printf(e->out, " of %.0f bytes brought %.2f rows each", bytes, rows);
    return true;
}

/* ---- latencies ---- */

struct cluster {
    uint64_t inside, around, all;
};

static struct cluster look_at_40_ms(const struct slw_run *run)
{
    struct cluster c = {0};

    for (size_t i = 0; i < run->latency_count; i++) {
        const struct slw_latency *l = &run->latencies[i];
        const uint64_t middle = l->low_ns + (l->high_ns - l->low_ns) / 2;

        if (l->of != SLW_LATENCY_REQUEST)
            continue;
        c.all += l->count;
        if (middle >= DELAYED_LOW_NS && middle < DELAYED_HIGH_NS)
            c.inside += l->count;
        else if (middle >= NEAR_LOW_NS && middle < NEAR_HIGH_NS)
            c.around += l->count;
    }
    return c;
}

static bool only_local(const struct slw_run *run)
{
    for (size_t i = 0; i < run->connection_count; i++) {
        const struct slw_connection *c = &run->connections[i];

        if (c->protocol && c->peer && strncmp(c->peer, "unix:", 5) != 0)
            return false;
    }
    return true;
}

bool slw_find_delayed_ack(const struct slw_report *r, struct slw_evidence *e)
{
    const struct slw_traffic *t = r->traffic;
    const struct cluster c = look_at_40_ms(r->run);

    if (!t->present || t->bytes_per_flush.absent || t->bytes_per_flush.value >= SEGMENT_BYTES ||
        only_local(r->run))
        return false;
    if (c.inside < DELAYED_LEAST || (double)c.inside < DELAYED_SHARE * (double)c.all ||
        c.inside / STANDS_OUT < c.around)
        return false;
    e->weight = (double)c.inside / (double)c.all;
    e->of_wall = true;
    slw_evidence_count(e->out, c.inside, "request", "requests");
    slw_buf_puts(e->out, " of ");
    slw_format_integer(e->out, c.all);
    slw_buf_puts(e->out, " took 38 to 46 ms, ");
    slw_format_integer(e->out, c.around);
    slw_buf_printf(e->out, " took nearly as long%s; a flush has %.0f bytes",
                   r->run->round_count > 1 ? " (in all rounds together)" : "",
                   t->bytes_per_flush.value);
    return true;
}

bool slw_find_p99_of_batch(const struct slw_report *r, struct slw_evidence *e)
{
    const struct slw_traffic *t = r->traffic;

    if (!enough(t) || t->batch_factor.value < BATCHED || t->request.p99.absent ||
        t->batch.p99.absent || t->request.p99.value < P99_OF_BATCH * t->batch.p99.value)
        return false;
    slw_buf_printf(e->out, "%.1f requests per flush; the p99 of requests is ",
                   t->batch_factor.value);
    slw_format_figure(e->out, &t->request.p99);
    slw_buf_puts(e->out, ", that of whole batches ");
    slw_format_figure(e->out, &t->batch.p99);
    return true;
}

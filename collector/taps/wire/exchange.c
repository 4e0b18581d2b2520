/* SPDX-License-Identifier: MIT */
/* Part of the preloaded library: no allocation, no lock, no libc call. */
#include "collector/taps/wire/exchange.h"

size_t slw_latency_bucket(uint64_t ns)
{
    uint64_t units = ns >> SLW_WIRE_UNIT_BITS;
    size_t bucket;

    if (units < (1u << SLW_WIRE_SUB_BITS))
        return (size_t)units;
    unsigned octave = 63u - (unsigned)__builtin_clzll(units) - SLW_WIRE_SUB_BITS;
    bucket = ((size_t)(octave + 1) << SLW_WIRE_SUB_BITS) +
             (size_t)((units >> octave) & ((1u << SLW_WIRE_SUB_BITS) - 1));
    return bucket < SLW_WIRE_BUCKETS ? bucket : SLW_WIRE_BUCKETS - 1;
}

uint64_t slw_latency_low_ns(size_t bucket)
{
    uint64_t octave = bucket >> SLW_WIRE_SUB_BITS;
    uint64_t sub = bucket & ((1u << SLW_WIRE_SUB_BITS) - 1);

    if (octave == 0)
        return sub << SLW_WIRE_UNIT_BITS;
    return (sub + (1u << SLW_WIRE_SUB_BITS)) << (octave - 1 + SLW_WIRE_UNIT_BITS);
}

static uint64_t since(const struct slw_exchange *x, uint64_t sent_ns)
{
    return x->now_ns > sent_ns ? x->now_ns - sent_ns : 0;
}

static void bump(_Atomic uint32_t *bucket, uint32_t count)
{
    (void)atomic_fetch_add_explicit(bucket, count, memory_order_relaxed);
}

static void record_request(struct slw_exchange *x, uint64_t ns, uint32_t count)
{
    struct slw_wire_counts *c = x->counts;

    c->latency_count += count;
    c->latency_sum_ns += ns * count;
    if (ns > c->latency_max_ns)
        c->latency_max_ns = ns;
    if (x->histogram)
        bump(&x->histogram->request[slw_latency_bucket(ns)], count);
}

static void record_batch(struct slw_exchange *x, uint64_t ns)
{
    struct slw_wire_counts *c = x->counts;

    c->batch_count++;
    c->batch_sum_ns += ns;
    if (ns > c->batch_max_ns)
        c->batch_max_ns = ns;
    if (x->histogram)
        bump(&x->histogram->batch[slw_latency_bucket(ns)], 1);
}

/* How many of them are still to be answered. */
static uint32_t count_asked(struct slw_exchange *x, uint32_t count)
{
    uint32_t answered = x->owed < count ? (uint32_t)x->owed : count;

    x->counts->requests += count;
    x->flush_requests += count;
    x->owed -= answered;
    x->in_flight += count - answered;
    return count - answered;
}

void slw_ask_unanswered(struct slw_exchange *x, uint32_t count)
{
    x->counts->requests += count;
    x->flush_requests += count;
}

static struct slw_ask_run *run_at(struct slw_exchange *x, uint32_t index)
{
    return &x->runs[index % SLW_EXCHANGE_RUNS];
}

/* The run to add to: the youngest, when it is of this kind and flush or when there is no more room.
 */
static struct slw_ask_run *joinable(struct slw_exchange *x, uint32_t kind)
{
    if (x->head == x->tail)
        return NULL;
    struct slw_ask_run *last = run_at(x, x->tail - 1);
    bool full = x->tail - x->head == SLW_EXCHANGE_RUNS;
    bool same = last->kind == kind;

    if (full && !same)
        return NULL;
    return same && (full || (last->sent_ns == x->now_ns && !last->ends_flush)) ? last : NULL;
}

void slw_ask(struct slw_exchange *x, uint32_t kind, uint32_t count)
{
    bool silent = (kind & SLW_ASK_SILENT) != 0;

    if (!silent)
        count = count_asked(x, count);
    if (x->unordered || count == 0)
        return;
    struct slw_ask_run *run = joinable(x, kind);
    if (run && run->sent_ns != x->now_ns && !silent)
        x->counts->merged += count;
    if (run) {
        run->count += count;
        run->ends_flush = false;
    } else if (x->tail - x->head == SLW_EXCHANGE_RUNS) {
        slw_exchange_unorder(x);
        return;
    } else {
        if (x->head == x->tail)
            x->head = x->tail = 0; /* stay in the cache lines that are warm */
        *run_at(x, x->tail++) = (struct slw_ask_run){x->now_ns, count, (uint16_t)kind, false};
    }
    if (!silent) {
        x->last_request = x->tail - 1;
        x->have_last = true;
    }
}

uint32_t slw_ask_head(const struct slw_exchange *x)
{
    if (x->unordered || x->head == x->tail)
        return SLW_ASK_NONE;
    return x->runs[x->head % SLW_EXCHANGE_RUNS].kind;
}

static void count_answered(struct slw_exchange *x, uint32_t count)
{
    x->counts->responses += count;
    x->in_flight -= x->in_flight < count ? x->in_flight : count;
}

/* Take up to `count` off the oldest run; how many it was. */
static uint32_t take(struct slw_exchange *x, uint32_t count, bool skipped)
{
    struct slw_ask_run *run = run_at(x, x->head);
    uint32_t taken = run->count < count ? run->count : count;
    bool request = (run->kind & SLW_ASK_SILENT) == 0;

    run->count -= taken;
    if (request)
        count_answered(x, taken);
    if (request && !skipped)
        record_request(x, since(x, run->sent_ns), taken);
    if (run->count == 0) {
        if (run->ends_flush && !skipped)
            record_batch(x, since(x, run->sent_ns));
        if (x->have_last && x->last_request == x->head)
            x->have_last = false;
        x->head++;
    }
    return taken;
}

void slw_answer(struct slw_exchange *x, uint32_t count, bool skipped)
{
    if (x->unordered) {
        count_answered(x, count);
        return;
    }
    while (count > 0 && x->head != x->tail)
        count -= take(x, count, skipped);
    if (count > 0) {
        count_answered(x, count);
        x->counts->unmatched += count;
        if (x->racing)
            x->owed += count;
    }
}

void slw_ask_stream(struct slw_exchange *x, uint32_t stream)
{
    x->streams = true;
    (void)count_asked(x, 1);
    if (stream < SLW_EXCHANGE_STREAMS)
        x->sent_ns[stream] = x->now_ns;
}

void slw_answer_stream(struct slw_exchange *x, uint32_t stream)
{
    x->streams = true;
    count_answered(x, 1);
    if (stream < SLW_EXCHANGE_STREAMS && x->sent_ns[stream] != 0) {
        record_request(x, since(x, x->sent_ns[stream]), 1);
        x->sent_ns[stream] = 0;
    } else {
        x->counts->unmatched++;
    }
}

/* Of the ids that are not followed, all are taken to be asked. */
bool slw_stream_asked(const struct slw_exchange *x, uint32_t stream)
{
    return stream >= SLW_EXCHANGE_STREAMS || x->sent_ns[stream] != 0;
}

void slw_exchange_unorder(struct slw_exchange *x)
{
    x->unordered = true;
    x->have_last = false;
    x->head = x->tail = 0;
}

void slw_exchange_flush(struct slw_exchange *x, uint64_t bytes)
{
    struct slw_wire_counts *c = x->counts;

    if (x->flush_requests == 0)
        return;
    c->flushes++;
    c->flush_bytes += bytes;
    c->depth_sum += x->in_flight;
    if (x->flush_requests > c->max_batch)
        c->max_batch = x->flush_requests;
    if (x->in_flight > c->max_depth)
        c->max_depth = x->in_flight;
    if (x->have_last && !x->streams)
        run_at(x, x->last_request)->ends_flush = true;
    x->have_last = false;
    x->flush_requests = 0;
}

void slw_execution_begin(struct slw_exchange *x)
{
    x->counts->requests++;
    x->flush_requests++;
    x->in_flight++;
}

void slw_execution_end(struct slw_exchange *x, uint64_t spent_ns)
{
    count_answered(x, 1);
    if (spent_ns != UINT64_MAX)
        record_request(x, spent_ns, 1);
}

void slw_transaction_end(struct slw_exchange *x, uint64_t took_ns, bool committed)
{
    if (committed && x->flush_requests > 0) {
        record_batch(x, took_ns);
        slw_exchange_flush(x, 0);
    }
    x->flush_requests = 0;
}

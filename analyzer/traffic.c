/* SPDX-License-Identifier: MIT */
#include "analyzer/traffic.h"

#include "base/arena.h"
#include "base/buf.h"

#include <string.h>

/* Sums of what only ratios are shown of. */
struct sums {
    uint64_t flush_bytes, depth_sum;
    uint64_t latency_sum_ns, latency_max_ns, batch_sum_ns, batch_max_ns;
};

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static void add_connection(struct slw_traffic *t, struct sums *s, const struct slw_connection *c)
{
    t->why = c->lost_why ? c->lost_why : t->why;
    if (!c->protocol) {
        t->unknown += c->connections;
        return;
    }
    t->connections += c->connections;
    t->lost += c->lost;
    t->seen += c->requests;
    t->responses += c->responses;
    t->errors += c->errors;
    t->statements += c->statements;
    t->prepares += c->prepares;
    t->pushes += c->pushes;
    t->rows += c->rows;
    t->sends += c->sends;
    t->sent_bytes += c->sent_bytes;
    t->reads += c->reads;
    t->received_bytes += c->received_bytes;
    t->flushes += c->flushes;
    t->merged += c->merged;
    t->unmatched += c->unmatched;
    t->max_batch = larger(t->max_batch, c->max_batch);
    t->max_depth = larger(t->max_depth, c->max_depth);
    t->request.count += c->latency_count;
    t->batch.count += c->batch_count;
    s->flush_bytes += c->flush_bytes;
    s->depth_sum += c->depth_sum;
    s->latency_sum_ns += c->latency_sum_ns;
    s->latency_max_ns = larger(s->latency_max_ns, c->latency_max_ns);
    s->batch_sum_ns += c->batch_sum_ns;
    s->batch_max_ns = larger(s->batch_max_ns, c->batch_max_ns);
}

static struct slw_figure ratio(uint64_t above, uint64_t below, const char *unit,
                               const struct slw_provenance *from)
{
    struct slw_figure f = {.unit = unit, .from = *from, .coverage = 1};

    if (below == 0)
        f.absent = "no request was observed";
    else
        f.value = (double)above / (double)below;
    return f;
}

/* The latency that `share` of the requests did not pass: nearest rank, midpoint of its bucket. */
static struct slw_figure quantile(const struct slw_run *run, enum slw_latency_of of,
                                  uint64_t max_ns, double share, const struct slw_provenance *from)
{
    struct slw_figure f = {.unit = "ns", .from = *from, .coverage = 1};
    uint64_t count = 0, below = 0;

    for (size_t i = 0; i < run->latency_count; i++)
        count += run->latencies[i].of == of ? run->latencies[i].count : 0;
    for (size_t i = 0; i < run->latency_count; i++) {
        const struct slw_latency *l = &run->latencies[i];

        if (l->of != of)
            continue;
        below += l->count;
        f.value = ((double)l->low_ns + (double)l->high_ns) / 2;
        if ((double)below >= share * (double)count)
            break;
    }
    if (f.value > (double)max_ns)
        f.value = (double)max_ns;
    if (count == 0)
        f.absent = "no latency is known";
    return f;
}

static void fill_quantiles(struct slw_quantiles *q, const struct slw_run *run,
                           enum slw_latency_of of, uint64_t sum_ns, uint64_t max_ns,
                           const struct slw_provenance *from)
{
    q->mean = ratio(sum_ns, q->count, "ns", from);
    q->p50 = quantile(run, of, max_ns, 0.5, from);
    q->p90 = quantile(run, of, max_ns, 0.9, from);
    q->p99 = quantile(run, of, max_ns, 0.99, from);
    q->p999 = quantile(run, of, max_ns, 0.999, from);
    q->max = ratio(max_ns, q->count > 0, "ns", from);
}

static bool named(const char *list, const char *name)
{
    const char *at = strstr(list, name);

    return at && (at == list || at[-1] == ' ');
}

static const char *protocols_of(const struct slw_report *r)
{
    struct slw_buf names = {0};

    slw_buf_puts(&names, "");
    for (size_t i = 0; i < r->run->connection_count; i++) {
        const char *name = r->run->connections[i].protocol;

        if (!name || (names.data && named(names.data, name)))
            continue;
        slw_buf_printf(&names, "%s%s", names.length > 0 ? ", " : "", name);
    }
    const char *copy =
        slw_buf_failed(&names) ? NULL : slw_arena_strdup(r->arena, names.data ? names.data : "");
    slw_buf_release(&names);
    return copy;
}

int slw_traffic_fill(struct slw_report *r, struct slw_error *err)
{
    struct slw_traffic *t = slw_arena_alloc(r->arena, sizeof(*t));
    struct slw_provenance from = {.source = SLW_SOURCE_SOFTWARE};
    const struct slw_run *run = r->run;
    struct sums s = {0};

    if (!t || !(t->protocols = protocols_of(r)))
        return slw_fail(err, SLW_E_NOMEM, "no memory for a report");
    r->traffic = t;
    for (size_t i = 0; i < run->connection_count; i++) {
        if (run->connections[i].protocol)
            from = run->connections[i].from;
        add_connection(t, &s, &run->connections[i]);
    }
    t->present = t->connections > 0;
    t->requests = run->requests;
    t->per_second = ratio(t->seen, 1, "requests/s", &from);
    t->per_second.value *= run->wall_ns.value > 0 ? 1e9 / (double)run->wall_ns.value : 0;
    t->per_second.absent = t->present ? run->wall_ns.absent : "no request was observed";
    if (!t->per_second.absent && run->wall_ns.value == 0)
        t->per_second.absent = "the window has no length";
    t->batch_factor = ratio(t->seen, t->flushes, "requests per flush", &from);
    t->statements_per_batch = ratio(t->statements, t->flushes, "statements per flush", &from);
    t->bytes_per_flush = ratio(s.flush_bytes, t->flushes, "bytes per flush", &from);
    t->reads_per_request = ratio(t->reads, t->seen, "reads per request", &from);
    if (t->flushes > 0 && s.flush_bytes == 0 && t->reads == 0) /* SQLite */
        t->bytes_per_flush.absent = t->reads_per_request.absent = "nothing goes over a socket";
    t->depth = ratio(s.depth_sum, t->flushes, "requests", &from);
    fill_quantiles(&t->request, run, SLW_LATENCY_REQUEST, s.latency_sum_ns, s.latency_max_ns,
                   &from);
    fill_quantiles(&t->batch, run, SLW_LATENCY_BATCH, s.batch_sum_ns, s.batch_max_ns, &from);
    return 0;
}

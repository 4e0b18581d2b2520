/* SPDX-License-Identifier: MIT */
/* The mapping -> the run: rows, the sum of all latencies, and whether the requests are all there
 * were. */
#include "collector/taps/wire.h"

#include "base/buf.h"
#include "base/int128.h"
#include "collector/taps/wire/conn.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* More rows are told by server and process, then by server: a run is read by people too. */
#define MAX_ROWS 64

#define PEER_BYTES 80

struct row {
    struct slw_connection c;
    char peer[PEER_BYTES];
};

static void print_peer(const struct slw_wire_slot *s, char ret_peer[PEER_BYTES])
{
    char text[INET6_ADDRSTRLEN] = "";

    if (s->protocol == SLW_WIRE_SQLITE) {
        (void)snprintf(ret_peer, PEER_BYTES, "%.*s", (int)sizeof(s->path), s->path);
        return;
    }
    if (s->family == AF_UNIX) {
        (void)snprintf(ret_peer, PEER_BYTES, "unix:%.*s", (int)sizeof(s->path),
                       s->path[0] ? s->path : "(abstract)");
        return;
    }
    (void)inet_ntop(s->family, s->address, text, sizeof(text));
    (void)snprintf(ret_peer, PEER_BYTES, s->family == AF_INET6 ? "[%s]:%u" : "%s:%u", text,
                   (unsigned)s->port);
}

static uint64_t get(const uint64_t *counter)
{
    return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

static void read_counts(const struct slw_wire_counts *w, struct slw_connection *c)
{
    c->requests = get(&w->requests);
    c->responses = get(&w->responses);
    c->errors = get(&w->errors);
    c->statements = get(&w->statements);
    c->prepares = get(&w->prepares);
    c->pushes = get(&w->pushes);
    c->rows = get(&w->rows);
    c->flushes = get(&w->flushes);
    c->flush_bytes = get(&w->flush_bytes);
    c->max_batch = get(&w->max_batch);
    c->depth_sum = get(&w->depth_sum);
    c->max_depth = get(&w->max_depth);
    c->sends = get(&w->send_calls);
    c->sent_bytes = get(&w->sent_bytes);
    c->sends_blocked = get(&w->send_blocked);
    c->reads = get(&w->receive_calls);
    c->received_bytes = get(&w->received_bytes);
    c->reads_blocked = get(&w->receive_blocked);
    c->latency_count = get(&w->latency_count);
    c->latency_sum_ns = get(&w->latency_sum_ns);
    c->latency_max_ns = get(&w->latency_max_ns);
    c->batch_count = get(&w->batch_count);
    c->batch_sum_ns = get(&w->batch_sum_ns);
    c->batch_max_ns = get(&w->batch_max_ns);
    c->merged = get(&w->merged);
    c->unmatched = get(&w->unmatched);
    c->bytes_unseen = get(&w->unseen_bytes);
}

static const struct slw_proto *proto_of(const struct slw_wire_slot *s)
{
    return s->protocol > 0 && s->protocol <= slw_proto_count ? slw_protos[s->protocol - 1] : NULL;
}

static void read_slot(const struct slw_wire_slot *s, uint32_t route, struct row *r)
{
    const char *detail = route == SLW_WIRE_BPF ? "BPF on socket calls" : NULL;

    *r = (struct row){
        .c = {.pid = s->pid, .from = {.source = SLW_SOURCE_SOFTWARE, .detail = detail}}};
    print_peer(s, r->peer);
    const struct slw_proto *proto = proto_of(s);
    r->c.protocol = proto ? proto->name : s->protocol == SLW_WIRE_SQLITE ? "SQLite" : NULL;
    r->c.connections = s->connections;
    uint32_t unseen = s->encrypted > s->decrypted ? s->encrypted - s->decrypted : 0;
    r->c.lost = s->lost + unseen;
    if (r->c.lost > 0)
        r->c.lost_why =
            slw_wire_reason_text(s->lost > 0 ? (enum slw_wire_reason)s->reason : SLW_WIRE_TLS);
    read_counts(&s->counts, &r->c);
    /* A protocol that does not tell has a statement for each answer. */
    if (r->c.protocol && !(proto && proto->counts_statements))
        r->c.statements = r->c.responses;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static void add_row(struct slw_connection *to, const struct slw_connection *c)
{
    to->connections += c->connections;
    to->lost += c->lost;
    to->lost_why = c->lost_why ? c->lost_why : to->lost_why;
    to->requests += c->requests;
    to->responses += c->responses;
    to->errors += c->errors;
    to->statements += c->statements;
    to->prepares += c->prepares;
    to->pushes += c->pushes;
    to->rows += c->rows;
    to->flushes += c->flushes;
    to->flush_bytes += c->flush_bytes;
    to->max_batch = larger(to->max_batch, c->max_batch);
    to->depth_sum += c->depth_sum;
    to->max_depth = larger(to->max_depth, c->max_depth);
    to->sends += c->sends;
    to->sent_bytes += c->sent_bytes;
    to->sends_blocked += c->sends_blocked;
    to->reads += c->reads;
    to->received_bytes += c->received_bytes;
    to->reads_blocked += c->reads_blocked;
    to->latency_count += c->latency_count;
    to->latency_sum_ns += c->latency_sum_ns;
    to->latency_max_ns = larger(to->latency_max_ns, c->latency_max_ns);
    to->batch_count += c->batch_count;
    to->batch_sum_ns += c->batch_sum_ns;
    to->batch_max_ns = larger(to->batch_max_ns, c->batch_max_ns);
    to->merged += c->merged;
    to->unmatched += c->unmatched;
    to->bytes_unseen += c->bytes_unseen;
}

/* Tell rows of one server together; with `processes`, only those of one process. */
static size_t fold(struct row *rows, size_t count, bool processes)
{
    size_t kept = 0;

    for (size_t i = 0; i < count; i++) {
        size_t at = 0;

        while (at < kept && !(rows[at].c.protocol == rows[i].c.protocol &&
                              strcmp(rows[at].peer, rows[i].peer) == 0 &&
                              (!processes || rows[at].c.pid == rows[i].c.pid)))
            at++;
        if (at == kept) {
            rows[kept++] = rows[i];
            continue;
        }
        add_row(&rows[at].c, &rows[i].c);
        if (rows[at].c.pid != rows[i].c.pid)
            rows[at].c.pid = -1;
    }
    return kept;
}

static size_t read_slots(const struct slw_wire_map *map, struct row *rows)
{
    uint32_t used = atomic_load(&map->slot_used);
    size_t count = 0;

    for (uint32_t i = 0; i < used && i < SLW_WIRE_SLOTS; i++) {
        const struct slw_wire_slot *s = &map->slots[i];

        if (s->connections == 0)
            continue;
        read_slot(s, map->route, &rows[count++]);
    }
    return count;
}

/* ---- latencies ---- */

static int add_histogram(const struct slw_wire_map *map, enum slw_latency_of of,
                         struct slw_run *run, struct slw_error *err)
{
    for (size_t b = 0; b < SLW_WIRE_BUCKETS; b++) {
        struct slw_latency l = {
            .of = of, .low_ns = slw_latency_low_ns(b), .high_ns = slw_latency_low_ns(b + 1)};

        for (size_t i = 0; i < SLW_WIRE_HISTOGRAMS; i++)
            l.count += of == SLW_LATENCY_REQUEST ? atomic_load(&map->histograms[i].request[b])
                                                 : atomic_load(&map->histograms[i].batch[b]);
        int rc = l.count > 0 ? slw_run_add_latency(run, &l, err) : 0;
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* ---- the number of requests ---- */

struct totals {
    uint64_t requests, followed, lost, unknown;
    uint64_t sent_bytes, unseen_bytes; /* of those that go to a database */
    const char *lost_why, *unknown_why;
};

/* To a server that others were seen to speak a protocol with: it is one to a database. */
static bool known_peer(const struct slw_run *run, const struct slw_connection *c)
{
    for (size_t i = 0; i < run->connection_count; i++)
        if (run->connections[i].protocol && strcmp(run->connections[i].peer, c->peer) == 0)
            return true;
    return false;
}

static struct totals sum_up(const struct slw_run *run)
{
    struct totals t = {0};

    for (size_t i = 0; i < run->connection_count; i++) {
        const struct slw_connection *c = &run->connections[i];

        t.requests += c->requests;
        if (c->protocol || known_peer(run, c)) {
            t.followed += c->connections;
            t.lost += c->lost;
            t.sent_bytes += c->sent_bytes;
            t.unseen_bytes += c->bytes_unseen;
            t.lost_why = c->lost_why ? c->lost_why : t.lost_why;
        } else {
            t.unknown += c->lost;
            t.unknown_why = c->lost_why ? c->lost_why : t.unknown_why;
        }
    }
    return t;
}

/* Never NULL: a reason stands even when there is no memory for its numbers. */
__attribute__((format(printf, 2, 3))) static const char *text(struct slw_run *run, const char *fmt,
                                                              ...)
{
    struct slw_buf buffer = {0};
    va_list ap;

    va_start(ap, fmt);
    slw_buf_vprintf(&buffer, fmt, ap);
    va_end(ap);
    const char *copy = slw_run_str(run, buffer.data);
    slw_buf_release(&buffer);
    return copy ? copy : "not all connections could be followed";
}

/* In hundredths of a percent, and never all of it where something is missing. */
static unsigned covered_bp(const struct totals *t)
{
    uint64_t seen = t->sent_bytes > t->unseen_bytes ? t->sent_bytes - t->unseen_bytes : 0;

    return t->sent_bytes == 0 ? 0 : (unsigned)((slw_u128)seen * 10000 / t->sent_bytes);
}

/* Programs the client started that the library was not loaded into. */
static uint32_t not_loaded(const struct slw_wire_map *map)
{
    uint32_t used = atomic_load(&map->process_count), count = 0;

    used = used < SLW_WIRE_PROCESSES ? used : SLW_WIRE_PROCESSES;
    for (uint32_t i = 0; i < used; i++) {
        const struct slw_wire_process *p = &map->processes[i];
        uint32_t there = p->arrived + p->returned;

        for (uint32_t k = 0; k < used; k++) /* it was quicker than who started it */
            there += k != i && map->processes[k].pid == p->pid && map->processes[k].loaded &&
                     map->processes[k].execs == 0 && !p->loaded;
        count += p->execs > there ? p->execs - there : 0;
    }
    return count;
}

/* A sum over connections of which one was lost on the way is no count of requests. */
static void set_requests(struct slw_run *run, const struct totals *t,
                         const struct slw_wire_map *map)
{
    uint32_t dropped = atomic_load(&map->dropped), outside = not_loaded(map);

    if (t->unseen_bytes > 0)
        run->requests.absent =
            text(run,
                 "%" PRIu64 " connection(s) to a database could not be followed to the end: %s; "
                 "%" PRIu64 " requests were seen in %u.%02u %% of the bytes that were sent, which "
                 "is a lower bound",
                 t->lost + dropped, t->lost_why ? t->lost_why : "there were too many", t->requests,
                 covered_bp(t) / 100, covered_bp(t) % 100);
    else if (t->lost > 0 || dropped > 0)
        run->requests.absent = text(
            run,
            "%" PRIu64 " connection(s) to a database could not be followed to the end: %s; "
            "%" PRIu64 " requests were seen",
            t->lost + dropped,
            t->lost_why ? t->lost_why : "there were too many, or no memory for them", t->requests);
    else if (t->followed == 0 && t->unknown > 0)
        run->requests.absent = text(run, "%" PRIu64 " connection(s) could not be followed: %s",
                                    t->unknown, t->unknown_why);
    else if (t->followed == 0 && map->route != SLW_WIRE_BPF &&
             atomic_load(&map->process_count) == 0)
        run->requests.absent =
            "the library that counts was loaded into no process of the client, or "
            "the client may not open what it is counted in";
    else if (t->followed == 0 && outside > 0)
        run->requests.absent =
            text(run,
                 "the client used no connection to a database that can be followed, and started "
                 "%" PRIu32 " program(s) that the library which counts could not be loaded into",
                 outside);
    else if (t->followed == 0)
        run->requests.absent = "the client used no connection to a database that can be followed";
    else
        run->requests = (struct slw_maybe_u64){.value = t->requests};
}

static int add_notes(struct slw_run *run, const struct totals *t, uint32_t outside)
{
    int rc = 0;

    if (t->lost > 0)
        rc = slw_run_note(run, SLW_NOTE_WARNING, "wire-lost", NULL, "%s", run->requests.absent);
    if (rc >= 0 && t->unknown > 0)
        rc = slw_run_note(run, SLW_NOTE_INFO, "wire-unknown", NULL,
                          "%" PRIu64 " connection(s) are not in the requests: %s", t->unknown,
                          t->unknown_why);
    if (rc >= 0 && outside > 0)
        rc = slw_run_note(run, SLW_NOTE_INFO, "wire-outside", NULL,
                          "%" PRIu32 " program(s) that the client started are not watched: the "
                          "library that counts requests could not be loaded into them",
                          outside);
    return rc;
}

int slw_wire_read(const struct slw_wire_map *map, struct slw_run *run, struct slw_error *err)
{
    struct row *rows = calloc(SLW_WIRE_SLOTS, sizeof(*rows));
    int rc = 0;

    if (!rows)
        return slw_fail(err, SLW_E_NOMEM, "no memory for connections");
    size_t count = read_slots(map, rows);
    if (count > MAX_ROWS)
        count = fold(rows, count, true);
    if (count > MAX_ROWS)
        count = fold(rows, count, false);
    for (size_t i = 0; i < count && rc == 0; i++) {
        rows[i].c.peer = rows[i].peer;
        rc = slw_run_add_connection(run, &rows[i].c, err);
    }
    free(rows);
    if (rc == 0)
        rc = add_histogram(map, SLW_LATENCY_REQUEST, run, err);
    if (rc == 0)
        rc = add_histogram(map, SLW_LATENCY_BATCH, run, err);
    if (rc < 0)
        return rc;
    struct totals t = sum_up(run);
    set_requests(run, &t, map);
    return add_notes(run, &t, not_loaded(map)) < 0
               ? slw_fail(err, SLW_E_NOMEM, "no memory for notes")
               : 0;
}

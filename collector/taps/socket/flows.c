/* SPDX-License-Identifier: MIT */
#include "collector/taps/socket/flows_int.h"

#include "collector/taps/socket/slots.h"
#include "collector/taps/wire/peer.h"

#include <stdlib.h>
#include <string.h>

int slw_flows_new(const struct slw_flow_kernel *kernel, struct slw_flows **ret_flows,
                  struct slw_error *err)
{
    struct slw_flows *f = calloc(1, sizeof(*f));

    if (f) {
        f->kernel = *kernel;
        f->map = calloc(1, sizeof(*f->map));
        f->flows = calloc(SLW_MAX_FLOWS, sizeof(*f->flows)); /* untouched pages are no memory */
    }
    if (!f || !f->map || !f->flows) {
        slw_flows_free(f);
        return slw_fail(err, SLW_E_NOMEM, "no memory for the connections of the socket tap");
    }
    f->map->magic = SLW_WIRE_MAGIC;
    f->map->version = SLW_WIRE_VERSION;
    f->map->size_bytes = sizeof(*f->map);
    f->map->route = SLW_WIRE_BPF;
    *ret_flows = f;
    return 0;
}

void slw_flows_free(struct slw_flows *f)
{
    if (!f)
        return;
    free(f->map);
    free(f->flows);
    free(f);
}

static void settle(struct slw_flows *f, struct flow *flow);

/* The connection is over. */
static void release(struct slw_flows *f, struct flow *flow)
{
    settle(f, flow);
    slw_socket_slot_leave(flow->slot);
    if (f->kernel.forget)
        f->kernel.forget(f->kernel.ctx, flow->inode);
    slw_flow_take_out(f, flow);
}

/* Processes end without closing what they have opened. */
static void release_orphans(struct slw_flows *f)
{
    uint32_t pid = 0;
    bool alive = true;

    for (uint32_t i = 0; i < f->touched; i++) {
        struct flow *flow = &f->flows[i];

        if (!flow->used || !f->kernel.alive)
            continue;
        if (flow->pid != pid) /* neighbours are mostly of one process */
            alive = f->kernel.alive(f->kernel.ctx, flow->pid);
        pid = flow->pid;
        if (!alive)
            release(f, flow);
    }
}

static bool good_address(const struct sockaddr *to, socklen_t length)
{
    return length >= sizeof(to->sa_family) &&
           (to->sa_family == AF_INET || to->sa_family == AF_INET6 || to->sa_family == AF_UNIX);
}

/* NULL: not followed, which is counted. */
static struct flow *add(struct slw_flows *f, uint64_t inode, uint32_t pid,
                        const struct sockaddr *to, socklen_t length)
{
    if (!good_address(to, length))
        return NULL;
    struct flow *flow = slw_flow_take(f, inode, pid);
    if (!flow) {
        release_orphans(f);
        flow = slw_flow_take(f, inode, pid);
    }
    if (!flow) {
        slw_flows_drop(f, 1);
        return NULL;
    }
    slw_peer_read(to, length, &flow->peer);
    slw_conn_init(&flow->conn, flow->peer.port, &f->uncounted, NULL);
    return flow;
}

/* ---- counting ---- */

static uint32_t index_of(const struct slw_proto *proto)
{
    uint32_t i = 0;

    while (i < slw_proto_count && slw_protos[i] != proto)
        i++;
    return i + 1;
}

/* The server behind a well-known port, so that a connection that is given up at once is still known
 * as one to a database. Source: the servers' default ports. 0: unknown. */
static uint32_t expected_protocol(const struct slw_wire_slot *peer)
{
    static const struct {
        uint16_t port;
        const char *name;
    } ports[] = {
        {5432, "PostgreSQL"}, {3306, "MySQL"}, {6379, "Redis"}, {9042, "CQL"}, {11211, "memcached"},
    };

    for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++)
        for (uint32_t p = 0; peer->port == ports[i].port && p < slw_proto_count; p++)
            if (strcmp(slw_protos[p]->name, ports[i].name) == 0)
                return p + 1;
    return 0;
}

/* Where to count: in the slot while the window is open. false: nowhere. */
static bool prepare(struct slw_flows *f, struct flow *flow)
{
    struct slw_exchange *x = &flow->conn.exchange;

    if (!flow->slot)
        flow->slot = slw_socket_slot_take(f->map, &flow->peer, (int32_t)flow->pid);
    if (!flow->slot)
        return false;
    x->counts = f->counting ? &flow->slot->counts : &f->uncounted;
    x->histogram = f->counting ? &f->map->histograms[flow->slot->histogram] : NULL;
    if (f->counting && !flow->counted) {
        flow->slot->connections++;
        flow->counted = true;
    }
    return true;
}

static void lose(struct slw_flows *f, struct flow *flow, enum slw_wire_reason why)
{
    if (!f->counting || flow->lost || why == SLW_WIRE_TLS) /* of that, count_tls */
        return;
    flow->lost = true;
    flow->slot->lost++;
    flow->slot->reason = why;
    if (flow->slot->protocol == 0 && (why == SLW_WIRE_LATE || why == SLW_WIRE_OVERRUN))
        flow->slot->protocol = expected_protocol(&flow->peer);
}

/* As the preloaded library does: those without plain text are lost. */
static void count_tls(const struct slw_flows *f, struct flow *flow)
{
    if (!f->counting || !flow->conn.encrypted)
        return;
    flow->slot->encrypted += !flow->encrypted_counted;
    flow->encrypted_counted = true;
    flow->slot->decrypted += flow->texted && !flow->decrypted_counted;
    flow->decrypted_counted = flow->texted;
}

/* What became known of the connection with the last bytes. */
static void publish(struct slw_flows *f, struct flow *flow)
{
    struct slw_conn *c = &flow->conn;

    if (c->proto)
        flow->slot->protocol = index_of(c->proto);
    count_tls(f, flow);
    if (c->reason == SLW_WIRE_NONE && !c->encrypted)
        return;
    if (c->reason != SLW_WIRE_NONE)
        lose(f, flow, c->reason);
    if (!flow->hushed && f->kernel.quiet)
        f->kernel.quiet(f->kernel.ctx, flow->inode, true);
    flow->hushed = true;
}

/* Bytes that asked for something nobody will ever know. */
static void unseen(struct slw_flows *f, struct flow *flow, uint64_t bytes)
{
    if (flow->conn.reason == SLW_WIRE_TLS) {
        flow->ciphered += f->counting ? bytes : 0;
        return;
    }
    flow->conn.exchange.counts->unseen_bytes += bytes;
    if (bytes > 0)
        lose(f, flow, flow->conn.reason != SLW_WIRE_NONE ? flow->conn.reason : flow->why);
}

/* ---- joining ---- */

/* From here on wait for the beginning of a request. What is in flight then is unknown, so that no
 * answer can be told to be that of a certain request. */
static void wait_for_request(struct flow *flow, enum slw_wire_reason why)
{
    struct slw_conn *c = &flow->conn;
    const bool encrypted = c->encrypted;

    slw_conn_init(c, flow->peer.port, c->exchange.counts, c->exchange.histogram);
    slw_exchange_unorder(&c->exchange);
    c->encrypted = encrypted;
    c->joined = true;
    flow->waiting = true;
    flow->why = why;
}

void slw_flows_join(struct slw_flows *f, uint64_t inode, uint32_t pid, const struct sockaddr *to,
                    socklen_t length)
{
    struct flow *flow = slw_flow_find(f, inode) ? NULL : add(f, inode, pid, to, length);

    if (flow)
        wait_for_request(flow, SLW_WIRE_LATE);
}

void slw_flows_keep(struct slw_flows *f, uint64_t inode, const struct slw_socket_kept *kept)
{
    struct sockaddr_storage to = {0};
    socklen_t length = kept->address_bytes;

    if (length > sizeof(kept->address) || slw_flow_find(f, inode))
        return;
    memcpy(&to, kept->address, length);
    struct flow *flow = add(f, inode, kept->pid, (const struct sockaddr *)&to, length);
    if (flow)
        wait_for_request(flow, SLW_WIRE_OVERRUN);
}

static void give(struct slw_conn *c, const struct slw_socket_record *r, const uint8_t *bytes)
{
    enum slw_wire_direction d = (enum slw_wire_direction)r->direction;

    if (r->kind == SLW_SOCKET_TEXT)
        slw_conn_text(c, d, bytes, r->bytes, r->when_ns);
    else
        slw_conn_bytes(c, d, bytes, r->bytes, r->when_ns);
}

/* Are these bytes, the first of a write, the first of a request? */
static void try_to_join(struct slw_flows *f, struct flow *flow, const struct slw_socket_record *r,
                        const uint8_t *bytes)
{
    struct slw_conn *c = &flow->conn;
    enum slw_wire_reason why = flow->why;
    size_t n = r->bytes;

    give(c, r, bytes);
    if (c->proto) {
        flow->waiting = false;
    } else if (c->reason == SLW_WIRE_UNKNOWN && ++flow->tries < SLW_MAX_JOIN_TRIES) {
        wait_for_request(flow, why);
        unseen(f, flow, n);
    } else if (c->reason == SLW_WIRE_UNKNOWN) {
        c->reason = why;
        unseen(f, flow, n);
    }
}

/* ---- what was moved ---- */

static void end_call(struct flow *flow, enum slw_wire_direction d)
{
    struct call *call = &flow->calls[d];

    if (call->open && call->told > 0)
        slw_conn_call(&flow->conn, d, call->told);
    call->open = false;
}

static void end_text(struct flow *flow, enum slw_wire_direction d)
{
    struct call *text = &flow->texts[d];

    if (text->open && text->told > 0)
        slw_conn_text_call(&flow->conn, d, text->told);
    text->open = false;
}

/* A hole. Behind it the connection is like one that is joined. */
static void miss(struct slw_flows *f, struct flow *flow, enum slw_wire_direction d, uint64_t bytes,
                 uint64_t calls)
{
    struct slw_wire_counts *counts = flow->conn.exchange.counts;

    end_call(flow, SLW_WIRE_SENT);
    end_call(flow, SLW_WIRE_RECEIVED);
    *(d == SLW_WIRE_SENT ? &counts->sent_bytes : &counts->received_bytes) += bytes;
    *(d == SLW_WIRE_SENT ? &counts->send_calls : &counts->receive_calls) += calls;
    if (flow->conn.encrypted && flow->texted)
        return; /* its plain text tells all */
    if (flow->conn.reason == SLW_WIRE_NONE && !flow->waiting) {
        publish(f, flow);
        wait_for_request(flow, SLW_WIRE_OVERRUN);
    }
    if (d == SLW_WIRE_SENT)
        unseen(f, flow, bytes);
}

static void miss_text(struct slw_flows *f, struct flow *flow, enum slw_wire_direction d,
                      uint64_t bytes)
{
    end_text(flow, SLW_WIRE_SENT);
    end_text(flow, SLW_WIRE_RECEIVED);
    flow->texted = flow->conn.encrypted = true;
    if (flow->conn.reason == SLW_WIRE_TLS)
        flow->conn.reason = SLW_WIRE_NONE;
    publish(f, flow);
    if (flow->conn.reason == SLW_WIRE_NONE && !flow->waiting)
        wait_for_request(flow, SLW_WIRE_OVERRUN);
    if (d == SLW_WIRE_SENT)
        unseen(f, flow, bytes);
}

static void take_missed(struct slw_flows *f, struct flow *flow, const __u64 bytes[2],
                        const __u64 calls[2], const __u64 text[2])
{
    for (int d = 0; d < 2; d++) {
        struct slw_socket_kept *told = &flow->told;

        if (bytes[d] > told->missed_bytes[d] || calls[d] > told->missed_calls[d])
            miss(f, flow, (enum slw_wire_direction)d,
                 bytes[d] > told->missed_bytes[d] ? bytes[d] - told->missed_bytes[d] : 0,
                 calls[d] > told->missed_calls[d] ? calls[d] - told->missed_calls[d] : 0);
        if (text[d] > told->missed_text[d])
            miss_text(f, flow, (enum slw_wire_direction)d, text[d] - told->missed_text[d]);
        told->missed_bytes[d] = bytes[d];
        told->missed_calls[d] = calls[d];
        told->missed_text[d] = text[d];
    }
}

/* Nobody showed us what was in them, or not yet. */
static void settle_ciphered(struct flow *flow)
{
    if (flow->ciphered > 0 && flow->slot && !flow->texted)
        flow->slot->counts.unseen_bytes += flow->ciphered;
    flow->ciphered = 0;
}

static void settle_kept(struct slw_flows *f, struct flow *flow)
{
    struct slw_socket_kept kept;

    if (!f->kernel.kept || !f->kernel.kept(f->kernel.ctx, flow->inode, &kept))
        return;
    bool nothing = memcmp(&kept, &flow->told, offsetof(struct slw_socket_kept, pid)) == 0;
    if (nothing || !prepare(f, flow))
        return;
    take_missed(f, flow, kept.missed_bytes, kept.missed_calls, kept.missed_text);
    struct slw_wire_counts *counts = flow->conn.exchange.counts;
    counts->send_blocked += kept.blocked[SLW_WIRE_SENT] - flow->told.blocked[SLW_WIRE_SENT];
    counts->receive_blocked +=
        kept.blocked[SLW_WIRE_RECEIVED] - flow->told.blocked[SLW_WIRE_RECEIVED];
    if (kept.by_ring > flow->told.by_ring) {
        flow->conn.reason = SLW_WIRE_NONE; /* of whatever it was not followed, this is worse */
        slw_conn_give_up(&flow->conn, SLW_WIRE_MISSED);
        publish(f, flow);
    }
    flow->told = kept;
}

static void settle(struct slw_flows *f, struct flow *flow)
{
    settle_kept(f, flow);
    settle_ciphered(flow);
}

static void feed(struct slw_flows *f, struct flow *flow, const struct slw_socket_record *r,
                 const uint8_t *bytes)
{
    enum slw_wire_direction d = (enum slw_wire_direction)r->direction;
    struct slw_conn *c = &flow->conn;
    bool begun = c->first_count[SLW_WIRE_SENT] > 0;

    /* Calls of several threads end in any order. */
    c->exchange.racing = d == SLW_WIRE_RECEIVED && !c->joined;
    if (flow->waiting && c->reason == SLW_WIRE_NONE) {
        if (d == SLW_WIRE_SENT && (r->offset == 0 || begun))
            try_to_join(f, flow, r, bytes);
        else if (d == SLW_WIRE_SENT)
            unseen(f, flow, r->bytes);
        return;
    }
    give(c, r, bytes);
    if (c->reason == SLW_WIRE_MALFORMED && c->joined)
        c->reason = flow->why; /* it was no boundary after all */
    if (d == SLW_WIRE_SENT && c->reason != SLW_WIRE_NONE)
        unseen(f, flow, r->bytes);
}

/* The pieces of a call come one after the other, unless another thread is in one as well, which for
 * the decoder is a knot. */
static void continue_call(struct flow *flow, struct call *call, const struct slw_socket_record *r,
                          bool decoded)
{
    const bool other = call->open && call->tid != r->tid;

    if (r->offset == 0) {
        if (other && decoded)
            slw_conn_give_up(&flow->conn, SLW_WIRE_CONTENDED);
        return;
    }
    if (call->open && !other && call->told == r->offset)
        return;
    if (decoded)
        slw_conn_give_up(&flow->conn, SLW_WIRE_CONTENDED);
    *call = (struct call){.open = true, .tid = r->tid, .bytes = r->call_bytes - r->offset};
}

static void moved(struct slw_flows *f, struct flow *flow, const struct slw_socket_record *r,
                  const uint8_t *bytes)
{
    struct call *call = &flow->calls[r->direction];
    const bool plain = !flow->conn.encrypted;

    if (!prepare(f, flow))
        return;
    flow->moved = true;
    take_missed(f, flow, r->missed_bytes, r->missed_calls, r->missed_text);
    continue_call(flow, call, r, plain);
    if (r->offset == 0) {
        end_call(flow, (enum slw_wire_direction)r->direction);
        *call = (struct call){.open = true, .tid = r->tid, .bytes = r->call_bytes};
    }
    if (plain || !flow->texted)
        feed(f, flow, r, bytes);
    call->told += r->bytes;
    if (call->told >= call->bytes)
        end_call(flow, (enum slw_wire_direction)r->direction);
    publish(f, flow);
}

/* From here on its plain text is seen, if nothing came before that. */
static void reveal(struct flow *flow, const struct slw_socket_record *r)
{
    struct slw_conn *c = &flow->conn;

    if (c->reason == SLW_WIRE_TLS)
        c->reason = SLW_WIRE_NONE;
    c->encrypted = true;
    if (!flow->texted && (r->flags & SLW_SOCKET_TEXT_LATE) && !flow->waiting)
        slw_conn_give_up(c, SLW_WIRE_LATE);
    flow->texted = true;
    flow->ciphered = 0;
}

static void text(struct slw_flows *f, struct flow *flow, const struct slw_socket_record *r,
                 const uint8_t *bytes)
{
    struct call *call = &flow->texts[r->direction];

    if (!prepare(f, flow))
        return;
    flow->moved = true;
    take_missed(f, flow, r->missed_bytes, r->missed_calls, r->missed_text);
    reveal(flow, r);
    continue_call(flow, call, r, true);
    if (r->offset == 0) {
        end_text(flow, (enum slw_wire_direction)r->direction);
        *call = (struct call){.open = true, .tid = r->tid, .bytes = r->call_bytes};
    }
    feed(f, flow, r, bytes);
    call->told += r->bytes;
    if (call->told >= call->bytes)
        end_text(flow, (enum slw_wire_direction)r->direction);
    publish(f, flow);
}

/* ---- records ---- */

static void connected(struct slw_flows *f, const struct slw_socket_record *r, const uint8_t *bytes)
{
    struct flow *flow = slw_flow_find(f, r->inode);
    struct sockaddr_storage to = {0};
    struct slw_wire_slot peer;
    socklen_t length = r->bytes < sizeof(to) ? r->bytes : sizeof(to);

    memcpy(&to, bytes, length);
    if (!good_address((const struct sockaddr *)&to, length)) {
        if (!flow && f->kernel.forget)
            f->kernel.forget(f->kernel.ctx, r->inode);
        return;
    }
    slw_peer_read((const struct sockaddr *)&to, length, &peer);
    /* Asked again how far it is. */
    if (flow && !flow->moved && !flow->waiting && slw_peer_same(&peer, &flow->peer))
        return;
    if (flow) { /* the number of one that is gone; the kernel has begun anew */
        slw_socket_slot_leave(flow->slot);
        slw_flow_take_out(f, flow);
    }
    flow = add(f, r->inode, r->pid, (const struct sockaddr *)&to, length);
    if (!flow && f->kernel.forget)
        f->kernel.forget(f->kernel.ctx, r->inode);
    if (flow && f->kernel.quiet)
        f->kernel.quiet(f->kernel.ctx, r->inode, false);
}

/* The record of its beginning was lost. */
static struct flow *look_for(struct slw_flows *f, uint64_t inode)
{
    struct slw_socket_kept kept;

    if (!f->kernel.kept || !f->kernel.kept(f->kernel.ctx, inode, &kept))
        return NULL;
    slw_flows_keep(f, inode, &kept);
    return slw_flow_find(f, inode);
}

void slw_flows_record(struct slw_flows *f, const void *record, size_t size)
{
    struct slw_socket_record r;
    const uint8_t *bytes = (const uint8_t *)record + sizeof(r);

    if (size < sizeof(r))
        return;
    memcpy(&r, record, sizeof(r));
    if (r.bytes > size - sizeof(r) || r.direction > SLW_WIRE_RECEIVED)
        return;
    struct flow *flow = slw_flow_find(f, r.inode);
    if (!flow && (r.kind == SLW_SOCKET_MOVED || r.kind == SLW_SOCKET_TEXT))
        flow = look_for(f, r.inode);
    if (r.kind == SLW_SOCKET_CONNECTED)
        connected(f, &r, bytes);
    else if (flow && r.kind == SLW_SOCKET_MOVED)
        moved(f, flow, &r, bytes);
    else if (flow && r.kind == SLW_SOCKET_TEXT)
        text(f, flow, &r, bytes);
    else if (flow && r.kind == SLW_SOCKET_CLOSED)
        release(f, flow);
}

void slw_flows_count(struct slw_flows *f, bool on)
{
    f->counting = on;
}

/* What a connection speaks of which nothing could be read: the same as others to its server. */
static uint32_t protocol_of_others(const struct slw_wire_map *map, const struct slw_wire_slot *of)
{
    for (uint32_t i = 0; i < map->slot_used; i++)
        if (map->slots[i].protocol != 0 && slw_peer_same(&map->slots[i], of))
            return map->slots[i].protocol;
    return 0;
}

void slw_flows_settle(struct slw_flows *f)
{
    for (uint32_t i = 0; i < f->touched; i++)
        if (f->flows[i].used)
            settle(f, &f->flows[i]);
    for (uint32_t i = 0; i < f->map->slot_used; i++) {
        struct slw_wire_slot *s = &f->map->slots[i];

        if (s->protocol == 0 && s->lost > 0 &&
            (s->reason == SLW_WIRE_LATE || s->reason == SLW_WIRE_OVERRUN))
            s->protocol = protocol_of_others(f->map, s);
    }
}

void slw_flows_drop(struct slw_flows *f, uint64_t count)
{
    (void)atomic_fetch_add(&f->map->dropped, (uint32_t)count);
}

const struct slw_wire_map *slw_flows_map(const struct slw_flows *f)
{
    return f->map;
}

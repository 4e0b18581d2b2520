/* SPDX-License-Identifier: MIT */
/* Part of the preloaded library: see proto.h for what it may not do. */
#include "collector/taps/wire/conn.h"

#include <string.h>

#define TLS_HANDSHAKE 0x16
#define TLS_DATA      0x17

void slw_conn_init(struct slw_conn *c, uint16_t port, struct slw_wire_counts *counts,
                   struct slw_wire_histogram *histogram)
{
    /* Not the queue: 16 KiB that are only read where they were written. */
    memset(c, 0, offsetof(struct slw_conn, exchange));
    memset(&c->exchange, 0, offsetof(struct slw_exchange, runs));
    c->port = port;
    c->exchange.counts = counts;
    c->exchange.histogram = histogram;
}

void slw_conn_give_up(struct slw_conn *c, enum slw_wire_reason why)
{
    if (c->reason != SLW_WIRE_NONE)
        return;
    c->reason = why;
    slw_exchange_unorder(&c->exchange);
}

/* From here on it is encrypted: what was kept of its first bytes is of no use, and as long as
 * nobody shows us the plain text it is not followed. */
static void encrypt(struct slw_conn *c)
{
    c->encrypted = true;
    if (c->reason == SLW_WIRE_NONE)
        c->reason = SLW_WIRE_TLS;
    c->first_count[SLW_WIRE_SENT] = c->first_count[SLW_WIRE_RECEIVED] = 0;
}

static void decode(struct slw_conn *c, enum slw_wire_direction d, const uint8_t *bytes, size_t n)
{
    enum slw_wire_reason why = c->proto->feed(c->state, &c->exchange, d, bytes, n);

    if (why == SLW_WIRE_TLS && !c->encrypted)
        encrypt(c);
    else if (why != SLW_WIRE_NONE)
        slw_conn_give_up(c, why);
}

static void choose(struct slw_conn *c)
{
    const struct slw_wire_first f = {.sent = c->first[SLW_WIRE_SENT],
                                     .received = c->first[SLW_WIRE_RECEIVED],
                                     .sent_count = c->first_count[SLW_WIRE_SENT],
                                     .received_count = c->first_count[SLW_WIRE_RECEIVED],
                                     .port = c->port};
    bool more = false;

    for (size_t i = 0; i < slw_proto_count; i++) {
        enum slw_recognised r = !c->joined            ? slw_protos[i]->recognise(&f)
                                : slw_protos[i]->join ? slw_protos[i]->join(&f, c->state)
                                                      : SLW_NOT_THIS;

        if (r == SLW_THIS) {
            c->proto = slw_protos[i];
            /* The numbered protocols find their table by it. */
            memset(&c->exchange.runs, 0, c->proto->streams ? sizeof(c->exchange.runs) : 0);
            return;
        }
        more = more || r == SLW_NEED_MORE;
    }
    uint8_t tls = c->joined ? TLS_DATA : TLS_HANDSHAKE;
    if (!c->encrypted && f.sent_count >= 3 && f.sent[0] == tls && f.sent[1] == 3)
        encrypt(c);
    else if (f.sent_count > 0 && f.sent[0] == tls && f.sent_count < 3)
        return;
    else if (!more || f.sent_count == SLW_WIRE_FIRST_BYTES ||
             f.received_count == SLW_WIRE_FIRST_BYTES)
        slw_conn_give_up(c, SLW_WIRE_UNKNOWN);
}

/* Keep the first bytes until they tell the protocol, then decode them. Byte by byte, so that the
 * choice does not depend on how they arrive. What is left of the bytes is the decoder's. */
static size_t recognise(struct slw_conn *c, enum slw_wire_direction d, const uint8_t *bytes,
                        size_t n)
{
    size_t used = 0;

    while (used < n && !c->proto && c->reason == SLW_WIRE_NONE &&
           c->first_count[d] < SLW_WIRE_FIRST_BYTES) {
        c->first[d][c->first_count[d]++] = bytes[used++];
        choose(c);
    }
    if (!c->proto)
        return n;
    /* What the server said first (a greeting) goes before what the client answers. */
    decode(c, SLW_WIRE_RECEIVED, c->first[SLW_WIRE_RECEIVED], c->first_count[SLW_WIRE_RECEIVED]);
    if (c->reason == SLW_WIRE_NONE)
        decode(c, SLW_WIRE_SENT, c->first[SLW_WIRE_SENT], c->first_count[SLW_WIRE_SENT]);
    return used;
}

static void feed(struct slw_conn *c, enum slw_wire_direction d, const uint8_t *bytes, size_t n)
{
    size_t used = 0;

    if (n == 0 || c->reason != SLW_WIRE_NONE)
        return;
    if (!c->proto)
        used = recognise(c, d, bytes, n);
    if (used < n && c->reason == SLW_WIRE_NONE)
        decode(c, d, bytes + used, n - used);
}

/* What is encrypted is decoded where it is plain. */
static void feed_socket(struct slw_conn *c, enum slw_wire_direction d, const struct iovec *buffers,
                        size_t buffer_count, size_t count)
{
    for (size_t i = 0; !c->encrypted && i < buffer_count && count > 0; i++) {
        size_t n = buffers[i].iov_len < count ? buffers[i].iov_len : count;

        feed(c, d, buffers[i].iov_base, n);
        count -= n;
    }
}

void slw_conn_bytes(struct slw_conn *c, enum slw_wire_direction d, const uint8_t *bytes, size_t n,
                    uint64_t when_ns)
{
    c->exchange.now_ns = when_ns;
    if (!c->encrypted)
        feed(c, d, bytes, n);
}

void slw_conn_call(struct slw_conn *c, enum slw_wire_direction d, uint64_t count)
{
    struct slw_wire_counts *counts = c->exchange.counts;

    if (d == SLW_WIRE_RECEIVED) {
        counts->received_bytes += count;
        counts->receive_calls++;
        return;
    }
    counts->sent_bytes += count;
    counts->send_calls++;
    if (!c->encrypted)
        slw_exchange_flush(&c->exchange, count);
}

void slw_conn_sent(struct slw_conn *c, const struct iovec *buffers, size_t buffer_count,
                   size_t count, uint64_t when_ns)
{
    c->exchange.now_ns = when_ns;
    feed_socket(c, SLW_WIRE_SENT, buffers, buffer_count, count);
    slw_conn_call(c, SLW_WIRE_SENT, count);
}

void slw_conn_received(struct slw_conn *c, const struct iovec *buffers, size_t buffer_count,
                       size_t count, uint64_t when_ns)
{
    c->exchange.now_ns = when_ns;
    feed_socket(c, SLW_WIRE_RECEIVED, buffers, buffer_count, count);
    slw_conn_call(c, SLW_WIRE_RECEIVED, count);
}

void slw_conn_text(struct slw_conn *c, enum slw_wire_direction d, const void *bytes, size_t count,
                   uint64_t when_ns)
{
    if (!c->encrypted)
        encrypt(c);
    if (c->reason == SLW_WIRE_TLS)
        c->reason = SLW_WIRE_NONE;
    c->exchange.now_ns = when_ns;
    feed(c, d, bytes, count);
}

void slw_conn_text_call(struct slw_conn *c, enum slw_wire_direction d, uint64_t count)
{
    if (d == SLW_WIRE_SENT)
        slw_exchange_flush(&c->exchange, count);
}

void slw_conn_plain(struct slw_conn *c, enum slw_wire_direction d, const void *bytes, size_t count,
                    uint64_t when_ns)
{
    slw_conn_text(c, d, bytes, count, when_ns);
    slw_conn_text_call(c, d, count);
}

const char *slw_wire_reason_text(enum slw_wire_reason why)
{
    static const char *const texts[] = {
#define X(name, text) text,
        SLW_WIRE_REASONS(X)
#undef X
    };

    return why < SLW_WIRE_REASON_COUNT ? texts[why] : "unknown";
}

/* SPDX-License-Identifier: MIT */
/* One connection: recognise its protocol by its first bytes, feed the decoder, count. Pure, so that
 * the preloaded library, a test and a replay of a recorded stream do the same. Not for:
 * descriptors, threads and locks (preload/table.c), pieces of calls
 * (socket/flows.c). */
#ifndef SLW_COLLECTOR_TAPS_WIRE_CONN_H
#define SLW_COLLECTOR_TAPS_WIRE_CONN_H

#include "collector/taps/proto.h"

#include <sys/uio.h>

struct slw_conn {
    const struct slw_proto *proto; /* NULL until recognised */
    enum slw_wire_reason reason;   /* not NONE: bytes are counted, nothing else */
    bool encrypted;                /* its bytes are not decoded, only slw_conn_plain is */
    uint16_t port;
    bool joined; /* followed from the middle: its first bytes are not those of the protocol */
    uint8_t first_count[2]; /* bytes kept until the protocol is known, by direction */
    uint8_t first[2][SLW_WIRE_FIRST_BYTES];
    _Alignas(16) uint8_t state[SLW_PROTO_STATE_BYTES];
    struct slw_exchange exchange;
};

/* counts and histogram are lent and may be exchanged between calls (exchange.counts). */
void slw_conn_init(struct slw_conn *c, uint16_t port, struct slw_wire_counts *counts,
                   struct slw_wire_histogram *histogram);

/* A call moved `count` bytes, the first of those in the buffers. when_ns: for what was sent, before
 * the call; for what was received, after it. */
void slw_conn_sent(struct slw_conn *c, const struct iovec *buffers, size_t buffer_count,
                   size_t count, uint64_t when_ns);
void slw_conn_received(struct slw_conn *c, const struct iovec *buffers, size_t buffer_count,
                       size_t count, uint64_t when_ns);

/* The same in pieces, where the buffers come one by one: any number of bytes, then the call. */
void slw_conn_bytes(struct slw_conn *c, enum slw_wire_direction d, const uint8_t *bytes, size_t n,
                    uint64_t when_ns);
void slw_conn_call(struct slw_conn *c, enum slw_wire_direction d, uint64_t count);

/* Plain text of an encrypted connection, as the client gave it to its TLS library or got it from
 * there; reason TLS then is none any more. Its bytes and calls on the socket are counted by those
 * above; a flush is a piece of plain text. */
void slw_conn_plain(struct slw_conn *c, enum slw_wire_direction d, const void *bytes, size_t count,
                    uint64_t when_ns);

/* The same in pieces. */
void slw_conn_text(struct slw_conn *c, enum slw_wire_direction d, const void *bytes, size_t count,
                   uint64_t when_ns);
void slw_conn_text_call(struct slw_conn *c, enum slw_wire_direction d, uint64_t count);

/* Stop following; the first reason stays. */
void slw_conn_give_up(struct slw_conn *c, enum slw_wire_reason why);

const char *slw_wire_reason_text(enum slw_wire_reason why);

#endif

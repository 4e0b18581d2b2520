/* SPDX-License-Identifier: MIT */
/* The seam of wire protocols. To add one: collector/taps/proto/x.c with `slw_proto_x`, and the line
 * SLW_PROTO(x) in protos.def; tests/conformance/test_protos.c then runs over it. A decoder is fed
 * what one side sent, cut anywhere, and tells the exchange what was asked and answered. Sans I/O,
 * and part of the preloaded library: no allocation, no lock, no libc call but memchr and memcpy. */
#ifndef SLW_COLLECTOR_TAPS_PROTO_H
#define SLW_COLLECTOR_TAPS_PROTO_H

#include "collector/taps/wire/exchange.h"

enum slw_wire_direction { SLW_WIRE_SENT, SLW_WIRE_RECEIVED };

/* Why a connection is not followed (any more). */
/* clang-format off */
#define SLW_WIRE_REASONS(X)                                                                        \
    X(NONE, "followed")                                                                            \
    X(UNKNOWN, "its first bytes are of no protocol that is known here")                            \
    X(TLS, "it is encrypted (TLS)")                                                                \
    X(COMPRESSED, "it is compressed")                                                              \
    X(MALFORMED, "bytes were seen that the protocol does not allow")                               \
    X(UNSUPPORTED, "it uses a part of the protocol that is not followed (replication, streaming)") \
    X(MISSED, "bytes passed unseen (stdio, sendfile, splice, io_uring, a signal handler, another process)") \
    X(CONTENDED, "several threads used it at the same time")                                       \
    X(LATE, "it was in use before it could be watched")                                            \
    X(OVERRUN, "more went over it than could be copied")
/* clang-format on */
enum slw_wire_reason {
#define X(name, text) SLW_WIRE_##name,
    SLW_WIRE_REASONS(X)
#undef X
        SLW_WIRE_REASON_COUNT
};

/* What recognising needs at most: the greeting of a MySQL server up to its version. */
#define SLW_WIRE_FIRST_BYTES 16u
/* Private state of a decoder, both directions. */
#define SLW_PROTO_STATE_BYTES 320u

enum slw_recognised { SLW_NOT_THIS, SLW_THIS, SLW_NEED_MORE };

struct slw_wire_first { /* the first bytes of a connection, as far as they are seen */
    const uint8_t *sent, *received;
    size_t sent_count, received_count; /* at most SLW_WIRE_FIRST_BYTES */
    uint16_t port;                     /* of the server; 0 for unix sockets */
};

struct slw_proto {
    const char *name;       /* as shown to people: "PostgreSQL" */
    size_t state_bytes;     /* zeroed before the first byte */
    bool counts_statements; /* `statements` is the server's word, not the same as requests */
    bool streams;           /* answers are matched by number: slw_ask_stream */
    enum slw_recognised (*recognise)(const struct slw_wire_first *first);
    /* The same of a connection that is followed from its middle on: can these bytes of the client
     * begin a request? With SLW_THIS the state becomes that of a connection that is past its
     * beginning. NULL: what is agreed on in the beginning has to be known. */
    enum slw_recognised (*join)(const struct slw_wire_first *first, void *state);
    /* The next bytes of one side. SLW_WIRE_NONE, or why the rest cannot be followed; then it is not
     * called again, but after SLW_WIRE_TLS with what is said inside of TLS, if that can be seen.
     * Must give the same counts however the bytes are cut. */
    enum slw_wire_reason (*feed)(void *state, struct slw_exchange *x, enum slw_wire_direction d,
                                 const uint8_t *bytes, size_t count);
};

static inline bool slw_one_of(uint8_t byte, const char *set)
{
    while (*set && (uint8_t)*set != byte)
        set++;
    return *set != '\0';
}

extern const struct slw_proto *const slw_protos[];
extern const size_t slw_proto_count;

#endif

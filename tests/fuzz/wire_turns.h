/* SPDX-License-Identifier: MIT */
/* Input of the fuzz targets of wire protocols: a row of turns, each a byte with the side (its
 * highest bit: the server) and the length, then the bytes. */
#ifndef SLW_TESTS_FUZZ_WIRE_TURNS_H
#define SLW_TESTS_FUZZ_WIRE_TURNS_H

#include "tests/wire_streams.h"

static inline void must(int ok)
{
    if (!ok)
        abort();
}

/* Feed the turns in pieces of at most so many bytes. proto NULL: it has to be recognised. */
static inline void replay_turns(struct replay *r, const struct slw_proto *proto,
                                const uint8_t *data, size_t size, size_t piece)
{
    size_t at = 0;

    replay_start(r);
    if (proto) {
        r->conn->proto = proto;
        memset(&r->conn->exchange.runs, 0, sizeof(r->conn->exchange.runs));
    }
    while (at < size) {
        enum slw_wire_direction by = data[at] & 0x80 ? SLW_WIRE_RECEIVED : SLW_WIRE_SENT;
        size_t n = data[at++] & 0x7f;
        size_t here = n < size - at ? n : size - at;

        for (size_t i = 0; i < here; i += piece)
            replay_bytes(r, by, (const char *)data + at + i, piece < here - i ? piece : here - i);
        at += here;
    }
}

#endif

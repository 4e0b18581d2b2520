/* SPDX-License-Identifier: MIT */
/* One wire protocol (SLW_FUZZ_PROTO), without having to be recognised first: any bytes as what two
 * sides say. fuzz_wire.c does the same with recognition; this one goes deeper. The input is a row
 * of turns: a byte with the side and the length, then the bytes. */
#include "tests/wire_streams.h"

extern const struct slw_proto SLW_FUZZ_PROTO;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int ok)
{
    if (!ok)
        abort();
}

static void play(struct replay *r, const uint8_t *data, size_t size, size_t piece)
{
    size_t at = 0;

    replay_start(r);
    r->conn->proto = &SLW_FUZZ_PROTO;
    memset(&r->conn->exchange.runs, 0, sizeof(r->conn->exchange.runs));
    while (at < size) {
        enum slw_wire_direction by = data[at] & 0x80 ? SLW_WIRE_RECEIVED : SLW_WIRE_SENT;
        size_t n = data[at++] & 0x7f;
        size_t here = n < size - at ? n : size - at;

        for (size_t i = 0; i < here; i += piece)
            replay_bytes(r, by, (const char *)data + at + i, piece < here - i ? piece : here - i);
        at += here;
    }
}

static void same(const struct replay *x, const struct replay *y)
{
    const struct slw_wire_counts *a = &x->counts, *b = &y->counts;

    check(a->requests == b->requests && a->responses == b->responses && a->errors == b->errors);
    check(a->statements == b->statements && a->rows == b->rows && a->prepares == b->prepares);
    check(a->pushes == b->pushes && x->conn->reason == y->conn->reason);
    check(a->latency_count <= a->responses && a->batch_count <= a->flushes);
    check(a->flushes <= a->requests && a->sent_bytes == b->sent_bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct replay whole, pieces;
    const size_t sizes[] = {1, 3, 16};

    play(&whole, data, size, SIZE_MAX);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        play(&pieces, data, size, sizes[i]);
        same(&whole, &pieces);
        replay_end(&pieces);
    }
    replay_end(&whole);
    return 0;
}

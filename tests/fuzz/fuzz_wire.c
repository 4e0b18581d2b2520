/* SPDX-License-Identifier: MIT */
/* Any bytes as what two sides say to each other: no decoder reads past them, counts what cannot be,
 * or counts differently when the same bytes come one by one. The input is a row of turns: a byte
 * with the side and the length, then the bytes. */
#include "tests/wire_streams.h"

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
    while (at < size) {
        enum slw_wire_direction by = data[at] & 0x80 ? SLW_WIRE_RECEIVED : SLW_WIRE_SENT;
        size_t n = data[at++] & 0x7f;
        size_t here = n < size - at ? n : size - at;

        for (size_t i = 0; i < here; i += piece)
            replay_bytes(r, by, (const char *)data + at + i, piece < here - i ? piece : here - i);
        at += here;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct replay whole, single;

    play(&whole, data, size, SIZE_MAX);
    play(&single, data, size, 1);
    const struct slw_wire_counts *a = &whole.counts, *b = &single.counts;
    check(a->requests == b->requests && a->responses == b->responses && a->errors == b->errors);
    check(a->statements == b->statements && a->rows == b->rows && a->prepares == b->prepares);
    check(a->pushes == b->pushes && whole.conn->reason == single.conn->reason);
    check(whole.conn->proto == single.conn->proto);
    check(a->latency_count <= a->responses && a->batch_count <= a->flushes);
    check(a->sent_bytes == b->sent_bytes && a->received_bytes == b->received_bytes);
    replay_end(&whole);
    replay_end(&single);
    return 0;
}

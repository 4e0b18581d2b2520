/* SPDX-License-Identifier: MIT */
/* One wire protocol (SLW_FUZZ_PROTO), without having to be recognised first: any bytes as what two
 * sides say. fuzz_wire.c does the same with recognition; this one goes deeper. */
#include "tests/fuzz/wire_turns.h"

extern const struct slw_proto SLW_FUZZ_PROTO;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void same(const struct replay *x, const struct replay *y)
{
    const struct slw_wire_counts *a = &x->counts, *b = &y->counts;

    must(a->requests == b->requests && a->responses == b->responses && a->errors == b->errors);
    must(a->statements == b->statements && a->rows == b->rows && a->prepares == b->prepares);
    must(a->pushes == b->pushes && x->conn->reason == y->conn->reason);
    must(a->latency_count <= a->responses && a->batch_count <= a->flushes);
    must(a->flushes <= a->requests && a->sent_bytes == b->sent_bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct replay whole, pieces;
    const size_t sizes[] = {1, 3, 16};

    replay_turns(&whole, &SLW_FUZZ_PROTO, data, size, SIZE_MAX);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        replay_turns(&pieces, &SLW_FUZZ_PROTO, data, size, sizes[i]);
        same(&whole, &pieces);
        replay_end(&pieces);
    }
    replay_end(&whole);
    return 0;
}

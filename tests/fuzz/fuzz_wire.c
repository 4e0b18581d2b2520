/* SPDX-License-Identifier: MIT */
/* Any bytes as what two sides say to each other: no decoder reads past them, counts what cannot be,
 * or counts differently when the same bytes come one by one. */
#include "tests/fuzz/wire_turns.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct replay whole, single;

    replay_turns(&whole, NULL, data, size, SIZE_MAX);
    replay_turns(&single, NULL, data, size, 1);
    const struct slw_wire_counts *a = &whole.counts, *b = &single.counts;
    must(a->requests == b->requests && a->responses == b->responses && a->errors == b->errors);
    must(a->statements == b->statements && a->rows == b->rows && a->prepares == b->prepares);
    must(a->pushes == b->pushes && whole.conn->reason == single.conn->reason);
    must(whole.conn->proto == single.conn->proto);
    must(a->latency_count <= a->responses && a->batch_count <= a->flushes);
    must(a->sent_bytes == b->sent_bytes && a->received_bytes == b->received_bytes);
    replay_end(&whole);
    replay_end(&single);
    return 0;
}

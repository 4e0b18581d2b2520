/* SPDX-License-Identifier: MIT */
/* Any records in any order, as if the kernel had made them: nothing is read past them, and counts
 * stay what they can be. The input is a row of records, each a byte with its length in units of 8.
 */
#include "tests/socket_records.h"

#include <stdlib.h>

#define UNIT 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int ok)
{
    if (!ok)
        abort();
}

/* What is kept of a socket is foreign as well: it depends on its number. */
static bool kept(void *ctx, uint64_t inode, struct slw_socket_kept *ret_kept)
{
    const struct sockaddr_in to = address_of((uint16_t)inode);

    (void)ctx;
    *ret_kept = (struct slw_socket_kept){.missed_bytes = {inode >> 8 & 0xff, inode & 3},
                                         .missed_calls = {inode & 1, inode & 2},
                                         .missed_text = {inode >> 2 & 1, inode >> 3 & 1},
                                         .blocked = {1, 2},
                                         .pid = 10,
                                         .address_bytes = sizeof(to)};
    memcpy(ret_kept->address, &to, sizeof(to));
    return (inode & 0x80) != 0;
}

static void play(struct slw_flows *f, const uint8_t *data, size_t size)
{
    size_t at = 0;

    while (at < size) {
        size_t n = (size_t)data[at++] * UNIT;

        n = n < size - at ? n : size - at;
        uint8_t *record = malloc(n > 0 ? n : 1); /* of its own, so that reading past it is seen */
        check(record != NULL);
        memcpy(record, data + at, n);
        slw_flows_record(f, record, n);
        free(record);
        at += n;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct slw_flow_kernel kernel = {.kept = kept};
    struct slw_flows *f;

    check(slw_flows_new(&kernel, &f, NULL) == 0);
    slw_flows_count(f, true);
    play(f, data, size);
    slw_flows_settle(f);
    const struct slw_wire_map *map = slw_flows_map(f);
    for (uint32_t i = 0; i < map->slot_used; i++) {
        const struct slw_wire_slot *s = &map->slots[i];

        check(s->connections > 0 && s->lost <= s->connections);
        check(s->decrypted <= s->encrypted && s->encrypted <= s->connections);
        check(s->counts.unseen_bytes == 0 || s->lost > 0 || s->encrypted > s->decrypted);
        check(s->reason < SLW_WIRE_REASON_COUNT && s->protocol <= slw_proto_count);
        check(s->counts.flushes <= s->counts.requests);
    }
    slw_flows_free(f);
    return 0;
}

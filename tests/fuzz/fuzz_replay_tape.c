/* SPDX-License-Identifier: MIT */
/* Tapes of a server, played to a client that sends what they say. */
#include "collector/taps/replay/tape.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Sends the bytes of the tape from `at` on, as a client that is right now and then. */
static void play(const struct slw_tape *t)
{
    struct slw_player p;
    uint8_t to[7];

    slw_player_begin(&p, t);
    for (size_t i = t->first; i < t->size && i < t->first + 4096; i++) {
        const size_t got = slw_player_receive(&p, to, i % sizeof(to) + 1, i % 3 == 0);

        if (got > i % sizeof(to) + 1 || p.server_at > t->size || p.client_at > t->size)
            abort();
        if (!slw_player_send(&p, t->bytes + i, 1) && i % 5 == 0)
            slw_player_begin(&p, t);
    }
    (void)slw_player_state(&p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slw_tape t;

    if (slw_tape_open(&t, data, size))
        return 0;
    (void)slw_tape_failure(&t);
    (void)slw_tape_is_encrypted(&t);
    play(&t);
    return 0;
}

/* SPDX-License-Identifier: MIT */
#include "collector/taps/wire/preload/slots.h"

#include "collector/taps/wire/peer.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>

static bool claim(struct slw_wire_slot *s, uint32_t from)
{
    return atomic_compare_exchange_strong(&s->state, &from, SLW_WIRE_OPEN);
}

/* A slot that an earlier connection to the same peer has left; with `anybodys`, also one of another
 * process, that closed it or is dead. */
static struct slw_wire_slot *reuse_slot(struct slw_wire_map *map, const struct slw_wire_slot *peer,
                                        int32_t own_pid, bool anybodys)
{
    uint32_t used = atomic_load(&map->slot_used);

    for (uint32_t i = 0; i < used && i < SLW_WIRE_SLOTS; i++) {
        struct slw_wire_slot *s = &map->slots[i];
        uint32_t state = atomic_load(&s->state);

        if (!slw_peer_same(s, peer) || (s->pid != own_pid && !anybodys))
            continue;
        if (state == SLW_WIRE_CLOSED && claim(s, SLW_WIRE_CLOSED))
            return s;
        if (state != SLW_WIRE_OPEN || s->pid == own_pid || kill(s->pid, 0) == 0 || errno != ESRCH)
            continue;
        int32_t dead = s->pid;
        if (__atomic_compare_exchange_n(&s->pid, &dead, own_pid, false, __ATOMIC_SEQ_CST,
                                        __ATOMIC_SEQ_CST))
            return s;
    }
    return NULL;
}

static struct slw_wire_slot *new_slot(struct slw_wire_map *map, const struct slw_wire_slot *peer,
                                      int32_t own_pid)
{
    uint32_t i = atomic_load(&map->slot_used);

    do {
        if (i >= SLW_WIRE_SLOTS)
            return NULL;
    } while (!atomic_compare_exchange_weak(&map->slot_used, &i, i + 1));
    struct slw_wire_slot *s = &map->slots[i];
    s->histogram = i < SLW_WIRE_HISTOGRAMS ? i : SLW_WIRE_HISTOGRAMS - 1;
    s->family = peer->family;
    s->port = peer->port;
    memcpy(s->address, peer->address, sizeof(s->address));
    memcpy(s->path, peer->path, sizeof(s->path));
    s->pid = own_pid;
    atomic_store(&s->state, SLW_WIRE_OPEN);
    return s;
}

struct slw_wire_slot *slw_slot_take(struct slw_wire_map *map, const struct slw_wire_slot *peer,
                                    int32_t own_pid)
{
    struct slw_wire_slot *s = reuse_slot(map, peer, own_pid, false);

    if (!s)
        s = new_slot(map, peer, own_pid);
    if (!s)
        s = reuse_slot(map, peer, own_pid, true);
    if (s)
        s->pid = own_pid;
    else
        (void)atomic_fetch_add(&map->dropped, 1);
    return s;
}

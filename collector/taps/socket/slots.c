/* SPDX-License-Identifier: MIT */
#include "collector/taps/socket/slots.h"

#include "collector/taps/wire/peer.h"

#include <stddef.h>
#include <string.h>

/* pid 0: of any process. */
static struct slw_wire_slot *left_slot(struct slw_wire_map *map, const struct slw_wire_slot *peer,
                                       int32_t pid)
{
    uint32_t used = atomic_load_explicit(&map->slot_used, memory_order_relaxed);

    for (uint32_t i = 0; i < used && i < SLW_WIRE_SLOTS; i++) {
        struct slw_wire_slot *s = &map->slots[i];

        if (atomic_load_explicit(&s->state, memory_order_relaxed) == SLW_WIRE_CLOSED &&
            (s->pid == pid || pid == 0) && slw_peer_same(s, peer))
            return s;
    }
    return NULL;
}

static struct slw_wire_slot *new_slot(struct slw_wire_map *map, const struct slw_wire_slot *peer)
{
    uint32_t i = atomic_load_explicit(&map->slot_used, memory_order_relaxed);

    if (i >= SLW_WIRE_SLOTS)
        return NULL;
    atomic_store(&map->slot_used, i + 1);
    struct slw_wire_slot *s = &map->slots[i];
    s->histogram = i < SLW_WIRE_HISTOGRAMS ? i : SLW_WIRE_HISTOGRAMS - 1;
    s->family = peer->family;
    s->port = peer->port;
    memcpy(s->address, peer->address, sizeof(s->address));
    memcpy(s->path, peer->path, sizeof(s->path));
    return s;
}

struct slw_wire_slot *slw_socket_slot_take(struct slw_wire_map *map,
                                           const struct slw_wire_slot *peer, int32_t pid)
{
    struct slw_wire_slot *s = left_slot(map, peer, pid);

    if (!s)
        s = new_slot(map, peer);
    if (!s)
        s = left_slot(map, peer, 0);
    if (!s) {
        (void)atomic_fetch_add(&map->dropped, 1);
        return NULL;
    }
    s->pid = pid;
    atomic_store(&s->state, SLW_WIRE_OPEN);
    return s;
}

void slw_socket_slot_leave(struct slw_wire_slot *slot)
{
    if (slot)
        atomic_store(&slot->state, SLW_WIRE_CLOSED);
}

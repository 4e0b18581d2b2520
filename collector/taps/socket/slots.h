/* SPDX-License-Identifier: MIT */
/* Slots of a mapping that only we write: one connection at a time, to the same server and of the
 * same process one after the other. Not for: mappings that clients share (wire/preload/). */
#ifndef SLW_COLLECTOR_TAPS_SOCKET_SLOTS_H
#define SLW_COLLECTOR_TAPS_SOCKET_SLOTS_H

#include "collector/taps/wire/map.h"

/* An open slot for a connection of `pid` to the server in *peer; NULL and `dropped` counted when
 * there are too many connections. */
struct slw_wire_slot *slw_socket_slot_take(struct slw_wire_map *map,
                                           const struct slw_wire_slot *peer, int32_t pid);

/* The connection is over. NULL allowed. */
void slw_socket_slot_leave(struct slw_wire_slot *slot);

#endif

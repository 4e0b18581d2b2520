/* SPDX-License-Identifier: MIT */
/* Slots of the mapping: who counts where. Only for the preloaded library. */
#ifndef SLW_COLLECTOR_TAPS_WIRE_PRELOAD_SLOTS_H
#define SLW_COLLECTOR_TAPS_WIRE_PRELOAD_SLOTS_H

#include "collector/taps/wire/map.h"

/* A slot of our own for a connection to a peer (family, port, address and path are looked at);
 * NULL, and counted as dropped, when there is none. Given back by setting its state to CLOSED. */
struct slw_wire_slot *slw_slot_take(struct slw_wire_map *map, const struct slw_wire_slot *peer,
                                    int32_t own_pid);

#endif

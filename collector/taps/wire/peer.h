/* SPDX-License-Identifier: MIT */
/* The server of a connection, as a slot of the mapping holds it. Part of the preloaded library: no
 * allocation, no lock, no libc call. */
#ifndef SLW_COLLECTOR_TAPS_WIRE_PEER_H
#define SLW_COLLECTOR_TAPS_WIRE_PEER_H

#include "collector/taps/wire/map.h"

#include <stdbool.h>
#include <sys/socket.h>

/* Family, port, address and path of *peer; all else becomes 0. `to` holds `length` bytes, of which
 * there are at least those of the family. */
void slw_peer_read(const struct sockaddr *to, socklen_t length, struct slw_wire_slot *peer);

bool slw_peer_same(const struct slw_wire_slot *a, const struct slw_wire_slot *b);

#endif

/* SPDX-License-Identifier: MIT */
/* Sockets that a process had connected before it was watched. */
#ifndef SLW_COLLECTOR_TAPS_SOCKET_EXISTING_H
#define SLW_COLLECTOR_TAPS_SOCKET_EXISTING_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define SLW_MAX_EXISTING_FDS (1 << 20) /* looked at; a process may have a million */

/* Called for each stream socket that the process has connected; not for one it accepted, as far as
 * that can be told: by a listener on the same port, or by its name on unix sockets. */
typedef void slw_existing_fn(void *ctx, uint64_t inode, const struct sockaddr *to,
                             socklen_t length);

/* How many sockets there were that could not be looked at. */
size_t slw_existing_sockets(uint32_t pid, slw_existing_fn *fn, void *ctx);

#endif

/* SPDX-License-Identifier: MIT */
/* Plain text of TLS connections, seen where the client hands it to OpenSSL. Only for the preloaded
 * library. */
#ifndef SLW_COLLECTOR_TAPS_WIRE_PRELOAD_TLS_H
#define SLW_COLLECTOR_TAPS_WIRE_PRELOAD_TLS_H

#include "collector/taps/wire/preload/table.h"

/* Encrypted bytes went out on a connection whose plain text was not seen yet: if they are those
 * that a session has made in memory, it is the session of this connection. The caller holds its
 * lock. */
void slw_tls_sent(const struct slw_watched_call *call, const struct iovec *buffers,
                  size_t buffer_count, size_t count);

#endif

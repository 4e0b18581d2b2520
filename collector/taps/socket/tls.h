/* SPDX-License-Identifier: MIT */
/* Functions of TLS libraries through which plain text goes. */
#ifndef SLW_COLLECTOR_TAPS_SOCKET_TLS_H
#define SLW_COLLECTOR_TAPS_SOCKET_TLS_H

#include "collector/taps/socket/bpf.h"

#include <limits.h>
#include <stdbool.h>

struct slw_session_options;

/* Those a file of code defines: OpenSSL's and GnuTLS's, of which it has a copy inside or is one.
 * false: none. */
bool slw_socket_tls_find(const char *path, struct slw_socket_tls_file *ret_file);

/* Why nothing preloaded can follow the TLS of a command, in words for a note; NULL: it can. There
 * is a copy inside of the program itself, or it is a Node that is linked with its libraries
 * (Debian's), whose TLS works in memory. */
const char *slw_socket_tls_inside(const struct slw_session_options *command);

/* Libraries that a command may load later by itself, in the folders of the system; NULL at the end.
 */
const char *slw_socket_tls_library(size_t i, char ret_path[PATH_MAX]);

#endif

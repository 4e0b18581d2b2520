/* SPDX-License-Identifier: MIT */
/* What --connect and --table may say, for the drivers of servers. Not for: what only one of them
 * takes (libpq's "host=... user=..."), finding the address of a name. */
#ifndef SLW_WORKLOADS_WHERE_H
#define SLW_WORKLOADS_WHERE_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

#define SLW_WHERE_BYTES 256 /* a host name has at most 253, a socket's path 107 */

struct slw_where {
    char host[SLW_WHERE_BYTES]; /* name or address, without brackets; "": path */
    char path[SLW_WHERE_BYTES]; /* of a socket, absolute; "": host and port */
    uint16_t port;
};

/* "host", "host:port", "[::1]", "[::1]:port" or "/path/of/socket"; NULL: 127.0.0.1 and the usual
 * port. -SLW_E_INVAL with a hint for anything else. */
int slw_where_parse(const char *text, uint16_t usual_port, struct slw_where *ret_where,
                    struct slw_error *err);

/* A name that needs no quotes anywhere: a letter or _, then letters, digits and _, 48 at most.
 * -SLW_E_INVAL otherwise. */
int slw_table_check(const char *table, struct slw_error *err);

/* How the place reads in a message: "127.0.0.1 port 5432", cut at size. */
void slw_where_text(const struct slw_where *w, char *text, size_t size);

#endif

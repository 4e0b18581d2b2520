/* SPDX-License-Identifier: MIT */
/* A server of the CQL native protocol (v4, v5) on loopback, for trying clients without a database:
 * keyspaces, tables of one key column and simple types, INSERT, SELECT, UPDATE, DELETE, BATCH,
 * paging, conditions IF [NOT] EXISTS. One node, one copy, one thread; what comes last wins,
 * whatever timestamp it carries; a page goes on where the last one ended. Not for: keeping data one
 * cares about, and nobody is asked who they are. */
#ifndef SLW_WORKLOADS_CQL_ENDPOINT_H
#define SLW_WORKLOADS_CQL_ENDPOINT_H

#include "base/error.h"

#include <stdint.h>

struct slw_cql_endpoint;

/* Zero-initialise: any free port, nothing kept, both versions, no mishaps. */
struct slw_cql_endpoint_options {
    uint16_t port; /* of 127.0.0.1; 0: any that is free */
    /* A file to which each change is appended and synced before it is acknowledged; what is in it
     * when the endpoint is opened is there again. NULL: nothing is kept. */
    const char *durable;
    uint8_t newest; /* the highest version spoken: 4, or 5 (0) */
    /* Mishaps, for trying what clients make of them; 0: never. Counted over requests that write. */
    uint32_t overloaded_every; /* the n-th is answered "overloaded" and not done */
    uint32_t timeout_every;    /* the n-th is done and answered "write timeout" */
};

/* Listen. SLW_E_IO, SLW_E_PERM; SLW_E_FORMAT for a file that is not a log of ours. */
int slw_cql_endpoint_open(const struct slw_cql_endpoint_options *options,
                          struct slw_cql_endpoint **ret, struct slw_error *err);
/* NULL is allowed. Ends the thread of slw_cql_endpoint_start. */
void slw_cql_endpoint_close(struct slw_cql_endpoint *e);
uint16_t slw_cql_endpoint_port(const struct slw_cql_endpoint *e);

/* Serve until slw_cql_endpoint_stop. SLW_E_IO, SLW_E_FULL when the log cannot be written: then
 * nothing is acknowledged any more. */
int slw_cql_endpoint_serve(struct slw_cql_endpoint *e, struct slw_error *err);
/* From any thread or signal handler. */
void slw_cql_endpoint_stop(struct slw_cql_endpoint *e);

/* Serve on a thread of its own until slw_cql_endpoint_close. */
int slw_cql_endpoint_start(struct slw_cql_endpoint *e, struct slw_error *err);

#endif

/* SPDX-License-Identifier: MIT */
/* The log of the endpoint: records [int length][int CRC-32][payload], appended. The first record
 * says what the file is. A record that is cut at the end of the file was never acknowledged and is
 * dropped; anything else that is wrong is an error, for it was. */
#ifndef SLW_WORKLOADS_CQL_LOG_INT_H
#define SLW_WORKLOADS_CQL_LOG_INT_H

#include "base/buf.h"
#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

#define SLW_CQL_LOG_RECORD (128u << 20) /* bytes; a request is less */

struct slw_cql_log {
    int fd; /* -1: nothing is kept */
    bool dirty;
    uint64_t length;
    struct slw_buf pending; /* appended, not yet written */
};

/* Each record goes to `replay` in order. */
int slw_cql_log_open(const char *path, int (*replay)(void *ctx, const void *bytes, size_t length),
                     void *ctx, struct slw_cql_log *ret, struct slw_error *err);
void slw_cql_log_append(struct slw_cql_log *l, const void *bytes, size_t length);
/* Write and sync what was appended. When it fails the log is of no use any more. */
int slw_cql_log_sync(struct slw_cql_log *l, struct slw_error *err);
void slw_cql_log_release(struct slw_cql_log *l);

#endif

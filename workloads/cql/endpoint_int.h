/* SPDX-License-Identifier: MIT */
/* What the parts of the endpoint share. A request goes: session.c (messages) -> execute.c (rows,
 * schema) or select.c -> store, log -> the answer waits in the encoder until the log is synced. */
#ifndef SLW_WORKLOADS_CQL_ENDPOINT_INT_H
#define SLW_WORKLOADS_CQL_ENDPOINT_INT_H

#include "workloads/cql/endpoint.h"
#include "workloads/cql/log_int.h"
#include "workloads/cql/store_int.h"

#include <pthread.h>
#include <stdatomic.h>

#define SLW_CQL_CLIENTS      128
#define SLW_CQL_PREPAREDS    1024
#define SLW_CQL_REQUEST_BODY (64u << 20)
#define SLW_CQL_RESULT_BYTES (128u << 20) /* of one page */

#define SLW_CQL_OUT_MARK (8u << 20) /* bytes of answers that wait for a client */

/* Kept until as many others were prepared; then it is "unprepared". */
struct slw_cql_known {
    uint8_t id[16];
    struct slw_cql_statement *statement; /* its keyspace is filled in */
    uint64_t incarnation;                /* of its table; 0: it has none */
};

struct slw_cql_client {
    int fd;
    bool started, closing;
    bool stalled;    /* too much waits to be sent: requests stay where they are */
    uint8_t version; /* 0: nothing was said yet */
    char keyspace[SLW_CQL_NAME_BYTES];
    struct slw_cql_decoder in;
    struct slw_cql_encoder out;
    size_t sent;
};

struct slw_cql_endpoint {
    struct slw_cql_endpoint_options options;
    int listener, wake;
    uint16_t port;
    atomic_bool stop;
    bool threaded;
    pthread_t thread;
    struct slw_cql_store store;
    struct slw_cql_log log;
    struct slw_cql_client *clients[SLW_CQL_CLIENTS];
    size_t client_count;
    struct slw_cql_known known[SLW_CQL_PREPAREDS];
    uint64_t known_count; /* ever */
    uint64_t write_count;
};

/* One statement with all it needs. */
struct slw_cql_request {
    struct slw_cql_endpoint *endpoint;
    struct slw_cql_client *client;
    const struct slw_cql_statement *statement;
    struct slw_cql_text keyspace; /* of the statement, or of the client */
    struct slw_cql_parameters parameters;
    struct slw_cql_value bound[SLW_CQL_MAX_TERMS];
    struct slw_cql_text metadata_id; /* EXECUTE of v5: what the client knows */
    bool prepared;
};

/* The value of a term for a column: appended to `scratch` when it is a literal. */
int slw_cql_term_value(const struct slw_cql_request *q, const struct slw_cql_term *t,
                       struct slw_cql_type type, struct slw_buf *scratch, struct slw_cql_value *ret,
                       struct slw_cql_refusal *r);
/* The table of a statement; -1 with a refusal. A system table is made: *ret_made, to be freed. */
int slw_cql_request_table(const struct slw_cql_request *q, struct slw_cql_table **ret,
                          struct slw_cql_table **ret_made, struct slw_cql_refusal *r);

/* Write the body of RESULT, or -1 with a refusal (what was written then does not count). */
int slw_cql_execute(const struct slw_cql_request *q, struct slw_buf *body,
                    struct slw_cql_refusal *r);
int slw_cql_select(const struct slw_cql_request *q, struct slw_buf *body,
                   struct slw_cql_refusal *r);
/* The changes that an INSERT, UPDATE or DELETE is, appended to `changes`; *ret_applied is false
 * when a condition did not hold, and *ret_row then the row that is there, or NULL. */
int slw_cql_change(const struct slw_cql_request *q, struct slw_buf *changes,
                   const struct slw_cql_table **ret_table, const struct slw_cql_row **ret_row,
                   bool *ret_applied, struct slw_cql_refusal *r);
/* Log and apply. */
int slw_cql_commit(struct slw_cql_endpoint *e, const struct slw_buf *changes,
                   struct slw_cql_refusal *r);

/* <metadata> of all or the selected columns of a table. */
struct slw_cql_picks {
    size_t count;
    size_t columns[SLW_CQL_TABLE_COLUMNS];
};
int slw_cql_pick(const struct slw_cql_statement *s, const struct slw_cql_table *t,
                 struct slw_cql_picks *ret, struct slw_cql_refusal *r);
void slw_cql_put_columns(struct slw_buf *b, const struct slw_cql_statement *s,
                         const struct slw_cql_table *t, const struct slw_cql_picks *picks);
/* The id of these columns (v5). */
void slw_cql_metadata_id(const struct slw_cql_statement *s, const struct slw_cql_table *t,
                         const struct slw_cql_picks *picks, uint8_t ret_id[16]);

/* Fill q->statement's values in; by name when they have names. */
int slw_cql_bind(struct slw_cql_request *q, struct slw_cql_values values,
                 struct slw_cql_refusal *r);
/* The body of the answer to PREPARE, of a statement without values (q->keyspace is that of the
 * client). */
int slw_cql_prepare(struct slw_cql_request *q, struct slw_cql_text text, struct slw_buf *body,
                    struct slw_cql_refusal *r);
/* The statement that was prepared under this id, or NULL with a refusal. */
const struct slw_cql_statement *slw_cql_prepared_find(struct slw_cql_endpoint *e,
                                                      struct slw_cql_text id,
                                                      struct slw_cql_refusal *r);

/* A table of a system keyspace, with its rows, to be freed; NULL: there is none. */
struct slw_cql_table *slw_cql_system_table(const struct slw_cql_endpoint *e,
                                           struct slw_cql_text keyspace, struct slw_cql_text name);
bool slw_cql_is_system(struct slw_cql_text keyspace);
/* A log record: changes, or a statement about the schema. */
int slw_cql_replay(void *endpoint, const void *bytes, size_t length);

static inline size_t slw_cql_waiting(const struct slw_cql_client *c)
{
    return c->out.out.length - c->sent;
}

/* All messages that are whole, as long as there is room for answers. The answers are in c->out and
 * may only be sent after a sync. */
void slw_cql_session(struct slw_cql_endpoint *e, struct slw_cql_client *c);

#endif

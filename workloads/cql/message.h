/* SPDX-License-Identifier: MIT */
/* What the bodies of messages are made of, for both sides. What is read is lent from the body and
 * lives as long as it. Versions 4 and 5. Source: native_protocol_v5.spec and
 * native_protocol_v4.spec of Apache Cassandra, section 4; error codes: section 8 (v5), 9 (v4). */
#ifndef SLW_WORKLOADS_CQL_MESSAGE_H
#define SLW_WORKLOADS_CQL_MESSAGE_H

#include "workloads/cql/frame.h"
#include "workloads/cql/wire.h"

/* ---- codes ---- */

#define SLW_CQL_ERROR_CODES(X)                                                                     \
    X(SERVER, 0x0000, "server error")                                                              \
    X(PROTOCOL, 0x000a, "protocol error")                                                          \
    X(BAD_CREDENTIALS, 0x0100, "authentication failed")                                            \
    X(UNAVAILABLE, 0x1000, "unavailable")                                                          \
    X(OVERLOADED, 0x1001, "overloaded")                                                            \
    X(BOOTSTRAPPING, 0x1002, "bootstrapping")                                                      \
    X(TRUNCATE, 0x1003, "truncate error")                                                          \
    X(WRITE_TIMEOUT, 0x1100, "write timeout")                                                      \
    X(READ_TIMEOUT, 0x1200, "read timeout")                                                        \
    X(READ_FAILURE, 0x1300, "read failure")                                                        \
    X(FUNCTION_FAILURE, 0x1400, "function failure")                                                \
    X(WRITE_FAILURE, 0x1500, "write failure")                                                      \
    X(CDC_WRITE_FAILURE, 0x1600, "change data capture failure")                                    \
    X(CAS_WRITE_UNKNOWN, 0x1700, "unknown whether written")                                        \
    X(SYNTAX, 0x2000, "syntax error")                                                              \
    X(UNAUTHORIZED, 0x2100, "unauthorized")                                                        \
    X(INVALID, 0x2200, "invalid")                                                                  \
    X(CONFIG, 0x2300, "configuration error")                                                       \
    X(ALREADY_EXISTS, 0x2400, "already exists")                                                    \
    X(UNPREPARED, 0x2500, "unprepared")

/* clang-format off */
enum slw_cql_code {
#define X(name, value, text) SLW_CQL_E_##name = value,
    SLW_CQL_ERROR_CODES(X)
#undef X
};
/* clang-format on */
const char *slw_cql_code_text(int32_t code); /* "error" for one we do not know */

enum slw_cql_result_kind {
    SLW_CQL_VOID = 1,
    SLW_CQL_ROWS = 2,
    SLW_CQL_SET_KEYSPACE = 3,
    SLW_CQL_PREPARED = 4,
    SLW_CQL_SCHEMA_CHANGE = 5
};

/* Section 4.2.5.2: ids of types; those with `element` have one or two types in them. */
enum slw_cql_type_id {
    SLW_CQL_CUSTOM = 0x00,
    SLW_CQL_ASCII = 0x01,
    SLW_CQL_BIGINT = 0x02,
    SLW_CQL_BLOB = 0x03,
    SLW_CQL_BOOLEAN = 0x04,
    SLW_CQL_DOUBLE = 0x07,
    SLW_CQL_FLOAT = 0x08,
    SLW_CQL_INT = 0x09,
    SLW_CQL_TIMESTAMP = 0x0b,
    SLW_CQL_UUID = 0x0c,
    SLW_CQL_VARCHAR = 0x0d,
    SLW_CQL_INET = 0x10,
    SLW_CQL_SMALLINT = 0x13,
    SLW_CQL_TINYINT = 0x14,
    SLW_CQL_LIST = 0x20,
    SLW_CQL_MAP = 0x21,
    SLW_CQL_SET = 0x22,
    SLW_CQL_UDT = 0x30,
    SLW_CQL_TUPLE = 0x31
};
struct slw_cql_type {
    uint16_t id;
    uint16_t element[2]; /* LIST, SET: one; MAP: two; deeper nesting is skipped when read */
};

#define SLW_CQL_CONSISTENCIES                                                                      \
    {                                                                                              \
        "any", "one", "two", "three", "quorum", "all", "local_quorum", "each_quorum", "serial",    \
            "local_serial", "local_one", NULL                                                      \
    }
#define SLW_CQL_CONSISTENCY_COUNT 11u
#define SLW_CQL_ONE               1u
#define SLW_CQL_LOCAL_ONE         10u

/* ---- requests ---- */

/* Section 4.1.4. */
enum slw_cql_query_flag {
    SLW_CQL_Q_VALUES = 0x01,
    SLW_CQL_Q_SKIP_METADATA = 0x02,
    SLW_CQL_Q_PAGE_SIZE = 0x04,
    SLW_CQL_Q_PAGING_STATE = 0x08,
    SLW_CQL_Q_SERIAL = 0x10,
    SLW_CQL_Q_TIMESTAMP = 0x20,
    SLW_CQL_Q_NAMES = 0x40,
    SLW_CQL_Q_KEYSPACE = 0x80, /* v5 */
    SLW_CQL_Q_NOW = 0x100      /* v5 */
};

/* Values of a request that is read: known to be whole, taken one by one. */
struct slw_cql_values {
    uint16_t count;
    bool named;
    struct slw_cql_in at;
};
/* The next of them; *ret_name has length 0 when they are not named. */
struct slw_cql_value slw_cql_values_next(struct slw_cql_values *v, struct slw_cql_text *ret_name);

struct slw_cql_parameters {
    uint16_t consistency, serial_consistency;
    uint32_t flags;
    struct slw_cql_values values; /* read */
    int32_t page_size;
    struct slw_cql_value paging_state;
    int64_t timestamp;
    struct slw_cql_text keyspace;
    int32_t now;
};

void slw_cql_put_startup(struct slw_buf *b, bool lz4);
struct slw_cql_startup {
    bool cql_version, lz4, other_compression;
};
bool slw_cql_get_startup(struct slw_cql_in *in, struct slw_cql_startup *ret);

/* SASL PLAIN, which is what PasswordAuthenticator wants (section 4.1.2): \0 user \0 password. */
void slw_cql_put_credentials(struct slw_buf *b, struct slw_cql_text user,
                             struct slw_cql_text password);

void slw_cql_put_query(struct slw_buf *b, struct slw_cql_text query);
void slw_cql_put_prepare(struct slw_buf *b, uint8_t version, struct slw_cql_text query);
/* `metadata_id`: of the answer to PREPARE; only v5 has it. */
void slw_cql_put_execute(struct slw_buf *b, uint8_t version, struct slw_cql_text id,
                         struct slw_cql_text metadata_id);
/* After put_query or put_execute; `count` values follow p->flags. */
void slw_cql_put_parameters(struct slw_buf *b, uint8_t version, const struct slw_cql_parameters *p,
                            const struct slw_cql_value *values, size_t count);

bool slw_cql_get_parameters(struct slw_cql_in *in, uint8_t version, struct slw_cql_parameters *ret);

/* BATCH: begin, `count` times a statement with its values, end. */
#define SLW_CQL_MAX_BATCH UINT16_MAX /* statements: the notation is [short] */
enum slw_cql_batch { SLW_CQL_LOGGED, SLW_CQL_UNLOGGED, SLW_CQL_COUNTER };
void slw_cql_put_batch(struct slw_buf *b, enum slw_cql_batch type, size_t count);
void slw_cql_put_batch_prepared(struct slw_buf *b, struct slw_cql_text id,
                                const struct slw_cql_value *values, size_t count);
void slw_cql_put_batch_end(struct slw_buf *b, uint8_t version, uint16_t consistency,
                           const int64_t *timestamp);

/* The same read: get_batch, then each statement, then the parameters. */
struct slw_cql_batch_statement {
    bool prepared;
    struct slw_cql_text text; /* the statement, or its id */
    struct slw_cql_values values;
};
bool slw_cql_get_batch(struct slw_cql_in *in, uint8_t *ret_type, uint16_t *ret_count);
bool slw_cql_get_batch_statement(struct slw_cql_in *in, struct slw_cql_batch_statement *ret);
bool slw_cql_get_batch_end(struct slw_cql_in *in, uint8_t version, struct slw_cql_parameters *ret);

/* ---- responses ---- */

/* Past what flags put before the body: a tracing id, warnings, a payload. */
bool slw_cql_skip_prefix(struct slw_cql_in *in, uint8_t flags);

struct slw_cql_failure {
    int32_t code;
    struct slw_cql_text text;
    struct slw_cql_text write_type; /* WRITE_TIMEOUT */
    struct slw_cql_text id;         /* UNPREPARED */
};
bool slw_cql_get_failure(struct slw_cql_in *in, struct slw_cql_failure *ret);
void slw_cql_put_failure(struct slw_buf *b, int32_t code, struct slw_cql_text text);

/* Section 4.2.5.2: <metadata>. */
enum slw_cql_metadata_flag {
    SLW_CQL_M_GLOBAL = 0x01,
    SLW_CQL_M_MORE = 0x02,
    SLW_CQL_M_NONE = 0x04,
    SLW_CQL_M_CHANGED = 0x08 /* v5: a new metadata id follows */
};
#define SLW_CQL_MAX_COLUMNS 1024
struct slw_cql_metadata {
    uint32_t flags;
    size_t column_count;
    struct slw_cql_value paging_state; /* with M_MORE */
    struct slw_cql_text keyspace, table, new_id;
    struct slw_cql_in columns; /* of slw_cql_get_column; empty with M_NONE */
};
struct slw_cql_column {
    struct slw_cql_text keyspace, table, name;
    struct slw_cql_type type;
};
bool slw_cql_get_column(struct slw_cql_metadata *m, struct slw_cql_column *ret);
bool slw_cql_get_metadata(struct slw_cql_in *in, struct slw_cql_metadata *ret);

struct slw_cql_rows {
    struct slw_cql_metadata metadata;
    size_t row_count;
    struct slw_cql_in content; /* row_count x column_count [bytes], known to be whole */
};
bool slw_cql_get_rows(struct slw_cql_in *in, struct slw_cql_rows *ret);

struct slw_cql_prepared {
    struct slw_cql_text id, metadata_id; /* the latter: v5 */
    struct slw_cql_metadata bound, result;
};
bool slw_cql_get_prepared(struct slw_cql_in *in, uint8_t version, struct slw_cql_prepared *ret);

void slw_cql_put_type(struct slw_buf *b, struct slw_cql_type type);
/* `change`: CREATED, UPDATED, DROPPED; no table: the keyspace changed. */
void slw_cql_put_schema_change(struct slw_buf *b, const char *change, struct slw_cql_text keyspace,
                               struct slw_cql_text table);

#endif

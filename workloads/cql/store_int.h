/* SPDX-License-Identifier: MIT */
/* What the endpoint stores, in memory: keyspaces, tables of one key column, rows. A change is a
 * string of bytes that is made once and applied twice: now, and when the log is read again. Not
 * for: parsing, answering. */
#ifndef SLW_WORKLOADS_CQL_STORE_INT_H
#define SLW_WORKLOADS_CQL_STORE_INT_H

#include "base/hash.h"
#include "workloads/cql/statement_int.h"

/* Limits, so that no client can take the process down. */
#define SLW_CQL_KEYSPACES   64
#define SLW_CQL_TABLES      256
#define SLW_CQL_STORE_BYTES ((size_t)2 << 30)
#define SLW_CQL_MAX_ROWS    (64u << 20)

struct slw_cql_table_column {
    char name[SLW_CQL_NAME_BYTES];
    struct slw_cql_type type;
};

/* The values of a row as RESULT has them: an [int] length and bytes for each column. */
struct slw_cql_row {
    uint8_t *cells; /* NULL: removed; the key may come back */
    size_t length;
    uint8_t *key; /* of its own: stays when the row is removed */
    uint32_t key_length;
};

/* Column 0 is the key; the others are in the order of their names. */
struct slw_cql_table {
    char keyspace[SLW_CQL_NAME_BYTES], name[SLW_CQL_NAME_BYTES];
    uint8_t id[16];       /* tells it from one of this name that was dropped */
    uint64_t incarnation; /* also new after TRUNCATE: pages of before are over */
    size_t column_count;
    struct slw_cql_table_column columns[SLW_CQL_TABLE_COLUMNS];
    struct slw_cql_row *rows;
    uint32_t row_count, row_capacity;
    uint64_t bytes;
    struct slw_index index;
    bool system; /* made up for one request */
};

struct slw_cql_keyspace {
    char name[SLW_CQL_NAME_BYTES];
    unsigned replication;
};

/* Zero-initialise; release with slw_cql_store_release. */
struct slw_cql_store {
    struct slw_cql_keyspace keyspaces[SLW_CQL_KEYSPACES];
    size_t keyspace_count;
    struct slw_cql_table *tables[SLW_CQL_TABLES];
    size_t table_count;
    uint64_t next_incarnation;
    uint64_t schema_version; /* counts changes */
};
void slw_cql_store_release(struct slw_cql_store *s);

/* NULL: there is none. */
struct slw_cql_keyspace *slw_cql_store_keyspace(struct slw_cql_store *s, struct slw_cql_text name);
struct slw_cql_table *slw_cql_store_table(struct slw_cql_store *s, struct slw_cql_text keyspace,
                                          struct slw_cql_text name);

/* Do CREATE, DROP or TRUNCATE; *ret_changed is false when IF [NOT] EXISTS had it so already. */
int slw_cql_store_schema(struct slw_cql_store *s, const struct slw_cql_statement *statement,
                         struct slw_cql_text keyspace, bool *ret_changed,
                         struct slw_cql_refusal *r);

/* A table outside of any store. */
struct slw_cql_table *slw_cql_table_new(struct slw_cql_text keyspace, struct slw_cql_text name);
void slw_cql_table_free(struct slw_cql_table *t); /* NULL is allowed */
/* Index of a column, or -1. */
int slw_cql_table_column(const struct slw_cql_table *t, struct slw_cql_text name);
/* NULL: there is none. */
const struct slw_cql_row *slw_cql_table_find(const struct slw_cql_table *t,
                                             struct slw_cql_value key);
struct slw_cql_value slw_cql_row_value(const struct slw_cql_row *row, size_t column);

/* ---- changes ---- */

/* Begin a change of one row; then `count` times a column and its value. */
enum slw_cql_change { SLW_CQL_PUT, SLW_CQL_REMOVE };
void slw_cql_change_begin(struct slw_buf *b, enum slw_cql_change change,
                          const struct slw_cql_table *t, struct slw_cql_value key, size_t count);
void slw_cql_change_value(struct slw_buf *b, size_t column, struct slw_cql_value v);

/* Apply all changes in these bytes. 0, -SLW_E_NOMEM, -SLW_E_LIMIT, -SLW_E_FORMAT. */
int slw_cql_store_apply(struct slw_cql_store *s, const void *bytes, size_t length);

/* One change; the table is known. */
int slw_cql_table_put(struct slw_cql_table *t, struct slw_cql_value key,
                      const struct slw_cql_value values[], const bool given[]);
int slw_cql_table_remove(struct slw_cql_table *t, struct slw_cql_value key);

#endif

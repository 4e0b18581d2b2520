/* SPDX-License-Identifier: MIT */
/* What is synced when a write is acknowledged: what the server says of itself. Source: the
 * Cassandra documentation, "cassandra.yaml", commitlog_sync; system_views.settings is there
 * since 4.0. */
#include "workloads/drivers/cql/cql_int.h"

#include <stdio.h>
#include <string.h>

#define VALUE_BYTES 32

/* The only value of the only row of a query, cut: 1, 0 when there is no row, or negative. */
static int ask_value(struct slw_cql_connection *c, const char *query, char value[VALUE_BYTES])
{
    const struct slw_cql_parameters p = {.consistency = SLW_CQL_LOCAL_ONE};
    struct slw_buf *b = slw_cql_ask(c, SLW_CQL_QUERY);
    struct slw_cql_envelope m;
    struct slw_cql_rows r;

    slw_cql_put_query(b, slw_cql_text(query));
    slw_cql_put_parameters(b, c->version, &p, NULL, 0);
    int rc = slw_cql_await(c, SLW_CQL_SILENCE_MS, &m, NULL);
    if (rc < 0)
        return rc;
    struct slw_cql_in in = slw_cql_in(m.body, m.length);
    if (m.opcode != SLW_CQL_RESULT || !slw_cql_skip_prefix(&in, m.flags) ||
        slw_cql_get_int(&in) != SLW_CQL_ROWS || !slw_cql_get_rows(&in, &r) ||
        r.metadata.column_count != 1)
        return -SLW_E_FORMAT;
    const struct slw_cql_value v = r.row_count > 0 ? slw_cql_get_bytes(&r.content)
                                                   : (struct slw_cql_value){NULL, SLW_CQL_NULL};
    const int length = v.length < VALUE_BYTES - 1 ? v.length : VALUE_BYTES - 1;
    memset(value, 0, VALUE_BYTES);
    if (length > 0)
        memcpy(value, v.bytes, (size_t)length);
    return length > 0;
}

static const char *meaning(const char *sync)
{
    if (strcmp(sync, "batch") == 0 || strcmp(sync, "group") == 0)
        return "each write is in the synced commit log";
    if (strcmp(sync, "periodic") == 0)
        return "writes are in memory; the commit log is synced from time to time";
    return NULL;
}

int slw_cql_durability(void *connection, char *text, size_t size)
{
    struct slw_cql_connection *c = connection;
    char query[200], value[VALUE_BYTES];

    if (slw_cql_busy(c, NULL) < 0)
        return -SLW_E_GONE;
    (void)snprintf(query, sizeof(query),
                   "SELECT durable_writes FROM system_schema.keyspaces WHERE keyspace_name = '%s'",
                   c->keyspace);
    int rc = ask_value(c, query, value);
    if (rc > 0 && value[0] == 0) {
        (void)snprintf(text, size,
                       "nothing: the keyspace bypasses the commit log (durable_writes)");
        return 0;
    }
    rc = ask_value(c, "SELECT value FROM system_views.settings WHERE name = 'commitlog_sync'",
                   value);
    if (rc <= 0 || !meaning(value))
        return rc < 0 ? rc : -SLW_E_NODATA;
    (void)snprintf(text, size,
                   "%s on as many nodes as the consistency asks for (commitlog_sync=%s)",
                   meaning(value), value);
    return 0;
}

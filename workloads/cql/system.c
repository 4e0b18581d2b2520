/* SPDX-License-Identifier: MIT */
/* What clients ask a node about itself and about what it stores: tables made up for one request.
 * The columns are those of Cassandra 4.0 that clients read. */
#include "workloads/cql/endpoint_int.h"

#include <stdio.h>
#include <string.h>

#define COLUMNS 20

struct definition {
    const char *keyspace, *name;
    /* "name type", the key first; then in any order */
    const char *columns[COLUMNS];
};

static const struct definition definitions[] = {
    {"system",
     "local",
     {"key text", "bootstrapped text", "broadcast_address inet", "broadcast_port int",
      "cluster_name text", "cql_version text", "data_center text", "host_id uuid",
      "listen_address inet", "native_protocol_version text", "partitioner text", "rack text",
      "release_version text", "rpc_address inet", "rpc_port int", "schema_version uuid",
      "tokens set"}},
    {"system",
     "peers",
     {"peer inet", "data_center text", "host_id uuid", "preferred_ip inet", "rack text",
      "release_version text", "rpc_address inet", "schema_version uuid", "tokens set"}},
    {"system_schema",
     "keyspaces",
     {"keyspace_name text", "durable_writes boolean", "replication map"}},
    {"system_schema",
     "tables",
     {"row text", "keyspace_name text", "table_name text", "id uuid", "flags set", "comment text",
      "gc_grace_seconds int", "compaction map", "compression map", "caching map"}},
    {"system_schema",
     "columns",
     {"row text", "keyspace_name text", "table_name text", "column_name text",
      "clustering_order text", "kind text", "position int", "type text"}},
    {"system_schema",
     "dropped_columns",
     {"keyspace_name text", "table_name text", "column_name text", "kind text", "type text"}},
    {"system_schema", "indexes", {"keyspace_name text", "table_name text", "index_name text"}},
    {"system_schema", "triggers", {"keyspace_name text", "table_name text", "trigger_name text"}},
    {"system_schema", "types", {"keyspace_name text", "type_name text"}},
    {"system_schema", "functions", {"keyspace_name text", "function_name text"}},
    {"system_schema", "aggregates", {"keyspace_name text", "aggregate_name text"}},
    {"system_schema", "views", {"keyspace_name text", "view_name text"}},
    {"system_views", "settings", {"name text", "value text"}},
    {"system_virtual_schema", "keyspaces", {"keyspace_name text"}},
    {"system_virtual_schema", "tables", {"keyspace_name text", "table_name text"}},
    {"system_virtual_schema",
     "columns",
     {"keyspace_name text", "table_name text", "column_name text"}},
};
#define DEFINITION_COUNT (sizeof(definitions) / sizeof(definitions[0]))

bool slw_cql_is_system(struct slw_cql_text keyspace)
{
    return slw_cql_same(keyspace, "system") || slw_cql_same(keyspace, "system_schema") ||
           slw_cql_same(keyspace, "system_views") ||
           slw_cql_same(keyspace, "system_virtual_schema");
}

static struct slw_cql_type type_of(struct slw_cql_text name)
{
    struct slw_cql_type type = {.id = SLW_CQL_INET};

    if (slw_cql_same(name, "set"))
        return (struct slw_cql_type){SLW_CQL_SET, {SLW_CQL_VARCHAR, 0}};
    if (slw_cql_same(name, "map"))
        return (struct slw_cql_type){SLW_CQL_MAP, {SLW_CQL_VARCHAR, SLW_CQL_VARCHAR}};
    (void)slw_cql_type_named(name, &type);
    return type;
}

static struct slw_cql_table *define(const struct definition *d)
{
    struct slw_cql_table *t = slw_cql_table_new(slw_cql_text(d->keyspace), slw_cql_text(d->name));

    for (size_t i = 0; t && i < COLUMNS && d->columns[i]; i++) {
        const char *space = strchr(d->columns[i], ' ');
        struct slw_cql_table_column *c = &t->columns[t->column_count++];

        memcpy(c->name, d->columns[i], (size_t)(space - d->columns[i]));
        c->type = type_of(slw_cql_text(space + 1));
    }
    if (t)
        t->system = true;
    return t;
}

/* ---- a row ---- */

struct row {
    struct slw_cql_table *t;
    struct slw_buf bytes[SLW_CQL_TABLE_COLUMNS];
    bool given[SLW_CQL_TABLE_COLUMNS];
    bool failed;
};

static struct slw_buf *cell(struct row *r, const char *column)
{
    const int i = slw_cql_table_column(r->t, slw_cql_text(column));

    r->failed = r->failed || i < 0;
    r->given[i < 0 ? 0 : i] = true;
    return &r->bytes[i < 0 ? 0 : i];
}

static void set_text(struct row *r, const char *column, const char *text)
{
    slw_buf_puts(cell(r, column), text);
}

static void set_int(struct row *r, const char *column, int32_t value)
{
    slw_cql_put_int(cell(r, column), value);
}

static void set_strings(struct row *r, const char *column, const char *const strings[],
                        size_t count, size_t each)
{
    struct slw_buf *b = cell(r, column);

    slw_cql_put_int(b, (int32_t)(count / each));
    for (size_t i = 0; i < count; i++)
        slw_cql_put_bytes(b, strings[i], strlen(strings[i]));
}

static void set_uuid(struct row *r, const char *column, const uint8_t id[16])
{
    slw_buf_put(cell(r, column), id, 16);
}

/* The row is complete: into the table, and ready for the next one. */
static void end_row(struct row *r)
{
    struct slw_cql_value values[SLW_CQL_TABLE_COLUMNS] = {{NULL, 0}};

    for (size_t i = 0; i < r->t->column_count; i++) {
        r->failed = r->failed || r->bytes[i].failed;
        values[i] =
            (struct slw_cql_value){(const uint8_t *)r->bytes[i].data, (int32_t)r->bytes[i].length};
    }
    if (!r->failed && slw_cql_table_put(r->t, values[0], values, r->given) < 0)
        r->failed = true;
    for (size_t i = 0; i < r->t->column_count; i++) {
        slw_buf_release(&r->bytes[i]);
        r->given[i] = false;
    }
}

/* ---- contents ---- */

static void schema_version(const struct slw_cql_endpoint *e, uint8_t ret[16])
{
    memcpy(ret, "schema\x40\0\x80\0\0\0\0\0\0", 16); /* the marks of a random UUID */
    ret[15] = (uint8_t)e->store.schema_version;
    ret[14] = (uint8_t)(e->store.schema_version >> 8);
    ret[13] = (uint8_t)(e->store.schema_version >> 16);
}

static void local(struct row *r, const struct slw_cql_endpoint *e)
{
    static const uint8_t host[16] = "slotwise\x80 node 1", loopback[4] = {127, 0, 0, 1};
    static const char *const tokens[] = {"0"};
    uint8_t version[16];

    schema_version(e, version);
    set_text(r, "key", "local");
    set_text(r, "bootstrapped", "COMPLETED");
    slw_buf_put(cell(r, "broadcast_address"), loopback, sizeof(loopback));
    set_text(r, "cluster_name", "slotwise endpoint");
    set_text(r, "cql_version", "3.4.5");
    set_text(r, "data_center", "datacenter1");
    set_uuid(r, "host_id", host);
    slw_buf_put(cell(r, "listen_address"), loopback, sizeof(loopback));
    set_text(r, "native_protocol_version", e->options.newest == 4 ? "4" : "5");
    set_text(r, "partitioner", "org.apache.cassandra.dht.Murmur3Partitioner");
    set_text(r, "rack", "rack1");
    set_text(r, "release_version", "4.0.0");
    slw_buf_put(cell(r, "rpc_address"), loopback, sizeof(loopback));
    set_int(r, "rpc_port", e->port);
    set_uuid(r, "schema_version", version);
    set_strings(r, "tokens", tokens, 1, 1);
    end_row(r);
}

static void keyspaces(struct row *r, const struct slw_cql_endpoint *e)
{
    for (size_t i = 0; i < e->store.keyspace_count; i++) {
        const struct slw_cql_keyspace *k = &e->store.keyspaces[i];
        char copies[16];

        (void)snprintf(copies, sizeof(copies), "%u", k->replication);
        const char *const replication[] = {"class", "org.apache.cassandra.locator.SimpleStrategy",
                                           "replication_factor", copies};
        set_text(r, "keyspace_name", k->name);
        slw_cql_put_byte(cell(r, "durable_writes"), e->log.fd >= 0);
        set_strings(r, "replication", replication, 4, 2);
        end_row(r);
    }
}

/* "batch" is what Cassandra calls it when a write is synced before it is acknowledged. */
static void view_settings(struct row *r, const struct slw_cql_endpoint *e)
{
    if (e->log.fd < 0)
        return;
    set_text(r, "name", "commitlog_sync");
    set_text(r, "value", "batch");
    end_row(r);
}

static void row_key(struct row *r, const char *a, const char *b, const char *c)
{
    slw_buf_printf(cell(r, "row"), "%s.%s.%s", a, b, c);
}

static void tables(struct row *r, const struct slw_cql_endpoint *e)
{
    static const char *const flags[] = {"compound"};

    for (size_t i = 0; i < e->store.table_count; i++) {
        const struct slw_cql_table *t = e->store.tables[i];

        row_key(r, t->keyspace, t->name, "");
        set_text(r, "keyspace_name", t->keyspace);
        set_text(r, "table_name", t->name);
        set_uuid(r, "id", t->id);
        set_strings(r, "flags", flags, 1, 1);
        set_text(r, "comment", "");
        set_int(r, "gc_grace_seconds", 0);
        set_strings(r, "compaction", NULL, 0, 2);
        set_strings(r, "compression", NULL, 0, 2);
        set_strings(r, "caching", NULL, 0, 2);
        end_row(r);
    }
}

static void columns(struct row *r, const struct slw_cql_endpoint *e)
{
    for (size_t i = 0; i < e->store.table_count; i++) {
        const struct slw_cql_table *t = e->store.tables[i];

        for (size_t j = 0; j < t->column_count; j++) {
            row_key(r, t->keyspace, t->name, t->columns[j].name);
            set_text(r, "keyspace_name", t->keyspace);
            set_text(r, "table_name", t->name);
            set_text(r, "column_name", t->columns[j].name);
            set_text(r, "clustering_order", "none");
            set_text(r, "kind", j == 0 ? "partition_key" : "regular");
            set_int(r, "position", j == 0 ? 0 : -1);
            set_text(r, "type", slw_cql_type_name(t->columns[j].type));
            end_row(r);
        }
    }
}

struct slw_cql_table *slw_cql_system_table(const struct slw_cql_endpoint *e,
                                           struct slw_cql_text keyspace, struct slw_cql_text name)
{
    const struct definition *d = NULL;

    for (size_t i = 0; i < DEFINITION_COUNT; i++)
        if (slw_cql_same(keyspace, definitions[i].keyspace) &&
            slw_cql_same(name, definitions[i].name))
            d = &definitions[i];
    struct row r = {.t = d ? define(d) : NULL};
    if (!r.t)
        return NULL;
    if (slw_cql_same(name, "local"))
        local(&r, e);
    else if (slw_cql_same(name, "settings"))
        view_settings(&r, e);
    else if (slw_cql_same(keyspace, "system_schema") && slw_cql_same(name, "keyspaces"))
        keyspaces(&r, e);
    else if (slw_cql_same(keyspace, "system_schema") && slw_cql_same(name, "tables"))
        tables(&r, e);
    else if (slw_cql_same(keyspace, "system_schema") && slw_cql_same(name, "columns"))
        columns(&r, e);
    if (!r.failed)
        return r.t;
    slw_cql_table_free(r.t);
    return NULL;
}

/* SPDX-License-Identifier: MIT */
/* Statements that change something, and what all statements need. */
#include "workloads/cql/endpoint_int.h"

#include <string.h>

#define RECORD_CHANGES 'c'
#define RECORD_SCHEMA  's'

int slw_cql_term_value(const struct slw_cql_request *q, const struct slw_cql_term *t,
                       struct slw_cql_type type, struct slw_buf *scratch, struct slw_cql_value *ret,
                       struct slw_cql_refusal *r)
{
    const size_t begin = scratch->length;
    struct slw_cql_value v = {NULL, SLW_CQL_NULL};

    if (t->kind == SLW_CQL_BOUND) {
        v = q->bound[t->bound];
        if (!slw_cql_value_fits(type, v))
            return slw_cql_refuse(r, SLW_CQL_E_INVALID, "%d bytes that are no %s", v.length,
                                  slw_cql_type_name(type));
    } else if (t->kind != SLW_CQL_LITERAL_NULL) {
        if (slw_cql_literal(t, type, scratch, r) < 0)
            return -1;
        if (slw_buf_failed(scratch))
            return slw_cql_refuse(r, SLW_CQL_E_SERVER, "out of memory");
        v.length = (int32_t)(scratch->length - begin);
        v.bytes = scratch->data ? (const uint8_t *)scratch->data + begin : NULL;
    }
    *ret = v;
    return 0;
}

int slw_cql_request_table(const struct slw_cql_request *q, struct slw_cql_table **ret,
                          struct slw_cql_table **ret_made, struct slw_cql_refusal *r)
{
    const struct slw_cql_text name = q->statement->table;

    if (!q->keyspace.length)
        return slw_cql_refuse(r, SLW_CQL_E_INVALID,
                              "No keyspace has been specified. USE a keyspace, or explicitly "
                              "specify keyspace.tablename");
    *ret_made = NULL;
    if (slw_cql_is_system(q->keyspace))
        *ret = *ret_made = slw_cql_system_table(q->endpoint, q->keyspace, name);
    else
        *ret = slw_cql_store_table(&q->endpoint->store, q->keyspace, name);
    if (!*ret)
        return slw_cql_refuse(r, SLW_CQL_E_INVALID, "unconfigured table %.*s", (int)name.length,
                              name.bytes);
    return 0;
}

int slw_cql_commit(struct slw_cql_endpoint *e, const struct slw_buf *changes,
                   struct slw_cql_refusal *r)
{
    if (slw_buf_failed(changes) || slw_buf_failed(&e->log.pending))
        return slw_cql_refuse(r, SLW_CQL_E_SERVER, "out of memory");
    if (changes->length <= 1)
        return 0; /* nothing but the kind of the record */
    int rc = slw_cql_store_apply(&e->store, changes->data + 1, changes->length - 1);
    if (rc == -SLW_E_LIMIT)
        return slw_cql_refuse(r, SLW_CQL_E_SERVER, "the endpoint holds no more");
    if (rc < 0)
        return slw_cql_refuse(r, SLW_CQL_E_SERVER, "out of memory");
    slw_cql_log_append(&e->log, changes->data, changes->length);
    return 0;
}

/* ---- schema ---- */

static void log_schema(struct slw_cql_endpoint *e, struct slw_cql_text keyspace,
                       struct slw_cql_text text)
{
    struct slw_buf record = {0};

    slw_cql_put_byte(&record, RECORD_SCHEMA);
    slw_cql_put_string(&record, keyspace);
    slw_cql_put_long_string(&record, text);
    slw_cql_log_append(&e->log, record.data, record.length);
    e->log.pending.failed = e->log.pending.failed || record.failed;
    slw_buf_release(&record);
}

static int replay_schema(struct slw_cql_endpoint *e, struct slw_cql_in *in)
{
    struct slw_cql_refusal r;
    struct slw_cql_text keyspace = slw_cql_get_string(in), text = slw_cql_get_long_string(in);
    struct slw_cql_statement *s = in->bad ? NULL : slw_cql_parse(text, &r);
    bool changed = false;
    int rc = s ? slw_cql_store_schema(&e->store, s, keyspace, &changed, &r) : -1;

    slw_cql_statement_free(s);
    return rc;
}

int slw_cql_replay(void *endpoint, const void *bytes, size_t length)
{
    struct slw_cql_endpoint *e = endpoint;
    struct slw_cql_in in = slw_cql_in(bytes, length);
    const uint8_t kind = slw_cql_get_byte(&in);

    if (kind == RECORD_CHANGES)
        return slw_cql_store_apply(&e->store, in.at, slw_cql_left(&in));
    return kind == RECORD_SCHEMA ? replay_schema(e, &in) : -1;
}

static int execute_schema(const struct slw_cql_request *q, struct slw_buf *body,
                          struct slw_cql_refusal *r)
{
    const struct slw_cql_statement *s = q->statement;
    const bool creates = s->kind == SLW_CQL_CREATE_KEYSPACE || s->kind == SLW_CQL_CREATE_TABLE;
    bool changed = false;

    if (slw_cql_is_system(q->keyspace))
        return slw_cql_refuse(r, SLW_CQL_E_UNAUTHORIZED, "%.*s keyspace is not user-modifiable.",
                              (int)q->keyspace.length, q->keyspace.bytes);
    if (!q->keyspace.length)
        return slw_cql_refuse(r, SLW_CQL_E_INVALID, "No keyspace has been specified.");
    if (slw_cql_store_schema(&q->endpoint->store, s, q->keyspace, &changed, r) < 0)
        return -1;
    if (changed)
        log_schema(q->endpoint, q->keyspace, s->text);
    if (!changed || s->kind == SLW_CQL_TRUNCATE) {
        slw_cql_put_int(body, SLW_CQL_VOID);
        return 0;
    }
    slw_cql_put_int(body, SLW_CQL_SCHEMA_CHANGE);
    slw_cql_put_schema_change(body, creates ? "CREATED" : "DROPPED", q->keyspace, s->table);
    return 0;
}

static int execute_use(const struct slw_cql_request *q, struct slw_buf *body,
                       struct slw_cql_refusal *r)
{
    const struct slw_cql_text name = q->statement->keyspace;

    if (!slw_cql_is_system(name) && !slw_cql_store_keyspace(&q->endpoint->store, name))
        return slw_cql_refuse(r, SLW_CQL_E_INVALID, "Keyspace '%.*s' does not exist",
                              (int)name.length, name.bytes);
    memset(q->client->keyspace, 0, sizeof(q->client->keyspace));
    memcpy(q->client->keyspace, name.bytes, name.length);
    slw_cql_put_int(body, SLW_CQL_SET_KEYSPACE);
    slw_cql_put_string(body, name);
    return 0;
}

/* ---- rows ---- */

/* The key of INSERT is among its columns; that of UPDATE and DELETE is their only condition. */
static int find_key(const struct slw_cql_request *q, const struct slw_cql_table *t,
                    const struct slw_cql_term **ret, struct slw_cql_refusal *r)
{
    const struct slw_cql_statement *s = q->statement;
    const struct slw_cql_text key = slw_cql_text(t->columns[0].name);

    if (s->kind == SLW_CQL_INSERT) {
        for (size_t i = 0; i < s->column_count; i++)
            if (slw_cql_equal(s->columns[i], key))
                *ret = &s->terms[i];
        return *ret
                   ? 0
                   : slw_cql_refuse(r, SLW_CQL_E_INVALID,
                                    "Some partition key parts are missing: %s", t->columns[0].name);
    }
    if (s->condition_count != 1 || !slw_cql_equal(s->conditions[0].column, key) ||
        s->conditions[0].count != 1 || s->conditions[0].list)
        return slw_cql_refuse(r, SLW_CQL_E_INVALID, "WHERE %s = value is expected",
                              t->columns[0].name);
    *ret = &s->terms[s->conditions[0].first];
    return 0;
}

static int change_columns(const struct slw_cql_request *q, const struct slw_cql_table *t,
                          struct slw_buf *scratch, struct slw_buf *changes,
                          struct slw_cql_refusal *r)
{
    const struct slw_cql_statement *s = q->statement;

    for (size_t i = 0; i < s->column_count; i++) {
        const int column = slw_cql_table_column(t, s->columns[i]);
        struct slw_cql_value v = {NULL, SLW_CQL_NULL};

        if (column < 0)
            return slw_cql_refuse(r, SLW_CQL_E_INVALID, "Undefined column name %.*s in table %s.%s",
                                  (int)s->columns[i].length, s->columns[i].bytes, t->keyspace,
                                  t->name);
        if (column == 0 && s->kind == SLW_CQL_UPDATE)
            return slw_cql_refuse(r, SLW_CQL_E_INVALID, "PRIMARY KEY part %s found in SET part",
                                  t->columns[0].name);
        if (slw_cql_term_value(q, &s->terms[i], t->columns[column].type, scratch, &v, r) < 0)
            return -1;
        slw_cql_change_value(changes, (size_t)column, v);
    }
    return 0;
}

/* IF NOT EXISTS, IF EXISTS */
static bool holds(const struct slw_cql_statement *s, const struct slw_cql_row *row)
{
    return !s->conditional || (s->kind == SLW_CQL_INSERT) == (row == NULL);
}

int slw_cql_change(const struct slw_cql_request *q, struct slw_buf *changes,
                   const struct slw_cql_table **ret_table, const struct slw_cql_row **ret_row,
                   bool *ret_applied, struct slw_cql_refusal *r)
{
    const struct slw_cql_statement *s = q->statement;
    const struct slw_cql_term *term = NULL;
    struct slw_cql_table *t = NULL, *made = NULL;
    struct slw_cql_value key = {NULL, SLW_CQL_NULL};
    struct slw_buf scratch = {0}, rest = {0};
    const bool removes = s->kind == SLW_CQL_DELETE;

    if (slw_cql_is_system(q->keyspace))
        return slw_cql_refuse(r, SLW_CQL_E_UNAUTHORIZED, "this keyspace is not yours to change");
    if (slw_cql_request_table(q, &t, &made, r) < 0 || find_key(q, t, &term, r) < 0)
        return -1;
    int rc = slw_cql_term_value(q, term, t->columns[0].type, &scratch, &key, r);
    if (rc == 0 && key.length <= 0)
        rc = slw_cql_refuse(r, SLW_CQL_E_INVALID,
                            "Invalid null or empty value in condition for column %s",
                            t->columns[0].name);
    if (rc == 0) {
        *ret_table = t;
        *ret_row = slw_cql_table_find(t, key);
        *ret_applied = holds(s, *ret_row);
        slw_cql_change_begin(changes, removes ? SLW_CQL_REMOVE : SLW_CQL_PUT, t, key,
                             removes ? 0 : s->column_count);
        rc = removes ? 0 : change_columns(q, t, &rest, changes, r);
    }
    slw_buf_release(&rest);
    slw_buf_release(&scratch);
    return rc;
}

/* The answer to a condition: [applied], and when it did not hold the row that is there. */
static void put_applied(const struct slw_cql_table *t, const struct slw_cql_row *row, bool applied,
                        struct slw_buf *body)
{
    const bool shown = !applied && row;
    const uint8_t value = applied;

    slw_cql_put_int(body, SLW_CQL_ROWS);
    slw_cql_put_int(body, SLW_CQL_M_GLOBAL);
    slw_cql_put_int(body, (int32_t)(1 + (shown ? t->column_count : 0)));
    slw_cql_put_string(body, slw_cql_text(t->keyspace));
    slw_cql_put_string(body, slw_cql_text(t->name));
    slw_cql_put_string(body, SLW_CQL_TEXT("[applied]"));
    slw_cql_put_type(body, (struct slw_cql_type){.id = SLW_CQL_BOOLEAN});
    for (size_t i = 0; shown && i < t->column_count; i++) {
        slw_cql_put_string(body, slw_cql_text(t->columns[i].name));
        slw_cql_put_type(body, t->columns[i].type);
    }
    slw_cql_put_int(body, 1);
    slw_cql_put_bytes(body, &value, 1);
    if (shown)
        slw_buf_put(body, row->cells, row->length);
}

static int execute_change(const struct slw_cql_request *q, struct slw_buf *body,
                          struct slw_cql_refusal *r)
{
    struct slw_buf changes = {0};
    const struct slw_cql_table *t = NULL;
    const struct slw_cql_row *row = NULL;
    bool applied = false;

    slw_cql_put_byte(&changes, RECORD_CHANGES);
    int rc = slw_cql_change(q, &changes, &t, &row, &applied, r);
    if (rc == 0 && q->statement->conditional)
        put_applied(t, row, applied, body); /* before `row` is replaced */
    else if (rc == 0)
        slw_cql_put_int(body, SLW_CQL_VOID);
    if (rc == 0 && applied)
        rc = slw_cql_commit(q->endpoint, &changes, r);
    slw_buf_release(&changes);
    return rc;
}

int slw_cql_execute(const struct slw_cql_request *q, struct slw_buf *body,
                    struct slw_cql_refusal *r)
{
    switch (q->statement->kind) {
    case SLW_CQL_SELECT:
        return slw_cql_select(q, body, r);
    case SLW_CQL_USE:
        return execute_use(q, body, r);
    case SLW_CQL_INSERT:
    case SLW_CQL_UPDATE:
    case SLW_CQL_DELETE:
        return execute_change(q, body, r);
    case SLW_CQL_CREATE_KEYSPACE:
    case SLW_CQL_CREATE_TABLE:
    case SLW_CQL_DROP_KEYSPACE:
    case SLW_CQL_DROP_TABLE:
    case SLW_CQL_TRUNCATE:
        break;
    }
    return execute_schema(q, body, r);
}

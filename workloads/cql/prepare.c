/* SPDX-License-Identifier: MIT */
/* Statements that are prepared, and the values that are bound to markers. */
#include "base/arena.h"
#include "workloads/cql/endpoint_int.h"

#include <string.h>

/* What a marker stands for. */
struct marker {
    struct slw_cql_text name;
    struct slw_cql_type type;
    bool key;
};

static void set_marker(struct marker *m, const struct slw_cql_term *t, struct slw_cql_text name,
                       struct slw_cql_type type, bool key)
{
    if (t->kind == SLW_CQL_BOUND)
        m[t->bound] = (struct marker){t->text.length ? t->text : name, type, key};
}

static int column_of(const struct slw_cql_table *t, struct slw_cql_text name,
                     struct slw_cql_refusal *r)
{
    const int column = slw_cql_table_column(t, name);

    return column >= 0
               ? column
               : slw_cql_refuse(r, SLW_CQL_E_INVALID, "Undefined column name %.*s in table %s.%s",
                                (int)name.length, name.bytes, t->keyspace, t->name);
}

static int condition_markers(const struct slw_cql_statement *s, const struct slw_cql_table *t,
                             const struct slw_cql_condition *c, struct marker *m,
                             struct slw_cql_refusal *r)
{
    const int column = column_of(t, c->column, r);

    if (column < 0)
        return -1;
    struct slw_cql_type type = t->columns[column].type;
    const bool key = column == 0 && c->count == 1 && !c->list;
    if (c->list)
        type = (struct slw_cql_type){SLW_CQL_LIST, {type.id, 0}};
    for (size_t i = 0; i < c->count; i++)
        set_marker(m, &s->terms[c->first + i], c->column, type, key);
    return 0;
}

/* All markers of a statement; `m` has room for SLW_CQL_MAX_TERMS. */
static int find_markers(const struct slw_cql_statement *s, const struct slw_cql_table *t,
                        struct marker *m, struct slw_cql_refusal *r)
{
    const bool sets = s->kind == SLW_CQL_INSERT || s->kind == SLW_CQL_UPDATE;

    for (size_t i = 0; sets && i < s->column_count; i++) {
        const int column = column_of(t, s->columns[i], r);

        if (column < 0)
            return -1;
        set_marker(m, &s->terms[i], s->columns[i], t->columns[column].type, column == 0);
    }
    for (size_t i = 0; i < s->condition_count; i++)
        if (condition_markers(s, t, &s->conditions[i], m, r) < 0)
            return -1;
    if (s->bound_limit)
        set_marker(m, &s->terms[s->limit], SLW_CQL_TEXT("[limit]"),
                   (struct slw_cql_type){.id = SLW_CQL_INT}, false);
    return 0;
}

/* ---- binding ---- */

static int bind_named(struct slw_cql_request *q, struct slw_cql_values values,
                      struct slw_cql_refusal *r)
{
    struct marker m[SLW_CQL_MAX_TERMS] = {{{NULL, 0}, {0}, false}};
    struct slw_cql_table *t = NULL, *made = NULL;

    if (slw_cql_request_table(q, &t, &made, r) < 0)
        return -1;
    int rc = find_markers(q->statement, t, m, r);
    for (size_t i = 0; rc == 0 && i < q->statement->bound_count; i++)
        q->bound[i] = (struct slw_cql_value){NULL, SLW_CQL_UNSET};
    while (rc == 0 && values.count > 0) {
        struct slw_cql_text name;
        const struct slw_cql_value v = slw_cql_values_next(&values, &name);

        for (size_t i = 0; i < q->statement->bound_count; i++)
            if (slw_cql_equal(name, m[i].name))
                q->bound[i] = v;
    }
    slw_cql_table_free(made);
    return rc;
}

int slw_cql_bind(struct slw_cql_request *q, struct slw_cql_values values, struct slw_cql_refusal *r)
{
    struct slw_cql_text unused;

    if (values.named && q->statement->bound_count > 0)
        return bind_named(q, values, r);
    if (values.count != q->statement->bound_count)
        return slw_cql_refuse(r, SLW_CQL_E_INVALID,
                              "Invalid amount of bind variables: %zu expected, %u given",
                              q->statement->bound_count, values.count);
    for (size_t i = 0; values.count > 0; i++)
        q->bound[i] = slw_cql_values_next(&values, &unused);
    return 0;
}

/* ---- statements that are known ---- */

static struct slw_cql_known *find_known(struct slw_cql_endpoint *e, struct slw_cql_text id)
{
    for (size_t i = 0; i < SLW_CQL_PREPAREDS && i < e->known_count; i++)
        if (slw_cql_equal(id, (struct slw_cql_text){(const char *)e->known[i].id, 16}))
            return &e->known[i];
    return NULL;
}

const struct slw_cql_statement *
slw_cql_prepared_find(struct slw_cql_endpoint *e, struct slw_cql_text id, struct slw_cql_refusal *r)
{
    const struct slw_cql_known *k = find_known(e, id);
    uint64_t now = 0;

    if (k && k->incarnation) {
        const struct slw_cql_table *t =
            slw_cql_store_table(&e->store, k->statement->keyspace, k->statement->table);

        now = t ? slw_cql_load_long(t->id + 8) : 0;
    }
    if (k && now == k->incarnation) /* else the table was dropped */
        return k->statement;
    slw_cql_refuse_as(r, SLW_CQL_E_UNPREPARED,
                      "Prepared query with this id not found (either it was not prepared or it "
                      "has been evicted)");
    r->id = id;
    return NULL;
}

/* Takes the statement. */
static struct slw_cql_known *keep(struct slw_cql_endpoint *e, const uint8_t id[16],
                                  struct slw_cql_statement *s, uint64_t incarnation)
{
    struct slw_cql_known *k = find_known(e, (struct slw_cql_text){(const char *)id, 16});

    if (!k)
        k = &e->known[e->known_count++ % SLW_CQL_PREPAREDS];
    slw_cql_statement_free(k->statement);
    *k = (struct slw_cql_known){.statement = s, .incarnation = incarnation};
    memcpy(k->id, id, sizeof(k->id));
    return k;
}

static void make_id(struct slw_cql_text keyspace, struct slw_cql_text text, uint8_t ret[16])
{
    const uint64_t seed = slw_hash_bytes(keyspace.bytes, keyspace.length, 0);

    slw_cql_store_long(ret, slw_hash_bytes(text.bytes, text.length, seed));
    slw_cql_store_long(ret + 8, slw_hash_bytes(text.bytes, text.length, ~seed));
}

/* <metadata> of the markers, section 4.2.5.4. */
static void put_markers(struct slw_buf *b, const struct slw_cql_table *t, const struct marker *m,
                        size_t count)
{
    size_t key = 0;

    while (key < count && !m[key].key)
        key++;
    slw_cql_put_int(b, count > 0 ? SLW_CQL_M_GLOBAL : 0);
    slw_cql_put_int(b, (int32_t)count);
    slw_cql_put_int(b, key < count);
    if (key < count)
        slw_cql_put_short(b, key);
    if (count == 0)
        return;
    slw_cql_put_string(b, slw_cql_text(t->keyspace));
    slw_cql_put_string(b, slw_cql_text(t->name));
    for (size_t i = 0; i < count; i++) {
        slw_cql_put_string(b, m[i].name);
        slw_cql_put_type(b, m[i].type);
    }
}

static int put_result_columns(const struct slw_cql_statement *s, const struct slw_cql_table *t,
                              struct slw_buf *b, struct slw_cql_refusal *r)
{
    struct slw_cql_picks picks;

    if (s->kind != SLW_CQL_SELECT) {
        slw_cql_put_int(b, SLW_CQL_M_NONE);
        slw_cql_put_int(b, 0);
        return 0;
    }
    if (slw_cql_pick(s, t, &picks, r) < 0)
        return -1;
    slw_cql_put_int(b, SLW_CQL_M_GLOBAL);
    slw_cql_put_int(b, s->counts ? 1 : (int32_t)picks.count);
    slw_cql_put_columns(b, s, t, &picks);
    return 0;
}

static int put_prepared(const struct slw_cql_request *q, const struct slw_cql_table *t,
                        const uint8_t id[16], struct slw_buf *body, struct slw_cql_refusal *r)
{
    const struct slw_cql_statement *s = q->statement;
    struct marker m[SLW_CQL_MAX_TERMS] = {{{NULL, 0}, {0}, false}};
    struct slw_cql_picks picks = {0};
    uint8_t metadata_id[16] = {0};

    if (find_markers(s, t, m, r) < 0)
        return -1;
    if (s->kind == SLW_CQL_SELECT) {
        if (slw_cql_pick(s, t, &picks, r) < 0)
            return -1;
        slw_cql_metadata_id(s, t, &picks, metadata_id);
    }
    slw_cql_put_int(body, SLW_CQL_PREPARED);
    slw_cql_put_short_bytes(body, (struct slw_cql_text){(const char *)id, 16});
    if (q->client->version >= 5)
        slw_cql_put_short_bytes(body, (struct slw_cql_text){(const char *)metadata_id, 16});
    put_markers(body, t, m, s->bound_count);
    return put_result_columns(s, t, body, r);
}

static bool about_rows(const struct slw_cql_statement *s)
{
    return s->kind == SLW_CQL_SELECT || s->kind == SLW_CQL_INSERT || s->kind == SLW_CQL_UPDATE ||
           s->kind == SLW_CQL_DELETE;
}

/* From now on the statement is about this keyspace, whatever the client uses later. */
static bool settle(struct slw_cql_statement *s, struct slw_cql_text keyspace)
{
    const char *copy = slw_arena_strndup(s->arena, keyspace.bytes, keyspace.length);

    s->keyspace = (struct slw_cql_text){copy, keyspace.length};
    return copy != NULL;
}

int slw_cql_prepare(struct slw_cql_request *q, struct slw_cql_text text, struct slw_buf *body,
                    struct slw_cql_refusal *r)
{
    struct slw_cql_statement *s = slw_cql_parse(text, r);
    struct slw_cql_table *t = NULL, *made = NULL;
    uint8_t id[16];
    int rc = s ? 0 : -1;

    if (rc == 0 && !about_rows(s))
        rc = slw_cql_refuse(r, SLW_CQL_E_INVALID, "this endpoint prepares statements about rows");
    if (rc == 0) {
        q->statement = s;
        q->keyspace = s->keyspace.length ? s->keyspace : q->keyspace;
        rc = slw_cql_request_table(q, &t, &made, r);
    }
    if (rc == 0 && !settle(s, q->keyspace))
        rc = slw_cql_refuse(r, SLW_CQL_E_SERVER, "out of memory");
    if (rc == 0) {
        make_id(s->keyspace, text, id);
        rc = put_prepared(q, t, id, body, r);
    }
    if (rc == 0)
        (void)keep(q->endpoint, id, s, made ? 0 : slw_cql_load_long(t->id + 8));
    else
        slw_cql_statement_free(s);
    slw_cql_table_free(made);
    return rc;
}

/* SPDX-License-Identifier: MIT */
#include "workloads/cql/store_int.h"

#include <stdlib.h>
#include <string.h>

void slw_cql_store_release(struct slw_cql_store *s)
{
    for (size_t i = 0; i < s->table_count; i++)
        slw_cql_table_free(s->tables[i]);
    *s = (struct slw_cql_store){0};
}

struct slw_cql_keyspace *slw_cql_store_keyspace(struct slw_cql_store *s, struct slw_cql_text name)
{
    for (size_t i = 0; i < s->keyspace_count; i++)
        if (slw_cql_same(name, s->keyspaces[i].name))
            return &s->keyspaces[i];
    return NULL;
}

static size_t table_index(const struct slw_cql_store *s, struct slw_cql_text keyspace,
                          struct slw_cql_text name)
{
    size_t i = 0;

    while (i < s->table_count && !(slw_cql_same(keyspace, s->tables[i]->keyspace) &&
                                   slw_cql_same(name, s->tables[i]->name)))
        i++;
    return i;
}

struct slw_cql_table *slw_cql_store_table(struct slw_cql_store *s, struct slw_cql_text keyspace,
                                          struct slw_cql_text name)
{
    size_t i = table_index(s, keyspace, name);

    return i < s->table_count ? s->tables[i] : NULL;
}

/* ---- schema ---- */

static void renew(struct slw_cql_store *s, struct slw_cql_table *t)
{
    t->incarnation = ++s->next_incarnation;
    memcpy(t->id, "slotwise", 8);
    slw_cql_store_long(t->id + 8, t->incarnation);
}

static int create_keyspace(struct slw_cql_store *s, const struct slw_cql_statement *st,
                           struct slw_cql_refusal *r)
{
    if (s->keyspace_count == SLW_CQL_KEYSPACES)
        return slw_cql_refuse(r, SLW_CQL_E_INVALID, "no more than %d keyspaces", SLW_CQL_KEYSPACES);
    struct slw_cql_keyspace *k = &s->keyspaces[s->keyspace_count++];
    *k = (struct slw_cql_keyspace){.replication = st->replication};
    memcpy(k->name, st->keyspace.bytes, st->keyspace.length);
    return 0;
}

static int by_name(const void *a, const void *b)
{
    const struct slw_cql_table_column *x = a, *y = b;

    return strcmp(x->name, y->name);
}

static int set_columns(struct slw_cql_table *t, const struct slw_cql_statement *st,
                       struct slw_cql_refusal *r)
{
    size_t key = 0, others = 1;

    while (key < st->column_count && !slw_cql_equal(st->columns[key], st->key))
        key++;
    if (key == st->column_count)
        return slw_cql_refuse(r, SLW_CQL_E_INVALID, "the primary key is no column");
    t->column_count = st->column_count;
    for (size_t i = 0; i < st->column_count; i++) {
        struct slw_cql_table_column *c = &t->columns[i == key ? 0 : others++];

        if (slw_cql_table_column(t, st->columns[i]) >= 0)
            return slw_cql_refuse(r, SLW_CQL_E_INVALID, "column '%.*s' twice",
                                  (int)st->columns[i].length, st->columns[i].bytes);
        memcpy(c->name, st->columns[i].bytes, st->columns[i].length);
        c->type = st->types[i];
    }
    qsort(t->columns + 1, t->column_count - 1, sizeof(t->columns[0]), by_name);
    return 0;
}

static int create_table(struct slw_cql_store *s, const struct slw_cql_statement *st,
                        struct slw_cql_text keyspace, struct slw_cql_refusal *r)
{
    if (!slw_cql_store_keyspace(s, keyspace))
        return slw_cql_refuse(r, SLW_CQL_E_INVALID, "keyspace '%.*s' does not exist",
                              (int)keyspace.length, keyspace.bytes);
    if (s->table_count == SLW_CQL_TABLES)
        return slw_cql_refuse(r, SLW_CQL_E_INVALID, "no more than %d tables", SLW_CQL_TABLES);
    struct slw_cql_table *t = slw_cql_table_new(keyspace, st->table);
    if (!t)
        return slw_cql_refuse(r, SLW_CQL_E_SERVER, "out of memory");
    int rc = set_columns(t, st, r);
    if (rc < 0) {
        slw_cql_table_free(t);
        return rc;
    }
    renew(s, t);
    s->tables[s->table_count++] = t;
    return 0;
}

static void drop_table(struct slw_cql_store *s, size_t i)
{
    slw_cql_table_free(s->tables[i]);
    s->tables[i] = s->tables[--s->table_count];
}

static void drop_keyspace(struct slw_cql_store *s, struct slw_cql_keyspace *k)
{
    for (size_t i = s->table_count; i > 0; i--)
        if (strcmp(s->tables[i - 1]->keyspace, k->name) == 0)
            drop_table(s, i - 1);
    *k = s->keyspaces[--s->keyspace_count];
}

static int truncate_table(struct slw_cql_store *s, size_t i, struct slw_cql_refusal *r)
{
    const struct slw_cql_table *old = s->tables[i];
    struct slw_cql_table *t =
        slw_cql_table_new(slw_cql_text(old->keyspace), slw_cql_text(old->name));

    if (!t)
        return slw_cql_refuse(r, SLW_CQL_E_SERVER, "out of memory");
    memcpy(t->columns, old->columns, sizeof(t->columns));
    t->column_count = old->column_count;
    renew(s, t);
    memcpy(t->id, old->id, sizeof(t->id));
    slw_cql_table_free(s->tables[i]);
    s->tables[i] = t;
    return 0;
}

/* Is it there that should not be, or not there that should be? 1: then nothing is to be done. */
static int check_presence(const struct slw_cql_statement *st, bool creates, bool there,
                          struct slw_cql_text keyspace, struct slw_cql_refusal *r)
{
    if (creates != there)
        return 0;
    if (st->conditional)
        return 1;
    if (!creates)
        return slw_cql_refuse(r, SLW_CQL_E_INVALID, "unconfigured %s %.*s",
                              st->table.bytes ? "table" : "keyspace",
                              (int)(st->table.bytes ? st->table : keyspace).length,
                              (st->table.bytes ? st->table : keyspace).bytes);
    slw_cql_refuse_as(r, SLW_CQL_E_ALREADY_EXISTS, "it exists already");
    r->keyspace = keyspace;
    r->table = st->table;
    return -1;
}

int slw_cql_store_schema(struct slw_cql_store *s, const struct slw_cql_statement *st,
                         struct slw_cql_text keyspace, bool *ret_changed, struct slw_cql_refusal *r)
{
    struct slw_cql_keyspace *k = slw_cql_store_keyspace(s, keyspace);
    const size_t i = table_index(s, keyspace, st->table);
    const bool there = st->table.bytes ? i < s->table_count : k != NULL;
    const bool creates = st->kind == SLW_CQL_CREATE_KEYSPACE || st->kind == SLW_CQL_CREATE_TABLE;
    int rc = check_presence(st, creates, there, keyspace, r);

    if (rc == 0 && st->kind == SLW_CQL_CREATE_KEYSPACE)
        rc = create_keyspace(s, st, r);
    else if (rc == 0 && st->kind == SLW_CQL_CREATE_TABLE)
        rc = create_table(s, st, keyspace, r);
    else if (rc == 0 && st->kind == SLW_CQL_TRUNCATE)
        rc = truncate_table(s, i, r);
    else if (rc == 0 && st->kind == SLW_CQL_DROP_TABLE)
        drop_table(s, i);
    else if (rc == 0 && k)
        drop_keyspace(s, k);
    if (rc < 0)
        return rc;
    *ret_changed = rc == 0;
    s->schema_version += rc == 0 && st->kind != SLW_CQL_TRUNCATE;
    return 0;
}

/* ---- changes: [byte change][string keyspace][string table][value key][short n]
 * n times [short column][value] ---- */

void slw_cql_change_begin(struct slw_buf *b, enum slw_cql_change change,
                          const struct slw_cql_table *t, struct slw_cql_value key, size_t count)
{
    slw_cql_put_byte(b, (uint8_t)change);
    slw_cql_put_string(b, slw_cql_text(t->keyspace));
    slw_cql_put_string(b, slw_cql_text(t->name));
    slw_cql_put_value(b, key);
    slw_cql_put_short(b, count);
}

void slw_cql_change_value(struct slw_buf *b, size_t column, struct slw_cql_value v)
{
    slw_cql_put_short(b, column);
    slw_cql_put_value(b, v);
}

static int apply_one(struct slw_cql_store *s, struct slw_cql_in *in)
{
    struct slw_cql_value values[SLW_CQL_TABLE_COLUMNS];
    bool given[SLW_CQL_TABLE_COLUMNS] = {false};
    const uint8_t change = slw_cql_get_byte(in);
    const struct slw_cql_text keyspace = slw_cql_get_string(in), name = slw_cql_get_string(in);
    const struct slw_cql_value key = slw_cql_get_value(in);
    const uint16_t count = slw_cql_get_short(in);
    struct slw_cql_table *t = slw_cql_store_table(s, keyspace, name);

    for (uint16_t i = 0; i < count && !in->bad; i++) {
        const uint16_t column = slw_cql_get_short(in);
        const struct slw_cql_value v = slw_cql_get_value(in);

        if (in->bad || !t || column >= t->column_count)
            return -SLW_E_FORMAT;
        values[column] = v;
        given[column] = v.length != SLW_CQL_UNSET;
    }
    if (in->bad || !t || key.length < 0 || change > SLW_CQL_REMOVE)
        return -SLW_E_FORMAT;
    return change == SLW_CQL_PUT ? slw_cql_table_put(t, key, values, given)
                                 : slw_cql_table_remove(t, key);
}

int slw_cql_store_apply(struct slw_cql_store *s, const void *bytes, size_t length)
{
    struct slw_cql_in in = slw_cql_in(bytes, length);

    while (slw_cql_left(&in) > 0) {
        int rc = apply_one(s, &in);

        if (rc < 0)
            return rc;
    }
    return 0;
}

/* SPDX-License-Identifier: MIT */
/* A table: rows by their key. */
#include "workloads/cql/store_int.h"

#include <stdlib.h>
#include <string.h>

struct slw_cql_table *slw_cql_table_new(struct slw_cql_text keyspace, struct slw_cql_text name)
{
    struct slw_cql_table *t = calloc(1, sizeof(*t));

    if (t) {
        memcpy(t->keyspace, keyspace.bytes, keyspace.length);
        memcpy(t->name, name.bytes, name.length);
    }
    return t;
}

void slw_cql_table_free(struct slw_cql_table *t)
{
    if (!t)
        return;
    for (uint32_t i = 0; i < t->row_count; i++) {
        free(t->rows[i].cells);
        free(t->rows[i].key);
    }
    free(t->rows);
    slw_index_release(&t->index);
    free(t);
}

int slw_cql_table_column(const struct slw_cql_table *t, struct slw_cql_text name)
{
    for (size_t i = 0; i < t->column_count; i++)
        if (slw_cql_same(name, t->columns[i].name))
            return (int)i;
    return -1;
}

struct slw_cql_value slw_cql_row_value(const struct slw_cql_row *row, size_t column)
{
    struct slw_cql_in in = slw_cql_in(row->cells, row->length);

    for (size_t i = 0; i < column; i++)
        (void)slw_cql_get_bytes(&in);
    return slw_cql_get_bytes(&in);
}

static uint64_t hash_of(struct slw_cql_value key)
{
    return slw_hash_key(key.bytes, (size_t)key.length, 0);
}

static bool equal(const void *ctx, uint32_t position, const void *key)
{
    const struct slw_cql_row *row = &((const struct slw_cql_table *)ctx)->rows[position];
    const struct slw_cql_value *v = key;

    return row->key_length == (uint32_t)v->length &&
           memcmp(row->key, v->bytes, row->key_length) == 0;
}

static struct slw_cql_row *find(const struct slw_cql_table *t, struct slw_cql_value key)
{
    uint32_t at = 0;

    if (key.length < 0 || !slw_index_find(&t->index, hash_of(key), equal, t, &key, &at))
        return NULL;
    return &t->rows[at];
}

const struct slw_cql_row *slw_cql_table_find(const struct slw_cql_table *t,
                                             struct slw_cql_value key)
{
    const struct slw_cql_row *row = find(t, key);

    return row && row->cells ? row : NULL;
}

static bool grow(struct slw_cql_table *t)
{
    uint32_t capacity = t->row_capacity ? t->row_capacity * 2 : 64;

    if (t->row_count < t->row_capacity)
        return true;
    struct slw_cql_row *rows = realloc(t->rows, capacity * sizeof(*rows));
    if (!rows)
        return false;
    t->rows = rows;
    t->row_capacity = capacity;
    return true;
}

/* A row of that key, without cells. */
static int add(struct slw_cql_table *t, struct slw_cql_value key, struct slw_cql_row **ret)
{
    if (t->row_count == SLW_CQL_MAX_ROWS)
        return -SLW_E_LIMIT;
    struct slw_cql_row row = {.key = malloc((size_t)key.length + 1),
                              .key_length = (uint32_t)key.length};
    if (!row.key || !grow(t) || slw_index_add(&t->index, hash_of(key), t->row_count) < 0) {
        free(row.key);
        return -SLW_E_NOMEM;
    }
    memcpy(row.key, key.bytes, row.key_length);
    t->rows[t->row_count] = row;
    *ret = &t->rows[t->row_count++];
    t->bytes += sizeof(row) + row.key_length;
    return 0;
}

int slw_cql_table_put(struct slw_cql_table *t, struct slw_cql_value key,
                      const struct slw_cql_value values[], const bool given[])
{
    struct slw_cql_row *row = find(t, key);
    struct slw_cql_in old =
        slw_cql_in(row ? row->cells : NULL, row && row->cells ? row->length : 0);
    const bool had = row && row->cells;
    struct slw_buf cells = {0};
    int rc = 0;

    for (size_t i = 0; i < t->column_count; i++) {
        struct slw_cql_value v = {NULL, SLW_CQL_NULL};

        if (had)
            v = slw_cql_get_bytes(&old);
        slw_cql_put_value(&cells, i == 0 ? key : given[i] ? values[i] : v);
    }
    if (slw_buf_failed(&cells) || !cells.data)
        rc = -SLW_E_NOMEM;
    else if (t->bytes + cells.length > SLW_CQL_STORE_BYTES)
        rc = -SLW_E_LIMIT;
    else if (!row)
        rc = add(t, key, &row);
    char *shrunk = rc == 0 ? realloc(cells.data, cells.length) : NULL;
    if (rc < 0 || !shrunk) {
        slw_buf_release(&cells);
        return rc < 0 ? rc : -SLW_E_NOMEM;
    }
    t->bytes += cells.length - (row->cells ? row->length : 0);
    free(row->cells);
    row->cells = (uint8_t *)shrunk;
    row->length = cells.length;
    return 0;
}

int slw_cql_table_remove(struct slw_cql_table *t, struct slw_cql_value key)
{
    struct slw_cql_row *row = find(t, key);

    if (row && row->cells) {
        t->bytes -= row->length;
        free(row->cells);
        row->cells = NULL;
    }
    return 0;
}

/* SPDX-License-Identifier: MIT */
/* Section 4.2 of the protocol: what a server says. */
#include "workloads/cql/message.h"

/* Types in types: what a server describes is foreign, and read by recursion. */
#define MAX_TYPE_DEPTH 16

const char *slw_cql_code_text(int32_t code)
{
    switch (code) {
#define X(name, value, text)                                                                       \
    case value:                                                                                    \
        return text;
        SLW_CQL_ERROR_CODES(X)
#undef X
    default:
        return "error";
    }
}

bool slw_cql_skip_prefix(struct slw_cql_in *in, uint8_t flags)
{
    if (flags & SLW_CQL_TRACING)
        (void)slw_cql_get_raw(in, 16);
    if (flags & SLW_CQL_WARNING)
        slw_cql_skip_string_list(in);
    if (flags & SLW_CQL_PAYLOAD)
        slw_cql_skip_bytes_map(in);
    return !in->bad;
}

/* ---- ERROR ---- */

bool slw_cql_get_failure(struct slw_cql_in *in, struct slw_cql_failure *ret)
{
    struct slw_cql_failure f = {.code = slw_cql_get_int(in)};

    f.text = slw_cql_get_string(in);
    if (f.code == SLW_CQL_E_WRITE_TIMEOUT) {
        (void)slw_cql_get_short(in); /* <cl><received><blockfor> */
        (void)slw_cql_get_raw(in, 8);
        f.write_type = slw_cql_get_string(in);
    }
    if (f.code == SLW_CQL_E_UNPREPARED)
        f.id = slw_cql_get_short_bytes(in);
    if (!in->bad)
        *ret = f;
    return !in->bad;
}

void slw_cql_put_failure(struct slw_buf *b, int32_t code, struct slw_cql_text text)
{
    slw_cql_put_int(b, code);
    slw_cql_put_string(b, text);
}

/* ---- RESULT ---- */

static bool get_type(struct slw_cql_in *in, unsigned depth, struct slw_cql_type *ret);

static void skip_udt(struct slw_cql_in *in, unsigned depth)
{
    struct slw_cql_type unused;

    (void)slw_cql_get_string(in);
    (void)slw_cql_get_string(in);
    uint16_t count = slw_cql_get_short(in);
    for (uint16_t i = 0; i < count && !in->bad; i++) {
        (void)slw_cql_get_string(in);
        (void)get_type(in, depth, &unused);
    }
}

static void skip_types(struct slw_cql_in *in, size_t count, unsigned depth)
{
    struct slw_cql_type unused;

    for (size_t i = 0; i < count && !in->bad; i++)
        (void)get_type(in, depth, &unused);
}

static bool get_type(struct slw_cql_in *in, unsigned depth, struct slw_cql_type *ret)
{
    struct slw_cql_type t = {.id = slw_cql_get_short(in)}, inner = {0};

    if (depth > MAX_TYPE_DEPTH)
        in->bad = true;
    if (in->bad)
        return false;
    if (t.id == SLW_CQL_CUSTOM)
        (void)slw_cql_get_string(in);
    if (t.id == SLW_CQL_UDT)
        skip_udt(in, depth + 1);
    if (t.id == SLW_CQL_TUPLE)
        skip_types(in, slw_cql_get_short(in), depth + 1);
    const size_t elements = t.id == SLW_CQL_MAP                           ? 2
                            : t.id == SLW_CQL_LIST || t.id == SLW_CQL_SET ? 1
                                                                          : 0;
    for (size_t i = 0; i < elements && get_type(in, depth + 1, &inner); i++)
        t.element[i] = inner.id;
    *ret = t;
    return !in->bad;
}

bool slw_cql_get_column(struct slw_cql_metadata *m, struct slw_cql_column *ret)
{
    struct slw_cql_column c = {.keyspace = m->keyspace, .table = m->table};

    if (!(m->flags & SLW_CQL_M_GLOBAL)) {
        c.keyspace = slw_cql_get_string(&m->columns);
        c.table = slw_cql_get_string(&m->columns);
    }
    c.name = slw_cql_get_string(&m->columns);
    if (!get_type(&m->columns, 0, &c.type))
        return false;
    *ret = c;
    return true;
}

/* <global_table_spec>?<col_spec_1>...<col_spec_n>, walked over once. */
static void get_columns(struct slw_cql_in *in, struct slw_cql_metadata *m)
{
    struct slw_cql_column unused;

    if (m->flags & SLW_CQL_M_GLOBAL) {
        m->keyspace = slw_cql_get_string(in);
        m->table = slw_cql_get_string(in);
    }
    m->columns = *in;
    struct slw_cql_metadata walk = *m;
    for (size_t i = 0; i < m->column_count && !walk.columns.bad; i++)
        (void)slw_cql_get_column(&walk, &unused);
    *in = walk.columns;
    m->columns.end = in->at;
}

static size_t get_count(struct slw_cql_in *in, size_t limit)
{
    int32_t count = slw_cql_get_int(in);

    if (count < 0 || (size_t)count > limit)
        in->bad = true;
    return in->bad ? 0 : (size_t)count;
}

bool slw_cql_get_metadata(struct slw_cql_in *in, struct slw_cql_metadata *ret)
{
    struct slw_cql_metadata m = {.flags = (uint32_t)slw_cql_get_int(in),
                                 .paging_state = {NULL, SLW_CQL_NULL},
                                 .columns = slw_cql_in(NULL, 0)};

    m.column_count = get_count(in, SLW_CQL_MAX_COLUMNS);
    if (m.flags & SLW_CQL_M_MORE)
        m.paging_state = slw_cql_get_bytes(in);
    if (m.flags & SLW_CQL_M_CHANGED)
        m.new_id = slw_cql_get_short_bytes(in);
    if (!(m.flags & SLW_CQL_M_NONE) && !in->bad)
        get_columns(in, &m);
    if (!in->bad)
        *ret = m;
    return !in->bad;
}

bool slw_cql_get_rows(struct slw_cql_in *in, struct slw_cql_rows *ret)
{
    struct slw_cql_rows r;

    if (!slw_cql_get_metadata(in, &r.metadata))
        return false;
    /* Each value has four bytes at least, and a row has a column. */
    const size_t most = r.metadata.column_count == 0 ? 0 : slw_cql_left(in) / 4;
    r.row_count = get_count(in, most);
    r.content = *in;
    for (size_t i = 0; i < r.row_count && !in->bad; i++)
        for (size_t j = 0; j < r.metadata.column_count && !in->bad; j++)
            (void)slw_cql_get_bytes(in);
    r.content.end = in->at;
    if (!in->bad)
        *ret = r;
    return !in->bad;
}

/* Section 4.2.5.4; the metadata of what is bound has the key's columns before its own. */
bool slw_cql_get_prepared(struct slw_cql_in *in, uint8_t version, struct slw_cql_prepared *ret)
{
    struct slw_cql_prepared p = {.id = slw_cql_get_short_bytes(in)};

    if (version >= 5)
        p.metadata_id = slw_cql_get_short_bytes(in);
    p.bound.flags = (uint32_t)slw_cql_get_int(in);
    p.bound.column_count = get_count(in, SLW_CQL_MAX_COLUMNS);
    p.bound.paging_state = (struct slw_cql_value){NULL, SLW_CQL_NULL};
    const size_t keys = get_count(in, SLW_CQL_MAX_COLUMNS);
    for (size_t i = 0; i < keys && !in->bad; i++)
        (void)slw_cql_get_short(in);
    get_columns(in, &p.bound);
    if (in->bad || !slw_cql_get_metadata(in, &p.result))
        return false;
    *ret = p;
    return true;
}

void slw_cql_put_type(struct slw_buf *b, struct slw_cql_type type)
{
    slw_cql_put_short(b, type.id);
    if (type.id == SLW_CQL_LIST || type.id == SLW_CQL_SET || type.id == SLW_CQL_MAP)
        slw_cql_put_short(b, type.element[0]);
    if (type.id == SLW_CQL_MAP)
        slw_cql_put_short(b, type.element[1]);
}

void slw_cql_put_schema_change(struct slw_buf *b, const char *change, struct slw_cql_text keyspace,
                               struct slw_cql_text table)
{
    slw_cql_put_string(b, slw_cql_text(change));
    slw_cql_put_string(b, table.bytes ? SLW_CQL_TEXT("TABLE") : SLW_CQL_TEXT("KEYSPACE"));
    slw_cql_put_string(b, keyspace);
    if (table.bytes)
        slw_cql_put_string(b, table);
}

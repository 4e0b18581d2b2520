/* SPDX-License-Identifier: MIT */
/* Section 4.1 of the protocol: what a client says. */
#include "workloads/cql/message.h"

#include <assert.h>

static void put_entry(struct slw_buf *b, const char *key, const char *value)
{
    slw_cql_put_string(b, slw_cql_text(key));
    slw_cql_put_string(b, slw_cql_text(value));
}

void slw_cql_put_startup(struct slw_buf *b, bool lz4)
{
    slw_cql_put_short(b, lz4 ? 4 : 3);
    put_entry(b, "CQL_VERSION", "3.0.0");
    put_entry(b, "DRIVER_NAME", "slotwise");
    put_entry(b, "DRIVER_VERSION", SLW_VERSION);
    if (lz4)
        put_entry(b, "COMPRESSION", "lz4");
}

bool slw_cql_get_startup(struct slw_cql_in *in, struct slw_cql_startup *ret)
{
    uint16_t count = slw_cql_get_short(in);
    struct slw_cql_startup s = {0};

    for (uint16_t i = 0; i < count && !in->bad; i++) {
        struct slw_cql_text key = slw_cql_get_string(in), value = slw_cql_get_string(in);

        if (slw_cql_same(key, "CQL_VERSION"))
            s.cql_version = true;
        if (slw_cql_same(key, "COMPRESSION")) {
            s.lz4 = slw_cql_same(value, "lz4");
            s.other_compression = !s.lz4 && value.length > 0;
        }
    }
    if (!in->bad)
        *ret = s;
    return !in->bad;
}

void slw_cql_put_credentials(struct slw_buf *b, struct slw_cql_text user,
                             struct slw_cql_text password)
{
    assert(user.length < UINT16_MAX && password.length < UINT16_MAX);
    slw_cql_put_int(b, (int32_t)(2 + user.length + password.length));
    slw_cql_put_byte(b, 0);
    slw_buf_put(b, user.bytes, user.length);
    slw_cql_put_byte(b, 0);
    slw_buf_put(b, password.bytes, password.length);
}

void slw_cql_put_query(struct slw_buf *b, struct slw_cql_text query)
{
    slw_cql_put_long_string(b, query);
}

void slw_cql_put_prepare(struct slw_buf *b, uint8_t version, struct slw_cql_text query)
{
    slw_cql_put_long_string(b, query);
    if (version >= 5)
        slw_cql_put_int(b, 0); /* flags: no keyspace follows */
}

void slw_cql_put_execute(struct slw_buf *b, uint8_t version, struct slw_cql_text id,
                         struct slw_cql_text metadata_id)
{
    slw_cql_put_short_bytes(b, id);
    if (version >= 5)
        slw_cql_put_short_bytes(b, metadata_id);
}

/* v5 made the flags of QUERY, EXECUTE and BATCH an [int]. */
static void put_flags(struct slw_buf *b, uint8_t version, uint32_t flags)
{
    if (version >= 5)
        slw_cql_put_int(b, (int32_t)flags);
    else
        slw_cql_put_byte(b, (uint8_t)flags);
}

static void put_values(struct slw_buf *b, const struct slw_cql_value *values, size_t count)
{
    slw_cql_put_short(b, count);
    for (size_t i = 0; i < count; i++)
        slw_cql_put_value(b, values[i]);
}

void slw_cql_put_parameters(struct slw_buf *b, uint8_t version, const struct slw_cql_parameters *p,
                            const struct slw_cql_value *values, size_t count)
{
    assert(!(p->flags & (SLW_CQL_Q_NAMES | SLW_CQL_Q_KEYSPACE | SLW_CQL_Q_NOW)));
    slw_cql_put_short(b, p->consistency);
    put_flags(b, version, p->flags);
    if (p->flags & SLW_CQL_Q_VALUES)
        put_values(b, values, count);
    if (p->flags & SLW_CQL_Q_PAGE_SIZE)
        slw_cql_put_int(b, p->page_size);
    if (p->flags & SLW_CQL_Q_PAGING_STATE)
        slw_cql_put_value(b, p->paging_state);
    if (p->flags & SLW_CQL_Q_SERIAL)
        slw_cql_put_short(b, p->serial_consistency);
    if (p->flags & SLW_CQL_Q_TIMESTAMP)
        slw_cql_put_long(b, p->timestamp);
}

/* Walk over the values once, so that a reader may take them without looking. */
static struct slw_cql_values get_values(struct slw_cql_in *in, bool named)
{
    struct slw_cql_values v = {.count = slw_cql_get_short(in), .named = named};

    v.at = *in;
    for (uint16_t i = 0; i < v.count && !in->bad; i++) {
        if (named)
            (void)slw_cql_get_string(in);
        (void)slw_cql_get_value(in);
    }
    v.at.end = in->at;
    return v;
}

struct slw_cql_value slw_cql_values_next(struct slw_cql_values *v, struct slw_cql_text *ret_name)
{
    assert(v->count > 0);
    v->count--;
    *ret_name = v->named ? slw_cql_get_string(&v->at) : (struct slw_cql_text){NULL, 0};
    return slw_cql_get_value(&v->at);
}

static uint32_t get_flags(struct slw_cql_in *in, uint8_t version)
{
    return version >= 5 ? (uint32_t)slw_cql_get_int(in) : slw_cql_get_byte(in);
}

/* What QUERY, EXECUTE and BATCH have in common at their end. */
static void get_tail(struct slw_cql_in *in, uint8_t version, struct slw_cql_parameters *p)
{
    if (p->flags & SLW_CQL_Q_SERIAL)
        p->serial_consistency = slw_cql_get_short(in);
    if (p->flags & SLW_CQL_Q_TIMESTAMP)
        p->timestamp = slw_cql_get_long(in);
    if (version >= 5 && (p->flags & SLW_CQL_Q_KEYSPACE))
        p->keyspace = slw_cql_get_string(in);
    if (version >= 5 && (p->flags & SLW_CQL_Q_NOW))
        p->now = slw_cql_get_int(in);
}

bool slw_cql_get_parameters(struct slw_cql_in *in, uint8_t version, struct slw_cql_parameters *ret)
{
    struct slw_cql_parameters p = {.consistency = slw_cql_get_short(in),
                                   .paging_state = {NULL, SLW_CQL_NULL}};

    p.flags = get_flags(in, version);
    if (p.flags & SLW_CQL_Q_VALUES)
        p.values = get_values(in, (p.flags & SLW_CQL_Q_NAMES) != 0);
    if (p.flags & SLW_CQL_Q_PAGE_SIZE)
        p.page_size = slw_cql_get_int(in);
    if (p.flags & SLW_CQL_Q_PAGING_STATE)
        p.paging_state = slw_cql_get_bytes(in);
    get_tail(in, version, &p);
    if (!in->bad)
        *ret = p;
    return !in->bad;
}

/* ---- BATCH, section 4.1.7 ---- */

void slw_cql_put_batch(struct slw_buf *b, enum slw_cql_batch type, size_t count)
{
    slw_cql_put_byte(b, (uint8_t)type);
    slw_cql_put_short(b, count);
}

void slw_cql_put_batch_prepared(struct slw_buf *b, struct slw_cql_text id,
                                const struct slw_cql_value *values, size_t count)
{
    slw_cql_put_byte(b, 1);
    slw_cql_put_short_bytes(b, id);
    put_values(b, values, count);
}

void slw_cql_put_batch_end(struct slw_buf *b, uint8_t version, uint16_t consistency,
                           const int64_t *timestamp)
{
    slw_cql_put_short(b, consistency);
    put_flags(b, version, timestamp ? SLW_CQL_Q_TIMESTAMP : 0);
    if (timestamp)
        slw_cql_put_long(b, *timestamp);
}

bool slw_cql_get_batch(struct slw_cql_in *in, uint8_t *ret_type, uint16_t *ret_count)
{
    uint8_t type = slw_cql_get_byte(in);
    uint16_t count = slw_cql_get_short(in);

    if (in->bad || type > SLW_CQL_COUNTER)
        return false;
    *ret_type = type;
    *ret_count = count;
    return true;
}

bool slw_cql_get_batch_statement(struct slw_cql_in *in, struct slw_cql_batch_statement *ret)
{
    struct slw_cql_batch_statement s = {0};
    uint8_t kind = slw_cql_get_byte(in);

    in->bad = in->bad || kind > 1;
    s.prepared = kind == 1;
    s.text = s.prepared ? slw_cql_get_short_bytes(in) : slw_cql_get_long_string(in);
    /* "this feature does not work and should not be used": values of a batch have no names. */
    s.values = get_values(in, false);
    if (!in->bad)
        *ret = s;
    return !in->bad;
}

bool slw_cql_get_batch_end(struct slw_cql_in *in, uint8_t version, struct slw_cql_parameters *ret)
{
    struct slw_cql_parameters p = {.consistency = slw_cql_get_short(in)};

    p.flags = get_flags(in, version);
    get_tail(in, version, &p);
    if (in->bad || (p.flags & SLW_CQL_Q_NAMES))
        return false;
    *ret = p;
    return true;
}

/* SPDX-License-Identifier: MIT */
#include "workloads/cql/wire.h"

#include <assert.h>
#include <string.h>

struct slw_cql_text slw_cql_text(const char *s)
{
    return (struct slw_cql_text){s, s ? strlen(s) : 0};
}

bool slw_cql_equal(struct slw_cql_text a, struct slw_cql_text b)
{
    return a.length == b.length && (a.length == 0 || memcmp(a.bytes, b.bytes, a.length) == 0);
}

bool slw_cql_same(struct slw_cql_text a, const char *b)
{
    return slw_cql_equal(a, slw_cql_text(b));
}

/* ---- reading ---- */

struct slw_cql_in slw_cql_in(const void *bytes, size_t length)
{
    static const uint8_t nothing[1];
    const uint8_t *at = bytes ? bytes : nothing;

    return (struct slw_cql_in){at, at + (bytes ? length : 0), false};
}

size_t slw_cql_left(const struct slw_cql_in *in)
{
    return (size_t)(in->end - in->at);
}

const uint8_t *slw_cql_get_raw(struct slw_cql_in *in, size_t length)
{
    const uint8_t *at = in->at;

    if (in->bad || slw_cql_left(in) < length) {
        in->bad = true;
        in->at = in->end;
        return NULL;
    }
    in->at += length;
    return at;
}

static uint64_t get_number(struct slw_cql_in *in, size_t bytes)
{
    const uint8_t *p = slw_cql_get_raw(in, bytes);
    uint64_t value = 0;

    for (size_t i = 0; p && i < bytes; i++)
        value = value << 8 | p[i];
    return value;
}

uint8_t slw_cql_get_byte(struct slw_cql_in *in)
{
    return (uint8_t)get_number(in, 1);
}

uint16_t slw_cql_get_short(struct slw_cql_in *in)
{
    return (uint16_t)get_number(in, 2);
}

int32_t slw_cql_get_int(struct slw_cql_in *in)
{
    return (int32_t)(uint32_t)get_number(in, 4);
}

int64_t slw_cql_get_long(struct slw_cql_in *in)
{
    return (int64_t)get_number(in, 8);
}

static struct slw_cql_text get_text(struct slw_cql_in *in, size_t length)
{
    const uint8_t *p = slw_cql_get_raw(in, length);

    return p ? (struct slw_cql_text){(const char *)p, length} : (struct slw_cql_text){NULL, 0};
}

struct slw_cql_text slw_cql_get_string(struct slw_cql_in *in)
{
    return get_text(in, slw_cql_get_short(in));
}

struct slw_cql_text slw_cql_get_short_bytes(struct slw_cql_in *in)
{
    return get_text(in, slw_cql_get_short(in));
}

struct slw_cql_text slw_cql_get_long_string(struct slw_cql_in *in)
{
    int32_t length = slw_cql_get_int(in);

    if (length < 0)
        in->bad = true;
    return get_text(in, length < 0 ? 0 : (size_t)length);
}

static struct slw_cql_value get_sized(struct slw_cql_in *in, int32_t lowest)
{
    int32_t length = slw_cql_get_int(in);
    const uint8_t *bytes = NULL;

    if (length < lowest)
        in->bad = true;
    if (length >= 0)
        bytes = slw_cql_get_raw(in, (size_t)length);
    if (in->bad)
        return (struct slw_cql_value){NULL, SLW_CQL_NULL};
    return (struct slw_cql_value){bytes, length};
}

struct slw_cql_value slw_cql_get_bytes(struct slw_cql_in *in)
{
    struct slw_cql_value v = get_sized(in, INT32_MIN);

    v.length = v.length < 0 ? SLW_CQL_NULL : v.length;
    return v;
}

struct slw_cql_value slw_cql_get_value(struct slw_cql_in *in)
{
    return get_sized(in, SLW_CQL_UNSET);
}

void slw_cql_skip_string_list(struct slw_cql_in *in)
{
    uint16_t count = slw_cql_get_short(in);

    for (uint16_t i = 0; i < count && !in->bad; i++)
        (void)slw_cql_get_string(in);
}

void slw_cql_skip_bytes_map(struct slw_cql_in *in)
{
    uint16_t count = slw_cql_get_short(in);

    for (uint16_t i = 0; i < count && !in->bad; i++) {
        (void)slw_cql_get_string(in);
        (void)slw_cql_get_bytes(in);
    }
}

/* ---- writing ---- */

void slw_cql_store_int(void *place, uint32_t value)
{
    uint8_t *p = place;

    for (size_t i = 0; i < 4; i++)
        p[i] = (uint8_t)(value >> (24 - 8 * i));
}

void slw_cql_store_long(void *place, uint64_t value)
{
    slw_cql_store_int(place, (uint32_t)(value >> 32));
    slw_cql_store_int((uint8_t *)place + 4, (uint32_t)value);
}

uint64_t slw_cql_load_long(const void *place)
{
    const uint8_t *p = place;
    uint64_t value = 0;

    for (size_t i = 0; i < 8; i++)
        value = value << 8 | p[i];
    return value;
}

void slw_cql_put_byte(struct slw_buf *b, uint8_t value)
{
    slw_buf_put(b, &value, 1);
}

void slw_cql_put_short(struct slw_buf *b, size_t value)
{
    assert(value <= UINT16_MAX);
    const uint8_t bytes[2] = {(uint8_t)(value >> 8), (uint8_t)value};

    slw_buf_put(b, bytes, sizeof(bytes));
}

void slw_cql_put_int(struct slw_buf *b, int32_t value)
{
    uint8_t bytes[4];

    slw_cql_store_int(bytes, (uint32_t)value);
    slw_buf_put(b, bytes, sizeof(bytes));
}

void slw_cql_put_long(struct slw_buf *b, int64_t value)
{
    uint8_t bytes[8];

    slw_cql_store_long(bytes, (uint64_t)value);
    slw_buf_put(b, bytes, sizeof(bytes));
}

void slw_cql_put_string(struct slw_buf *b, struct slw_cql_text s)
{
    slw_cql_put_short(b, s.length);
    slw_buf_put(b, s.bytes, s.length);
}

void slw_cql_put_short_bytes(struct slw_buf *b, struct slw_cql_text s)
{
    slw_cql_put_string(b, s);
}

void slw_cql_put_long_string(struct slw_buf *b, struct slw_cql_text s)
{
    slw_cql_put_bytes(b, s.bytes, s.length);
}

void slw_cql_put_bytes(struct slw_buf *b, const void *bytes, size_t length)
{
    assert(length <= INT32_MAX);
    slw_cql_put_int(b, (int32_t)length);
    slw_buf_put(b, bytes, length);
}

void slw_cql_put_value(struct slw_buf *b, struct slw_cql_value v)
{
    slw_cql_put_int(b, v.length);
    if (v.length > 0)
        slw_buf_put(b, v.bytes, (size_t)v.length);
}

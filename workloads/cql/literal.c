/* SPDX-License-Identifier: MIT */
/* Types, and literals as columns have them. Source: section 5 of native_protocol_v5.spec. */
#include "workloads/cql/statement_int.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NUMBER_TEXT 64

static const struct {
    const char *name;
    uint16_t id;
    int8_t size; /* bytes of a value; 0: any number */
} types[] = {
    {"ascii", SLW_CQL_ASCII, 0},     {"bigint", SLW_CQL_BIGINT, 8},
    {"blob", SLW_CQL_BLOB, 0},       {"boolean", SLW_CQL_BOOLEAN, 1},
    {"double", SLW_CQL_DOUBLE, 8},   {"float", SLW_CQL_FLOAT, 4},
    {"int", SLW_CQL_INT, 4},         {"smallint", SLW_CQL_SMALLINT, 2},
    {"text", SLW_CQL_VARCHAR, 0},    {"timestamp", SLW_CQL_TIMESTAMP, 8},
    {"tinyint", SLW_CQL_TINYINT, 1}, {"uuid", SLW_CQL_UUID, 16},
    {"varchar", SLW_CQL_VARCHAR, 0},
};
#define TYPE_COUNT (sizeof(types) / sizeof(types[0]))

bool slw_cql_type_named(struct slw_cql_text name, struct slw_cql_type *ret)
{
    for (size_t i = 0; i < TYPE_COUNT; i++) {
        if (slw_cql_same(name, types[i].name)) {
            *ret = (struct slw_cql_type){.id = types[i].id};
            return true;
        }
    }
    return false;
}

const char *slw_cql_type_name(struct slw_cql_type type)
{
    for (size_t i = 0; i < TYPE_COUNT; i++)
        if (types[i].id == type.id)
            return types[i].name;
    return "unknown";
}

static size_t size_of(struct slw_cql_type type)
{
    for (size_t i = 0; i < TYPE_COUNT; i++)
        if (types[i].id == type.id)
            return (size_t)types[i].size;
    return 0;
}

static bool is_utf8(const uint8_t *p, size_t length)
{
    for (size_t i = 0; i < length;) {
        const uint8_t c = p[i];
        const size_t more = c < 0x80   ? 0
                            : c < 0xc2 ? 4
                            : c < 0xe0 ? 1
                            : c < 0xf0 ? 2
                            : c < 0xf5 ? 3
                                       : 4;

        if (more == 4 || length - i <= more)
            return false;
        for (size_t j = 1; j <= more; j++)
            if ((p[i + j] & 0xc0) != 0x80)
                return false;
        i += more + 1;
    }
    return true;
}

bool slw_cql_value_fits(struct slw_cql_type type, struct slw_cql_value v)
{
    const size_t size = size_of(type);

    if (v.length <= 0)
        return true; /* null, not set, or the "empty" value */
    if (size > 0)
        return (size_t)v.length == size;
    if (type.id == SLW_CQL_ASCII)
        for (int32_t i = 0; i < v.length; i++)
            if (v.bytes[i] > 127)
                return false;
    return type.id != SLW_CQL_VARCHAR || is_utf8(v.bytes, (size_t)v.length);
}

static void put_number(struct slw_buf *to, uint64_t value, size_t size)
{
    for (size_t i = size; i > 0; i--)
        slw_cql_put_byte(to, (uint8_t)(value >> 8 * (i - 1)));
}

static int bad(const struct slw_cql_term *t, struct slw_cql_type type, struct slw_cql_refusal *r)
{
    return slw_cql_refuse(r, SLW_CQL_E_INVALID, "'%.*s' is no %s",
                          (int)(t->text.length < 40 ? t->text.length : 40),
                          t->text.bytes ? t->text.bytes : "", slw_cql_type_name(type));
}

static bool number_text(const struct slw_cql_term *t, char text[NUMBER_TEXT])
{
    if (t->text.length == 0 || t->text.length >= NUMBER_TEXT)
        return false;
    memcpy(text, t->text.bytes, t->text.length);
    text[t->text.length] = '\0';
    return true;
}

static int integer(const struct slw_cql_term *t, struct slw_cql_type type, struct slw_buf *to,
                   struct slw_cql_refusal *r)
{
    const size_t size = size_of(type);
    char text[NUMBER_TEXT], *end = NULL;

    if (!number_text(t, text))
        return bad(t, type, r);
    errno = 0;
    const long long value = strtoll(text, &end, 10);
    const int64_t most = (int64_t)(UINT64_MAX >> (65 - 8 * size));
    if (errno || *end || value > most || value < -most - 1)
        return bad(t, type, r);
    put_number(to, (uint64_t)value, size);
    return 0;
}

static int decimal(const struct slw_cql_term *t, struct slw_cql_type type, struct slw_buf *to,
                   struct slw_cql_refusal *r)
{
    char text[NUMBER_TEXT], *end = NULL;
    uint32_t small = 0;
    uint64_t bits = 0;

    if (!number_text(t, text))
        return bad(t, type, r);
    const double value = strtod(text, &end);
    const float narrow = (float)value;
    if (*end)
        return bad(t, type, r);
    memcpy(&bits, &value, sizeof(bits));
    memcpy(&small, &narrow, sizeof(small));
    put_number(to, type.id == SLW_CQL_FLOAT ? small : bits, size_of(type));
    return 0;
}

static uint8_t digit(char c)
{
    return (uint8_t)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
}

/* Hexadecimal digits, known to be such; dashes do not count. */
static void put_hexadecimal(struct slw_buf *to, struct slw_cql_text text)
{
    uint8_t high = 0;
    bool half = false;

    for (size_t i = 0; i < text.length; i++) {
        if (text.bytes[i] == '-')
            continue;
        if (half)
            slw_cql_put_byte(to, (uint8_t)(high << 4 | digit(text.bytes[i])));
        high = digit(text.bytes[i]);
        half = !half;
    }
}

static bool is_integer(uint16_t id)
{
    return id == SLW_CQL_BIGINT || id == SLW_CQL_INT || id == SLW_CQL_SMALLINT ||
           id == SLW_CQL_TINYINT || id == SLW_CQL_TIMESTAMP;
}

static bool is_decimal(uint16_t id)
{
    return id == SLW_CQL_DOUBLE || id == SLW_CQL_FLOAT;
}

static int string(const struct slw_cql_term *t, struct slw_cql_type type, struct slw_buf *to,
                  struct slw_cql_refusal *r)
{
    const struct slw_cql_value v = {(const uint8_t *)t->text.bytes, (int32_t)t->text.length};

    if ((type.id != SLW_CQL_VARCHAR && type.id != SLW_CQL_ASCII) || !slw_cql_value_fits(type, v))
        return bad(t, type, r);
    slw_buf_put(to, t->text.bytes, t->text.length);
    return 0;
}

int slw_cql_literal(const struct slw_cql_term *t, struct slw_cql_type type, struct slw_buf *to,
                    struct slw_cql_refusal *r)
{
    switch (t->kind) {
    case SLW_CQL_LITERAL_STRING:
        return string(t, type, to, r);
    case SLW_CQL_LITERAL_INTEGER:
        if (is_decimal(type.id))
            return decimal(t, type, to, r);
        return is_integer(type.id) ? integer(t, type, to, r) : bad(t, type, r);
    case SLW_CQL_LITERAL_DECIMAL:
        return is_decimal(type.id) ? decimal(t, type, to, r) : bad(t, type, r);
    case SLW_CQL_LITERAL_TRUE:
    case SLW_CQL_LITERAL_FALSE:
        if (type.id != SLW_CQL_BOOLEAN)
            return bad(t, type, r);
        slw_cql_put_byte(to, t->kind == SLW_CQL_LITERAL_TRUE);
        return 0;
    case SLW_CQL_LITERAL_BLOB:
    case SLW_CQL_LITERAL_UUID:
        if (type.id != (t->kind == SLW_CQL_LITERAL_BLOB ? SLW_CQL_BLOB : SLW_CQL_UUID))
            return bad(t, type, r);
        put_hexadecimal(to, t->text);
        return 0;
    case SLW_CQL_BOUND:
    case SLW_CQL_LITERAL_NULL:
        break;
    }
    return bad(t, type, r);
}

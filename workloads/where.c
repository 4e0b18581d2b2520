/* SPDX-License-Identifier: MIT */
#include "workloads/where.h"

#include "base/parse.h"

#include <stdio.h>
#include <string.h>

#define FORMS "write host:port, [address]:port or /path/of/socket"

static int refuse(struct slw_error *err, const char *text, const char *why)
{
    slw_error_hint(err, FORMS);
    return slw_fail(err, SLW_E_INVAL, "'%.200s' is no place of a server: %s", text, why);
}

static int copy(char *to, const char *from, size_t length, const char *text, struct slw_error *err)
{
    if (length == 0)
        return refuse(err, text, "there is no host");
    if (length >= SLW_WHERE_BYTES)
        return refuse(err, text, "it is too long");
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)from[i] <= ' ' || from[i] == 0x7f)
            return refuse(err, text, "it has a space or a control character");
    memcpy(to, from, length);
    to[length] = '\0';
    return 0;
}

/* What follows the host: nothing, or ":port". */
static int parse_port(const char *rest, const char *text, uint16_t *port, struct slw_error *err)
{
    uint64_t value;

    if (rest[0] == '\0')
        return 0;
    if (rest[0] != ':')
        return refuse(err, text, "something follows the bracket");
    if (strspn(rest + 1, "0123456789") != strlen(rest + 1) ||
        slw_parse_u64(rest + 1, "port", 1, UINT16_MAX, &value, NULL) < 0)
        return refuse(err, text, "a port is a number from 1 to 65535");
    *port = (uint16_t)value;
    return 0;
}

int slw_where_parse(const char *text, uint16_t usual_port, struct slw_where *ret_where,
                    struct slw_error *err)
{
    struct slw_where w = {.port = usual_port};
    const char *rest;
    int rc;

    if (!text)
        text = "127.0.0.1";
    if (text[0] == '/') {
        rc = copy(w.path, text, strlen(text), text, err);
        rest = "";
    } else if (text[0] == '[') {
        const char *end = strchr(text, ']');
        if (!end)
            return refuse(err, text, "the bracket is not closed");
        rc = copy(w.host, text + 1, (size_t)(end - text) - 1, text, err);
        rest = end + 1;
    } else {
        const size_t length = strcspn(text, ":");
        if (text[length] && strchr(text + length + 1, ':'))
            return refuse(err, text, "an IPv6 address stands in brackets");
        rc = copy(w.host, text, length, text, err);
        rest = text + length;
    }
    if (rc == 0)
        rc = parse_port(rest, text, &w.port, err);
    if (rc == 0)
        *ret_where = w;
    return rc;
}

void slw_where_text(const struct slw_where *w, char *text, size_t size)
{
    if (w->path[0])
        (void)snprintf(text, size, "%s", w->path);
    else
        (void)snprintf(text, size, "%s port %u", w->host, (unsigned)w->port);
}

int slw_table_check(const char *table, struct slw_error *err)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
    static const char others[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";
    const size_t length = strlen(table);

    if (length == 0 || length > 48 || !strchr(letters, table[0]) ||
        strspn(table, others) != length) {
        slw_error_hint(err, "choose letters, digits and _, 48 at most, and no digit first");
        return slw_fail(err, SLW_E_INVAL, "'%.100s' is no name for a table here", table);
    }
    return 0;
}

/* SPDX-License-Identifier: MIT */
#include "push/entry.h"

#include "push/encode.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define SCHEMA 1

static unsigned long checksum(const void *bytes, size_t length)
{
    return crc32_z(0, bytes, length);
}

static void put_head(const struct slw_push_entry *e, struct slw_buf *out)
{
    slw_buf_printf(out, "{\"schema\":%d,\"kind\":", SCHEMA);
    slw_push_put_json(out, e->kind->name);
    slw_buf_puts(out, ",\"url\":");
    slw_push_put_json(out, e->url);
    slw_buf_puts(out, ",\"suffix\":");
    slw_push_put_json(out, e->suffix);
    slw_buf_printf(out, ",\"length\":%zu,\"crc32\":%lu}\n", e->length,
                   checksum(e->body, e->length));
}

int slw_push_entry_write(const struct slw_push_entry *e, struct slw_buf *out, struct slw_error *err)
{
    put_head(e, out);
    slw_buf_put(out, e->body, e->length);
    return slw_buf_failed(out) ? slw_fail(err, SLW_E_NOMEM, "no memory to keep a request") : 0;
}

static int bad(struct slw_error *err, const char *why)
{
    return slw_fail(err, SLW_E_FORMAT, "a request that was kept %s", why);
}

static int take_text(const json_t *j, const char *key, char **ret_text, struct slw_error *err)
{
    const char *text = json_string_value(json_object_get(j, key));

    if (!text)
        return bad(err, "does not say where to");
    for (const unsigned char *c = (const unsigned char *)text; *c; c++)
        if (*c <= ' ' || *c >= 0x7f)
            return bad(err, "has a malformed URL");
    *ret_text = strdup(text);
    return *ret_text ? 0 : slw_fail(err, SLW_E_NOMEM, "no memory for a request");
}

static int read_head(const json_t *j, struct slw_push_entry *e, struct slw_error *err)
{
    const json_t *schema = json_object_get(j, "schema");
    const char *kind = json_string_value(json_object_get(j, "kind"));

    if (!json_is_integer(schema) || json_integer_value(schema) < 1)
        return bad(err, "has no schema");
    if (json_integer_value(schema) > SCHEMA)
        return slw_fail(err, SLW_E_VERSION, "a request was kept by a newer slotwise");
    e->kind = kind ? slw_push_kind_find(kind) : NULL;
    if (!e->kind)
        return bad(err, "is for no kind of server that is known");
    int rc = take_text(j, "url", &e->owned[0], err);
    if (rc >= 0)
        rc = take_text(j, "suffix", &e->owned[1], err);
    e->url = e->owned[0];
    e->suffix = e->owned[1];
    return rc;
}

static int check_body(const json_t *j, const struct slw_push_entry *e, struct slw_error *err)
{
    const json_t *length = json_object_get(j, "length"), *crc = json_object_get(j, "crc32");

    if (!json_is_integer(length) || !json_is_integer(crc) ||
        json_integer_value(length) != (json_int_t)e->length)
        return bad(err, "is cut off");
    if (json_integer_value(crc) != (json_int_t)checksum(e->body, e->length))
        return bad(err, "is damaged");
    return 0;
}

/* The first line is ours to the letter: a request is not sent to where a damaged one says. */
static int check_head(const struct slw_push_entry *e, const char *line, size_t length,
                      struct slw_error *err)
{
    struct slw_buf same = {0};
    int rc = 0;

    put_head(e, &same);
    if (slw_buf_failed(&same))
        rc = slw_fail(err, SLW_E_NOMEM, "no memory to read a request that was kept");
    else if (same.length != length + 1 || memcmp(same.data, line, length) != 0)
        rc = bad(err, "is damaged");
    slw_buf_release(&same);
    return rc;
}

static int read_entry(const char *bytes, size_t line, size_t length,
                      struct slw_push_entry *ret_entry, struct slw_error *err)
{
    struct slw_push_entry e = {.body = bytes + line + 1, .length = length - line - 1};
    json_t *j = json_loadb(bytes, line, JSON_REJECT_DUPLICATES, NULL);
    int rc = json_is_object(j) ? read_head(j, &e, err) : bad(err, "has a first line of no JSON");

    if (rc >= 0)
        rc = check_body(j, &e, err);
    if (rc >= 0)
        rc = check_head(&e, bytes, line, err);
    json_decref(j);
    if (rc < 0)
        slw_push_entry_release(&e);
    else
        *ret_entry = e;
    return rc;
}

/* When memory runs out, jansson finds no JSON in what is, or loses letters; and what is broken is
 * deleted. So it is called broken when it is with memory to spare. */
int slw_push_entry_read(const void *bytes, size_t length, struct slw_push_entry *ret_entry,
                        struct slw_error *err)
{
    const size_t look = length < SLW_PUSH_MAX_LINE ? length : SLW_PUSH_MAX_LINE;
    const char *end = look ? memchr(bytes, '\n', look) : NULL;
    void *spare = NULL;

    if (!end)
        return bad(err, "has no first line");
    const size_t line = (size_t)(end - (const char *)bytes);
    int rc = read_entry(bytes, line, length, ret_entry, NULL);
    if (rc == 0)
        return 0;
    spare = malloc(8 * (size_t)SLW_PUSH_MAX_LINE);
    if (!spare)
        return slw_fail(err, SLW_E_NOMEM, "no memory to read a request that was kept");
    free(spare);
    return read_entry(bytes, line, length, ret_entry, err);
}

void slw_push_entry_release(struct slw_push_entry *e)
{
    free(e->owned[0]);
    free(e->owned[1]);
    *e = (struct slw_push_entry){0};
}

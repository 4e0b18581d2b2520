/* SPDX-License-Identifier: MIT */
#include "analyzer/json_value.h"

#include "analyzer/format.h"
#include "analyzer/text.h"

#include <assert.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>

json_t *slw_json_text(const char *s)
{
    struct slw_buf b = {0};

    if (!s)
        return json_null();
    while (*s) {
        uint32_t code;
        size_t n = slw_text_decode(s, &code);

        if (n > 0)
            slw_buf_put(&b, s, n);
        else
            slw_buf_puts(&b, "\xef\xbf\xbd");
        s += n ? n : 1;
    }
    json_t *text = slw_buf_failed(&b) ? NULL : json_string_nocheck(b.data ? b.data : "");
    slw_buf_release(&b);
    return text;
}

json_t *slw_json_integer(uint64_t value)
{
    char digits[24];

    if (value <= INT64_MAX)
        return json_integer((json_int_t)value);
    (void)snprintf(digits, sizeof(digits), "%llu", (unsigned long long)value);
    return json_string_nocheck(digits);
}

json_t *slw_json_real(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

void slw_json_put(struct slw_json *j, json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new_nocheck(object, key, value) < 0)
        j->failed = true;
}

void slw_json_push(struct slw_json *j, json_t *array, json_t *value)
{
    if (json_array_append_new(array, value) < 0)
        j->failed = true;
}

static bool is_utf8(const char *s)
{
    while (*s) {
        uint32_t code;
        size_t n = slw_text_decode(s, &code);

        if (n == 0)
            return false;
        s += n;
    }
    return true;
}

static json_t *hex(const char *s)
{
    struct slw_buf b = {0};

    for (; *s; s++)
        slw_buf_printf(&b, "%02x", (unsigned)(unsigned char)*s);
    json_t *text = slw_buf_failed(&b) ? NULL : json_string_nocheck(b.data ? b.data : "");
    slw_buf_release(&b);
    return text;
}

void slw_json_put_text(struct slw_json *j, json_t *object, const char *key, const char *text)
{
    char hex_key[64];

    slw_json_put(j, object, key, slw_json_text(text));
    if (!text || is_utf8(text))
        return;
    (void)snprintf(hex_key, sizeof(hex_key), "%s_hex", key);
    slw_json_put(j, object, hex_key, hex(text));
}

void slw_json_put_provenance(struct slw_json *j, json_t *object, const struct slw_provenance *from)
{
    slw_json_put(j, object, "source", json_string_nocheck(slw_format_source(from->source)));
    slw_json_put(j, object, "imported", json_boolean(from->imported));
    slw_json_put_text(j, object, "source_detail", from->detail);
}

void slw_json_put_maybe(struct slw_json *j, json_t *object, const char *key,
                        const struct slw_maybe_u64 *n)
{
    json_t *maybe = json_object();

    slw_json_put(j, maybe, "value", n->absent ? json_null() : slw_json_integer(n->value));
    slw_json_put_text(j, maybe, "absent", n->absent);
    slw_json_put(j, object, key, maybe);
}

void slw_json_put_figure(struct slw_json *j, json_t *object, const char *key,
                         const struct slw_figure *f)
{
    json_t *o = json_object();

    slw_json_put(j, o, "value", f->absent ? json_null() : slw_json_real(f->value));
    slw_json_put_text(j, o, "unit", f->unit);
    slw_json_put_text(j, o, "absent", f->absent);
    slw_json_put(j, object, key, o);
}

json_t *slw_json_labels(struct slw_json *j, const struct slw_label *labels, size_t count)
{
    json_t *array = json_array();

    for (size_t i = 0; i < count; i++) {
        json_t *o = json_object();

        slw_json_put_text(j, o, "key", labels[i].key);
        slw_json_put_text(j, o, "value", labels[i].value);
        slw_json_push(j, array, o);
    }
    return array;
}

json_t *slw_json_notes(struct slw_json *j, const struct slw_note *notes, size_t count)
{
    json_t *array = json_array();

    for (size_t i = 0; i < count; i++) {
        const struct slw_note *n = &notes[i];
        json_t *o = json_object();

        slw_json_put_text(j, o, "level", n->level == SLW_NOTE_WARNING ? "warning" : "info");
        slw_json_put_text(j, o, "code", n->code);
        slw_json_put_text(j, o, "text", n->text);
        slw_json_put_text(j, o, "hint", n->hint);
        slw_json_push(j, array, o);
    }
    return array;
}

json_t *slw_json_done(const struct slw_json *j, json_t *json)
{
    if (!j->failed)
        return json;
    json_decref(json);
    return NULL;
}

void slw_json_put_escape(struct slw_buf *out, uint32_t code)
{
    if (code < 0x10000) {
        slw_buf_printf(out, "\\u%04x", (unsigned)code);
        return;
    }
    code -= 0x10000;
    slw_buf_printf(out, "\\u%04x\\u%04x", (unsigned)(0xd800 + (code >> 10)),
                   (unsigned)(0xdc00 + (code & 0x3ff)));
}

void slw_json_print(struct slw_buf *out, const char *text)
{
    const char *start = text;

    while (*text) {
        uint32_t code = 0;
        size_t n = slw_text_decode(text, &code);

        assert(n > 0); /* only UTF-8 went in */
        if (code != '\n' && slw_text_is_unsafe(code)) {
            slw_buf_put(out, start, (size_t)(text - start));
            slw_json_put_escape(out, code);
            start = text + n;
        }
        text += n;
    }
    slw_buf_puts(out, start);
    slw_buf_putc(out, '\n');
}

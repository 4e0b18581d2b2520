/* SPDX-License-Identifier: MIT */
#include "models/json_pos.h"

#include "models/json_cursor.h"

#include <stdlib.h>
#include <string.h>

struct scan {
    const char *text;
    size_t length;
    size_t at;
};

static char peek(const struct scan *s)
{
    return s->at < s->length ? s->text[s->at] : '\0';
}

static void skip_space(struct scan *s)
{
    while (s->at < s->length && strchr(" \t\r\n", s->text[s->at]))
        s->at++;
}

/* Past the closing quote. */
static void skip_string(struct scan *s)
{
    for (s->at++; s->at < s->length && s->text[s->at] != '"'; s->at++)
        s->at += s->text[s->at] == '\\';
    s->at++;
}

/* Past one value, without recursion: brackets are counted, strings stepped over. */
static void skip_value(struct scan *s)
{
    size_t depth = 0;

    do {
        skip_space(s);
        const char c = peek(s);
        if (c == '"') {
            skip_string(s);
        } else if (c == '{' || c == '[') {
            depth++;
            s->at++;
        } else if (c == '}' || c == ']') {
            depth -= depth > 0;
            s->at++;
        } else if (c == ',' || c == ':') {
            s->at++;
        } else {
            while (s->at < s->length && !strchr(",]} \t\r\n", s->text[s->at]))
                s->at++;
        }
        skip_space(s);
    } while (depth > 0 && s->at < s->length);
}

/* Is the string at s->at, decoded, equal to key? */
static int key_equals(const struct scan *s, const char *key)
{
    struct scan end = *s;
    const size_t length = strlen(key);

    skip_string(&end);
    if (end.at > end.length)
        return 0;
    const char *raw = s->text + s->at;
    const size_t raw_length = end.at - s->at;
    if (!memchr(raw, '\\', raw_length))
        return raw_length == length + 2 && memcmp(raw + 1, key, length) == 0;
    json_t *decoded = json_loadb(raw, raw_length, JSON_DECODE_ANY, NULL);
    const char *string = json_string_value(decoded);
    const int same = string && strcmp(string, key) == 0;
    json_decref(decoded);
    return same;
}

/* Step from an object's or array's start to the wanted entry. False: it is not there. */
static int enter(struct scan *s, const struct slw_json *at, size_t *key_at)
{
    struct scan t = *s;

    t.at++;
    for (size_t index = 0;; index++) {
        skip_space(&t);
        if (t.at >= t.length || peek(&t) == '}' || peek(&t) == ']')
            return 0;
        const size_t start = t.at;
        int found = !at->key && index == at->index;
        if (at->key) {
            found = key_equals(&t, at->key);
            skip_string(&t);
            skip_space(&t);
            t.at++; /* the colon */
            skip_space(&t);
        }
        if (found) {
            *key_at = start;
            *s = t;
            return 1;
        }
        skip_value(&t);
        t.at += peek(&t) == ',';
    }
}

size_t slw_json_offset(const char *text, size_t length, const struct slw_json *at, int key_itself)
{
    struct scan s = {.text = text, .length = length};
    size_t key_at = 0;

    if (!at->up) {
        skip_space(&s);
        return s.at;
    }
    s.at = slw_json_offset(text, length, at->up, 0);
    if (!enter(&s, at, &key_at))
        return s.at;
    return key_itself ? key_at : s.at;
}

/* Bytes a JSON escape stands for: \u0041 is one, \u00e9 two, \u20ac three, a surrogate half two. */
static size_t escape_bytes(const char *text, size_t length, size_t at, size_t *decoded)
{
    char hex[5] = {0};

    *decoded = 1;
    if (at + 1 >= length || text[at + 1] != 'u')
        return 2;
    if (at + 6 <= length)
        memcpy(hex, text + at + 2, 4);
    const unsigned long code = strtoul(hex, NULL, 16);
    if (code >= 0xd800 && code < 0xe000)
        *decoded = 2;
    else
        *decoded = code < 0x80 ? 1 : code < 0x800 ? 2 : 3;
    return 6;
}

size_t slw_json_string_offset(const char *text, size_t length, size_t offset, size_t decoded)
{
    size_t at = offset + 1, seen = 0;

    while (at < length && text[at] != '"' && seen < decoded) {
        size_t step = 1, bytes = 1;
        if (text[at] == '\\')
            step = escape_bytes(text, length, at, &bytes);
        at += step;
        seen += bytes;
    }
    return at < length ? at : offset;
}

void slw_json_line_column(const char *text, size_t offset, unsigned *ret_line, unsigned *ret_column)
{
    unsigned line = 1, column = 1;

    for (size_t i = 0; i < offset; i++) {
        if (text[i] == '\n') {
            line++;
            column = 1;
        } else if (((unsigned char)text[i] & 0xc0) != 0x80) {
            column++;
        }
    }
    *ret_line = line;
    *ret_column = column;
}

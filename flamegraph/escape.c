/* SPDX-License-Identifier: MIT */
#include "flamegraph/escape.h"

#include <stdbool.h>
#include <string.h>

#define REPLACEMENT 0xFFFD
#define ELLIPSIS    0x2026

/* Sequence length and the least character that may use it, by the lead byte; 0: not a lead. */
static int lead(unsigned char byte, uint32_t *bits, uint32_t *least)
{
    if (byte >= 0xF0 && byte <= 0xF4) {
        *bits = byte & 0x07U;
        *least = 0x10000;
        return 4;
    }
    if (byte >= 0xE0 && byte <= 0xEF) {
        *bits = byte & 0x0FU;
        *least = 0x800;
        return 3;
    }
    if (byte >= 0xC2 && byte <= 0xDF) {
        *bits = byte & 0x1FU;
        *least = 0x80;
        return 2;
    }
    return 0;
}

/* A bad sequence costs one byte, so that what follows it is still read. */
static uint32_t decode(const char **text)
{
    const unsigned char *p = (const unsigned char *)*text;
    uint32_t c = p[0], least = 0;

    if (c < 0x80) {
        *text += 1;
        return c;
    }
    const int length = lead(p[0], &c, &least);
    for (int i = 1; i < length; i++) {
        if ((p[i] & 0xC0) != 0x80) { /* also the closing NUL */
            *text += 1;
            return REPLACEMENT;
        }
        c = c << 6 | (p[i] & 0x3FU);
    }
    if (length == 0 || c < least || c > 0x10FFFF) {
        *text += 1;
        return REPLACEMENT;
    }
    *text += length;
    return c;
}

/* Zero-width, bidirectional and separator characters: they make a name look like another. */
static bool deceives(uint32_t c)
{
    return (c >= 0x80 && c <= 0x9F) || c == 0xAD || c == 0x061C || (c >= 0x200B && c <= 0x200F) ||
           (c >= 0x2028 && c <= 0x202E) || (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF ||
           (c >= 0xFFF0 && c <= 0xFFFB) || (c >= 0xE0000 && c <= 0xE0FFF);
}

uint32_t slw_escape_next(const char **text)
{
    const uint32_t c = (unsigned char)**text ? decode(text) : 0;

    if (c == 0)
        return 0;
    if (c < 0x20)
        return 0x2400 + c;
    if (c == 0x7F)
        return 0x2421;
    if (deceives(c) || (c >= 0xD800 && c <= 0xDFFF) || (c & 0xFFFE) == 0xFFFE)
        return REPLACEMENT;
    return c;
}

int slw_escape_columns(uint32_t c)
{
    const bool wide = (c >= 0x1100 && c <= 0x115F) || (c >= 0x2E80 && c <= 0xA4CF) ||
                      (c >= 0xAC00 && c <= 0xD7A3) || (c >= 0xF900 && c <= 0xFAFF) ||
                      (c >= 0xFE30 && c <= 0xFE6F) || (c >= 0xFF00 && c <= 0xFF60) ||
                      (c >= 0xFFE0 && c <= 0xFFE6) || (c >= 0x1F300 && c <= 0x1FAFF) ||
                      (c >= 0x20000 && c <= 0x3FFFD);

    return wide ? 2 : 1;
}

static void put_utf8(struct slw_buf *out, uint32_t c)
{
    char bytes[4];
    size_t length = 0;

    if (c < 0x80) {
        bytes[length++] = (char)c;
    } else if (c < 0x800) {
        bytes[length++] = (char)(0xC0 | c >> 6);
    } else if (c < 0x10000) {
        bytes[length++] = (char)(0xE0 | c >> 12);
        bytes[length++] = (char)(0x80 | (c >> 6 & 0x3F));
    } else {
        bytes[length++] = (char)(0xF0 | c >> 18);
        bytes[length++] = (char)(0x80 | (c >> 12 & 0x3F));
        bytes[length++] = (char)(0x80 | (c >> 6 & 0x3F));
    }
    if (c >= 0x80)
        bytes[length++] = (char)(0x80 | (c & 0x3F));
    slw_buf_put(out, bytes, length);
}

static void put_char(struct slw_buf *out, uint32_t c)
{
    switch (c) {
    case '&':
        slw_buf_puts(out, "&amp;");
        break;
    case '<':
        slw_buf_puts(out, "&lt;");
        break;
    case '>':
        slw_buf_puts(out, "&gt;");
        break;
    case '"':
        slw_buf_puts(out, "&quot;");
        break;
    case '\'':
        slw_buf_puts(out, "&#39;");
        break;
    default:
        put_utf8(out, c);
        break;
    }
}

/* Does the text fit? Stops as soon as it does not: names can be long. */
static bool fits(const char *text, int columns)
{
    uint32_t c;

    while ((c = slw_escape_next(&text)) != 0) {
        columns -= slw_escape_columns(c);
        if (columns < 0)
            return false;
    }
    return true;
}

void slw_escape_put(struct slw_buf *out, const char *text, int columns)
{
    const bool whole = fits(text, columns);
    uint32_t c;

    if (!whole)
        columns--; /* for the ellipsis */
    while ((c = slw_escape_next(&text)) != 0) {
        columns -= slw_escape_columns(c);
        if (columns < 0)
            break;
        put_char(out, c);
    }
    if (!whole)
        put_utf8(out, ELLIPSIS);
}

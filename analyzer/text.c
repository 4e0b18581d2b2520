/* SPDX-License-Identifier: MIT */
#include "analyzer/text.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

struct range {
    uint32_t first, last;
};

/* `ranges` are in order. Most text comes before the first. */
static bool in_ranges(uint32_t code, const struct range *ranges, size_t count)
{
    if (code < ranges[0].first)
        return false;
    for (size_t i = 0; i < count; i++)
        if (code >= ranges[i].first && code <= ranges[i].last)
            return true;
    return false;
}

/* Invisible or direction-changing: Unicode category Cf and the line separators (Trojan Source,
 * CVE-2021-42574). */
static bool is_hidden(uint32_t code)
{
    static const struct range hidden[] = {
        {0x00ad, 0x00ad},   {0x061c, 0x061c},   {0x180e, 0x180e}, {0x200b, 0x200f},
        {0x2028, 0x202e},   {0x2060, 0x206f},   {0xfeff, 0xfeff}, {0xfff9, 0xfffb},
        {0x1d173, 0x1d17a}, {0xe0000, 0xe007f},
    };
    return in_ranges(code, hidden, sizeof(hidden) / sizeof(hidden[0]));
}

/* East Asian Wide and Fullwidth blocks, Unicode TR 11; emoji. */
static bool is_wide(uint32_t code)
{
    static const struct range wide[] = {
        {0x1100, 0x115f},   {0x2e80, 0x303e},   {0x3041, 0x33ff}, {0x3400, 0x4dbf},
        {0x4e00, 0x9fff},   {0xa000, 0xa4cf},   {0xac00, 0xd7a3}, {0xf900, 0xfaff},
        {0xfe30, 0xfe6f},   {0xff00, 0xff60},   {0xffe0, 0xffe6}, {0x1f300, 0x1f64f},
        {0x1f900, 0x1f9ff}, {0x20000, 0x3fffd},
    };
    return in_ranges(code, wide, sizeof(wide) / sizeof(wide[0]));
}

static bool is_combining(uint32_t code)
{
    static const struct range combining[] = {
        {0x0300, 0x036f}, {0x0483, 0x0489}, {0x0591, 0x05bd}, {0x064b, 0x065f}, {0x1ab0, 0x1aff},
        {0x1dc0, 0x1dff}, {0x20d0, 0x20ff}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f},
    };
    return in_ranges(code, combining, sizeof(combining) / sizeof(combining[0]));
}

size_t slw_text_decode(const char *s, uint32_t *ret_code)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *b = (const unsigned char *)s;
    size_t length = b[0] < 0x80 ? 1 : b[0] < 0xc2 ? 0 : b[0] < 0xe0 ? 2 : b[0] < 0xf0 ? 3 : 4;

    if (b[0] == 0 || length == 0 || b[0] > 0xf4)
        return 0;
    uint32_t code = length == 1 ? b[0] : b[0] & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((b[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (b[i] & 0x3f);
    }
    if (code < least[length] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
        return 0;
    *ret_code = code;
    return length;
}

static bool is_control(uint32_t code)
{
    return code < 0x20 || (code >= 0x7f && code < 0xa0);
}

bool slw_text_is_unsafe(uint32_t code)
{
    return is_control(code) || is_hidden(code);
}

void slw_text_clean(struct slw_buf *out, const char *s)
{
    while (*s) {
        uint32_t code = 0;
        size_t n = slw_text_decode(s, &code);

        if (n == 0)
            slw_buf_printf(out, "\\x%02x", (unsigned)(unsigned char)*s);
        else if (is_control(code))
            slw_buf_printf(out, "\\x%02x", (unsigned)code);
        else if (is_hidden(code))
            slw_buf_printf(out, "\\u{%04x}", (unsigned)code);
        else
            slw_buf_put(out, s, n);
        s += n ? n : 1;
    }
}

static size_t columns_of(uint32_t code)
{
    return is_combining(code) ? 0 : is_wide(code) ? 2 : 1;
}

static size_t columns_in(const char *s, size_t bytes)
{
    size_t columns = 0;

    for (size_t i = 0; i < bytes;) {
        uint32_t code = 0;
        size_t n = slw_text_decode(s + i, &code);

        columns += n ? columns_of(code) : 1;
        i += n ? n : 1;
    }
    return columns;
}

size_t slw_text_columns(const char *s)
{
    return columns_in(s, strlen(s));
}

/* Bytes of the longest prefix of valid UTF-8 text of at most `columns`. */
static size_t prefix_bytes(const char *s, size_t columns)
{
    size_t bytes = 0, used = 0;

    while (s[bytes]) {
        uint32_t code = 0;
        size_t n = slw_text_decode(s + bytes, &code);

        if (n == 0 || used + columns_of(code) > columns)
            break;
        used += columns_of(code);
        bytes += n;
    }
    return bytes;
}

/* Where the suffix of at most `columns` starts. */
static size_t suffix_start(const char *s, size_t columns)
{
    size_t all = slw_text_columns(s), skip = all > columns ? all - columns : 0;
    size_t bytes = 0, used = 0;

    while (s[bytes] && used < skip) {
        uint32_t code = 0;
        size_t n = slw_text_decode(s + bytes, &code);

        used += n ? columns_of(code) : 1;
        bytes += n ? n : 1;
    }
    return bytes;
}

void slw_text_fit(struct slw_buf *out, const char *s, size_t columns)
{
    struct slw_buf clean = {0};

    assert(columns > 0);
    slw_text_clean(&clean, s);
    const char *text = clean.data ? clean.data : "";
    if (slw_text_columns(text) <= columns) {
        slw_buf_puts(out, text);
    } else {
        size_t head = columns / 2, tail = columns - 1 - head;
        slw_buf_put(out, text, prefix_bytes(text, head));
        slw_buf_puts(out, "…");
        slw_buf_puts(out, text + suffix_start(text, tail));
    }
    if (slw_buf_failed(&clean))
        out->failed = true;
    slw_buf_release(&clean);
}

void slw_text_cell(struct slw_buf *out, const char *s, size_t columns)
{
    size_t before = out->length;

    slw_text_fit(out, s, columns);
    if (slw_buf_failed(out))
        return;
    size_t used = out->data ? slw_text_columns(out->data + before) : 0;
    for (; used < columns; used++)
        slw_buf_putc(out, ' ');
}

static void new_line(struct slw_buf *out, size_t indent)
{
    slw_buf_putc(out, '\n');
    for (size_t i = 0; i < indent; i++)
        slw_buf_putc(out, ' ');
}

/* One word on lines of its own as far as it is longer than a line; returns the columns used. */
static size_t wrap_long_word(struct slw_buf *out, const char *s, size_t bytes, size_t columns,
                             size_t indent)
{
    size_t width = columns_in(s, bytes);

    while (width > columns - indent) {
        size_t fits = prefix_bytes(s, columns - indent);

        slw_buf_put(out, s, fits);
        width -= columns_in(s, fits);
        s += fits;
        bytes -= fits;
        new_line(out, indent);
    }
    slw_buf_put(out, s, bytes);
    return indent + width;
}

static void wrap_clean(struct slw_buf *out, const char *s, size_t columns, size_t indent)
{
    size_t used = indent;

    s += strspn(s, " ");
    while (*s) {
        size_t bytes = strcspn(s, " "), width = columns_in(s, bytes);

        if (used > indent && used + 1 + width > columns) {
            new_line(out, indent);
            used = indent;
        } else if (used > indent) {
            slw_buf_putc(out, ' ');
            used++;
        }
        if (used + width > columns) {
            used = wrap_long_word(out, s, bytes, columns, indent);
        } else {
            slw_buf_put(out, s, bytes);
            used += width;
        }
        s += bytes;
        s += strspn(s, " ");
    }
}

void slw_text_wrap(struct slw_buf *out, const char *s, size_t columns, size_t indent)
{
    struct slw_buf clean = {0};

    slw_text_clean(&clean, s);
    if (columns < indent + 8)
        columns = indent + 8; /* room for something on every line */
    wrap_clean(out, clean.data ? clean.data : "", columns, indent);
    if (slw_buf_failed(&clean))
        out->failed = true;
    slw_buf_release(&clean);
}

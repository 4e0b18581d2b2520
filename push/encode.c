/* SPDX-License-Identifier: MIT */
#include "push/encode.h"

#include "record/text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static void put_group(struct slw_buf *out, const char *alphabet, const uint8_t *in, size_t n)
{
    const uint32_t word =
        (uint32_t)in[0] << 16 | (uint32_t)(n > 1 ? in[1] : 0) << 8 | (uint32_t)(n > 2 ? in[2] : 0);
    const char text[4] = {alphabet[word >> 18], alphabet[word >> 12 & 63],
                          n > 1 ? alphabet[word >> 6 & 63] : '=',
                          n > 2 ? alphabet[word & 63] : '='};

    slw_buf_put(out, text, sizeof(text));
}

void slw_push_put_base64(struct slw_buf *out, const void *bytes, size_t length, int url)
{
    static const char *const alphabets[] = {
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"};
    const uint8_t *in = bytes;

    for (size_t i = 0; i < length; i += 3)
        put_group(out, alphabets[url ? 1 : 0], in + i, length - i < 3 ? length - i : 3);
}

void slw_push_put_percent(struct slw_buf *out, const char *text)
{
    for (; *text; text++) {
        const unsigned char c = (unsigned char)*text;

        if (c < 0x80 && (isalnum(c) || strchr("-._~", c)))
            slw_buf_putc(out, (char)c);
        else
            slw_buf_printf(out, "%%%02X", c);
    }
}

void slw_push_put_json(struct slw_buf *out, const char *text)
{
    struct slw_buf utf8 = {0};

    slw_text_escape(&utf8, text);
    slw_buf_putc(out, '"');
    for (const char *c = utf8.data ? utf8.data : ""; *c; c++) {
        if (*c == '"' || *c == '\\')
            slw_buf_printf(out, "\\%c", *c);
        else if ((unsigned char)*c < 0x20)
            slw_buf_printf(out, "\\u%04x", (unsigned char)*c);
        else
            slw_buf_putc(out, *c);
    }
    slw_buf_putc(out, '"');
    if (slw_buf_failed(&utf8))
        out->failed = true;
    slw_buf_release(&utf8);
}

void slw_push_put_field(struct slw_buf *out, unsigned number, const void *bytes, size_t length)
{
    slw_buf_putc(out, (char)(number << 3 | 2));
    for (size_t left = length;; left >>= 7) {
        slw_buf_putc(out, (char)(left > 0x7f ? (left & 0x7f) | 0x80 : left));
        if (left <= 0x7f)
            break;
    }
    slw_buf_put(out, bytes, length);
}

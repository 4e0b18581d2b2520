/* SPDX-License-Identifier: MIT */
#include "record/text.h"

#include "base/parse.h"

#include <stdint.h>
#include <string.h>

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */
#define MARK_BYTES  3

static bool is_continuation(unsigned char c)
{
    return (c & 0xc0) == 0x80;
}

/* Bytes of the well-formed sequence at p, 0 when there is none. The second byte's range excludes
 * overlong forms, surrogates and values past U+10FFFF (Unicode 15, table 3-7). */
static size_t sequence_bytes(const unsigned char *p)
{
    if (p[0] < 0x80)
        return 1;
    if (p[0] >= 0xc2 && p[0] <= 0xdf)
        return is_continuation(p[1]) ? 2 : 0;
    if (p[0] >= 0xe0 && p[0] <= 0xef) {
        unsigned char low = p[0] == 0xe0 ? 0xa0 : 0x80, high = p[0] == 0xed ? 0x9f : 0xbf;
        return p[1] >= low && p[1] <= high && is_continuation(p[2]) ? 3 : 0;
    }
    if (p[0] >= 0xf0 && p[0] <= 0xf4) {
        unsigned char low = p[0] == 0xf0 ? 0x90 : 0x80, high = p[0] == 0xf4 ? 0x8f : 0xbf;
        return p[1] >= low && p[1] <= high && is_continuation(p[2]) && is_continuation(p[3]) ? 4
                                                                                             : 0;
    }
    return 0;
}

static bool is_mark(const unsigned char *p)
{
    return memcmp(p, REPLACEMENT, MARK_BYTES) == 0;
}

void slw_text_escape(struct slw_buf *out, const char *s)
{
    const char *plain = s; /* start of the bytes not yet copied, which need no escape */

    while (*s) {
        const unsigned char *p = (const unsigned char *)s;
        size_t n = sequence_bytes(p);

        if (n > 0 && !(n == MARK_BYTES && is_mark(p))) {
            s += n;
            continue;
        }
        slw_buf_put(out, plain, (size_t)(s - plain));
        for (size_t i = 0; i < (n ? n : 1); i++)
            slw_buf_printf(out, REPLACEMENT "%02x", p[i]);
        s += n ? n : 1;
        plain = s;
    }
    slw_buf_put(out, plain, (size_t)(s - plain));
}

/* The byte an escape at p stands for, or -1. Only bytes above 0x7f are ever escaped. */
static int escaped_byte(const unsigned char *p)
{
    if (strncmp((const char *)p, REPLACEMENT, MARK_BYTES) != 0)
        return -1;
    int high = slw_hex_digit((char)p[MARK_BYTES]);
    if (high < 8)
        return -1;
    int low = slw_hex_digit((char)p[MARK_BYTES + 1]);
    return low < 0 ? -1 : high * 16 + low;
}

void slw_text_unescape(char *s)
{
    char *to = strstr(s, REPLACEMENT);

    if (!to)
        return;
    for (const char *from = to; *from;) {
        int byte = escaped_byte((const unsigned char *)from);

        if (byte >= 0) {
            *to++ = (char)byte;
            from += MARK_BYTES + 2;
        } else {
            *to++ = *from++;
        }
    }
    *to = '\0';
}

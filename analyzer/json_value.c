/* SPDX-License-Identifier: MIT */
#include "analyzer/json_value.h"

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

static void put_unicode(struct slw_buf *out, uint32_t code)
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
            put_unicode(out, code);
            start = text + n;
        }
        text += n;
    }
    slw_buf_puts(out, start);
    slw_buf_putc(out, '\n');
}

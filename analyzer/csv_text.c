/* SPDX-License-Identifier: MIT */
#include "analyzer/csv_text.h"

#include "analyzer/text.h"

#include <string.h>

/* Clean text holds no line ends, so that only quotes are left to double. */
void slw_csv_put_text(struct slw_buf *out, const char *text)
{
    struct slw_buf clean = {0};

    slw_text_clean(&clean, text ? text : "");
    slw_buf_putc(out, '"');
    if (clean.length > 0 && strchr("=+-@|%", clean.data[0]))
        slw_buf_putc(out, '\'');
    for (const char *c = clean.data ? clean.data : ""; *c; c++) {
        slw_buf_puts(out, *c == '"' ? "\"" : "");
        slw_buf_putc(out, *c);
    }
    slw_buf_putc(out, '"');
    out->failed |= slw_buf_failed(&clean);
    slw_buf_release(&clean);
}

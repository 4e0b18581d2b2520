/* SPDX-License-Identifier: MIT */
/* A growing byte buffer for everything that renders or serialises. Failure is sticky: append
 * freely, check once with slw_buf_failed(). */
#ifndef SLW_BASE_BUF_H
#define SLW_BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/* Zero-initialise, or slw_buf_init; contents are always followed by a NUL once non-NULL. */
struct slw_buf {
    char *data; /* NULL until something was appended */
    size_t length;
    size_t capacity;
    bool failed; /* an append ran out of memory; data holds what came before */
};

void slw_buf_init(struct slw_buf *b);
void slw_buf_release(struct slw_buf *b);

void slw_buf_put(struct slw_buf *b, const void *bytes, size_t length);
void slw_buf_puts(struct slw_buf *b, const char *s);
void slw_buf_putc(struct slw_buf *b, char c);
__attribute__((format(printf, 2, 3))) void slw_buf_printf(struct slw_buf *b, const char *fmt, ...);
__attribute__((format(printf, 2, 0))) void slw_buf_vprintf(struct slw_buf *b, const char *fmt,
                                                           va_list ap);

/* Hand the bytes to the caller (free() them) and leave b empty. NULL if nothing was appended. */
char *slw_buf_take(struct slw_buf *b);

static inline bool slw_buf_failed(const struct slw_buf *b)
{
    return b->failed;
}

#endif

/* SPDX-License-Identifier: MIT */
#include "base/buf.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void slw_buf_init(struct slw_buf *b)
{
    *b = (struct slw_buf){0};
}

void slw_buf_release(struct slw_buf *b)
{
    free(b->data);
    slw_buf_init(b);
}

/* Make room for `extra` bytes and the closing NUL. */
static bool reserve(struct slw_buf *b, size_t extra)
{
    if (b->failed)
        return false;
    if (extra < b->capacity - b->length && b->data)
        return true;
    size_t need;
    if (__builtin_add_overflow(b->length, extra, &need) || need >= SIZE_MAX / 2) {
        b->failed = true;
        return false;
    }
    size_t capacity = b->capacity ? b->capacity : 256;
    while (capacity <= need)
        capacity *= 2;
    char *data = realloc(b->data, capacity);
    if (!data) {
        b->failed = true;
        return false;
    }
    b->data = data;
    b->capacity = capacity;
    return true;
}

void slw_buf_put(struct slw_buf *b, const void *bytes, size_t length)
{
    if (!reserve(b, length))
        return;
    if (length > 0)
        memcpy(b->data + b->length, bytes, length);
    b->length += length;
    b->data[b->length] = '\0';
}

void slw_buf_puts(struct slw_buf *b, const char *s)
{
    slw_buf_put(b, s, strlen(s));
}

void slw_buf_putc(struct slw_buf *b, char c)
{
    slw_buf_put(b, &c, 1);
}

void slw_buf_vprintf(struct slw_buf *b, const char *fmt, va_list ap)
{
    va_list again;

    va_copy(again, ap);
    int length = vsnprintf(NULL, 0, fmt, ap);
    if (length >= 0 && reserve(b, (size_t)length)) {
        (void)vsnprintf(b->data + b->length, (size_t)length + 1, fmt, again);
        b->length += (size_t)length;
    }
    va_end(again);
}

void slw_buf_printf(struct slw_buf *b, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    slw_buf_vprintf(b, fmt, ap);
    va_end(ap);
}

char *slw_buf_take(struct slw_buf *b)
{
    char *data = b->data;

    slw_buf_init(b);
    return data;
}

/* SPDX-License-Identifier: MIT */
#include "base/arena.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Large enough that a session makes few of them, small enough that an empty session is cheap. */
#define BLOCK_BYTES ((size_t)64 * 1024)

struct block {
    struct block *next;
    size_t used;
    size_t size;
    _Alignas(max_align_t) unsigned char bytes[];
};

struct slw_arena {
    struct block *head;
    size_t used;
};

struct slw_arena *slw_arena_new(void)
{
    return calloc(1, sizeof(struct slw_arena));
}

void slw_arena_free(struct slw_arena *a)
{
    if (!a)
        return;
    while (a->head) {
        struct block *next = a->head->next;
        free(a->head);
        a->head = next;
    }
    free(a);
}

static struct block *block_new(size_t size)
{
    struct block *b = calloc(1, sizeof(*b) + size);

    if (b)
        b->size = size;
    return b;
}

/* A big object gets a block of its own behind the current one, which keeps its free space. */
static struct block *block_for(struct slw_arena *a, size_t size)
{
    if (a->head && a->head->size - a->head->used >= size)
        return a->head;
    struct block *b = block_new(size > BLOCK_BYTES ? size : BLOCK_BYTES);
    if (!b)
        return NULL;
    if (a->head && size > BLOCK_BYTES) {
        b->next = a->head->next;
        a->head->next = b;
    } else {
        b->next = a->head;
        a->head = b;
    }
    return b;
}

void *slw_arena_alloc(struct slw_arena *a, size_t size)
{
    const size_t align = _Alignof(max_align_t);

    assert(a);
    if (size > SIZE_MAX / 2)
        return NULL;
    size = (size + align - 1) & ~(align - 1);
    if (size == 0)
        size = align;
    struct block *b = block_for(a, size);
    if (!b)
        return NULL;
    void *p = b->bytes + b->used;
    b->used += size;
    a->used += size;
    return p;
}

void *slw_arena_array(struct slw_arena *a, size_t count, size_t size)
{
    size_t bytes;

    if (__builtin_mul_overflow(count, size, &bytes))
        return NULL;
    return slw_arena_alloc(a, bytes);
}

char *slw_arena_strndup(struct slw_arena *a, const char *s, size_t length)
{
    if (length > SIZE_MAX / 4)
        return NULL;
    char *copy = slw_arena_alloc(a, length + 1);
    if (copy && length > 0)
        memcpy(copy, s, length);
    return copy;
}

char *slw_arena_strdup(struct slw_arena *a, const char *s)
{
    return s ? slw_arena_strndup(a, s, strlen(s)) : NULL;
}

char *slw_arena_printf(struct slw_arena *a, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    int length = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (length < 0)
        return NULL;
    char *text = slw_arena_alloc(a, (size_t)length + 1);
    if (!text)
        return NULL;
    va_start(ap, fmt);
    (void)vsnprintf(text, (size_t)length + 1, fmt, ap);
    va_end(ap);
    return text;
}

size_t slw_arena_used(const struct slw_arena *a)
{
    return a->used;
}

/* SPDX-License-Identifier: MIT */
/* Memory that lives and dies together: names, stacks, tree nodes of one session. Nothing is freed
 * alone; the whole arena is dropped at once. Not thread safe. */
#ifndef SLW_BASE_ARENA_H
#define SLW_BASE_ARENA_H

#include <stddef.h>
#include <stdint.h>

struct slw_arena;

/* Returns NULL when out of memory. Free with slw_arena_free (NULL allowed). */
struct slw_arena *slw_arena_new(void);
void slw_arena_free(struct slw_arena *a);

/* `size` bytes, zeroed, aligned for any object; NULL when out of memory. Owned by the arena. */
void *slw_arena_alloc(struct slw_arena *a, size_t size);

/* `count` objects of `size` bytes, zeroed; NULL when out of memory or when the product overflows.
 */
void *slw_arena_array(struct slw_arena *a, size_t count, size_t size);

/* A copy of s (NUL-terminated; NULL gives NULL) or of its first `length` bytes plus a NUL. */
char *slw_arena_strdup(struct slw_arena *a, const char *s);
char *slw_arena_strndup(struct slw_arena *a, const char *s, size_t length);
__attribute__((format(printf, 2, 3))) char *slw_arena_printf(struct slw_arena *a, const char *fmt,
                                                             ...);

/* Bytes handed out so far. */
size_t slw_arena_used(const struct slw_arena *a);

#endif

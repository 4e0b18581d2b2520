/* SPDX-License-Identifier: MIT */
/* A table of interned strings: equal bytes, equal id. Id 0 is always the empty string. */
#ifndef SLW_BASE_STRTAB_H
#define SLW_BASE_STRTAB_H

#include "base/hash.h"

struct slw_arena;

struct slw_strtab {
    struct slw_arena *arena; /* lent; holds the bytes */
    const char **strings;
    uint32_t *lengths;
    uint32_t count;
    uint32_t capacity;
    struct slw_index index;
};

/* 0 or -SLW_E_NOMEM. The arena must outlive the table. */
int slw_strtab_init(struct slw_strtab *t, struct slw_arena *arena);
void slw_strtab_release(struct slw_strtab *t);

/* The id of the `length` bytes at s (which may hold any byte but need not end in NUL).
 * 0 or -SLW_E_NOMEM; writes *ret_id on success only. */
int slw_strtab_intern(struct slw_strtab *t, const char *s, size_t length, uint32_t *ret_id);

/* The same for a string that must be there already; false: it is not. */
bool slw_strtab_find(const struct slw_strtab *t, const char *s, size_t length, uint32_t *ret_id);

/* Lent until release; NUL-terminated. The id must come from this table. */
const char *slw_strtab_get(const struct slw_strtab *t, uint32_t id);

#endif

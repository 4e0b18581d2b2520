/* SPDX-License-Identifier: MIT */
#include "analyzer/demangle.h"

#include "base/arena.h"
#include "base/error.h"
#include "base/hash.h"

#include <libiberty/demangle.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static const char plt[] = "@plt";

struct known {
    const char *linkage, *shown;
};

struct slw_demangler {
    struct slw_arena *arena;
    struct known *known;
    uint32_t count, capacity;
    struct slw_index index;
    size_t length;
    jmp_buf full;
    char mangled[SLW_MAX_MANGLED + 1], shown[SLW_MAX_DEMANGLED + sizeof(plt)];
};

struct slw_demangler *slw_demangler_new(void)
{
    struct slw_demangler *d = calloc(1, sizeof(*d));

    if (!d)
        return NULL;
    d->arena = slw_arena_new();
    if (!d->arena) {
        free(d);
        return NULL;
    }
    return d;
}

void slw_demangler_free(struct slw_demangler *d)
{
    if (!d)
        return;
    free(d->known);
    slw_index_release(&d->index);
    slw_arena_free(d->arena);
    free(d);
}

/* The library prints in pieces and has no way to be told to stop: a name of 200 bytes may stand for
 * gigabytes. It holds nothing on the heap while it prints, but for a punycode identifier. */
static void take(const char *piece, size_t length, void *demangler)
{
    struct slw_demangler *d = demangler;

    if (length > SLW_MAX_DEMANGLED - d->length)
        longjmp(d->full, 1);
    if (length > 0) /* a piece of nothing may have no address */
        memcpy(d->shown + d->length, piece, length);
    d->length += length;
}

/* Rust's older names are well-formed C++ ones as well: Rust is asked first. */
static bool print(struct slw_demangler *d)
{
    d->length = 0;
    if (setjmp(d->full))
        return false;
    if (rust_demangle_callback(d->mangled, 0, take, d))
        return true;
    d->length = 0;
    return d->mangled[1] == 'Z' &&
           cplus_demangle_v3_callback(d->mangled, DMGL_NO_RECURSE_LIMIT, take, d);
}

static bool is_mangled(const char *linkage)
{
    return linkage[0] == '_' && (linkage[1] == 'Z' || linkage[1] == 'R');
}

/* Into d->shown; false: show the name as it is. */
static bool demangle(struct slw_demangler *d, const char *linkage, size_t length)
{
    const size_t ending = sizeof(plt) - 1;
    const bool stub = length > ending && strcmp(linkage + length - ending, plt) == 0;

    if (length > SLW_MAX_MANGLED)
        return false;
    memcpy(d->mangled, linkage, length + 1);
    if (stub)
        d->mangled[length - ending] = '\0';
    if (!print(d) || d->length == 0)
        return false;
    if (stub) {
        memcpy(d->shown + d->length, plt, ending);
        d->length += ending;
    }
    return true;
}

static bool known_equal(const void *demangler, uint32_t position, const void *linkage)
{
    const struct slw_demangler *d = demangler;

    return strcmp(d->known[position].linkage, linkage) == 0;
}

static int remember(struct slw_demangler *d, uint64_t hash, const struct known *k)
{
    if (d->count == d->capacity) {
        uint32_t capacity = d->capacity ? d->capacity * 2 : 256;
        struct known *grown = realloc(d->known, capacity * sizeof(*grown));
        if (!grown)
            return -SLW_E_NOMEM;
        d->known = grown;
        d->capacity = capacity;
    }
    if (slw_index_add(&d->index, hash, d->count) < 0)
        return -SLW_E_NOMEM;
    d->known[d->count++] = *k;
    return 0;
}

int slw_demangle(struct slw_demangler *d, const char *linkage, const char **ret_shown)
{
    uint32_t position;

    if (!is_mangled(linkage)) {
        *ret_shown = linkage;
        return 0;
    }
    size_t length = strlen(linkage);
    uint64_t hash = slw_hash_key(linkage, length, 0);
    if (slw_index_find(&d->index, hash, known_equal, d, linkage, &position)) {
        *ret_shown = d->known[position].shown;
        return 0;
    }
    struct known k = {.linkage = slw_arena_strdup(d->arena, linkage)};
    k.shown = k.linkage;
    if (demangle(d, linkage, length))
        k.shown = slw_arena_strndup(d->arena, d->shown, d->length);
    if (!k.linkage || !k.shown || remember(d, hash, &k) < 0)
        return -SLW_E_NOMEM;
    *ret_shown = k.shown;
    return 0;
}

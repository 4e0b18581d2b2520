/* SPDX-License-Identifier: MIT */
#include "collector/taps/wire/preload/library.h"

#include "collector/taps/wire/preload/simulated.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <stdatomic.h>
#include <string.h>

#define SITES     512u /* places that call; more are looked up each time */
#define LIBRARIES 64u
#define PROBES    16u

enum { EMPTY, CLAIMED, READY };

struct site {
    _Atomic uint32_t state;
    const void *address;
    const struct slw_library *library;
};

static struct site sites[SITES];
static struct slw_library libraries[LIBRARIES];
static _Atomic uint32_t library_state[LIBRARIES];

static size_t home_of(const void *address)
{
    return (size_t)(((uintptr_t)address * UINT64_C(0x9e3779b97f4a7c15)) >> 40) % SITES;
}

static const struct slw_library *find_site(const void *address, enum slw_family family)
{
    for (size_t i = 0, at = home_of(address); i < PROBES; i++, at = (at + 1) % SITES) {
        uint32_t state = atomic_load_explicit(&sites[at].state, memory_order_acquire);

        if (state == EMPTY)
            return NULL;
        if (state == READY && sites[at].address == address && sites[at].library->family == family)
            return sites[at].library;
    }
    return NULL;
}

static void keep_site(const void *address, const struct slw_library *library)
{
    for (size_t i = 0, at = home_of(address); i < PROBES; i++, at = (at + 1) % SITES) {
        uint32_t no = EMPTY;

        if (!atomic_compare_exchange_strong(&sites[at].state, &no, CLAIMED))
            continue;
        sites[at].address = address;
        sites[at].library = library;
        atomic_store_explicit(&sites[at].state, READY, memory_order_release);
        return;
    }
}

/* ---- finding ---- */

/* Another libc has none, and a name that is missing would keep a program from starting. */
#pragma weak dladdr1

static const char *const markers[SLW_FAMILY_COUNT] = {"SSL_new", "gnutls_init", "sqlite3_open_v2"};

/* What stands in front of a function is not the function. */
static bool is_ours(void *symbol)
{
    Dl_info of_symbol, of_us;

    return dladdr(symbol, &of_symbol) && dladdr(sites, &of_us) &&
           of_symbol.dli_fbase == of_us.dli_fbase;
}

/* Any loaded library that has it: where the caller is linked with none, somebody who is gave it the
 * function. */
static void *search_all(const char *name, enum slw_family family)
{
    void *self = dlopen(NULL, RTLD_LAZY | RTLD_NOLOAD), *found = NULL;
    struct link_map *m = NULL;

    if (!self || dlinfo(self, RTLD_DI_LINKMAP, &m) < 0)
        return NULL;
    for (; m && !found; m = m->l_next) {
        void *handle = m->l_name[0] ? dlopen(m->l_name, RTLD_LAZY | RTLD_NOLOAD) : NULL;

        if (handle && dlsym(handle, markers[family]))
            found = dlsym(handle, name);
        if (found && is_ours(found))
            found = NULL;
        if (handle)
            (void)dlclose(handle);
    }
    (void)dlclose(self);
    return found;
}

/* The others are asked by us only: what they do is not the client's. */
static bool stands_for(const char *name)
{
    static const char *const asked[] = {
        "SSL_get_rfd",       "SSL_get_wfd",       "SSL_get_wbio",
        "BIO_method_type",   "BIO_ctrl",          "sqlite3_get_autocommit",
        "sqlite3_stmt_busy", "sqlite3_db_handle", "sqlite3_db_filename",
        "sqlite3_sql",
    };

    for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++)
        if (strcmp(asked[i], name) == 0)
            return false;
    return true;
}

static void find(void *handle, enum slw_family family, const char *name, void *slot)
{
    void *symbol = handle ? dlsym(handle, name) : NULL;

    if (!symbol || is_ours(symbol))
        symbol = dlsym(RTLD_NEXT, name);
    if (!symbol || is_ours(symbol))
        symbol = search_all(name, family);
    if (stands_for(name))
        slw_simulated_stands_for(symbol);
    memcpy(slot, &symbol, sizeof(symbol));
}

/* The program itself has no name; what it means is what comes after us. */
static void fill(struct slw_library *l, const char *caller_name)
{
    void *handle =
        caller_name && *caller_name ? dlopen(caller_name, RTLD_LAZY | RTLD_NOLOAD) : NULL;

#define X(result, name, arguments) find(handle, l->family, #name, &l->name);
    if (l->family == SLW_FAMILY_TLS) {
        SLW_TLS_FUNCTIONS(X)
    } else if (l->family == SLW_FAMILY_GNUTLS) {
        SLW_GNUTLS_FUNCTIONS(X)
    } else {
        SLW_SQLITE_FUNCTIONS(X)
    }
#undef X
    void *marker = handle ? dlsym(handle, markers[l->family]) : NULL;
    struct link_map *owner = NULL;
    Dl_info info;
    if (marker && dladdr1 && dladdr1(marker, &info, (void **)&owner, RTLD_DL_LINKMAP))
        l->itself = owner == l->caller;
    (void)dlerror(); /* what was not found is nothing to the client */
    /* The handle stays open: the caller's code is known by its address from now on. */
}

static const struct slw_library *find_library(const void *caller, enum slw_family family)
{
    for (size_t i = 0; i < LIBRARIES; i++)
        if (atomic_load_explicit(&library_state[i], memory_order_acquire) == READY &&
            libraries[i].caller == caller && libraries[i].family == family)
            return &libraries[i];
    return NULL;
}

static const struct slw_library *look_up(const void *address, enum slw_family family,
                                         struct slw_library *scratch)
{
    struct link_map *caller = NULL;
    Dl_info info;

    if (!dladdr1 || !dladdr1(address, &info, (void **)&caller, RTLD_DL_LINKMAP))
        caller = NULL;
    const struct slw_library *known = find_library(caller, family);
    if (known)
        return known;
    *scratch = (struct slw_library){.caller = caller, .family = family};
    fill(scratch, caller ? caller->l_name : NULL);
    for (size_t i = 0; i < LIBRARIES; i++) {
        uint32_t no = EMPTY;

        if (!atomic_compare_exchange_strong(&library_state[i], &no, CLAIMED))
            continue;
        libraries[i] = *scratch;
        atomic_store_explicit(&library_state[i], READY, memory_order_release);
        return &libraries[i];
    }
    return scratch;
}

const struct slw_library *slw_library_of(const void *address, enum slw_family family,
                                         struct slw_library *scratch)
{
    const struct slw_library *l = find_site(address, family);

    if (l)
        return l;
    int saved = errno;
    l = look_up(address, family, scratch);
    if (l != scratch)
        keep_site(address, l);
    errno = saved;
    return l;
}

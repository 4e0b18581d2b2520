/* SPDX-License-Identifier: MIT */
/* Small tables of objects that are known by their address: a TLS session, a database handle, a
 * running statement. No lock: an object is used by one thread at a time, as its library demands,
 * and what is found under its address is that thread's too. Only for the preloaded library. */
#ifndef SLW_COLLECTOR_TAPS_WIRE_PRELOAD_OBJECTS_H
#define SLW_COLLECTOR_TAPS_WIRE_PRELOAD_OBJECTS_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define SLW_OBJECTS       1024u /* of a kind at the same time; the rest is not followed */
#define SLW_OBJECT_PROBES 32u
#define SLW_NO_OBJECT     SIZE_MAX

struct slw_objects {
    _Atomic(const void *) address[SLW_OBJECTS];
    _Atomic uint32_t count;
};

static inline size_t slw_object_home(const void *object)
{
    return (size_t)(((uintptr_t)object * UINT64_C(0x9e3779b97f4a7c15)) >> 44) % SLW_OBJECTS;
}

static inline size_t slw_object_find(struct slw_objects *t, const void *object)
{
    size_t at = slw_object_home(object);

    if (atomic_load_explicit(&t->count, memory_order_relaxed) == 0)
        return SLW_NO_OBJECT;
    for (size_t i = 0; i < SLW_OBJECT_PROBES; i++, at = (at + 1) % SLW_OBJECTS)
        if (atomic_load_explicit(&t->address[at], memory_order_acquire) == object)
            return at;
    return SLW_NO_OBJECT;
}

/* Where to keep what is known of a new object: its old content is of another one. */
static inline size_t slw_object_add(struct slw_objects *t, const void *object)
{
    size_t at = slw_object_home(object);

    for (size_t i = 0; i < SLW_OBJECT_PROBES; i++, at = (at + 1) % SLW_OBJECTS) {
        const void *none = NULL;

        if (atomic_compare_exchange_strong(&t->address[at], &none, object)) {
            (void)atomic_fetch_add(&t->count, 1);
            return at;
        }
    }
    return SLW_NO_OBJECT;
}

static inline void slw_object_remove(struct slw_objects *t, size_t at)
{
    atomic_store_explicit(&t->address[at], NULL, memory_order_release);
    (void)atomic_fetch_sub(&t->count, 1);
}

#endif

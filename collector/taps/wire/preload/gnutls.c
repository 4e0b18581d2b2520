/* SPDX-License-Identifier: MIT */
/* GnuTLS's reading and writing. The connection of a session is the one its handshake goes over; a
 * session whose bytes the client moves itself, without a socket, is not followed. What went through
 * a function whose text is not looked at leaves its connection lost. */
#include "collector/taps/wire/preload/library.h"
#include "collector/taps/wire/preload/objects.h"
#include "collector/taps/wire/preload/real.h"
#include "collector/taps/wire/preload/table.h"

#include <errno.h>

#define INVALID_SESSION (-10) /* of gnutls/gnutls.h */

int gnutls_handshake(void *session);
ssize_t gnutls_record_send(void *session, const void *from, size_t size);
ssize_t gnutls_record_send2(void *session, const void *from, size_t size, size_t pad,
                            unsigned flags);
ssize_t gnutls_record_recv(void *session, void *to, size_t size);
ssize_t gnutls_record_recv_seq(void *session, void *to, size_t size, unsigned char *sequence);
ssize_t gnutls_record_recv_packet(void *session, void **packet);
ssize_t gnutls_record_send_range(void *session, const void *from, size_t size, const void *range);
ssize_t gnutls_record_send_file(void *session, int fd, off_t *offset, size_t count);
ssize_t gnutls_record_send_early_data(void *session, const void *from, size_t size);
void gnutls_deinit(void *session);

static struct slw_objects objects;
static struct slw_watched_call calls[SLW_OBJECTS]; /* of their connections */
static _Atomic bool known[SLW_OBJECTS];

/* Written once, in the handshake, before threads of one session send and receive. */
static const struct slw_watched_call *call_of(void *session)
{
    size_t at = slw_object_find(&objects, session);

    if (at == SLW_NO_OBJECT && slw_touched_fd >= 0)
        at = slw_object_add(&objects, session);
    if (at == SLW_NO_OBJECT)
        return NULL;
    if (!atomic_load_explicit(&known[at], memory_order_acquire)) {
        if (slw_touched_fd < 0 || !slw_call_begin(&calls[at], slw_touched_fd, false))
            return NULL;
        atomic_store_explicit(&known[at], true, memory_order_release);
    }
    return &calls[at];
}

static void moved(void *session, enum slw_wire_direction d, const void *bytes, size_t count,
                  uint64_t when_ns)
{
    int saved = errno;
    const struct slw_watched_call *call = call_of(session);

    if (call && bytes)
        slw_call_plain(call, d, bytes, count, when_ns);
    else if (slw_touched_fd >= 0) /* the rest of an earlier call: its text is gone */
        slw_call_missed(slw_touched_fd);
    errno = saved;
}

/* The library calls itself, too, also in a way that leaves us as the caller. */
static _Thread_local bool inside __attribute__((tls_model("initial-exec")));

#define LIBRARY                                                                                    \
    struct slw_library scratch;                                                                    \
    const struct slw_library *l =                                                                  \
        slw_library_of(__builtin_return_address(0), SLW_FAMILY_GNUTLS, &scratch)
#define WATCHED (!inside && !l->itself && slw_table_on())

SLW_EXPORT int gnutls_handshake(void *session)
{
    LIBRARY;
    if (!l->gnutls_handshake)
        return INVALID_SESSION;
    if (!WATCHED)
        return l->gnutls_handshake(session);
    slw_touched_fd = -1;
    inside = true;
    int result = l->gnutls_handshake(session), saved = errno;
    inside = false;
    (void)call_of(session);
    errno = saved;
    return result;
}

SLW_EXPORT ssize_t gnutls_record_send(void *session, const void *from, size_t size)
{
    LIBRARY;
    if (!l->gnutls_record_send)
        return INVALID_SESSION;
    if (!WATCHED)
        return l->gnutls_record_send(session, from, size);
    uint64_t begin_ns = slw_now_ns();
    slw_touched_fd = -1;
    inside = true;
    ssize_t result = l->gnutls_record_send(session, from, size);
    inside = false;
    if (result > 0)
        moved(session, SLW_WIRE_SENT, from, (size_t)result, begin_ns);
    return result;
}

SLW_EXPORT ssize_t gnutls_record_send2(void *session, const void *from, size_t size, size_t pad,
                                       unsigned flags)
{
    LIBRARY;
    if (!l->gnutls_record_send2)
        return INVALID_SESSION;
    if (!WATCHED)
        return l->gnutls_record_send2(session, from, size, pad, flags);
    uint64_t begin_ns = slw_now_ns();
    slw_touched_fd = -1;
    inside = true;
    ssize_t result = l->gnutls_record_send2(session, from, size, pad, flags);
    inside = false;
    if (result > 0)
        moved(session, SLW_WIRE_SENT, from, (size_t)result, begin_ns);
    return result;
}

SLW_EXPORT ssize_t gnutls_record_recv(void *session, void *to, size_t size)
{
    LIBRARY;
    if (!l->gnutls_record_recv)
        return INVALID_SESSION;
    if (!WATCHED)
        return l->gnutls_record_recv(session, to, size);
    slw_touched_fd = -1;
    inside = true;
    ssize_t result = l->gnutls_record_recv(session, to, size);
    inside = false;
    if (result > 0)
        moved(session, SLW_WIRE_RECEIVED, to, (size_t)result, slw_now_ns());
    return result;
}

SLW_EXPORT ssize_t gnutls_record_recv_seq(void *session, void *to, size_t size,
                                          unsigned char *sequence)
{
    LIBRARY;
    if (!l->gnutls_record_recv_seq)
        return INVALID_SESSION;
    if (!WATCHED)
        return l->gnutls_record_recv_seq(session, to, size, sequence);
    slw_touched_fd = -1;
    inside = true;
    ssize_t result = l->gnutls_record_recv_seq(session, to, size, sequence);
    inside = false;
    if (result > 0)
        moved(session, SLW_WIRE_RECEIVED, to, (size_t)result, slw_now_ns());
    return result;
}

/* What these move is not looked at. */
#define UNSEEN(name, declared, passed)                                                             \
    SLW_EXPORT ssize_t name declared                                                               \
    {                                                                                              \
        LIBRARY;                                                                                   \
        if (!l->name)                                                                              \
            return INVALID_SESSION;                                                                \
        if (!WATCHED)                                                                              \
            return l->name passed;                                                                 \
        slw_touched_fd = -1;                                                                       \
        inside = true;                                                                             \
        ssize_t result = l->name passed;                                                           \
        inside = false;                                                                            \
        if (result > 0 && slw_touched_fd >= 0)                                                     \
            slw_call_missed(slw_touched_fd);                                                       \
        return result;                                                                             \
    }
UNSEEN(gnutls_record_recv_packet, (void *session, void **packet), (session, packet))
UNSEEN(gnutls_record_send_range, (void *session, const void *from, size_t size, const void *range),
       (session, from, size, range))
UNSEEN(gnutls_record_send_file, (void *session, int fd, off_t *offset, size_t count),
       (session, fd, offset, count))
UNSEEN(gnutls_record_send_early_data, (void *session, const void *from, size_t size),
       (session, from, size))

/* Before the real one: after it another session may have the address. */
SLW_EXPORT void gnutls_deinit(void *session)
{
    LIBRARY;
    size_t at = session ? slw_object_find(&objects, session) : SLW_NO_OBJECT;

    if (at != SLW_NO_OBJECT) {
        atomic_store(&known[at], false);
        slw_object_remove(&objects, at);
    }
    if (l->gnutls_deinit)
        l->gnutls_deinit(session);
}

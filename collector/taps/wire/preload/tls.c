/* SPDX-License-Identifier: MIT */
/* OpenSSL's reading and writing. A session that works on a descriptor is that of its connection;
 * one that works in memory (asyncio, drivers with their own event loop) belongs to the connection
 * that sends what the session has made: its last bytes are an authentication tag, which no other
 * has. */
#include "collector/taps/wire/preload/tls.h"

#include "collector/taps/wire/preload/library.h"
#include "collector/taps/wire/preload/objects.h"
#include "collector/taps/wire/preload/real.h"

#include <errno.h>
#include <string.h>

#define HELD_BYTES    1024u /* of a first request, kept until its connection is known */
#define TAG_BYTES     16u
#define MEMORY_BIO    (1 | 0x0400) /* BIO_TYPE_MEM of openssl/bio.h */
#define BIO_CTRL_TEXT 3            /* BIO_CTRL_INFO: where the bytes are and how many */
#define SPINS         2000u

int SSL_read(void *ssl, void *to, int size);
int SSL_write(void *ssl, const void *from, int size);
int SSL_read_ex(void *ssl, void *to, size_t size, size_t *ret_size);
int SSL_write_ex(void *ssl, const void *from, size_t size, size_t *ret_size);
void SSL_free(void *ssl);

enum session_state { SESSION_NEW, SESSION_HELD, SESSION_KNOWN, SESSION_LOST };

struct session { /* that is not on a descriptor */
    _Atomic uint32_t lock;
    enum session_state state;
    struct slw_watched_call call; /* of its connection, when KNOWN */
    uint64_t begin_ns;
    size_t held_count;
    uint8_t held[HELD_BYTES], tag[TAG_BYTES];
};

static struct slw_objects objects;
static struct session sessions[SLW_OBJECTS];
static _Atomic uint32_t held_sessions;

static bool lock(struct session *s)
{
    for (unsigned i = 0; i < SPINS; i++)
        if (atomic_exchange_explicit(&s->lock, 1, memory_order_acquire) == 0)
            return true;
    return false;
}

static void unlock(struct session *s)
{
    atomic_store_explicit(&s->lock, 0, memory_order_release);
}

static void change(struct session *s, enum session_state state)
{
    if (s->state != SESSION_HELD && state == SESSION_HELD)
        (void)atomic_fetch_add(&held_sessions, 1);
    if (s->state == SESSION_HELD && state != SESSION_HELD)
        (void)atomic_fetch_sub(&held_sessions, 1);
    s->state = state;
}

static struct session *session_of(void *ssl)
{
    size_t at = slw_object_find(&objects, ssl);

    if (at != SLW_NO_OBJECT)
        return &sessions[at];
    at = slw_object_add(&objects, ssl);
    if (at == SLW_NO_OBJECT)
        return NULL;
    sessions[at].state = SESSION_NEW;
    sessions[at].held_count = 0;
    return &sessions[at];
}

/* The last bytes of what the session has made so far. */
static bool read_tag(const struct slw_library *l, void *ssl, uint8_t ret_tag[TAG_BYTES])
{
    void *bio = l->SSL_get_wbio ? l->SSL_get_wbio(ssl) : NULL;
    char *text = NULL;

    if (!bio || !l->BIO_method_type || !l->BIO_ctrl || l->BIO_method_type(bio) != MEMORY_BIO)
        return false;
    long count = l->BIO_ctrl(bio, BIO_CTRL_TEXT, 0, &text);
    if (count < (long)TAG_BYTES || !text)
        return false;
    memcpy(ret_tag, text + count - TAG_BYTES, TAG_BYTES);
    return true;
}

/* A first request, until we see which connection sends it. */
static void hold(const struct slw_library *l, void *ssl, struct session *s, const void *bytes,
                 size_t count, uint64_t begin_ns)
{
    if (count > HELD_BYTES - s->held_count || !read_tag(l, ssl, s->tag)) {
        change(s, SESSION_LOST);
        return;
    }
    if (s->held_count == 0)
        s->begin_ns = begin_ns;
    memcpy(s->held + s->held_count, bytes, count);
    s->held_count += count;
    change(s, SESSION_HELD);
}

static bool has_tag(const struct iovec *buffers, size_t buffer_count, size_t count,
                    const uint8_t tag[TAG_BYTES])
{
    for (size_t i = 0; i < buffer_count && count > 0; i++) {
        size_t n = buffers[i].iov_len < count ? buffers[i].iov_len : count;

        if (n >= TAG_BYTES && memmem(buffers[i].iov_base, n, tag, TAG_BYTES))
            return true;
        count -= n;
    }
    return false;
}

void slw_tls_sent(const struct slw_watched_call *call, const struct iovec *buffers,
                  size_t buffer_count, size_t count)
{
    for (size_t i = 0; i < SLW_OBJECTS && atomic_load(&held_sessions) > 0; i++) {
        struct session *s = &sessions[i];

        if (!atomic_load_explicit(&objects.address[i], memory_order_acquire) || !lock(s))
            continue;
        bool ours = s->state == SESSION_HELD && has_tag(buffers, buffer_count, count, s->tag);
        if (ours) {
            change(s, SESSION_KNOWN);
            s->call = *call;
            slw_conn_plain(&call->w->conn, SLW_WIRE_SENT, s->held, s->held_count, s->begin_ns);
        }
        unlock(s);
        if (ours)
            return;
    }
}

/* ---- */

static void in_memory(const struct slw_library *l, void *ssl, enum slw_wire_direction d,
                      const void *bytes, size_t count, uint64_t begin_ns)
{
    struct session *s = session_of(ssl);

    if (!s || !lock(s))
        return;
    if (slw_touched_fd >= 0) /* a transport of the client's own, on a socket */
        change(s, slw_call_begin(&s->call, slw_touched_fd, false) ? SESSION_KNOWN : SESSION_LOST);
    if (s->state == SESSION_NEW || s->state == SESSION_HELD) {
        if (d == SLW_WIRE_SENT)
            hold(l, ssl, s, bytes, count, begin_ns);
        else /* an answer: what was sent has gone on a way we did not see */
            change(s, SESSION_LOST);
        unlock(s);
        return;
    }
    bool known = s->state == SESSION_KNOWN;
    struct slw_watched_call call = s->call;
    unlock(s);
    if (known)
        slw_call_plain(&call, d, bytes, count, begin_ns);
}

static void moved(const struct slw_library *l, void *ssl, enum slw_wire_direction d,
                  const void *bytes, size_t count, uint64_t begin_ns)
{
    int (*get)(const void *) = d == SLW_WIRE_SENT ? l->SSL_get_wfd : l->SSL_get_rfd;
    int saved = errno, fd = get ? get(ssl) : -1;
    uint64_t when_ns = d == SLW_WIRE_SENT ? begin_ns : slw_now_ns();
    struct slw_watched_call call;

    if (fd < 0)
        in_memory(l, ssl, d, bytes, count, when_ns);
    else if (slw_call_begin(&call, fd, false))
        slw_call_plain(&call, d, bytes, count, when_ns);
    errno = saved;
}

#define LIBRARY                                                                                    \
    struct slw_library scratch;                                                                    \
    const struct slw_library *l =                                                                  \
        slw_library_of(__builtin_return_address(0), SLW_FAMILY_TLS, &scratch)

SLW_EXPORT int SSL_read(void *ssl, void *to, int size)
{
    LIBRARY;
    if (!l->SSL_read)
        return -1;
    if (!slw_table_on())
        return l->SSL_read(ssl, to, size);
    slw_touched_fd = -1;
    int result = l->SSL_read(ssl, to, size);
    if (result > 0)
        moved(l, ssl, SLW_WIRE_RECEIVED, to, (size_t)result, 0);
    return result;
}

SLW_EXPORT int SSL_write(void *ssl, const void *from, int size)
{
    LIBRARY;
    if (!l->SSL_write)
        return -1;
    if (!slw_table_on())
        return l->SSL_write(ssl, from, size);
    uint64_t begin_ns = slw_now_ns();
    slw_touched_fd = -1;
    int result = l->SSL_write(ssl, from, size);
    if (result > 0)
        moved(l, ssl, SLW_WIRE_SENT, from, (size_t)result, begin_ns);
    return result;
}

SLW_EXPORT int SSL_read_ex(void *ssl, void *to, size_t size, size_t *ret_size)
{
    LIBRARY;
    if (!l->SSL_read_ex)
        return 0;
    if (!slw_table_on())
        return l->SSL_read_ex(ssl, to, size, ret_size);
    slw_touched_fd = -1;
    int result = l->SSL_read_ex(ssl, to, size, ret_size);
    if (result > 0 && *ret_size > 0)
        moved(l, ssl, SLW_WIRE_RECEIVED, to, *ret_size, 0);
    return result;
}

SLW_EXPORT int SSL_write_ex(void *ssl, const void *from, size_t size, size_t *ret_size)
{
    LIBRARY;
    if (!l->SSL_write_ex)
        return 0;
    if (!slw_table_on())
        return l->SSL_write_ex(ssl, from, size, ret_size);
    uint64_t begin_ns = slw_now_ns();
    slw_touched_fd = -1;
    int result = l->SSL_write_ex(ssl, from, size, ret_size);
    if (result > 0 && *ret_size > 0)
        moved(l, ssl, SLW_WIRE_SENT, from, *ret_size, begin_ns);
    return result;
}

/* Before the real one: after it another session may have the address. */
SLW_EXPORT void SSL_free(void *ssl)
{
    LIBRARY;
    size_t at = ssl ? slw_object_find(&objects, ssl) : SLW_NO_OBJECT;

    if (at != SLW_NO_OBJECT && lock(&sessions[at])) {
        change(&sessions[at], SESSION_LOST);
        slw_object_remove(&objects, at);
        unlock(&sessions[at]);
    }
    if (l->SSL_free)
        l->SSL_free(ssl);
}

/* SPDX-License-Identifier: MIT */
#include "collector/taps/wire/preload/table.h"

#include "collector/taps/wire/peer.h"
#include "collector/taps/wire/preload/processes.h"
#include "collector/taps/wire/preload/slots.h"
#include "collector/taps/wire/preload/tls.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define CHUNK  16u /* connections allocated together */
#define CHUNKS 256u
#define SPINS  2000u /* before a lock is given up; 200 times as many once: it may be off the CPU */

#ifndef MADV_WIPEONFORK
#define MADV_WIPEONFORK 18
#endif

_Atomic uint16_t slw_watched_fd[SLW_WIRE_FDS];

static struct slw_wire_map *map;
static _Atomic(struct slw_watched *) chunks[CHUNKS];
static _Atomic uint32_t *alive; /* 0 in a child of fork, whose memory this then is */
static _Atomic uint32_t top_fd; /* no watched descriptor is above it */
static pid_t own_pid;

/* Within ourselves: what a signal handler does then is not followed. initial-exec: no allocation.
 */
static _Thread_local bool busy __attribute__((tls_model("initial-exec")));

_Thread_local int slw_touched_fd __attribute__((tls_model("initial-exec"))) = -1;

static struct slw_wire_counts uncounted; /* outside of the measured window */

uint64_t slw_now_ns(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void pause_briefly(unsigned turn)
{
    if (turn % 64 == 63)
        (void)sched_yield();
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

/* ---- the mapping ---- */

static bool right_map(const struct slw_wire_map *m)
{
    return m->magic == SLW_WIRE_MAGIC && m->version == SLW_WIRE_VERSION &&
           m->size_bytes == sizeof(*m);
}

static struct slw_wire_map *open_map(const char *path)
{
    long fd = syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0);

    if (fd < 0)
        return NULL;
    /* Not past the end of a smaller file: that would be SIGBUS. */
    bool fits = syscall(SYS_lseek, fd, 0L, SEEK_END) == (long)sizeof(*map);
    void *m = fits ? mmap(NULL, sizeof(*map), PROT_READ | PROT_WRITE, MAP_SHARED, (int)fd, 0)
                   : MAP_FAILED;
    (void)syscall(SYS_close, fd);
    if (m == MAP_FAILED)
        return NULL;
    if (right_map(m))
        return m;
    (void)munmap(m, sizeof(*map));
    return NULL;
}

static bool watch_forks(void)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (page == MAP_FAILED)
        return false;
    if (madvise(page, 4096, MADV_WIPEONFORK) < 0) {
        (void)munmap(page, 4096);
        return false;
    }
    alive = page;
    atomic_store(alive, 1);
    return true;
}

static struct slw_watched *new_chunk(size_t c)
{
    size_t bytes = CHUNK * sizeof(struct slw_watched);
    struct slw_watched *expected = NULL;
    void *m = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (m == MAP_FAILED)
        return NULL;
    if (atomic_compare_exchange_strong(&chunks[c], &expected, m))
        return m;
    (void)munmap(m, bytes); /* another thread was first */
    return expected;
}

bool slw_table_attach(const char *path)
{
    if (!watch_forks())
        return false;
    own_pid = getpid();
    map = open_map(path);
    if (map) {
        (void)new_chunk(0); /* a client may forbid mmap later (seccomp) */
        slw_process_loaded(map, own_pid);
    }
    return map != NULL;
}

bool slw_table_on(void)
{
    return map != NULL;
}

struct slw_wire_map *slw_table_map(void)
{
    return map;
}

bool slw_table_own_process(void)
{
    return getpid() == own_pid || atomic_load_explicit(alive, memory_order_relaxed) == 0;
}

/* ---- connections in our memory ---- */

struct slw_watched *slw_watched_at(uint16_t index)
{
    uint32_t i = index - 1u;
    struct slw_watched *chunk = atomic_load_explicit(&chunks[i / CHUNK], memory_order_acquire);

    return chunk ? &chunk[i % CHUNK] : NULL;
}

/* A child of fork got copies of everything: the connections go on, in slots of its own, and nobody
 * holds the locks that were held. */
static void after_fork(void)
{
    own_pid = getpid();
    for (size_t c = 0; c < CHUNKS; c++) {
        struct slw_watched *chunk = atomic_load(&chunks[c]);

        for (size_t i = 0; chunk && i < CHUNK; i++) {
            atomic_store(&chunk[i].lock, 0);
            atomic_store(&chunk[i].sending, 0);
            if (chunk[i].slot) /* our parent's */
                chunk[i].slot->shared = 1;
            chunk[i].slot = NULL;
            chunk[i].counted = false;
            chunk[i].inherited = true;
        }
    }
    busy = false;
    atomic_store(alive, 1);
    slw_process_forked(map, own_pid);
}

static void check_fork(void)
{
    if (atomic_load_explicit(alive, memory_order_relaxed) == 0)
        after_fork();
}

/* A free connection, marked used; its index + 1 into *ret_index. */
static struct slw_watched *take_watched(uint16_t *ret_index)
{
    for (size_t c = 0; c < CHUNKS; c++) {
        struct slw_watched *chunk = atomic_load(&chunks[c]);

        if (!chunk && !(chunk = new_chunk(c)))
            return NULL;
        for (size_t i = 0; i < CHUNK; i++) {
            uint32_t no = 0;

            if (atomic_compare_exchange_strong(&chunk[i].used, &no, 1)) {
                *ret_index = (uint16_t)(c * CHUNK + i + 1);
                return &chunk[i];
            }
        }
    }
    return NULL;
}

/* ---- descriptors ---- */
static bool is_stream(int fd)
{
    int type = 0;
    socklen_t length = sizeof(type);

    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) == 0 && type == SOCK_STREAM;
}

static void hook(int fd, uint16_t index)
{
    uint32_t top = atomic_load(&top_fd);

    while ((uint32_t)fd > top && !atomic_compare_exchange_weak(&top_fd, &top, (uint32_t)fd))
        ;
    atomic_store_explicit(&slw_watched_fd[fd], index, memory_order_release);
}

static struct slw_watched *start(const struct slw_wire_slot *peer, uint16_t *ret_index)
{
    struct slw_watched *w = take_watched(ret_index);

    if (!w) {
        (void)atomic_fetch_add(&map->dropped, 1);
        return NULL;
    }
    w->peer = *peer;
    w->slot = NULL;
    w->counted = w->inherited = false;
    w->sent_bytes = 0;
    atomic_store(&w->trouble, SLW_WIRE_NONE);
    atomic_store(&w->references, 1);
    slw_conn_init(&w->conn, peer->port, &uncounted, NULL);
    return w;
}

void slw_table_connect(int fd, const struct sockaddr *to, socklen_t length)
{
    int saved = errno;
    uint16_t index = 0;
    bool wanted =
        to && length >= sizeof(to->sa_family) &&
        (to->sa_family == AF_INET || to->sa_family == AF_INET6 || to->sa_family == AF_UNIX);

    if (!map || !wanted || busy || (unsigned)fd >= SLW_WIRE_FDS || !slw_table_own_process())
        return;
    check_fork();
    if (!slw_watched_find(fd) && is_stream(fd)) {
        struct slw_wire_slot peer;

        slw_peer_read(to, length, &peer);
        if (start(&peer, &index))
            hook(fd, index);
    }
    errno = saved;
}

/* The last descriptor is gone. Who is still in a call on it sees the new generation. */
static void release(struct slw_watched *w)
{
    (void)atomic_fetch_add(&w->generation, 1);
    if (w->slot)
        atomic_store(&w->slot->state, SLW_WIRE_CLOSED);
    w->slot = NULL;
    atomic_store(&w->used, 0);
}

/* What the other side has acknowledged was sent; if more than we saw (io_uring, a system call that
 * is not libc's, another process), it was not followed. The kernel counts the opening as a byte. */
void slw_table_check(int fd)
{
    struct slw_watched *w = slw_watched_find(fd);
    struct tcp_info info = {0}; /* an old kernel fills less */
    socklen_t length = sizeof(info);
    int saved = errno;

    if (!w || w->inherited || (w->slot && w->slot->shared) || atomic_load(&w->trouble) ||
        atomic_load(&w->sending))
        return;
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) == 0 &&
        info.tcpi_bytes_acked > w->sent_bytes + 2)
        slw_call_missed(fd);
    errno = saved;
}

void slw_table_check_all(void)
{
    if (map && slw_table_own_process() && atomic_load(alive))
        for (uint32_t fd = 0; fd <= atomic_load(&top_fd); fd++)
            slw_table_check((int)fd);
}

/* Before the real close: after it another thread may own the number. */
void slw_table_close(int fd)
{
    int saved = errno;
    uint16_t index;

    if (!slw_watched_find(fd) || !slw_table_own_process())
        return;
    check_fork();
    slw_table_check(fd);
    index = atomic_exchange(&slw_watched_fd[fd], 0);
    if (index) {
        struct slw_watched *w = slw_watched_at(index);

        if (w && atomic_fetch_sub(&w->references, 1) == 1)
            release(w);
    }
    errno = saved;
}

void slw_table_close_range(unsigned first, unsigned last)
{
    uint32_t top = atomic_load(&top_fd);

    for (unsigned fd = first; fd <= last && fd <= top; fd++)
        slw_table_close((int)fd);
}

void slw_table_duplicate(int from, int to)
{
    struct slw_watched *w = slw_watched_find(from);

    if (!w || (unsigned)to >= SLW_WIRE_FDS || !slw_table_own_process())
        return;
    (void)atomic_fetch_add(&w->references, 1);
    hook(to, atomic_load(&slw_watched_fd[from]));
}

/* ---- calls ---- */

static bool lock(struct slw_watched *w)
{
    for (unsigned i = 0; i < SPINS || (i < 200 * SPINS && !atomic_load(&w->trouble)); i++) {
        if (atomic_exchange_explicit(&w->lock, 1, memory_order_acquire) == 0)
            return true;
        pause_briefly(i);
    }
    return false;
}

static void unlock(struct slw_watched *w)
{
    atomic_store_explicit(&w->lock, 0, memory_order_release);
}

bool slw_call_begin(struct slw_watched_call *call, int fd, bool sending)
{
    call->w = slw_watched_find(fd);
    if (__builtin_expect(!call->w, 1))
        return false;
    if (busy) {
        atomic_store(&call->w->trouble, SLW_WIRE_MISSED);
        return false;
    }
    slw_touched_fd = fd;
    check_fork();
    call->generation = atomic_load_explicit(&call->w->generation, memory_order_relaxed);
    if (sending) {
        (void)atomic_fetch_add_explicit(&call->w->sending, 1, memory_order_relaxed);
        call->begin_ns = slw_now_ns();
    }
    return true;
}

/* Another thread sends and has not decoded it: an answer nobody asked for is the answer to that. */
static void wait_for_sender(struct slw_watched *w)
{
    for (unsigned i = 0; i < SPINS / 4; i++) {
        if (atomic_load_explicit(&w->sending, memory_order_acquire) == 0 ||
            w->conn.exchange.in_flight > 0)
            return;
        pause_briefly(i);
    }
}

/* A connection that was followed until now is no longer, or again. */
static void tell(struct slw_wire_slot *s, enum slw_wire_reason before, enum slw_wire_reason now)
{
    if (before == now)
        return;
    s->encrypted += now == SLW_WIRE_TLS;
    s->decrypted += before == SLW_WIRE_TLS;
    s->lost += now != SLW_WIRE_TLS && now != SLW_WIRE_NONE;
    if (now != SLW_WIRE_TLS && now != SLW_WIRE_NONE)
        s->reason = now;
}

/* Where to count: in the slot while the window is open. */
static bool prepare(struct slw_watched *w)
{
    bool on = atomic_load_explicit(&map->counting, memory_order_relaxed) != 0;
    uint32_t trouble = atomic_load_explicit(&w->trouble, memory_order_relaxed);
    enum slw_wire_reason before = w->conn.reason;

    if (!w->slot)
        w->slot = slw_slot_take(map, &w->peer, own_pid);
    if (!w->slot)
        return false;
    w->conn.exchange.counts = on ? &w->slot->counts : &uncounted;
    w->conn.exchange.histogram = on ? &map->histograms[w->slot->histogram] : NULL;
    if (trouble != SLW_WIRE_NONE)
        slw_conn_give_up(&w->conn, (enum slw_wire_reason)trouble);
    if (w->counted) {
        tell(w->slot, before, w->conn.reason);
    } else if (on) {
        w->slot->connections++;
        w->slot->inherited += w->inherited;
        w->counted = true;
        tell(w->slot, SLW_WIRE_NONE, w->conn.reason);
    }
    return true;
}

static uint32_t index_of(const struct slw_proto *proto)
{
    uint32_t i = 0;

    while (i < slw_proto_count && slw_protos[i] != proto)
        i++;
    return i + 1;
}

/* Slots are found again by peer, so that one protocol follows another only where a port changed its
 * server; then the later one names it. */
static void publish(struct slw_watched *w, enum slw_wire_reason before, bool known)
{
    const struct slw_conn *c = &w->conn;

    if (c->proto && !known)
        w->slot->protocol = index_of(c->proto);
    if (w->counted)
        tell(w->slot, before, c->reason);
}

typedef void (*move_fn)(struct slw_conn *c, const struct iovec *buffers, size_t buffer_count,
                        size_t count, uint64_t when_ns);

static bool still_that(const struct slw_watched_call *call)
{
    return atomic_load_explicit(&call->w->generation, memory_order_relaxed) == call->generation &&
           prepare(call->w);
}

static void locked_call(const struct slw_watched_call *call, move_fn move,
                        const struct iovec *buffers, size_t buffer_count, ssize_t result,
                        uint64_t when_ns)
{
    struct slw_watched *w = call->w;

    if (!still_that(call))
        return;
    w->conn.exchange.racing =
        move == slw_conn_received && atomic_load_explicit(&w->sending, memory_order_relaxed) > 0;
    enum slw_wire_reason before = w->conn.reason;
    bool known = w->slot->protocol && w->conn.proto;
    if (result > 0) {
        w->sent_bytes += move == slw_conn_sent ? (size_t)result : 0;
        move(&w->conn, buffers, buffer_count, (size_t)result, when_ns);
    } else if (move == slw_conn_sent)
        w->conn.exchange.counts->send_blocked++;
    else
        w->conn.exchange.counts->receive_blocked++;
    if (w->conn.reason == SLW_WIRE_TLS && move == slw_conn_sent && result > 0)
        slw_tls_sent(call, buffers, buffer_count, (size_t)result);
    publish(w, before, known);
}

static bool worth_counting(ssize_t result, int error)
{
    return result > 0 || (result < 0 && (error == EAGAIN || error == EWOULDBLOCK));
}

static void finish_call(const struct slw_watched_call *call, move_fn move,
                        const struct iovec *buffers, size_t buffer_count, ssize_t result,
                        uint64_t when_ns)
{
    busy = true;
    if (lock(call->w)) {
        locked_call(call, move, buffers, buffer_count, result, when_ns);
        unlock(call->w);
    } else if (result > 0) {
        atomic_store(&call->w->trouble, SLW_WIRE_CONTENDED);
    }
    busy = false;
}

void slw_call_sent(const struct slw_watched_call *call, const struct iovec *buffers,
                   size_t buffer_count, ssize_t result)
{
    int saved = errno;

    if (worth_counting(result, saved))
        finish_call(call, slw_conn_sent, buffers, buffer_count, result, call->begin_ns);
    (void)atomic_fetch_sub_explicit(&call->w->sending, 1, memory_order_release);
    errno = saved;
}

void slw_call_received(const struct slw_watched_call *call, const struct iovec *buffers,
                       size_t buffer_count, ssize_t result)
{
    int saved = errno;

    if (worth_counting(result, saved)) {
        uint64_t when_ns = result > 0 ? slw_now_ns() : 0;

        if (result > 0 && call->w->conn.exchange.in_flight == 0)
            wait_for_sender(call->w);
        finish_call(call, slw_conn_received, buffers, buffer_count, result, when_ns);
    }
    errno = saved;
}

void slw_call_plain(const struct slw_watched_call *call, enum slw_wire_direction d,
                    const void *bytes, size_t count, uint64_t when_ns)
{
    struct slw_watched *w = call->w;

    busy = true;
    if (!lock(w)) {
        atomic_store(&w->trouble, SLW_WIRE_CONTENDED);
    } else {
        if (still_that(call)) {
            enum slw_wire_reason before = w->conn.reason;
            bool known = w->slot->protocol && w->conn.proto;

            slw_conn_plain(&w->conn, d, bytes, count, when_ns);
            publish(w, before, known);
        }
        unlock(w);
    }
    busy = false;
}

/* At once: there may be no further call on it. */
void slw_call_missed(int fd)
{
    struct slw_watched_call call;
    int saved = errno;
    struct slw_watched *w = slw_watched_find(fd);

    if (w)
        atomic_store(&w->trouble, SLW_WIRE_MISSED);
    if (w && slw_call_begin(&call, fd, false)) {
        busy = true;
        if (lock(w)) {
            (void)still_that(&call);
            unlock(w);
        }
        busy = false;
    }
    errno = saved;
}

/* ---- what is no connection ---- */

struct slw_watched *slw_table_take(const struct slw_wire_slot *peer)
{
    uint16_t index;

    if (!map || busy || !slw_table_own_process())
        return NULL;
    check_fork();
    return start(peer, &index);
}

bool slw_table_enter(struct slw_watched *w, uint32_t protocol)
{
    if (busy)
        return false;
    check_fork();
    busy = true;
    if (lock(w)) {
        if (prepare(w)) {
            w->slot->protocol = protocol;
            return true;
        }
        unlock(w);
    } else {
        atomic_store(&w->trouble, SLW_WIRE_CONTENDED);
    }
    busy = false;
    return false;
}

void slw_table_leave(struct slw_watched *w)
{
    unlock(w);
    busy = false;
}

void slw_table_release(struct slw_watched *w)
{
    if (slw_table_own_process())
        release(w);
}

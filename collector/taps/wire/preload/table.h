/* SPDX-License-Identifier: MIT */
/* Inside a client: which descriptors are watched connections, and the mapping they are counted in.
 * Everything here may be called from any thread and from signal handlers, keeps errno, allocates
 * with mmap only and gives up rather than wait. Only for the preloaded library. */
#ifndef SLW_COLLECTOR_TAPS_WIRE_PRELOAD_TABLE_H
#define SLW_COLLECTOR_TAPS_WIRE_PRELOAD_TABLE_H

#include "collector/taps/wire/conn.h"

#include <sys/socket.h>

#define SLW_WIRE_FDS 65536 /* descriptors past this are not watched */

struct slw_watched {
    _Atomic uint32_t used;       /* by a connection */
    _Atomic uint32_t lock;       /* held while decoding */
    _Atomic uint32_t generation; /* of connections: tells a late call from an early one */
    _Atomic uint32_t references; /* descriptors */
    _Atomic uint32_t sending;    /* threads that are in a write and have not decoded it */
    _Atomic uint32_t trouble;    /* enum slw_wire_reason, to be taken over by who has the lock */
    struct slw_wire_slot *slot;  /* NULL: the next call takes one (after fork) */
    bool counted;                /* as a connection of the slot */
    bool inherited;
    uint64_t sent_bytes;       /* that we saw of this connection, also outside of the window */
    struct slw_wire_slot peer; /* family, port, address and path only */
    struct slw_conn conn;
};

extern _Atomic uint16_t slw_watched_fd[SLW_WIRE_FDS];
struct slw_watched *slw_watched_at(uint16_t index);

/* The connection of a descriptor or NULL: one load for all others. */
static inline struct slw_watched *slw_watched_find(int fd)
{
    uint16_t index;

    if ((unsigned)fd >= SLW_WIRE_FDS)
        return NULL;
    index = atomic_load_explicit(&slw_watched_fd[fd], memory_order_acquire);
    return index ? slw_watched_at(index) : NULL;
}

/* Attach to the mapping at `path`. false: stay off. */
bool slw_table_attach(const char *path);
bool slw_table_on(void);
struct slw_wire_map *slw_table_map(void); /* NULL: off */

/* The process that holds this memory. Not so in a vfork child, which shares it. */
bool slw_table_own_process(void);

void slw_table_connect(int fd, const struct sockaddr *to, socklen_t length);
void slw_table_close(int fd);
void slw_table_close_range(unsigned first, unsigned last);
void slw_table_duplicate(int from, int to);
/* Were bytes sent that we did not see? Of a connection, of all that are open at the end. */
void slw_table_check(int fd);
void slw_table_check_all(void);

/* What is no connection, but counted like one: take a place for it, count while holding its lock
 * (false: not now), give it back. */
struct slw_watched *slw_table_take(const struct slw_wire_slot *peer);
bool slw_table_enter(struct slw_watched *w, uint32_t protocol);
void slw_table_leave(struct slw_watched *w);
void slw_table_release(struct slw_watched *w);

/* Before the call: remember which connection it is. */
struct slw_watched_call {
    struct slw_watched *w;
    uint32_t generation;
    uint64_t begin_ns;
};
/* false: not watched, or we are within ourselves (a signal handler): pass through. */
bool slw_call_begin(struct slw_watched_call *call, int fd, bool sending);
/* After it; result as the system call's, with errno. */
void slw_call_sent(const struct slw_watched_call *call, const struct iovec *buffers,
                   size_t buffer_count, ssize_t result);
void slw_call_received(const struct slw_watched_call *call, const struct iovec *buffers,
                       size_t buffer_count, ssize_t result);
/* The same of plain text that went through a TLS library. */
void slw_call_plain(const struct slw_watched_call *call, enum slw_wire_direction d,
                    const void *bytes, size_t count, uint64_t when_ns);
/* Descriptor of the last watched call of this thread. */
extern _Thread_local int slw_touched_fd __attribute__((tls_model("initial-exec")));

uint64_t slw_now_ns(void);
/* Bytes passed that were not seen. */
void slw_call_missed(int fd);

#endif

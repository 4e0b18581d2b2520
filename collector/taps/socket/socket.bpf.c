/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* Copies what the target's processes move over the sockets they have connected. Everything is told
 * at the end of a system call, when the number of bytes is known and the caller's buffers still
 * hold them; its beginning gives only the time. Sockets are known by their inode, so that it does
 * not matter how many descriptors and processes share one. */
#include "collector/taps/bpf/core.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "collector/taps/socket/layout.h"

#define S_IFMT      0170000
#define S_IFSOCK    0140000
#define SOCK_STREAM 1
#define MSG_OOB     1
#define MSG_PEEK    2
#define EAGAIN      11
#define EINTR       4
#define EINPROGRESS 115
#define SENT        0
#define RECEIVED    1

/* A TLS record begins with its type and the major version. Source: RFC 8446, 5.1. */
#define TLS_FIRST     0x14
#define TLS_HANDSHAKE 0x16
#define TLS_LAST      0x17
#define TLS_MAJOR     3

char LICENSE[] SEC("license") = "Dual MIT/GPL";

const volatile __u8 calls[SLW_SOCKET_SYSCALLS];
const volatile __u32 wake_bytes = SLW_SOCKET_RING / 8; /* in the ring: somebody has to look */

/* Inodes nobody follows any more, by their low bits. Written by the reader; one that is pushed out
 * by another costs a copy, no more. */
__u32 quiet[SLW_SOCKET_QUIET];
struct slw_socket_losses losses;
__u32 with_tls; /* functions of a TLS library are watched */

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, SLW_SOCKET_PROCESSES);
    __type(key, __u32);
    __type(value, __u8);
} processes SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, SLW_SOCKET_SOCKETS);
    __type(key, __u64);
    __type(value, struct slw_socket_kept);
} sockets SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, SLW_SOCKET_RING);
} records SEC(".maps");

struct moving {
    struct slw_socket_record head;
    __u64 base, left;      /* the rest of this buffer */
    __u64 vector, vectors; /* those that follow */
    __u64 call_left;       /* of what the call moved */
    __u64 told;            /* bytes in records */
    __u64 missed_bytes, missed_calls;
};

struct tls_call {
    __u64 stack; /* pointer, at its beginning */
    __u64 session, buffer, length_at, begin_ns;
    __u64 inode; /* of the socket it moved bytes over meanwhile; 0: none */
    __u32 function;
    __u8 handshake; /* one of those bytes began a handshake message */
    __u8 guessed;   /* the socket is that of the thread's last records */
    __u16 unused;
};

/* A first read shakes hands, and when that is done tells the client, who writes. */
#define TLS_CALLS 4 /* power of two */

/* Of a thread. */
struct activity {
    __u64 begin_ns;  /* of the system call it is in */
    __u64 inode;     /* of the socket it has just got TLS records from; 0: none */
    __u32 handshake; /* which began a handshake message */
    __u32 depth;
    struct tls_call calls[TLS_CALLS]; /* that it is in, one within the other */
    struct moving text; /* of the innermost; a program on a function may be preempted */
};
struct {
    __uint(type, BPF_MAP_TYPE_TASK_STORAGE);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, int);
    __type(value, struct activity);
} threads SEC(".maps");

/* The sockets of TLS sessions. */
struct session_key {
    __u64 address, pid;
};
struct session {
    __u64 inode;
    __u64 late; /* its handshake was not seen */
};
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, SLW_SOCKET_SESSIONS);
    __type(key, struct session_key);
    __type(value, struct session);
} sessions SEC(".maps");

/* ---- arguments ---- */

struct arguments {
    __u64 a[4];
};

static __always_inline int number_of(struct pt_regs *regs)
{
#if defined(__TARGET_ARCH_x86)
    return regs->cs == 0x33 ? (int)regs->orig_ax : -1; /* 32-bit programs have other numbers */
#else
    return regs->pstate & 0x10 ? -1 : regs->syscallno;
#endif
}

static __always_inline struct arguments arguments_of(struct pt_regs *regs)
{
#if defined(__TARGET_ARCH_x86)
    return (struct arguments){{regs->di, regs->si, regs->dx, regs->r10}};
#else
    return (struct arguments){{regs->orig_x0, regs->regs[1], regs->regs[2], regs->regs[3]}};
#endif
}

static __always_inline __u32 call_of(struct pt_regs *regs)
{
    __u32 number = (__u32)number_of(regs);

    if (number >= SLW_SOCKET_SYSCALLS)
        return SLW_SOCKET_NOTHING;
    barrier_var(number); /* or the compiler drops the mask, which the verifier believes */
    return calls[number & (SLW_SOCKET_SYSCALLS - 1)];
}

static __always_inline int followed(void)
{
    __u32 pid = bpf_get_current_pid_tgid() >> 32;

    return bpf_map_lookup_elem(&processes, &pid) != 0;
}

/* ---- sockets ---- */

static __always_inline struct file *file_of(__u64 fd)
{
    struct task_struct *task = bpf_get_current_task_btf();
    struct files_struct *files = task->files;
    struct fdtable *table = files ? files->fdt : 0;
    struct file *file = 0;

    if (!table || (__u32)fd >= table->max_fds ||
        bpf_probe_read_kernel(&file, sizeof(file), table->fd + (__u32)fd))
        return 0;
    return file;
}

/* 0: no socket. */
static __always_inline __u64 inode_of(struct file *file)
{
    struct inode *inode = file ? BPF_CORE_READ(file, f_inode) : 0;

    if (!inode || (BPF_CORE_READ(inode, i_mode) & S_IFMT) != S_IFSOCK)
        return 0;
    return BPF_CORE_READ(inode, i_ino);
}

static __always_inline int last_reference(struct file *file)
{
    struct file___ref *now = (void *)file;
    struct file___count *before = (void *)file;

    if (bpf_core_field_exists(now->f_ref))
        return BPF_CORE_READ(now, f_ref.refcnt.counter) == 0;
    return BPF_CORE_READ(before, f_count.counter) == 1;
}

static __always_inline int is_quiet(__u64 inode)
{
    return quiet[inode & (SLW_SOCKET_QUIET - 1)] == (__u32)inode;
}

static __always_inline struct activity *activity_of_thread(__u64 flags)
{
    return bpf_task_storage_get(&threads, bpf_get_current_task_btf(), 0, flags);
}

/* ---- records ---- */

/* In a map, because the verifier follows each value on the stack through every turn of a loop, and
 * gives up. Nothing else runs on this CPU before we are done with it. */
struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct moving);
} scratch SEC(".maps");

/* The reader looks by the clock, unless the ring fills up faster. */
static __always_inline __u64 wake_up(void)
{
    return bpf_ringbuf_query(&records, BPF_RB_AVAIL_DATA) >= wake_bytes ? BPF_RB_FORCE_WAKEUP
                                                                        : BPF_RB_NO_WAKEUP;
}

/* The header, and the piece of the caller's memory that it tells; its size is a constant for the
 * kernel's sake. 0, or the piece is in no record. */
#define DEFINE_PUT(name, total)                                                                    \
    static __always_inline int put_##name(const struct slw_socket_record *head, __u64 from)        \
    {                                                                                              \
        struct slw_socket_record *r = bpf_ringbuf_reserve(&records, total, 0);                     \
        __u32 bytes = head->bytes;                                                                 \
                                                                                                   \
        if (!r)                                                                                    \
            return -1;                                                                             \
        __builtin_memcpy(r, head, sizeof(*r));                                                     \
        if (bytes > (total) - sizeof(*r))                                                          \
            bytes = (total) - sizeof(*r);                                                          \
        barrier_var(bytes);                                                                        \
        if (bytes > (total) - sizeof(*r) ||                                                        \
            (bytes > 0 && bpf_probe_read_user(r + 1, bytes, (void *)from))) {                      \
            bpf_ringbuf_discard(r, BPF_RB_NO_WAKEUP);                                              \
            return -1;                                                                             \
        }                                                                                          \
        bpf_ringbuf_submit(r, wake_up());                                                          \
        return 0;                                                                                  \
    }
DEFINE_PUT(small, SLW_SOCKET_SMALL)
DEFINE_PUT(middle, SLW_SOCKET_MIDDLE)
DEFINE_PUT(page, SLW_SOCKET_PAGE)
DEFINE_PUT(large, SLW_SOCKET_LARGE)

#define ROOM(total) ((total) - sizeof(struct slw_socket_record))

static __always_inline int put(const struct slw_socket_record *head, __u64 from)
{
    if (head->bytes <= ROOM(SLW_SOCKET_SMALL))
        return put_small(head, from);
    if (head->bytes <= ROOM(SLW_SOCKET_MIDDLE))
        return put_middle(head, from);
    if (head->bytes <= ROOM(SLW_SOCKET_PAGE))
        return put_page(head, from);
    return put_large(head, from);
}

static __always_inline void fill_head(struct slw_socket_record *head, __u8 kind, __u64 inode)
{
    __u64 id = bpf_get_current_pid_tgid();

    __builtin_memset(head, 0, sizeof(*head));
    head->kind = kind;
    head->inode = inode;
    head->pid = id >> 32;
    head->tid = (__u32)id;
    head->when_ns = bpf_ktime_get_ns();
}

/* ---- what a call moved ---- */

struct user_vector { /* struct iovec */
    __u64 base, length;
};

struct user_message { /* struct msghdr */
    __u64 name;
    __u32 name_length, unused;
    __u64 vector, vectors;
    __u64 control, control_length;
    __u64 flags;
};

struct user_messages { /* struct mmsghdr */
    struct user_message message;
    __u32 moved, unused;
};

/* A piece of the buffer at hand, or the next buffer. 1: no more. */
static long step(__u32 index, struct moving **at)
{
    struct moving *m = *at;
    struct user_vector v;

    if (m->left == 0) {
        if (m->vectors == 0 || bpf_probe_read_user(&v, sizeof(v), (void *)m->vector))
            return 1;
        m->vector += sizeof(v);
        m->vectors--;
        m->base = v.base;
        m->left = v.length < m->call_left ? v.length : m->call_left;
        return 0;
    }
    m->head.bytes = m->left < ROOM(SLW_SOCKET_LARGE) ? m->left : ROOM(SLW_SOCKET_LARGE);
    m->head.offset = m->told;
    if (put(&m->head, m->base))
        return 1;
    m->told += m->head.bytes;
    m->base += m->head.bytes;
    m->left -= m->head.bytes;
    m->call_left -= m->head.bytes;
    return m->call_left == 0 || m->told >= SLW_SOCKET_CALL_BYTES;
}

static __always_inline void tell(struct moving *m, __u64 bytes, int copy)
{
    m->told = 0;
    m->call_left = m->head.call_bytes = bytes;
    if (m->left > bytes)
        m->left = bytes;
    if (copy)
        bpf_loop(SLW_SOCKET_STEPS, step, &m, 0);
    m->missed_bytes += m->call_left;
    m->missed_calls += m->told == 0;
}

static __always_inline void set_message(struct moving *m, __u64 at)
{
    struct user_message message = {};

    (void)bpf_probe_read_user(&message, sizeof(message), (void *)at);
    m->left = 0;
    m->vector = message.vector;
    m->vectors = message.vectors;
}

struct messages {
    struct moving *m;
    __u64 at;
    int copy;
};

static long next_message(__u32 index, struct messages *messages)
{
    struct user_messages *at = (void *)messages->at;
    __u32 moved = 0;

    (void)bpf_probe_read_user(&moved, sizeof(moved), &at->moved);
    set_message(messages->m, (__u64)at);
    if (moved > 0)
        tell(messages->m, moved, messages->copy);
    messages->at += sizeof(*at);
    return 0;
}

/* Whose bytes these are, if they are TLS records: those of the session whose function is moving
 * them, or, in a client that gives them to its TLS library itself, those of the session it goes on
 * with right after it got them. */
static __always_inline void look_for_tls(struct moving *m)
{
    struct activity *a = activity_of_thread(BPF_LOCAL_STORAGE_GET_F_CREATE);
    struct user_vector v = {.base = m->base, .length = m->left};
    __u8 first[2] = {};

    if (!a)
        return;
    if (m->left == 0 && m->vectors > 0)
        (void)bpf_probe_read_user(&v, sizeof(v), (void *)m->vector);
    if (v.length >= sizeof(first))
        (void)bpf_probe_read_user(first, sizeof(first), (void *)v.base);
    int record = first[0] >= TLS_FIRST && first[0] <= TLS_LAST && first[1] == TLS_MAJOR;
    if (a->depth > 0) {
        struct tls_call *c = &a->calls[(a->depth - 1) & (TLS_CALLS - 1)];

        c->inode = m->head.inode;
        c->handshake &= !c->guessed;
        c->guessed = 0;
        c->handshake |= record && first[0] == TLS_HANDSHAKE;
    } else if (m->head.direction == RECEIVED) {
        a->inode = record ? m->head.inode : 0;
        a->handshake = first[0] == TLS_HANDSHAKE;
    }
}

static __always_inline void tell_call(struct moving *m, __u32 call, const struct arguments *args,
                                      long result)
{
    struct messages messages = {.m = m, .copy = !is_quiet(m->head.inode)};

    switch (call) {
    case SLW_SOCKET_WRITE:
    case SLW_SOCKET_SEND:
    case SLW_SOCKET_READ:
    case SLW_SOCKET_RECEIVE:
        m->base = args->a[1];
        m->left = result;
        break;
    case SLW_SOCKET_SEND_VECTOR:
    case SLW_SOCKET_RECEIVE_VECTOR:
        m->vector = args->a[1];
        m->vectors = args->a[2];
        break;
    case SLW_SOCKET_SEND_MESSAGE:
    case SLW_SOCKET_RECEIVE_MESSAGE:
        set_message(m, args->a[1]);
        break;
    case SLW_SOCKET_SEND_MESSAGES:
    case SLW_SOCKET_RECEIVE_MESSAGES:
        messages.at = args->a[1];
        bpf_loop(result, next_message, &messages, 0); /* at most UIO_MAXIOV, 1024 */
        return;
    default:
        break; /* no buffer: everything is missed */
    }
    if (with_tls)
        look_for_tls(m);
    tell(m, result, messages.copy);
}

static __always_inline __u64 flags_of(__u32 call, const struct arguments *args)
{
    if (call == SLW_SOCKET_SEND || call == SLW_SOCKET_RECEIVE || call == SLW_SOCKET_SEND_MESSAGES ||
        call == SLW_SOCKET_RECEIVE_MESSAGES)
        return args->a[3];
    if (call == SLW_SOCKET_SEND_MESSAGE || call == SLW_SOCKET_RECEIVE_MESSAGE)
        return args->a[2];
    return 0;
}

static __always_inline int receives(__u32 call)
{
    return call >= SLW_SOCKET_READ && call <= SLW_SOCKET_RECEIVE_SPLICE;
}

static __always_inline __u64 begin_of_call(void)
{
    struct activity *a = activity_of_thread(0);

    return a ? a->begin_ns : 0;
}

static __always_inline void tell_missed(struct moving *m, const struct slw_socket_kept *kept)
{
    for (int i = 0; i < 2; i++) {
        m->head.missed_bytes[i] = kept->missed_bytes[i];
        m->head.missed_calls[i] = kept->missed_calls[i];
        m->head.missed_text[i] = kept->missed_text[i];
    }
}

static __always_inline void set_out(struct moving *m, __u64 inode, __u32 direction,
                                    const struct slw_socket_kept *kept)
{
    __u64 begin = direction == SENT ? begin_of_call() : 0;

    __builtin_memset(m, 0, sizeof(*m));
    fill_head(&m->head, SLW_SOCKET_MOVED, inode);
    m->head.direction = direction;
    if (begin)
        m->head.when_ns = begin;
    tell_missed(m, kept);
}

static __always_inline void on_moved(__u32 call, const struct arguments *args, long result)
{
    __u64 inode = inode_of(file_of(args->a[call == SLW_SOCKET_SEND_SPLICE ? 2 : 0]));
    __u32 zero = 0, direction = receives(call) ? RECEIVED : SENT;
    struct moving *m = bpf_map_lookup_elem(&scratch, &zero);
    struct slw_socket_kept *kept;

    if (!m || inode == 0 || flags_of(call, args) & (MSG_OOB | MSG_PEEK))
        return;
    kept = bpf_map_lookup_elem(&sockets, &inode);
    if (!kept)
        return;
    if (result < 0) {
        __sync_fetch_and_add(&kept->blocked[direction], 1);
        return;
    }
    set_out(m, inode, direction, kept);
    tell_call(m, call, args, result);
    if (m->missed_bytes > 0)
        __sync_fetch_and_add(&kept->missed_bytes[direction], m->missed_bytes);
    if (m->missed_calls > 0)
        __sync_fetch_and_add(&kept->missed_calls[direction], m->missed_calls);
}

/* ---- the life of sockets ---- */

static __always_inline void on_connected(const struct arguments *args, long result)
{
    struct file *file = file_of(args->a[0]);
    __u64 inode = inode_of(file);
    struct slw_socket_record head;
    struct slw_socket_kept kept = {};
    struct socket *socket;
    __u32 bytes = (__u32)args->a[2];

    if (inode == 0 || (result != 0 && result != -EINPROGRESS && result != -EINTR))
        return;
    socket = BPF_CORE_READ(file, private_data);
    if (BPF_CORE_READ(socket, type) != SOCK_STREAM)
        return;
    if (bytes > sizeof(kept.address))
        bytes = sizeof(kept.address);
    barrier_var(bytes);
    if (bytes > sizeof(kept.address) ||
        bpf_probe_read_user(kept.address, bytes, (void *)args->a[1]))
        return;
    fill_head(&head, SLW_SOCKET_CONNECTED, inode);
    head.bytes = kept.address_bytes = bytes;
    kept.pid = head.pid;
    if (bpf_map_update_elem(&sockets, &inode, &kept, BPF_ANY)) {
        __sync_fetch_and_add(&losses.sockets, 1);
        return;
    }
    if (put_small(&head, args->a[1]))
        __sync_fetch_and_add(&losses.records, 1);
}

static __always_inline void on_close(__u64 fd)
{
    struct file *file = file_of(fd);
    __u64 inode = inode_of(file);
    struct slw_socket_record head;

    if (inode == 0 || !bpf_map_lookup_elem(&sockets, &inode) || !last_reference(file))
        return;
    fill_head(&head, SLW_SOCKET_CLOSED, inode);
    (void)put_small(&head, 0); /* without it, the reader knows when the process has ended */
}

/* ---- events ---- */

SEC("tp_btf/sys_enter")
int BPF_PROG(on_enter, struct pt_regs *regs, long number)
{
    __u32 call = call_of(regs);
    struct activity *a;

    if (call == SLW_SOCKET_NOTHING || (call >= SLW_SOCKET_READ && call != SLW_SOCKET_CLOSE) ||
        !followed())
        return 0;
    if (call == SLW_SOCKET_CLOSE) {
        on_close(arguments_of(regs).a[0]);
        return 0;
    }
    a = activity_of_thread(BPF_LOCAL_STORAGE_GET_F_CREATE);
    if (a)
        a->begin_ns = bpf_ktime_get_ns();
    return 0;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(on_exit, struct pt_regs *regs, long result)
{
    __u32 call = call_of(regs);
    struct arguments args;

    if (call == SLW_SOCKET_NOTHING || call == SLW_SOCKET_CLOSE || !followed())
        return 0;
    args = arguments_of(regs);
    if (call == SLW_SOCKET_CONNECT)
        on_connected(&args, result);
    else if (result > 0 || result == -EAGAIN)
        on_moved(call, &args, result);
    return 0;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(on_fork, struct task_struct *parent, struct task_struct *child)
{
    __u32 from = parent->tgid, to = child->tgid;
    __u8 one = 1;

    if (from != to && bpf_map_lookup_elem(&processes, &from) &&
        bpf_map_update_elem(&processes, &to, &one, BPF_ANY))
        __sync_fetch_and_add(&losses.processes, 1);
    return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_end, struct task_struct *task)
{
    __u32 pid = task->tgid;

    if (task->signal->live.counter == 0)
        (void)bpf_map_delete_elem(&processes, &pid);
    return 0;
}

#include "collector/taps/socket/ring.bpf.h"
#include "collector/taps/socket/tls.bpf.h"

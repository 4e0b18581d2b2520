/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* Why a thread left the CPU, from the system call it is in. Pure and inline: compiled into the BPF
 * program and, for the tests and threads that slept already, into slotwise. */
#ifndef SLW_COLLECTOR_TAPS_OFFCPU_CAUSE_H
#define SLW_COLLECTOR_TAPS_OFFCPU_CAUSE_H

#include "collector/taps/offcpu/layout.h"

/* What a system call may wait for. The table by number is in classes.c. */
enum slw_off_class {
    SLW_OFF_CLASS_NONE, /* no system call, or one that waits for nothing of these */
    SLW_OFF_CLASS_READ,
    SLW_OFF_CLASS_WRITE,
    SLW_OFF_CLASS_RECEIVE,
    SLW_OFF_CLASS_SEND,
    SLW_OFF_CLASS_CONNECT,
    SLW_OFF_CLASS_ACCEPT,
    SLW_OFF_CLASS_POLL,
    SLW_OFF_CLASS_SELECT,
    SLW_OFF_CLASS_EPOLL,
    SLW_OFF_CLASS_SLEEP,
    SLW_OFF_CLASS_FUTEX,
    SLW_OFF_CLASS_SYNC,
    SLW_OFF_CLASS_CHILD
};

enum slw_off_kind { SLW_OFF_KIND_UNKNOWN, SLW_OFF_KIND_SOCKET, SLW_OFF_KIND_FILE };

struct slw_off_call {
    __u32 class;           /* enum slw_off_class */
    __u32 kind;            /* enum slw_off_kind of its descriptor, where it has exactly one */
    __u64 fd_count;        /* of poll and select */
    __u32 write_only;      /* of poll on one descriptor: asks for POLLOUT and not POLLIN */
    __u32 uninterruptible; /* D state */
    __u32 iowait;          /* and the kernel counts it as waiting for I/O */
};

static inline enum slw_off_state slw_off_poll_cause(const struct slw_off_call *c)
{
    if (c->fd_count == 0)
        return SLW_OFF_SLEEP;
    if (c->fd_count > 1)
        return SLW_OFF_EVENT_LOOP;
    if (c->kind != SLW_OFF_KIND_SOCKET)
        return SLW_OFF_PIPE;
    return c->write_only ? SLW_OFF_SENDING : SLW_OFF_ANSWER;
}

static inline enum slw_off_state slw_off_transfer_cause(const struct slw_off_call *c)
{
    if (c->kind == SLW_OFF_KIND_FILE)
        return SLW_OFF_DISK;
    if (c->kind != SLW_OFF_KIND_SOCKET)
        return SLW_OFF_PIPE;
    return c->class == SLW_OFF_CLASS_READ ? SLW_OFF_ANSWER : SLW_OFF_SENDING;
}

/* A wait that cannot be interrupted is the kernel's own: storage when it says so, else a lock of
 * its own. Where D is how the call always waits, its class decides. */
static inline enum slw_off_state slw_off_cause(const struct slw_off_call *c)
{
    if (c->iowait)
        return SLW_OFF_DISK;
    switch (c->class) {
    case SLW_OFF_CLASS_SYNC:
        return SLW_OFF_DISK;
    case SLW_OFF_CLASS_CHILD:
        return SLW_OFF_CHILD;
    case SLW_OFF_CLASS_READ:
    case SLW_OFF_CLASS_WRITE:
        return c->uninterruptible && c->kind != SLW_OFF_KIND_FILE ? SLW_OFF_OTHER
                                                                  : slw_off_transfer_cause(c);
    default:
        break;
    }
    if (c->uninterruptible)
        return SLW_OFF_OTHER;
    switch (c->class) {
    case SLW_OFF_CLASS_RECEIVE:
    case SLW_OFF_CLASS_CONNECT:
        return SLW_OFF_ANSWER;
    case SLW_OFF_CLASS_SEND:
        return SLW_OFF_SENDING;
    case SLW_OFF_CLASS_POLL:
        return slw_off_poll_cause(c);
    case SLW_OFF_CLASS_SELECT: /* which descriptors is not looked at */
        return c->fd_count == 0 ? SLW_OFF_SLEEP : SLW_OFF_EVENT_LOOP;
    case SLW_OFF_CLASS_EPOLL:
    case SLW_OFF_CLASS_ACCEPT:
        return SLW_OFF_EVENT_LOOP;
    case SLW_OFF_CLASS_SLEEP:
        return SLW_OFF_SLEEP;
    case SLW_OFF_CLASS_FUTEX:
        return SLW_OFF_LOCK;
    default:
        return SLW_OFF_OTHER;
    }
}

/* i_mode of an inode or st_mode. Source: inode(7). */
static inline enum slw_off_kind slw_off_kind(__u32 mode)
{
    switch (mode & 0170000) {
    case 0140000:
        return SLW_OFF_KIND_SOCKET;
    case 0100000: /* regular */
    case 0060000: /* block device */
    case 0040000: /* directory */
        return SLW_OFF_KIND_FILE;
    default:
        return SLW_OFF_KIND_UNKNOWN;
    }
}

#endif

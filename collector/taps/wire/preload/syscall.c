/* SPDX-License-Identifier: MIT */
/* System calls that a client makes by their number, and stdio on a socket. The latter goes on
 * inside of libc, where nobody can stand: such a connection is given up and says so. */
#include "collector/taps/wire/preload/real.h"
#include "collector/taps/wire/preload/table.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum kind {
    OTHER,
    FLAT_SEND,
    FLAT_RECEIVE,
    VECTOR_SEND,
    VECTOR_RECEIVE,
    MESSAGE_SEND,
    MESSAGE_RECEIVE
};

#define OTHER_BYTES (MSG_PEEK | MSG_OOB | MSG_ERRQUEUE | MSG_TRUNC)

/* Before libc is found: the registers as the kernel wants them. */
static long raw(long number, const long a[6])
{
#if defined(__x86_64__)
    register long r10 __asm__("r10") = a[3];
    register long r8 __asm__("r8") = a[4];
    register long r9 __asm__("r9") = a[5];
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
#elif defined(__aarch64__)
    register long x8 __asm__("x8") = number;
    register long result __asm__("x0") = a[0];
    register long x1 __asm__("x1") = a[1];
    register long x2 __asm__("x2") = a[2];
    register long x3 __asm__("x3") = a[3];
    register long x4 __asm__("x4") = a[4];
    register long x5 __asm__("x5") = a[5];
    __asm__ volatile("svc 0"
                     : "+r"(result)
                     : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                     : "memory");
#else
    long result = -ENOSYS;
#endif
    if (result > -4096 && result < 0) {
        errno = (int)-result;
        return -1;
    }
    return result;
}

static long forward(long number, const long a[6])
{
    if (!slw_real.syscall)
        return raw(number, a);
    return slw_real.syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

static void *pointer(long value)
{
    void *p;

    memcpy(&p, &value, sizeof(p));
    return p;
}

static enum kind kind_of(long number, const long a[6])
{
    switch (number) {
    case SYS_write:
        return FLAT_SEND;
    case SYS_read:
        return FLAT_RECEIVE;
    case SYS_sendto:
        return a[3] & MSG_OOB ? OTHER : FLAT_SEND;
    case SYS_recvfrom:
        return a[3] & OTHER_BYTES ? OTHER : FLAT_RECEIVE;
    case SYS_writev:
        return VECTOR_SEND;
    case SYS_readv:
        return VECTOR_RECEIVE;
    case SYS_sendmsg:
        return a[2] & MSG_OOB ? OTHER : MESSAGE_SEND;
    case SYS_recvmsg:
        return a[2] & OTHER_BYTES ? OTHER : MESSAGE_RECEIVE;
    default:
        return OTHER;
    }
}

static long move_bytes(enum kind kind, long number, const long a[6])
{
    bool sending = kind == FLAT_SEND || kind == VECTOR_SEND || kind == MESSAGE_SEND;
    struct slw_watched_call call;

    if (!slw_call_begin(&call, (int)a[0], sending))
        return forward(number, a);
    long result = forward(number, a);
    struct iovec flat = {pointer(a[1]), (size_t)a[2]};
    const struct iovec *iov = &flat;
    size_t count = 1;
    if (kind == VECTOR_SEND || kind == VECTOR_RECEIVE) {
        iov = pointer(a[1]);
        count = (size_t)a[2];
    } else if (kind == MESSAGE_SEND || kind == MESSAGE_RECEIVE) {
        const struct msghdr *m = pointer(a[1]);
        iov = result > 0 ? m->msg_iov : NULL;
        count = result > 0 ? m->msg_iovlen : 0;
    }
    if (sending)
        slw_call_sent(&call, iov, count, result);
    else
        slw_call_received(&call, iov, count, result);
    return result;
}

/* What is not decoded by number: nothing of it may pass unnoticed. */
static void before(long number, const long a[6])
{
    switch (number) {
    case SYS_close:
        slw_table_close((int)a[0]);
        break;
    case SYS_splice:
        slw_call_missed((int)a[2]);
        slw_call_missed((int)a[0]);
        break;
    case SYS_sendfile:
    case SYS_sendmmsg:
    case SYS_recvmmsg:
        slw_call_missed((int)a[0]);
        break;
#ifdef SYS_close_range
    case SYS_close_range:
        if (!(a[2] & (1 << 2))) /* CLOSE_RANGE_CLOEXEC: they stay open */
            slw_table_close_range((unsigned)a[0], (unsigned)a[1]);
        break;
#endif
#ifdef SYS_dup2
    case SYS_dup2:
#endif
    case SYS_dup3:
        if (a[0] != a[1] && slw_watched_find((int)a[1]) && fcntl((int)a[0], F_GETFD) >= 0)
            slw_table_close((int)a[1]);
        break;
    default:
        break;
    }
}

static void after(long number, const long a[6], long result)
{
    switch (number) {
    case SYS_connect:
        if (result == 0 || errno == EINPROGRESS || errno == EINTR)
            slw_table_connect((int)a[0], pointer(a[1]), (socklen_t)a[2]);
        break;
#ifdef SYS_dup2
    case SYS_dup2:
#endif
    case SYS_dup3:
    case SYS_dup:
        if (result >= 0 && result != a[0])
            slw_table_duplicate((int)a[0], (int)result);
        break;
    case SYS_fcntl:
        if (result >= 0 && (a[1] == F_DUPFD || a[1] == F_DUPFD_CLOEXEC))
            slw_table_duplicate((int)a[0], (int)result);
        break;
    default:
        break;
    }
}

/* Six arguments whatever the call takes: the others are what was in the registers, and are not
 * looked at, as in libc's own. */
SLW_EXPORT long syscall(long number, ...)
{
    va_list ap;
    va_start(ap, number);
    long a[6] = {0};
    for (size_t i = 0; i < 6; i++)
        a[i] = va_arg(ap, long); /* NOLINT(clang-analyzer-valist.Uninitialized): it is started */
    va_end(ap);
    enum kind kind = kind_of(number, a);
    if (kind != OTHER)
        return move_bytes(kind, number, a);
    before(number, a);
    long result = forward(number, a);
    after(number, a, result);
    return result;
}

/* ---- stdio ---- */

SLW_EXPORT FILE *fdopen(int fd, const char *mode)
{
    slw_call_missed(fd);
    if (slw_real.fdopen)
        return slw_real.fdopen(fd, mode);
    errno = ENOSYS;
    return NULL;
}

SLW_EXPORT int vdprintf(int fd, const char *restrict format, va_list ap)
{
    slw_call_missed(fd);
    return slw_real.vdprintf ? slw_real.vdprintf(fd, format, ap) : -1;
}

SLW_EXPORT int dprintf(int fd, const char *restrict format, ...)
{
    va_list ap;

    va_start(ap, format);
    int result = vdprintf(fd, format, ap);
    va_end(ap);
    return result;
}

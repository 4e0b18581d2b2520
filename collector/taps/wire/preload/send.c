/* SPDX-License-Identifier: MIT */
/* The writing half of socket I/O, as clients call it. What was sent is decoded after the call: only
 * then it is known how much of it. */
#include "collector/taps/wire/preload/real.h"
#include "collector/taps/wire/preload/table.h"

#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <unistd.h>

static void *unconst(const void *p)
{
    void *same;

    __builtin_memcpy(&same, &p, sizeof(same));
    return same;
}

#define SEND(buffer, length, expression)                                                           \
    struct slw_watched_call call;                                                                  \
    if (!slw_call_begin(&call, fd, true))                                                          \
        return expression;                                                                         \
    ssize_t result = expression;                                                                   \
    const struct iovec iov = {unconst(buffer), (length)};                                          \
    slw_call_sent(&call, &iov, 1, result);                                                         \
    return result

SLW_EXPORT ssize_t write(int fd, const void *from, size_t size)
{
    if (!slw_real.write)
        return syscall(SYS_write, fd, from, size);
    SEND(from, size, slw_real.write(fd, from, size));
}

SLW_EXPORT ssize_t send(int fd, const void *from, size_t size, int flags)
{
    if (!slw_real.send)
        return syscall(SYS_sendto, fd, from, size, flags, NULL, 0);
    if (flags & MSG_OOB)
        return slw_real.send(fd, from, size, flags);
    SEND(from, size, slw_real.send(fd, from, size, flags));
}

SLW_EXPORT ssize_t sendto(int fd, const void *from, size_t size, int flags, __CONST_SOCKADDR_ARG to,
                          socklen_t length)
{
    if (!slw_real.sendto)
        return syscall(SYS_sendto, fd, from, size, flags, to.__sockaddr__, length);
    if (flags & MSG_OOB)
        return slw_real.sendto(fd, from, size, flags, to.__sockaddr__, length);
    SEND(from, size, slw_real.sendto(fd, from, size, flags, to.__sockaddr__, length));
}

SLW_EXPORT ssize_t writev(int fd, const struct iovec *iov, int count)
{
    struct slw_watched_call call;

    if (!slw_real.writev)
        return syscall(SYS_writev, fd, iov, count);
    if (!slw_call_begin(&call, fd, true))
        return slw_real.writev(fd, iov, count);
    ssize_t result = slw_real.writev(fd, iov, count);
    slw_call_sent(&call, iov, (size_t)(count > 0 ? count : 0), result);
    return result;
}

SLW_EXPORT ssize_t sendmsg(int fd, const struct msghdr *m, int flags)
{
    struct slw_watched_call call;

    if (!slw_real.sendmsg)
        return syscall(SYS_sendmsg, fd, m, flags);
    if (flags & MSG_OOB || !slw_call_begin(&call, fd, true))
        return slw_real.sendmsg(fd, m, flags);
    ssize_t result = slw_real.sendmsg(fd, m, flags);
    slw_call_sent(&call, result > 0 ? m->msg_iov : NULL, result > 0 ? m->msg_iovlen : 0, result);
    return result;
}

/* Each message counts as a write of its own. */
SLW_EXPORT int sendmmsg(int fd, struct mmsghdr *m, unsigned count, int flags)
{
    struct slw_watched_call call;

    if (!slw_real.sendmmsg)
        return (int)syscall(SYS_sendmmsg, fd, m, count, flags);
    if (flags & MSG_OOB || !slw_call_begin(&call, fd, true))
        return slw_real.sendmmsg(fd, m, count, flags);
    int result = slw_real.sendmmsg(fd, m, count, flags);
    for (int i = 0; i < result - 1; i++) {
        struct slw_watched_call again;
        slw_call_sent(&call, m[i].msg_hdr.msg_iov, m[i].msg_hdr.msg_iovlen, m[i].msg_len);
        if (!slw_call_begin(&again, fd, true))
            return result;
        call = again;
    }
    if (result > 0)
        slw_call_sent(&call, m[result - 1].msg_hdr.msg_iov, m[result - 1].msg_hdr.msg_iovlen,
                      m[result - 1].msg_len);
    else
        slw_call_sent(&call, NULL, 0, result);
    return result;
}

/* ---- bytes nobody sees ---- */

SLW_EXPORT ssize_t sendfile(int fd, int from, off_t *offset, size_t size)
{
    slw_call_missed(fd);
    if (!slw_real.sendfile)
        return syscall(SYS_sendfile, fd, from, offset, size);
    return slw_real.sendfile(fd, from, offset, size);
}

SLW_EXPORT ssize_t sendfile64(int fd, int from, off64_t *offset, size_t size)
{
    slw_call_missed(fd);
    if (!slw_real.sendfile64)
        return syscall(SYS_sendfile, fd, from, offset, size);
    return slw_real.sendfile64(fd, from, offset, size);
}

SLW_EXPORT ssize_t splice(int from, off64_t *from_offset, int to, off64_t *to_offset, size_t size,
                          unsigned flags)
{
    slw_call_missed(from);
    slw_call_missed(to);
    if (!slw_real.splice)
        return syscall(SYS_splice, from, from_offset, to, to_offset, size, flags);
    return slw_real.splice(from, from_offset, to, to_offset, size, flags);
}

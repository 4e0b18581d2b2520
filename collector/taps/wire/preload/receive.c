/* SPDX-License-Identifier: MIT */
/* The reading half of socket I/O, as clients call it. A peek is not decoded: the bytes come again.
 */
#include "collector/taps/wire/preload/real.h"
#include "collector/taps/wire/preload/table.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

ssize_t __read_chk(int fd, void *to, size_t size, size_t room);
ssize_t __recv_chk(int fd, void *to, size_t size, size_t room, int flags);
ssize_t __recvfrom_chk(int fd, void *to, size_t size, size_t room, int flags, struct sockaddr *from,
                       socklen_t *length);

/* Data that is looked at, thrown away, or not of the stream. */
static bool other_bytes(int fd, int flags)
{
    if (flags & MSG_TRUNC && !(flags & MSG_PEEK))
        slw_call_missed(fd);
    return (flags & (MSG_PEEK | MSG_OOB | MSG_ERRQUEUE | MSG_TRUNC)) != 0;
}

#define RECEIVE(buffer, length, expression)                                                        \
    struct slw_watched_call call;                                                                  \
    if (!slw_call_begin(&call, fd, false))                                                         \
        return expression;                                                                         \
    ssize_t result = expression;                                                                   \
    const struct iovec iov = {(buffer), (length)};                                                 \
    slw_call_received(&call, &iov, 1, result);                                                     \
    return result

SLW_EXPORT ssize_t read(int fd, void *to, size_t size)
{
    if (!slw_real.read)
        return syscall(SYS_read, fd, to, size);
    RECEIVE(to, size, slw_real.read(fd, to, size));
}

SLW_EXPORT ssize_t __read_chk(int fd, void *to, size_t size, size_t room)
{
    if (!slw_real.__read_chk)
        return syscall(SYS_read, fd, to, size < room ? size : room);
    RECEIVE(to, size, slw_real.__read_chk(fd, to, size, room));
}

SLW_EXPORT ssize_t recv(int fd, void *to, size_t size, int flags)
{
    if (!slw_real.recv)
        return syscall(SYS_recvfrom, fd, to, size, flags, NULL, NULL);
    if (flags && other_bytes(fd, flags))
        return slw_real.recv(fd, to, size, flags);
    RECEIVE(to, size, slw_real.recv(fd, to, size, flags));
}

SLW_EXPORT ssize_t __recv_chk(int fd, void *to, size_t size, size_t room, int flags)
{
    if (!slw_real.__recv_chk)
        return syscall(SYS_recvfrom, fd, to, size < room ? size : room, flags, NULL, NULL);
    if (flags && other_bytes(fd, flags))
        return slw_real.__recv_chk(fd, to, size, room, flags);
    RECEIVE(to, size, slw_real.__recv_chk(fd, to, size, room, flags));
}

SLW_EXPORT ssize_t recvfrom(int fd, void *to, size_t size, int flags, __SOCKADDR_ARG from,
                            socklen_t *length)
{
    if (!slw_real.recvfrom)
        return syscall(SYS_recvfrom, fd, to, size, flags, from.__sockaddr__, length);
    if (flags && other_bytes(fd, flags))
        return slw_real.recvfrom(fd, to, size, flags, from.__sockaddr__, length);
    RECEIVE(to, size, slw_real.recvfrom(fd, to, size, flags, from.__sockaddr__, length));
}

SLW_EXPORT ssize_t __recvfrom_chk(int fd, void *to, size_t size, size_t room, int flags,
                                  struct sockaddr *from, socklen_t *length)
{
    if (!slw_real.__recvfrom_chk)
        return syscall(SYS_recvfrom, fd, to, size < room ? size : room, flags, from, length);
    if (flags && other_bytes(fd, flags))
        return slw_real.__recvfrom_chk(fd, to, size, room, flags, from, length);
    RECEIVE(to, size, slw_real.__recvfrom_chk(fd, to, size, room, flags, from, length));
}

SLW_EXPORT ssize_t readv(int fd, const struct iovec *iov, int count)
{
    struct slw_watched_call call;

    if (!slw_real.readv)
        return syscall(SYS_readv, fd, iov, count);
    if (!slw_call_begin(&call, fd, false))
        return slw_real.readv(fd, iov, count);
    ssize_t result = slw_real.readv(fd, iov, count);
    slw_call_received(&call, iov, (size_t)(count > 0 ? count : 0), result);
    return result;
}

SLW_EXPORT ssize_t recvmsg(int fd, struct msghdr *m, int flags)
{
    struct slw_watched_call call;

    if (!slw_real.recvmsg)
        return syscall(SYS_recvmsg, fd, m, flags);
    if ((flags && other_bytes(fd, flags)) || !slw_call_begin(&call, fd, false))
        return slw_real.recvmsg(fd, m, flags);
    ssize_t result = slw_real.recvmsg(fd, m, flags);
    slw_call_received(&call, result > 0 ? m->msg_iov : NULL, result > 0 ? m->msg_iovlen : 0,
                      result);
    return result;
}

SLW_EXPORT int recvmmsg(int fd, struct mmsghdr *m, unsigned count, int flags,
                        struct timespec *limit)
{
    struct slw_watched_call call;

    if (!slw_real.recvmmsg)
        return (int)syscall(SYS_recvmmsg, fd, m, count, flags, limit);
    if ((flags && other_bytes(fd, flags)) || !slw_call_begin(&call, fd, false))
        return slw_real.recvmmsg(fd, m, count, flags, limit);
    int result = slw_real.recvmmsg(fd, m, count, flags, limit);
    for (int i = 0; i < result; i++)
        slw_call_received(&call, m[i].msg_hdr.msg_iov, m[i].msg_hdr.msg_iovlen, m[i].msg_len);
    return result;
}

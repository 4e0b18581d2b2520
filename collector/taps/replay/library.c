/* SPDX-License-Identifier: MIT */
/* Socket calls of the client: passed on and recorded, or answered from the tape. */
#include "collector/taps/replay/replay_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

ssize_t __read_chk(int fd, void *to, size_t size, size_t room);
ssize_t __recv_chk(int fd, void *to, size_t size, size_t room, int flags);
ssize_t __recvfrom_chk(int fd, void *to, size_t size, size_t room, int flags, struct sockaddr *from,
                       socklen_t *length);

__attribute__((constructor)) static void load(void)
{
    const int saved = errno;

    slw_replay_load();
    errno = saved;
}

static ssize_t fail_with(int error)
{
    errno = error;
    return -1;
}

/* ---- playing ---- */

static ssize_t answer_send(struct slw_replay_file *f, const struct iovec *iov, size_t count)
{
    size_t total = 0;

    for (size_t i = 0; i < count; i++) {
        if (f->is_lost)
            return fail_with(EPIPE);
        if (!slw_player_send(&f->player, iov[i].iov_base, iov[i].iov_len))
            slw_replay_lose(f, slw_tape_is_encrypted(&f->tape)
                                   ? "what is sent is encrypted (TLS), with keys that are new"
                                   : "the client sends something else than was recorded");
        total += iov[i].iov_len;
    }
    return f->is_lost ? fail_with(EPIPE) : (ssize_t)total;
}

static ssize_t nothing_there(int fd, struct slw_replay_file *f, enum slw_player_state state,
                             int flags)
{
    if (state == SLW_PLAYER_ENDED)
        return 0;
    if (f->is_lost)
        return fail_with(ECONNRESET);
    if ((flags & MSG_DONTWAIT) || fcntl(fd, F_GETFL) & O_NONBLOCK)
        return fail_with(EAGAIN);
    slw_replay_lose(f, state == SLW_PLAYER_OVER
                           ? "the client waits for more than was recorded"
                           : "the client waits for an answer to what it has not sent");
    return fail_with(ECONNRESET);
}

static ssize_t answer_receive(int fd, struct slw_replay_file *f, const struct iovec *iov,
                              size_t count, int flags)
{
    const enum slw_player_state state = slw_player_state(&f->player);
    const bool peek = flags & MSG_PEEK;
    size_t total = 0;

    if (f->is_lost || state != SLW_PLAYER_READY)
        return nothing_there(fd, f, state, flags);
    for (size_t i = 0; i < count && !(peek && i > 0); i++)
        total += slw_player_receive(&f->player, iov[i].iov_base, iov[i].iov_len, peek);
    return (ssize_t)total;
}

static ssize_t play_send(struct slw_replay_file *f, const struct iovec *iov, size_t count)
{
    slw_replay_lock();
    const ssize_t result = answer_send(f, iov, count);

    slw_replay_unlock();
    return result;
}

static ssize_t play_receive(int fd, struct slw_replay_file *f, const struct iovec *iov,
                            size_t count, int flags)
{
    slw_replay_lock();
    const ssize_t result = answer_receive(fd, f, iov, count, flags);

    slw_replay_unlock();
    return result;
}

/* ---- recording ---- */

/* What was moved by a call that was made: `result` bytes of these. */
static void record(struct slw_replay_file *f, enum slw_tape_kind kind, const struct iovec *iov,
                   size_t count, ssize_t result)
{
    size_t left = result > 0 ? (size_t)result : 0;

    if (result == 0 && kind == SLW_TAPE_SERVER)
        slw_replay_record(f, SLW_TAPE_END, NULL, 0);
    for (size_t i = 0; i < count && left > 0; i++) {
        const size_t part = left < iov[i].iov_len ? left : iov[i].iov_len;

        if (part > 0)
            slw_replay_record(f, kind, iov[i].iov_base, part);
        left -= part;
    }
}

static struct iovec one(const void *bytes, size_t count)
{
    struct iovec v = {.iov_len = count};

    memcpy(&v.iov_base, &bytes, sizeof(bytes));
    return v;
}

/* What became of a call that was made without the lock: another thread may have had to send what
 * this one waited for. `f` NULL: no connection. */
static ssize_t made(struct slw_replay_file *f, enum slw_tape_kind kind, const struct iovec *iov,
                    size_t count, ssize_t result)
{
    const int saved = errno;

    if (!f)
        return result;
    slw_replay_lock();
    record(f, kind, iov, count, result);
    slw_replay_unlock();
    errno = saved;
    return result;
}

static ssize_t sent(struct slw_replay_file *f, const struct iovec *iov, size_t count,
                    ssize_t result)
{
    return made(f, SLW_TAPE_CLIENT, iov, count, result);
}

/* What was only looked at will be received once more. */
static ssize_t received(struct slw_replay_file *f, const struct iovec *iov, size_t count, int flags,
                        ssize_t result)
{
    return made(flags & MSG_PEEK ? NULL : f, SLW_TAPE_SERVER, iov, count, result);
}

static bool is_played(const struct slw_replay_file *f)
{
    return f && f->is_played;
}

SLW_EXPORT ssize_t write(int fd, const void *from, size_t size)
{
    struct slw_replay_file *f = slw_replay_file(fd);
    const struct iovec v = one(from, size);

    if (!slw_replay_real.write)
        return syscall(SYS_write, fd, from, size);
    if (is_played(f))
        return play_send(f, &v, 1);
    return sent(f, &v, 1, slw_replay_real.write(fd, from, size));
}

SLW_EXPORT ssize_t send(int fd, const void *from, size_t size, int flags)
{
    struct slw_replay_file *f = slw_replay_file(fd);
    const struct iovec v = one(from, size);

    if (!slw_replay_real.send)
        return syscall(SYS_sendto, fd, from, size, flags, NULL, 0);
    if (is_played(f))
        return play_send(f, &v, 1);
    return sent(f, &v, 1, slw_replay_real.send(fd, from, size, flags));
}

SLW_EXPORT ssize_t sendto(int fd, const void *from, size_t size, int flags, __CONST_SOCKADDR_ARG to,
                          socklen_t length)
{
    struct slw_replay_file *f = slw_replay_file(fd);
    const struct iovec v = one(from, size);

    if (!slw_replay_real.sendto)
        return syscall(SYS_sendto, fd, from, size, flags, to.__sockaddr__, length);
    if (is_played(f))
        return play_send(f, &v, 1);
    return sent(f, &v, 1, slw_replay_real.sendto(fd, from, size, flags, to.__sockaddr__, length));
}

SLW_EXPORT ssize_t writev(int fd, const struct iovec *iov, int count)
{
    struct slw_replay_file *f = slw_replay_file(fd);
    const size_t used = count > 0 ? (size_t)count : 0;

    if (!slw_replay_real.writev)
        return syscall(SYS_writev, fd, iov, count);
    if (is_played(f))
        return play_send(f, iov, used);
    return sent(f, iov, used, slw_replay_real.writev(fd, iov, count));
}

SLW_EXPORT ssize_t sendmsg(int fd, const struct msghdr *m, int flags)
{
    struct slw_replay_file *f = slw_replay_file(fd);

    if (!slw_replay_real.sendmsg)
        return syscall(SYS_sendmsg, fd, m, flags);
    if (is_played(f))
        return play_send(f, m->msg_iov, m->msg_iovlen);
    return sent(f, m->msg_iov, m->msg_iovlen, slw_replay_real.sendmsg(fd, m, flags));
}

SLW_EXPORT ssize_t read(int fd, void *to, size_t size)
{
    struct slw_replay_file *f = slw_replay_file(fd);
    const struct iovec v = one(to, size);

    if (!slw_replay_real.read)
        return syscall(SYS_read, fd, to, size);
    if (is_played(f))
        return play_receive(fd, f, &v, 1, 0);
    return received(f, &v, 1, 0, slw_replay_real.read(fd, to, size));
}

SLW_EXPORT ssize_t __read_chk(int fd, void *to, size_t size, size_t room)
{
    if (size > room)
        abort(); /* as the C library does */
    return read(fd, to, size);
}

SLW_EXPORT ssize_t recv(int fd, void *to, size_t size, int flags)
{
    struct slw_replay_file *f = slw_replay_file(fd);
    const struct iovec v = one(to, size);

    if (!slw_replay_real.recv)
        return syscall(SYS_recvfrom, fd, to, size, flags, NULL, NULL);
    if (is_played(f))
        return play_receive(fd, f, &v, 1, flags);
    return received(f, &v, 1, flags, slw_replay_real.recv(fd, to, size, flags));
}

SLW_EXPORT ssize_t __recv_chk(int fd, void *to, size_t size, size_t room, int flags)
{
    if (size > room)
        abort();
    return recv(fd, to, size, flags);
}

SLW_EXPORT ssize_t recvfrom(int fd, void *to, size_t size, int flags, __SOCKADDR_ARG from,
                            socklen_t *length)
{
    struct slw_replay_file *f = slw_replay_file(fd);
    const struct iovec v = one(to, size);

    if (!slw_replay_real.recvfrom)
        return syscall(SYS_recvfrom, fd, to, size, flags, from.__sockaddr__, length);
    if (is_played(f))
        return play_receive(fd, f, &v, 1, flags);
    return received(f, &v, 1, flags,
                    slw_replay_real.recvfrom(fd, to, size, flags, from.__sockaddr__, length));
}

SLW_EXPORT ssize_t __recvfrom_chk(int fd, void *to, size_t size, size_t room, int flags,
                                  struct sockaddr *from, socklen_t *length)
{
    if (size > room)
        abort();
    return recvfrom(fd, to, size, flags, from, length);
}

SLW_EXPORT ssize_t readv(int fd, const struct iovec *iov, int count)
{
    struct slw_replay_file *f = slw_replay_file(fd);
    const size_t used = count > 0 ? (size_t)count : 0;

    if (!slw_replay_real.readv)
        return syscall(SYS_readv, fd, iov, count);
    if (is_played(f))
        return play_receive(fd, f, iov, used, 0);
    return received(f, iov, used, 0, slw_replay_real.readv(fd, iov, count));
}

SLW_EXPORT ssize_t recvmsg(int fd, struct msghdr *m, int flags)
{
    struct slw_replay_file *f = slw_replay_file(fd);

    if (!slw_replay_real.recvmsg)
        return syscall(SYS_recvmsg, fd, m, flags);
    if (is_played(f))
        return play_receive(fd, f, m->msg_iov, m->msg_iovlen, flags);
    return received(f, m->msg_iov, m->msg_iovlen, flags, slw_replay_real.recvmsg(fd, m, flags));
}

SLW_EXPORT int connect(int fd, __CONST_SOCKADDR_ARG peer, socklen_t length)
{
    if (!slw_replay_real.connect)
        return (int)syscall(SYS_connect, fd, peer.__sockaddr__, length);
    slw_replay_lock();
    const int error = slw_replay_connect(fd, peer.__sockaddr__, length);

    slw_replay_unlock();
    if (error)
        errno = error;
    return error ? -1 : 0;
}

SLW_EXPORT int close(int fd)
{
    if (!slw_replay_real.close)
        return (int)syscall(SYS_close, fd);
    if (slw_replay_file(fd)) {
        slw_replay_lock();
        slw_replay_close(fd);
        slw_replay_unlock();
    }
    return slw_replay_real.close(fd);
}

SLW_EXPORT int shutdown(int fd, int how)
{
    const struct slw_replay_file *f = slw_replay_file(fd);

    if (!slw_replay_real.shutdown)
        return (int)syscall(SYS_shutdown, fd, how);
    return f && f->is_played ? 0 : slw_replay_real.shutdown(fd, how);
}

/* A connection that failed only later was recorded as one that failed at once. */
SLW_EXPORT int getsockopt(int fd, int level, int option, void *to, socklen_t *length)
{
    struct slw_replay_file *f = slw_replay_file(fd);

    if (!slw_replay_real.getsockopt)
        return (int)syscall(SYS_getsockopt, fd, level, option, to, length);
    const int result = slw_replay_real.getsockopt(fd, level, option, to, length);

    if (!f || result != 0 || level != SOL_SOCKET || option != SO_ERROR || *length < sizeof(int))
        return result;
    int error = 0;

    memcpy(&error, to, sizeof(error));
    if (f->is_played) {
        memset(to, 0, sizeof(int));
    } else if (error > 0 && error < 256) {
        const uint8_t reason = (uint8_t)error;

        slw_replay_lock();
        slw_replay_record(f, SLW_TAPE_FAILED, &reason, 1);
        slw_replay_unlock();
    }
    return result;
}

SLW_EXPORT int getpeername(int fd, __SOCKADDR_ARG to, socklen_t *length)
{
    const struct slw_replay_file *f = slw_replay_file(fd);

    if (!slw_replay_real.getpeername)
        return (int)syscall(SYS_getpeername, fd, to.__sockaddr__, length);
    if (!f || !f->is_played)
        return slw_replay_real.getpeername(fd, to.__sockaddr__, length);
    memcpy(to.__sockaddr__, &f->peer, *length < f->peer_length ? *length : f->peer_length);
    *length = f->peer_length;
    return 0;
}

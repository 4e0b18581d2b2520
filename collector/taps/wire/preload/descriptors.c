/* SPDX-License-Identifier: MIT */
/* The life of descriptors: connect, close, and what makes two numbers of one. Addresses are a
 * transparent union, as glibc declares them to GNU C. */
#include "collector/taps/wire/preload/real.h"
#include "collector/taps/wire/preload/table.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CLOSE_RANGE_ONLY_MARKS (1 << 2) /* CLOSE_RANGE_CLOEXEC of linux/close_range.h */

SLW_EXPORT int connect(int fd, __CONST_SOCKADDR_ARG to, socklen_t length)
{
    int result = slw_real.connect ? slw_real.connect(fd, to.__sockaddr__, length)
                                  : (int)syscall(SYS_connect, fd, to.__sockaddr__, length);

    if (result == 0 || errno == EINPROGRESS || errno == EINTR)
        slw_table_connect(fd, to.__sockaddr__, length);
    return result;
}

SLW_EXPORT int close(int fd)
{
    slw_table_close(fd);
    return slw_real.close ? slw_real.close(fd) : (int)syscall(SYS_close, fd);
}

SLW_EXPORT int close_range(unsigned first, unsigned last, int flags)
{
    if (!(flags & CLOSE_RANGE_ONLY_MARKS))
        slw_table_close_range(first, last);
    if (slw_real.close_range)
        return slw_real.close_range(first, last, flags);
#ifdef SYS_close_range
    return (int)syscall(SYS_close_range, first, last, flags);
#else
    errno = ENOSYS;
    return -1;
#endif
}

SLW_EXPORT void closefrom(int first)
{
    slw_table_close_range(first > 0 ? (unsigned)first : 0, UINT_MAX);
    if (slw_real.closefrom)
        slw_real.closefrom(first);
}

SLW_EXPORT int dup(int fd)
{
    int result = slw_real.dup ? slw_real.dup(fd) : (int)syscall(SYS_dup, fd);

    if (result >= 0)
        slw_table_duplicate(fd, result);
    return result;
}

/* The old connection of `to` goes before the call, like in close; it is gone even if the call then
 * fails only where `from` is no descriptor, which is looked at first. */
SLW_EXPORT int dup2(int from, int to)
{
    if (from != to && slw_watched_find(to) && fcntl(from, F_GETFD) >= 0)
        slw_table_close(to);
    int result = slw_real.dup2 ? slw_real.dup2(from, to)
                 : from == to  ? (fcntl(from, F_GETFD) >= 0 ? to : -1)
                               : (int)syscall(SYS_dup3, from, to, 0);

    if (result >= 0 && from != to)
        slw_table_duplicate(from, result);
    return result;
}

SLW_EXPORT int dup3(int from, int to, int flags)
{
    if (from != to && slw_watched_find(to) && fcntl(from, F_GETFD) >= 0)
        slw_table_close(to);
    int result =
        slw_real.dup3 ? slw_real.dup3(from, to, flags) : (int)syscall(SYS_dup3, from, to, flags);

    if (result >= 0)
        slw_table_duplicate(from, result);
    return result;
}

/* The third argument, whatever it is, is a register: glibc itself passes it on like this. */
#define FCNTL(name)                                                                                \
    va_list ap;                                                                                    \
    va_start(ap, command);                                                                         \
    void *argument = va_arg(ap, void *);                                                           \
    va_end(ap);                                                                                    \
    int result = slw_real.name ? slw_real.name(fd, command, argument)                              \
                               : (int)syscall(SYS_fcntl, fd, command, argument);                   \
    if (result >= 0 && (command == F_DUPFD || command == F_DUPFD_CLOEXEC))                         \
        slw_table_duplicate(fd, result);                                                           \
    return result

SLW_EXPORT int fcntl(int fd, int command, ...)
{
    FCNTL(fcntl);
}

SLW_EXPORT int fcntl64(int fd, int command, ...)
{
    FCNTL(fcntl64);
}

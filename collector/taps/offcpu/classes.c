/* SPDX-License-Identifier: MIT */
#include "collector/taps/offcpu/classes.h"

#include <linux/types.h>
#include <string.h>
#include <sys/syscall.h>

#include "collector/taps/offcpu/cause.h"

/* io_uring_enter waits for completions of whatever was submitted: an event loop by another name.
 * vfork and clone wait until the child has called exec. Left out on purpose: restart_syscall, which
 * goes on with any of several after a signal. */
static const struct {
    int number;
    enum slw_off_class class;
} calls[] = {
    {SYS_read, SLW_OFF_CLASS_READ},
    {SYS_readv, SLW_OFF_CLASS_READ},
    {SYS_pread64, SLW_OFF_CLASS_READ},
    {SYS_preadv, SLW_OFF_CLASS_READ},
    {SYS_preadv2, SLW_OFF_CLASS_READ},
    {SYS_getdents64, SLW_OFF_CLASS_READ},
    {SYS_write, SLW_OFF_CLASS_WRITE},
    {SYS_writev, SLW_OFF_CLASS_WRITE},
    {SYS_pwrite64, SLW_OFF_CLASS_WRITE},
    {SYS_pwritev, SLW_OFF_CLASS_WRITE},
    {SYS_pwritev2, SLW_OFF_CLASS_WRITE},
    {SYS_sendfile, SLW_OFF_CLASS_WRITE},
    {SYS_recvfrom, SLW_OFF_CLASS_RECEIVE},
    {SYS_recvmsg, SLW_OFF_CLASS_RECEIVE},
    {SYS_recvmmsg, SLW_OFF_CLASS_RECEIVE},
    {SYS_sendto, SLW_OFF_CLASS_SEND},
    {SYS_sendmsg, SLW_OFF_CLASS_SEND},
    {SYS_sendmmsg, SLW_OFF_CLASS_SEND},
    {SYS_connect, SLW_OFF_CLASS_CONNECT},
    {SYS_accept, SLW_OFF_CLASS_ACCEPT},
    {SYS_accept4, SLW_OFF_CLASS_ACCEPT},
    {SYS_ppoll, SLW_OFF_CLASS_POLL},
    {SYS_pselect6, SLW_OFF_CLASS_SELECT},
    {SYS_epoll_pwait, SLW_OFF_CLASS_EPOLL},
#ifdef SYS_epoll_pwait2
    {SYS_epoll_pwait2, SLW_OFF_CLASS_EPOLL},
#endif
#ifdef SYS_io_uring_enter
    {SYS_io_uring_enter, SLW_OFF_CLASS_EPOLL},
#endif
    {SYS_io_getevents, SLW_OFF_CLASS_SYNC},
    {SYS_nanosleep, SLW_OFF_CLASS_SLEEP},
    {SYS_clock_nanosleep, SLW_OFF_CLASS_SLEEP},
    {SYS_futex, SLW_OFF_CLASS_FUTEX},
#ifdef SYS_futex_waitv
    {SYS_futex_waitv, SLW_OFF_CLASS_FUTEX},
#endif
    {SYS_fsync, SLW_OFF_CLASS_SYNC},
    {SYS_fdatasync, SLW_OFF_CLASS_SYNC},
    {SYS_sync, SLW_OFF_CLASS_SYNC},
    {SYS_syncfs, SLW_OFF_CLASS_SYNC},
    {SYS_msync, SLW_OFF_CLASS_SYNC},
    {SYS_sync_file_range, SLW_OFF_CLASS_SYNC},
    {SYS_wait4, SLW_OFF_CLASS_CHILD},
    {SYS_waitid, SLW_OFF_CLASS_CHILD},
    {SYS_clone, SLW_OFF_CLASS_CHILD},
#ifdef SYS_clone3
    {SYS_clone3, SLW_OFF_CLASS_CHILD},
#endif
#ifdef SYS_vfork /* arm64 has only the newer forms of these */
    {SYS_vfork, SLW_OFF_CLASS_CHILD},
    {SYS_poll, SLW_OFF_CLASS_POLL},
    {SYS_select, SLW_OFF_CLASS_SELECT},
    {SYS_epoll_wait, SLW_OFF_CLASS_EPOLL},
    {SYS_getdents, SLW_OFF_CLASS_READ},
#endif
};

void slw_off_classes(uint8_t *classes, size_t count)
{
    memset(classes, SLW_OFF_CLASS_NONE, count);
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
        if ((size_t)calls[i].number < count)
            classes[calls[i].number] = (uint8_t)calls[i].class;
}

/* SPDX-License-Identifier: MIT */
#include "collector/sys.h"

#include "base/clock.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static int real_perf_event_open(struct perf_event_attr *attr, pid_t pid, int cpu, int group_fd,
                                unsigned long flags)
{
    long fd = syscall(SYS_perf_event_open, attr, pid, cpu, group_fd, flags | PERF_FLAG_FD_CLOEXEC);

    return fd < 0 ? -errno : (int)fd;
}

static int real_ioctl(int fd, unsigned long request, void *argument)
{
    int rc = ioctl(fd, request, argument);

    return rc < 0 ? -errno : rc;
}

static int real_mmap(size_t length, int fd, void **ret_base)
{
    void *base = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    if (base == MAP_FAILED)
        return -errno;
    *ret_base = base;
    return 0;
}

static void real_munmap(void *base, size_t length)
{
    (void)munmap(base, length);
}

static ssize_t real_read(int fd, void *data, size_t length)
{
    ssize_t n = read(fd, data, length);

    return n < 0 ? -errno : n;
}

static ssize_t real_writev(int fd, const struct iovec *parts, int part_count)
{
    ssize_t n = writev(fd, parts, part_count);

    return n < 0 ? -errno : n;
}

static int real_poll(struct pollfd *fds, size_t count, int timeout_ms)
{
    int n = poll(fds, (nfds_t)count, timeout_ms);

    return n < 0 ? -errno : n;
}

static void real_close(int fd)
{
    (void)close(fd);
}

const struct slw_sys slw_sys_real = {
    .perf_event_open = real_perf_event_open,
    .ioctl = real_ioctl,
    .mmap = real_mmap,
    .munmap = real_munmap,
    .read = real_read,
    .writev = real_writev,
    .poll = real_poll,
    .close = real_close,
    .now_ns = slw_clock_monotonic_ns,
};

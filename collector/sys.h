/* SPDX-License-Identifier: MIT */
/* The kernel as the collector sees it. Everything the hot path and the event set-up ask of the
 * kernel goes through this table, so that tests can play a kernel that refuses, runs out, or hands
 * over a broken ring. Every call returns a value >= 0 or -errno. Not for: /proc and /sys files. */
#ifndef SLW_COLLECTOR_SYS_H
#define SLW_COLLECTOR_SYS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

struct perf_event_attr;
struct pollfd;

struct slw_sys {
    /* -> descriptor. PERF_FLAG_FD_CLOEXEC is always added. */
    int (*perf_event_open)(struct perf_event_attr *attr, pid_t pid, int cpu, int group_fd,
                           unsigned long flags);
    int (*ioctl)(int fd, unsigned long request, void *argument);
    /* A shared mapping that may be read and written. Writes *ret_base on success only. */
    int (*mmap)(size_t length, int fd, void **ret_base);
    void (*munmap)(void *base, size_t length);
    ssize_t (*read)(int fd, void *data, size_t length);
    ssize_t (*writev)(int fd, const struct iovec *parts, int part_count);
    int (*poll)(struct pollfd *fds, size_t count, int timeout_ms);
    void (*close)(int fd);
    uint64_t (*now_ns)(void); /* CLOCK_MONOTONIC */
};

extern const struct slw_sys slw_sys_real;

#endif

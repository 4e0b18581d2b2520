/* SPDX-License-Identifier: MIT */
/* Waiting for connections that are played: they are ready as their tape says, and the kernel is
 * asked about the others only. */
#include "collector/taps/replay/replay_int.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Who waits for ever for one of ours that is not ready and for something of the kernel's as well, a
 * pipe or a timer, gets this long for it to come. */
enum { PATIENCE_S = 5 };

short slw_replay_ready(struct slw_replay_file *f, short asked)
{
    const enum slw_player_state state = slw_player_state(&f->player);
    short ready = POLLOUT;

    if (f->is_lost)
        ready |= POLLIN | POLLHUP;
    else if (state == SLW_PLAYER_READY || state == SLW_PLAYER_ENDED)
        ready |= POLLIN;
    return (short)(ready & (asked | POLLHUP));
}

/* Nothing will ever be ready: what was recorded does not fit what the client does. */
static void lose_all(struct pollfd *fds, nfds_t count)
{
    for (nfds_t i = 0; i < count; i++) {
        struct slw_replay_file *f = slw_replay_file(fds[i].fd);

        if (f && f->is_played)
            slw_replay_lose(f, "the client waits for an answer that was not recorded");
    }
}

/* Those of ours that are ready, and whether there are any others. */
static int poll_ours(struct pollfd *fds, nfds_t count, bool *ret_ours, bool *ret_others)
{
    int ready = 0;

    *ret_ours = *ret_others = false;
    for (nfds_t i = 0; i < count; i++) {
        struct slw_replay_file *f = slw_replay_file(fds[i].fd);

        if (!f || !f->is_played) {
            *ret_others |= fds[i].fd >= 0;
            continue;
        }
        *ret_ours = true;
        fds[i].revents = slw_replay_ready(f, fds[i].events);
        ready += fds[i].revents != 0;
    }
    return ready;
}

/* The kernel's answer for the others, ours hidden. */
static int poll_others(struct pollfd *fds, nfds_t count, const struct timespec *limit,
                       const sigset_t *mask)
{
    struct pollfd few[64], *copy = few;

    if (count > sizeof(few) / sizeof(few[0]))
        copy = calloc(count, sizeof(*copy));
    if (!copy) {
        errno = ENOMEM;
        return -1;
    }
    for (nfds_t i = 0; i < count; i++) {
        const struct slw_replay_file *f = slw_replay_file(fds[i].fd);

        copy[i] = fds[i];
        if (f && f->is_played)
            copy[i].fd = -1;
    }
    const int result = slw_replay_real.ppoll(copy, count, limit, mask);
    const int saved = errno;

    for (nfds_t i = 0; result >= 0 && i < count; i++)
        if (copy[i].fd >= 0)
            fds[i].revents = copy[i].revents;
    if (copy != few)
        free(copy);
    errno = saved;
    return result;
}

static int wait_for(struct pollfd *fds, nfds_t count, const struct timespec *limit,
                    const sigset_t *mask)
{
    static const struct timespec at_once = {0}, patience = {.tv_sec = PATIENCE_S};
    bool ours = false, others = false;

    slw_replay_lock();
    int ready = poll_ours(fds, count, &ours, &others);

    if (ready == 0 && ours && !others && !limit) {
        lose_all(fds, count);
        ready = poll_ours(fds, count, &ours, &others);
    }
    slw_replay_unlock();
    if (ready > 0 && !others)
        return ready;
    const bool forever = ready == 0 && ours && !limit;
    const int of_others = poll_others(fds, count,
                                      ready     ? &at_once
                                      : forever ? &patience
                                                : limit,
                                      mask);

    if (of_others < 0 && ready == 0)
        return -1;
    if (of_others == 0 && forever) {
        slw_replay_lock();
        lose_all(fds, count);
        ready = poll_ours(fds, count, &ours, &others);
        slw_replay_unlock();
    }
    return ready + (of_others > 0 ? of_others : 0);
}

static bool has_played(const struct pollfd *fds, nfds_t count)
{
    for (nfds_t i = 0; i < count; i++) {
        const struct slw_replay_file *f = slw_replay_file(fds[i].fd);

        if (f && f->is_played)
            return true;
    }
    return false;
}

SLW_EXPORT int poll(struct pollfd *fds, nfds_t count, int timeout)
{
    const struct timespec limit = {timeout / 1000, timeout % 1000 * 1000000L};

    if (!slw_replay_real.poll)
        return (int)syscall(SYS_poll, fds, count, timeout);
    if (!has_played(fds, count))
        return slw_replay_real.poll(fds, count, timeout);
    return wait_for(fds, count, timeout < 0 ? NULL : &limit, NULL);
}

SLW_EXPORT int ppoll(struct pollfd *fds, nfds_t count, const struct timespec *limit,
                     const sigset_t *mask)
{
    if (!slw_replay_real.ppoll) {
        errno = ENOSYS;
        return -1;
    }
    if (!has_played(fds, count))
        return slw_replay_real.ppoll(fds, count, limit, mask);
    return wait_for(fds, count, limit, mask);
}

/* ---- select ---- */

static nfds_t to_poll(int limit, const fd_set *in, const fd_set *out, const fd_set *bad,
                      struct pollfd *fds)
{
    nfds_t count = 0;

    for (int fd = 0; fd < limit && fd < FD_SETSIZE; fd++) {
        const short asked = (short)((in && FD_ISSET(fd, in) ? POLLIN : 0) |
                                    (out && FD_ISSET(fd, out) ? POLLOUT : 0) |
                                    (bad && FD_ISSET(fd, bad) ? POLLPRI : 0));

        if (asked)
            fds[count++] = (struct pollfd){.fd = fd, .events = asked};
    }
    return count;
}

static int from_poll(const struct pollfd *fds, nfds_t count, fd_set *in, fd_set *out, fd_set *bad)
{
    int bits = 0;

    if (in)
        FD_ZERO(in);
    if (out)
        FD_ZERO(out);
    if (bad)
        FD_ZERO(bad);
    for (nfds_t i = 0; i < count; i++) {
        const short is = fds[i].revents, asked = fds[i].events;

        if (in && (asked & POLLIN) && (is & (POLLIN | POLLHUP | POLLERR))) {
            FD_SET(fds[i].fd, in);
            bits++;
        }
        if (out && (asked & POLLOUT) && (is & (POLLOUT | POLLERR))) {
            FD_SET(fds[i].fd, out);
            bits++;
        }
        if (bad && (asked & POLLPRI) && (is & POLLPRI)) {
            FD_SET(fds[i].fd, bad);
            bits++;
        }
    }
    return bits;
}

SLW_EXPORT int pselect(int limit, fd_set *in, fd_set *out, fd_set *bad,
                       const struct timespec *timeout, const sigset_t *mask)
{
    struct pollfd fds[FD_SETSIZE];
    const nfds_t count = to_poll(limit, in, out, bad, fds);

    if (!slw_replay_real.pselect) {
        errno = ENOSYS;
        return -1;
    }
    if (!has_played(fds, count))
        return slw_replay_real.pselect(limit, in, out, bad, timeout, mask);
    if (wait_for(fds, count, timeout, mask) < 0)
        return -1;
    return from_poll(fds, count, in, out, bad);
}

SLW_EXPORT int select(int limit, fd_set *in, fd_set *out, fd_set *bad, struct timeval *timeout)
{
    struct pollfd fds[FD_SETSIZE];
    const nfds_t count = to_poll(limit, in, out, bad, fds);
    struct timespec span = {0};

    if (!slw_replay_real.select)
        return (int)syscall(SYS_select, limit, in, out, bad, timeout);
    if (!has_played(fds, count))
        return slw_replay_real.select(limit, in, out, bad, timeout);
    if (timeout)
        span = (struct timespec){timeout->tv_sec, timeout->tv_usec * 1000};
    if (wait_for(fds, count, timeout ? &span : NULL, NULL) < 0)
        return -1;
    return from_poll(fds, count, in, out, bad);
}

/* ---- epoll ---- */

SLW_EXPORT int epoll_ctl(int set, int operation, int fd, struct epoll_event *event)
{
    struct slw_replay_file *f = slw_replay_file(fd);

    if (!slw_replay_real.epoll_ctl)
        return (int)syscall(SYS_epoll_ctl, set, operation, fd, event);
    if (!f || !f->is_played)
        return slw_replay_real.epoll_ctl(set, operation, fd, event);
    slw_replay_lock();
    const bool is_in = f->epoll == set;
    const int error = operation == EPOLL_CTL_ADD ? (is_in ? EEXIST : 0) : (is_in ? 0 : ENOENT);

    if (!error) {
        f->epoll = operation == EPOLL_CTL_DEL ? -1 : set;
        if (operation != EPOLL_CTL_DEL)
            f->event = *event;
    }
    slw_replay_unlock();
    if (error)
        errno = error;
    return error ? -1 : 0;
}

/* Those of ours in the set that are ready; *ret_ours: how many are in it. */
static int epoll_ours(int set, struct epoll_event *events, int most, int *ret_ours)
{
    int ready = 0;

    *ret_ours = 0;
    for (int fd = 0; fd < SLW_REPLAY_MAX_FILES; fd++) {
        struct slw_replay_file *f = slw_replay_file(fd);

        if (!f || !f->is_played || f->epoll != set)
            continue;
        (*ret_ours)++;
        const short is = slw_replay_ready(f, (short)(f->event.events & (POLLIN | POLLOUT)));

        if (!is || ready == most)
            continue;
        events[ready] = f->event;
        events[ready++].events = (uint32_t)is;
        if (f->event.events & EPOLLONESHOT)
            f->event.events = 0;
    }
    return ready;
}

static int lose_set(int set, struct epoll_event *events, int most)
{
    int ours = 0;

    slw_replay_lock();
    for (int fd = 0; fd < SLW_REPLAY_MAX_FILES; fd++) {
        struct slw_replay_file *f = slw_replay_file(fd);

        if (f && f->is_played && f->epoll == set)
            slw_replay_lose(f, "the client waits for an answer that was not recorded");
    }
    const int ready = epoll_ours(set, events, most, &ours);

    slw_replay_unlock();
    return ready;
}

SLW_EXPORT int epoll_pwait(int set, struct epoll_event *events, int most, int timeout,
                           const sigset_t *mask)
{
    int ours = 0;

    if (!slw_replay_real.epoll_pwait) {
        errno = ENOSYS;
        return -1;
    }
    slw_replay_lock();
    const int ready = most > 0 ? epoll_ours(set, events, most, &ours) : 0;

    slw_replay_unlock();
    if (ready == most && ready > 0)
        return ready;
    const bool forever = ready == 0 && ours > 0 && timeout < 0;
    const int others = slw_replay_real.epoll_pwait(set, events + ready, most - ready,
                                                   ready     ? 0
                                                   : forever ? PATIENCE_S * 1000
                                                             : timeout,
                                                   mask);

    if (others < 0)
        return ready ? ready : -1;
    return others == 0 && forever ? lose_set(set, events, most) : ready + others;
}

SLW_EXPORT int epoll_wait(int set, struct epoll_event *events, int most, int timeout)
{
    return epoll_pwait(set, events, most, timeout, NULL);
}

/* SPDX-License-Identifier: MIT */
/* The preloaded library that records what a server answers, or answers itself. It stands behind the
 * wire tap's library, in front of the C library's functions. Private to collector/taps/replay/.
 *
 * SLOTWISE_REPLAY=record:STATE:FOLDER  record each connection in FOLDER, as conn.NUMBER
 * SLOTWISE_REPLAY=replay:STATE:FOLDER  answer from there; no connection is made
 *
 * In the folder STATE is what of one execution its processes have to know: which connections were
 * taken, and in lost.NUMBER why it went wrong. One variable, so that both executions of a client
 * look alike to it. */
#ifndef SLW_COLLECTOR_TAPS_REPLAY_REPLAY_INT_H
#define SLW_COLLECTOR_TAPS_REPLAY_REPLAY_INT_H

#include "collector/taps/replay/tape.h"

#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

#define SLW_EXPORT __attribute__((visibility("default")))

#define SLW_REPLAY_MAX_FILES 1024

#define SLW_REPLAY_REALS(X)                                                                        \
    X(ssize_t, read, (int, void *, size_t))                                                        \
    X(ssize_t, readv, (int, const struct iovec *, int))                                            \
    X(ssize_t, recv, (int, void *, size_t, int))                                                   \
    X(ssize_t, recvfrom, (int, void *, size_t, int, struct sockaddr *, socklen_t *))               \
    X(ssize_t, recvmsg, (int, struct msghdr *, int))                                               \
    X(ssize_t, write, (int, const void *, size_t))                                                 \
    X(ssize_t, writev, (int, const struct iovec *, int))                                           \
    X(ssize_t, send, (int, const void *, size_t, int))                                             \
    X(ssize_t, sendto, (int, const void *, size_t, int, const struct sockaddr *, socklen_t))       \
    X(ssize_t, sendmsg, (int, const struct msghdr *, int))                                         \
    X(int, connect, (int, const struct sockaddr *, socklen_t))                                     \
    X(int, close, (int))                                                                           \
    X(int, shutdown, (int, int))                                                                   \
    X(int, getsockopt, (int, int, int, void *, socklen_t *))                                       \
    X(int, getpeername, (int, struct sockaddr *, socklen_t *))                                     \
    X(int, poll, (struct pollfd *, nfds_t, int))                                                   \
    X(int, ppoll, (struct pollfd *, nfds_t, const struct timespec *, const sigset_t *))            \
    X(int, select, (int, fd_set *, fd_set *, fd_set *, struct timeval *))                          \
    X(int, pselect,                                                                                \
      (int, fd_set *, fd_set *, fd_set *, const struct timespec *, const sigset_t *))              \
    X(int, epoll_ctl, (int, int, int, struct epoll_event *))                                       \
    X(int, epoll_wait, (int, struct epoll_event *, int, int))                                      \
    X(int, epoll_pwait, (int, struct epoll_event *, int, int, const sigset_t *))

struct slw_replay_reals {
#define X(result, name, arguments) result(*name) arguments;
    SLW_REPLAY_REALS(X)
#undef X
};
extern struct slw_replay_reals slw_replay_real; /* found when the library is loaded */

/* A descriptor of the client's that is a connection. */
struct slw_replay_file {
    bool is_recorded, is_played, is_lost;
    int out; /* recorded: the tape */
    struct slw_tape tape;
    size_t mapped; /* bytes of it */
    struct slw_player player;
    struct sockaddr_storage peer;
    socklen_t peer_length;
    int epoll; /* played: where it waits; -1: nowhere */
    struct epoll_event event;
};

/* files.c. All of it under one lock. */
void slw_replay_load(void);
void slw_replay_lock(void);
void slw_replay_unlock(void);
struct slw_replay_file *slw_replay_file(int fd); /* NULL: not a connection */
int slw_replay_connect(int fd, const struct sockaddr *peer, socklen_t length);
void slw_replay_close(int fd);
void slw_replay_record(struct slw_replay_file *f, enum slw_tape_kind kind, const void *bytes,
                       size_t count);

/* It cannot go on: say why, once, where slotwise looks. */
void slw_replay_lose(struct slw_replay_file *f, const char *why);

/* wait.c */
short slw_replay_ready(struct slw_replay_file *f, short asked); /* as poll(2) has it */

#endif

/* SPDX-License-Identifier: MIT */
/* A descriptor of another process is looked at through a copy of it: pidfd_getfd(2), Linux 5.6.
 * Whether it is a client is not written in a socket: one that was accepted has the address of its
 * listener, which mostly is still there. Source: proc(5), unix(7). */
#include "collector/taps/socket/existing.h"

#include "base/cleanup.h"
#include "collector/procfs.h"

#include <dirent.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MAX_LISTENERS  65536 /* there are no more ports */
#define TCP_LISTEN_HEX 0x0Au /* include/net/tcp_states.h */

struct listeners {
    uint8_t ports[65536 / 8];
};

static int option(int fd, int name)
{
    int value = 0;
    socklen_t length = sizeof(value);

    return getsockopt(fd, SOL_SOCKET, name, &value, &length) == 0 ? value : -1;
}

static bool take_hex(const char **at, char end, unsigned long *ret_value)
{
    char *stop;

    *ret_value = strtoul(*at, &stop, 16);
    if (stop == *at || *stop != end)
        return false;
    *at = stop + 1;
    return true;
}

/* "  0: 0100007F:1538 00000000:0000 0A ..."; an IPv6 address is too long for a number. */
static bool parse_listener(const char *line, unsigned long *ret_port)
{
    const char *at = strchr(line, ':'), *own = at ? strchr(at + 1, ':') : NULL;
    const char *peer = own ? strchr(own + 1, ':') : NULL;
    unsigned long peer_port, state;

    if (!peer)
        return false;
    own++;
    peer++;
    return take_hex(&own, ' ', ret_port) && take_hex(&peer, ' ', &peer_port) &&
           take_hex(&peer, ' ', &state) && state == TCP_LISTEN_HEX && *ret_port < 65536;
}

static void read_listeners(uint32_t pid, const char *name, struct listeners *l)
{
    char path[64], line[256];
    unsigned long port;

    (void)snprintf(path, sizeof(path), "/proc/%u/net/%s", pid, name);
    FILE *SLW_AUTO(fclose) file = fopen(path, "re");
    /* Those that listen are told first. */
    for (int i = 0; file && i < MAX_LISTENERS && fgets(line, sizeof(line), file); i++)
        if (parse_listener(line, &port))
            l->ports[port / 8] |= (uint8_t)(1u << port % 8);
}

static unsigned port_of(const struct sockaddr_storage *a)
{
    struct sockaddr_in in;
    struct sockaddr_in6 in6;

    memcpy(&in, a, sizeof(in));
    memcpy(&in6, a, sizeof(in6));
    return ntohs(a->ss_family == AF_INET ? in.sin_port : in6.sin6_port);
}

static bool was_accepted(int fd, const struct listeners *l)
{
    struct sockaddr_storage own = {0};
    socklen_t length = sizeof(own);

    if (getsockname(fd, (struct sockaddr *)&own, &length) < 0)
        return true;
    if (own.ss_family == AF_UNIX)
        return length > sizeof(own.ss_family);
    unsigned port = port_of(&own);
    return (l->ports[port / 8] >> port % 8 & 1) != 0;
}

static bool is_client(int fd, const struct listeners *l, struct sockaddr_storage *to,
                      socklen_t *length)
{
    *length = sizeof(*to);
    return option(fd, SO_TYPE) == SOCK_STREAM && option(fd, SO_ACCEPTCONN) == 0 &&
           getpeername(fd, (struct sockaddr *)to, length) == 0 &&
           (to->ss_family == AF_INET || to->ss_family == AF_INET6 ||
            (to->ss_family == AF_UNIX && *length > sizeof(to->ss_family))) &&
           !was_accepted(fd, l);
}

static bool is_socket(uint32_t pid, const char *name)
{
    char path[300];
    struct stat st;

    (void)snprintf(path, sizeof(path), "/proc/%u/fd/%s", pid, name);
    return stat(path, &st) == 0 && S_ISSOCK(st.st_mode);
}

/* False when it could not be looked at. */
static bool look_at(int pid_fd, int number, const struct listeners *l, slw_existing_fn *fn,
                    void *ctx)
{
    struct sockaddr_storage to = {0};
    socklen_t length;
    struct stat st;
    int SLW_AUTO(close) fd = (int)syscall(SYS_pidfd_getfd, pid_fd, number, 0);

    if (fd < 0 || fstat(fd, &st) < 0)
        return false;
    if (S_ISSOCK(st.st_mode) && is_client(fd, l, &to, &length))
        fn(ctx, st.st_ino, (const struct sockaddr *)&to, length);
    return true;
}

size_t slw_existing_sockets(uint32_t pid, slw_existing_fn *fn, void *ctx)
{
    struct listeners l = {{0}};
    char path[64];
    size_t unseen = 0;

    (void)snprintf(path, sizeof(path), "/proc/%u/fd", pid);
    DIR *dir = opendir(path);
    if (!dir)
        return 0;
    read_listeners(pid, "tcp", &l);
    read_listeners(pid, "tcp6", &l);
    int SLW_AUTO(close) pid_fd = (int)syscall(SYS_pidfd_open, pid, 0);
    for (int i = 0; i < SLW_MAX_EXISTING_FDS; i++) {
        const struct dirent *e = readdir(dir);

        if (!e)
            break;
        if (e->d_name[0] >= '0' && e->d_name[0] <= '9' && is_socket(pid, e->d_name))
            unseen += !look_at(pid_fd, slw_proc_parse_id(e->d_name), &l, fn, ctx);
    }
    (void)closedir(dir);
    return unseen;
}

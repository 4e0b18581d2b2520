/* SPDX-License-Identifier: MIT */
#include "collector/taps/wire/peer.h"

#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/un.h>

void slw_peer_read(const struct sockaddr *to, socklen_t length, struct slw_wire_slot *peer)
{
    memset(peer, 0, sizeof(*peer));
    peer->family = to->sa_family;
    if (to->sa_family == AF_INET && length >= sizeof(struct sockaddr_in)) {
        struct sockaddr_in in;
        memcpy(&in, to, sizeof(in));
        peer->port = ntohs(in.sin_port);
        memcpy(peer->address, &in.sin_addr, sizeof(in.sin_addr));
    } else if (to->sa_family == AF_INET6 && length >= sizeof(struct sockaddr_in6)) {
        struct sockaddr_in6 in6;
        memcpy(&in6, to, sizeof(in6));
        peer->port = ntohs(in6.sin6_port);
        memcpy(peer->address, &in6.sin6_addr, sizeof(in6.sin6_addr));
    } else if (to->sa_family == AF_UNIX && length > offsetof(struct sockaddr_un, sun_path)) {
        size_t n = length - offsetof(struct sockaddr_un, sun_path);
        const char *path = (const char *)to + offsetof(struct sockaddr_un, sun_path);
        memcpy(peer->path, path, n < sizeof(peer->path) ? n : sizeof(peer->path) - 1);
    }
}

bool slw_peer_same(const struct slw_wire_slot *a, const struct slw_wire_slot *b)
{
    return a->family == b->family && a->port == b->port &&
           memcmp(a->address, b->address, sizeof(a->address)) == 0 &&
           memcmp(a->path, b->path, sizeof(a->path)) == 0;
}

/* SPDX-License-Identifier: MIT */
/* Records as the BPF program of the socket tap makes them, for tests of the half in user space. */
#ifndef SLW_TESTS_SOCKET_RECORDS_H
#define SLW_TESTS_SOCKET_RECORDS_H

#include "collector/taps/socket/flows.h"

#include <netinet/in.h>
#include <string.h>

#define RECORD_BYTES 1024

struct record {
    struct slw_socket_record head;
    uint8_t bytes[RECORD_BYTES - sizeof(struct slw_socket_record)];
};

static inline struct record record_of(uint8_t kind, uint64_t inode, const void *bytes, size_t count)
{
    struct record r = {.head = {.kind = kind, .inode = inode, .pid = 10, .tid = 10}};

    r.head.bytes = (uint32_t)count;
    memcpy(r.bytes, bytes, count < sizeof(r.bytes) ? count : sizeof(r.bytes));
    return r;
}

static inline struct sockaddr_in address_of(uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
}

static inline struct record record_connected(uint64_t inode, uint16_t port)
{
    const struct sockaddr_in to = address_of(port);

    return record_of(SLW_SOCKET_CONNECTED, inode, &to, sizeof(to));
}

/* A whole call, or with call_bytes and offset set after it a piece of one. */
static inline struct record record_moved(uint64_t inode, enum slw_wire_direction d,
                                         const char *text, uint64_t when_ns)
{
    struct record r = record_of(SLW_SOCKET_MOVED, inode, text, strlen(text));

    r.head.direction = (uint8_t)d;
    r.head.call_bytes = r.head.bytes;
    r.head.when_ns = when_ns;
    return r;
}

#endif

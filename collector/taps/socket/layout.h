/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* What the BPF program of the socket tap and its reader share. Plain C for both compilers; the
 * fixed-width types come from whoever includes this. */
#ifndef SLW_COLLECTOR_TAPS_SOCKET_LAYOUT_H
#define SLW_COLLECTOR_TAPS_SOCKET_LAYOUT_H

#define SLW_SOCKET_SYSCALLS  1024 /* numbers end below 500 today */
#define SLW_SOCKET_PROCESSES 16384
#define SLW_SOCKET_SOCKETS   16384      /* connected sockets of them */
#define SLW_SOCKET_RING      (1u << 25) /* 32 MiB: a third of a second of a client at full rate */
#define SLW_SOCKET_QUIET     (1u << 16) /* power of two */

/* What a system call does to a socket, by how its arguments are to be read. */
enum slw_socket_call {
    SLW_SOCKET_NOTHING,
    SLW_SOCKET_WRITE,       /* (fd, buffer, length) */
    SLW_SOCKET_SEND,        /* (fd, buffer, length, flags) */
    SLW_SOCKET_SEND_VECTOR, /* (fd, iovec, count) */
    SLW_SOCKET_SEND_MESSAGE,
    SLW_SOCKET_SEND_MESSAGES,
    SLW_SOCKET_SEND_FILE,   /* (fd, ...): its bytes are not in memory */
    SLW_SOCKET_SEND_SPLICE, /* (from, offset, fd, ...): the same */
    SLW_SOCKET_READ,        /* the first of those that receive */
    SLW_SOCKET_RECEIVE,
    SLW_SOCKET_RECEIVE_VECTOR,
    SLW_SOCKET_RECEIVE_MESSAGE,
    SLW_SOCKET_RECEIVE_MESSAGES,
    SLW_SOCKET_RECEIVE_SPLICE, /* (fd, ...) */
    SLW_SOCKET_CONNECT,
    SLW_SOCKET_CLOSE
};

/* Of a call, bytes past this are only counted; vectors and messages too. */
#define SLW_SOCKET_CALL_BYTES (1u << 23)
#define SLW_SOCKET_STEPS      4096

/* Directions are those of enum slw_wire_direction: 0 sent, 1 received. */

#define SLW_SOCKET_ADDRESS 112 /* bytes; of a unix socket it is 110 */

/* What a function of a TLS library does, by how its arguments are to be read. The first is always
 * the session. */
enum slw_socket_tls {
    SLW_SOCKET_TLS_WRITE,     /* (session, buffer, length): bytes taken, or <= 0 */
    SLW_SOCKET_TLS_READ,      /* the same: bytes given */
    SLW_SOCKET_TLS_WRITE_EX,  /* (session, buffer, length, &moved): 1, or 0 */
    SLW_SOCKET_TLS_READ_EX,   /* the same */
    SLW_SOCKET_TLS_HANDSHAKE, /* (session) */
    SLW_SOCKET_TLS_FREE,      /* (session) */
    SLW_SOCKET_TLS_OTHER      /* (session, ...): moves text that is not looked at */
};
#define SLW_SOCKET_SESSIONS 16384

/* Kept of a socket in the kernel. Numbers only grow. */
struct slw_socket_kept {
    __u64 missed_bytes[2]; /* moved, and in no record */
    __u64 missed_calls[2];
    __u64 missed_text[2]; /* bytes of plain text, the same */
    __u64 blocked[2];     /* EAGAIN */
    __u64 by_ring;        /* operations through io_uring: nothing of them is looked at */
    __u32 pid, address_bytes;
    __u8 address[SLW_SOCKET_ADDRESS]; /* of the server, as it was given to connect */
};

enum slw_socket_kind {
    SLW_SOCKET_CONNECTED = 1,
    SLW_SOCKET_MOVED,
    SLW_SOCKET_CLOSED,
    SLW_SOCKET_TEXT /* as MOVED, of the plain text of a TLS session on this socket */
};

#define SLW_SOCKET_TEXT_LATE 1 /* flag: what the session moved before was not seen */

/* A record, and after it `bytes` of payload: of CONNECTED the address, of MOVED and TEXT a piece of
 * what a call moved. Its size in the ring is one of a few. */
struct slw_socket_record {
    __u64 inode;   /* of the socket; with that a number that no other open socket has */
    __u64 when_ns; /* CLOCK_MONOTONIC: begin of a sending call, end of a receiving one */
    __u64 call_bytes;
    __u64 offset; /* of the piece in its call */
    /* As they are now, so that the difference to the record before was lost between the two. */
    __u64 missed_bytes[2];
    __u64 missed_calls[2];
    __u64 missed_text[2];
    __u32 pid, tid;
    __u32 bytes;
    __u8 kind, direction, flags;
    __u8 unused;
};

#define SLW_SOCKET_SMALL  256
#define SLW_SOCKET_MIDDLE 1024
#define SLW_SOCKET_PAGE   4096
#define SLW_SOCKET_LARGE  16384

/* Counted, never hidden. */
struct slw_socket_losses {
    __u64 processes; /* not followed: the map was full */
    __u64 sockets;   /* the same */
    __u64 records;   /* of connections: the ring was full; the socket is kept */
    __u64 by_ring;   /* operations through io_uring on sockets that are not kept */
    __u64 sessions;  /* of TLS, not followed: the map was full */
};

#endif

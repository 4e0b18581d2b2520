/* SPDX-License-Identifier: MIT */
/* The connections that flows.c follows, in a table by their inode. Only for flows*.c. */
#ifndef SLW_COLLECTOR_TAPS_SOCKET_FLOWS_INT_H
#define SLW_COLLECTOR_TAPS_SOCKET_FLOWS_INT_H

#include "collector/taps/socket/flows.h"

#define BUCKETS (2 * SLW_MAX_FLOWS) /* power of two */

struct call { /* of which not all pieces have come */
    bool open;
    uint32_t tid;
    uint64_t bytes, told;
};

struct flow {
    uint64_t inode;
    uint32_t next; /* in its bucket or among the free ones; index + 1 */
    uint32_t pid;
    uint32_t tries;
    bool used;
    bool waiting; /* for the beginning of a request */
    bool moved;   /* bytes were seen */
    bool counted; /* as a connection of the slot */
    bool lost;    /* as one that was not followed to its end */
    bool hushed;  /* the kernel only counts */
    bool texted;  /* its plain text is seen */
    bool encrypted_counted, decrypted_counted;
    enum slw_wire_reason why; /* a connection that waits does so */
    struct call calls[2], texts[2];
    uint64_t ciphered; /* bytes that were sent encrypted, as long as no plain text is seen */
    struct slw_socket_kept told; /* of what the kernel keeps */
    struct slw_wire_slot *slot;
    struct slw_wire_slot peer; /* family, port, address and path only */
    struct slw_conn conn;
};

struct slw_flows {
    struct slw_flow_kernel kernel;
    struct slw_wire_map *map;
    struct slw_wire_counts uncounted;
    bool counting;
    uint32_t buckets[BUCKETS]; /* index + 1 */
    uint32_t free, touched;    /* index + 1 of the first free one; flows that were ever used */
    struct flow *flows;
};

/* NULL: there is none. */
struct flow *slw_flow_find(struct slw_flows *f, uint64_t inode);

/* A new one, all zero but for its connection; NULL: there are too many. */
struct flow *slw_flow_take(struct slw_flows *f, uint64_t inode, uint32_t pid);
void slw_flow_take_out(struct slw_flows *f, struct flow *flow);

#endif

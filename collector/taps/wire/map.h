/* SPDX-License-Identifier: MIT */
/* The shared mapping between slotwise and the clients it watches: one file for the whole process
 * tree, every page of it allocated before the first client starts, so that a full disk can hurt
 * nobody. Clients only add; nothing is ever reset or moved, so that a reader is right at any
 * moment, also after SIGKILL. Not for: what the numbers mean in a report (wire.h). */
#ifndef SLW_COLLECTOR_TAPS_WIRE_MAP_H
#define SLW_COLLECTOR_TAPS_WIRE_MAP_H

#include <stdatomic.h>
#include <stdint.h>

#define SLW_WIRE_MAGIC   UINT64_C(0x31455249575f574c) /* "LW_WIRE1" */
#define SLW_WIRE_VERSION 2u

/* A slot serves one connection after the other to the same peer; what is open at the same time
 * needs slots of its own. The largest pools of clients seen hold some thousand connections. */
#define SLW_WIRE_SLOTS 4096u
/* Slots past this many share the last histogram: 6.5 KiB each would be most of the mapping. */
#define SLW_WIRE_HISTOGRAMS 256u
#define SLW_WIRE_SQLITE     UINT32_MAX /* protocol of a slot: SQLite's C API, which is none */
#define SLW_WIRE_PROCESSES  256u       /* remembered by name; all are counted */

/* Log-linear as in HdrHistogram: 32 buckets an octave (3.1 % wide), unit 64 ns, to 68.7 s. */
#define SLW_WIRE_SUB_BITS  5u
#define SLW_WIRE_UNIT_BITS 6u
#define SLW_WIRE_TOP_BITS  36u
#define SLW_WIRE_BUCKETS   (((SLW_WIRE_TOP_BITS - SLW_WIRE_UNIT_BITS - SLW_WIRE_SUB_BITS) + 1u) << 5u)

/* What is counted of one connection. Written by one thread at a time, read by anybody; a number
 * never falls. */
struct slw_wire_counts {
    uint64_t sent_bytes, send_calls, send_blocked; /* blocked: EAGAIN */
    uint64_t requests, statements, prepares;
    uint64_t flushes;              /* writes that completed at least one request */
    uint64_t flush_bytes;          /* of those writes */
    uint64_t max_batch;            /* requests of the largest flush */
    uint64_t depth_sum, max_depth; /* requests in flight, looked at after each flush */
    uint64_t received_bytes, receive_calls, receive_blocked; /* calls: those that brought bytes */
    uint64_t responses, errors, pushes, rows;
    uint64_t latency_count, latency_sum_ns, latency_max_ns;
    uint64_t batch_count, batch_sum_ns, batch_max_ns;
    uint64_t merged;    /* requests whose start is that of an earlier one: the queue was full */
    uint64_t unmatched; /* answers nobody was seen to ask for */
    /* Sent, and never decoded: what they asked for is missing. Only of the tap on socket calls. */
    uint64_t unseen_bytes;
};

enum slw_wire_state { SLW_WIRE_FREE, SLW_WIRE_OPEN, SLW_WIRE_CLOSED };

struct slw_wire_slot {
    _Atomic uint32_t state; /* CLOSED slots are taken again for the same peer */
    uint32_t histogram;
    int32_t pid;
    uint32_t connections; /* that used this slot so far */
    uint32_t protocol;    /* index + 1 into slw_protos; SLW_WIRE_SQLITE; 0 unknown */
    uint32_t reason;      /* enum slw_wire_reason: why a connection of it is not followed; 0 none */
    uint32_t lost;        /* connections that were given up */
    uint32_t encrypted;   /* those that became TLS */
    uint32_t decrypted;   /* those of them whose plain text is seen; the others are lost too */
    uint32_t shared;      /* a forked process has this connection too */
    uint32_t inherited;   /* was open when the process was forked */
    uint16_t family, port;
    uint8_t address[16];
    char path[60]; /* of a unix socket, of a database file; cut */
    _Alignas(64) struct slw_wire_counts counts;
};

struct slw_wire_histogram {
    _Atomic uint32_t request[SLW_WIRE_BUCKETS], batch[SLW_WIRE_BUCKETS];
};

struct slw_wire_process {
    int32_t pid;
    char comm[16];
    _Atomic uint32_t loaded;   /* the library is in it, not by an exec that was seen */
    _Atomic uint32_t execs;    /* programs it became */
    _Atomic uint32_t returned; /* those that could not be started after all */
    _Atomic uint32_t arrived;  /* those of them that the library was loaded into */
};

/* Who fills it. */
enum slw_wire_route { SLW_WIRE_PRELOAD, SLW_WIRE_BPF };

struct slw_wire_map {
    uint64_t magic;
    uint32_t version, size_bytes;
    uint32_t route;             /* enum slw_wire_route */
    _Atomic uint32_t counting;  /* 0: follow the protocols, but count nothing */
    _Atomic uint32_t slot_used; /* slots ever taken; may pass SLW_WIRE_SLOTS */
    _Atomic uint32_t process_count;
    _Atomic uint32_t dropped; /* connections nobody could follow: no slot, no memory */
    struct slw_wire_process processes[SLW_WIRE_PROCESSES];
    struct slw_wire_slot slots[SLW_WIRE_SLOTS];
    struct slw_wire_histogram histograms[SLW_WIRE_HISTOGRAMS];
};

#endif

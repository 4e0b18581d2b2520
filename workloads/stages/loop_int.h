/* SPDX-License-Identifier: MIT */
/* The event loop of the workload and the client it serves: both ends of a connection, on one
 * thread. The client writes requests (a fixed number in flight, or when they are due) and reads the
 * answers; the server end cuts what it reads into requests and hands each to the first stage. Every
 * answer is a write of its own, batched or not: what batching saves here is no system call. */
#ifndef SLW_WORKLOADS_STAGES_LOOP_INT_H
#define SLW_WORKLOADS_STAGES_LOOP_INT_H

#include "workloads/load.h"
#include "workloads/stages/gateway_int.h"
#include "workloads/tally.h"

#include <stdatomic.h>
#include <sys/types.h>

struct slw_stages_plan {
    size_t concurrency; /* requests in flight, at most */
    size_t read_bytes;  /* that one read may bring */
    uint64_t keys, seed;
    size_t payload;
    double rate; /* 0: closed loop */
    bool updates, verify;
    const atomic_bool *stop; /* or NULL */
};

/* What the client knows of a request until it is answered. */
struct slw_stages_flight {
    uint64_t since_ns; /* when it was due, or written */
    uint64_t key;
    uint32_t user, cents;
};

struct slw_stages_client {
    const struct slw_stages_plan *plan;
    int fd;
    struct slw_random random;
    struct slw_arrivals arrivals;
    uint64_t due_ns;                   /* of the next request; open loop */
    struct slw_stages_flight *flights; /* [sequence % concurrency] */
    uint64_t sent, received, goal;     /* sequences */
    uint8_t *out, *in;
    size_t out_length, in_length, in_capacity;
    uint32_t digest; /* CRC-32 of the digests and sums of all answers, in order */
    uint64_t answer_bytes, opened;
    struct slw_gateway_opener opener;
    char *text, *expected;
};
int slw_stages_client_init(struct slw_stages_client *c, const struct slw_stages_plan *plan, int fd,
                           struct slw_error *err);
void slw_stages_client_release(struct slw_stages_client *c); /* not fd */
/* `count` more requests, the first of them due after now_ns. */
void slw_stages_client_start(struct slw_stages_client *c, uint64_t count, uint64_t now_ns);
/* Write what may be in flight. Bytes, or negative. */
int slw_stages_client_write(struct slw_stages_client *c, uint64_t now_ns, struct slw_error *err);
/* Read the answers that are there. Bytes, or negative. */
int slw_stages_client_read(struct slw_stages_client *c, struct slw_error *err);

/* Bytes that were moved without waiting; 0: none can be now. */
ssize_t slw_stages_receive(int fd, uint8_t *bytes, size_t size, struct slw_error *err);
ssize_t slw_stages_send(int fd, const uint8_t *bytes, size_t length, struct slw_error *err);

struct slw_stages_loop {
    struct slw_stages_plan plan;
    struct slw_stages_client client;
    struct slw_gateway gateway;
    struct slw_execution execution;
    int fds[2];                     /* of the client, of the server */
    struct slw_gateway_call *calls; /* [sequence % concurrency] */
    uint8_t *memory;                /* their buffers */
    uint8_t *in;
    size_t in_length;
    uint64_t taken;
    struct slw_tally *tally; /* NULL: not counted */
};

/* limits[]: calls in one run of each stage. quota_ns as in slw_execution_init. */
int slw_stages_loop_init(struct slw_stages_loop *l, const struct slw_stages_plan *plan,
                         const size_t limits[SLW_GATEWAY_STAGE_COUNT], uint64_t quota_ns,
                         struct slw_error *err);
void slw_stages_loop_release(struct slw_stages_loop *l);

/* Until `count` requests are answered, or the stop flag is set and what was sent is answered.
 * Answers and latencies go to tally (may be NULL). */
int slw_stages_loop_run(struct slw_stages_loop *l, uint64_t count, struct slw_tally *tally,
                        struct slw_error *err);

#endif

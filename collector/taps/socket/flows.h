/* SPDX-License-Identifier: MIT */
/* From records of the BPF program to counts: puts the pieces of each connection together, notices
 * what is missing, feeds the decoders. Pure: the kernel is behind callbacks, so that a test or a
 * fuzzer can play it. Not for: how the records come here (bpf.h). */
#ifndef SLW_COLLECTOR_TAPS_SOCKET_FLOWS_H
#define SLW_COLLECTOR_TAPS_SOCKET_FLOWS_H

#include "base/error.h"
#include "collector/taps/wire/conn.h"

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "collector/taps/socket/layout.h"

#define SLW_MAX_FLOWS 4096 /* connections open at a time, as many as there are slots */
/* Writes looked at for the beginning of a request; a value of some MiB may take as many. */
#define SLW_MAX_JOIN_TRIES 256

/* What flows ask of the kernel's side; each may be NULL. */
struct slw_flow_kernel {
    void *ctx;
    bool (*kept)(void *ctx, uint64_t inode, struct slw_socket_kept *ret_kept);
    void (*forget)(void *ctx, uint64_t inode);
    void (*quiet)(void *ctx, uint64_t inode, bool on); /* on: no records are needed */
    bool (*alive)(void *ctx, uint32_t pid);
};

struct slw_flows;

/* Counts nothing yet. -SLW_E_NOMEM. Free with slw_flows_free (NULL allowed). */
int slw_flows_new(const struct slw_flow_kernel *kernel, struct slw_flows **ret_flows,
                  struct slw_error *err);
void slw_flows_free(struct slw_flows *f);

/* A socket that was connected before it could be watched; followed from where a request begins. */
void slw_flows_join(struct slw_flows *f, uint64_t inode, uint32_t pid, const struct sockaddr *to,
                    socklen_t length);

/* The next record, in their order; foreign bytes. */
void slw_flows_record(struct slw_flows *f, const void *record, size_t size);

/* Count, or only follow the protocols. */
void slw_flows_count(struct slw_flows *f, bool on);

/* Take over what the kernel keeps of the connections that are open. */
void slw_flows_settle(struct slw_flows *f);

/* The kernel keeps this socket: a connection whose beginning was lost becomes known, and is
 * followed from where a request begins. */
void slw_flows_keep(struct slw_flows *f, uint64_t inode, const struct slw_socket_kept *kept);

/* Connections of which nothing is known but that they were. */
void slw_flows_drop(struct slw_flows *f, uint64_t count);

/* What was counted, for slw_wire_read; lent. */
const struct slw_wire_map *slw_flows_map(const struct slw_flows *f);

#endif

/* SPDX-License-Identifier: MIT */
/* The BPF program in the kernel, as its reader sees it. Not for: what the bytes mean (flows.h). */
#ifndef SLW_COLLECTOR_TAPS_SOCKET_BPF_H
#define SLW_COLLECTOR_TAPS_SOCKET_BPF_H

#include "base/error.h"

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collector/taps/socket/layout.h"

struct slw_socket_bpf;

struct slw_socket_bpf_options {
    uint32_t ring_bytes; /* a power of two pages; 0: SLW_SOCKET_RING */
};

#define SLW_SOCKET_MAX_TLS 32 /* functions of a file */

/* The functions of a TLS library in a file of code. */
struct slw_socket_tls_file {
    const char *path;
    uint64_t offsets[SLW_SOCKET_MAX_TLS];
    uint64_t functions[SLW_SOCKET_MAX_TLS]; /* enum slw_socket_tls */
    size_t count;
};

/* Load and attach; nobody is followed yet. -SLW_E_UNSUPPORTED: not built in, no BTF, too old a
 * kernel. -SLW_E_PERM: refused. Both with a hint. -SLW_E_NOMEM, -SLW_E_IO (descriptors). */
int slw_socket_bpf_open(const struct slw_socket_bpf_options *opts, struct slw_socket_bpf **ret_bpf,
                        struct slw_error *err);
bool slw_socket_bpf_allowed(void);                   /* would it be loaded? */
void slw_socket_bpf_close(struct slw_socket_bpf *b); /* NULL allowed */

/* Follow a process and the processes it starts. -SLW_E_LIMIT when there are too many. */
int slw_socket_bpf_follow(struct slw_socket_bpf *b, uint32_t pid, struct slw_error *err);

/* Look at the plain text that goes through these functions, of all processes that are followed.
 * -SLW_E_UNSUPPORTED, -SLW_E_PERM, -SLW_E_IO. */
int slw_socket_bpf_tls(struct slw_socket_bpf *b, const struct slw_socket_tls_file *file,
                       struct slw_error *err);

/* Tell what is moved over a socket that was connected before. Such errors lose only that. */
bool slw_socket_bpf_add(struct slw_socket_bpf *b, uint64_t inode);

/* Only count what it moves; it stays so until it is connected again. */
void slw_socket_bpf_quiet(struct slw_socket_bpf *b, uint64_t inode, bool on);

/* What the kernel keeps of it; false: nothing. */
bool slw_socket_bpf_kept(struct slw_socket_bpf *b, uint64_t inode,
                         struct slw_socket_kept *ret_kept);
void slw_socket_bpf_forget(struct slw_socket_bpf *b, uint64_t inode);

/* Call for each socket the kernel keeps. */
typedef void slw_socket_kept_fn(void *ctx, uint64_t inode, const struct slw_socket_kept *kept);
void slw_socket_bpf_each(struct slw_socket_bpf *b, slw_socket_kept_fn *fn, void *ctx);

/* Readable when records should be taken before their time. */
int slw_socket_bpf_wake_fd(const struct slw_socket_bpf *b);

/* Hand over records, in the order of the system calls, at most about a ring's worth. */
typedef void slw_socket_record_fn(void *ctx, const void *record, size_t size);
void slw_socket_bpf_records(struct slw_socket_bpf *b, slw_socket_record_fn *fn, void *ctx);

struct slw_socket_losses slw_socket_bpf_losses(const struct slw_socket_bpf *b);

/* Bytes of its maps, for the self cost. */
uint64_t slw_socket_bpf_bytes(const struct slw_socket_bpf *b);
uint64_t slw_socket_bpf_time_ns(const struct slw_socket_bpf *b); /* as slw_bpf_time_ns */

#endif

/* SPDX-License-Identifier: MIT */
/* In place of bpf.c where slotwise was built without clang, bpftool or libbpf. */
#include "collector/taps/socket/bpf.h"

int slw_socket_bpf_open(const struct slw_socket_bpf_options *opts, struct slw_socket_bpf **ret_bpf,
                        struct slw_error *err)
{
    (void)opts;
    (void)ret_bpf;
    slw_error_hint(err, "build it with clang, bpftool and libbpf installed");
    return slw_fail(err, SLW_E_UNSUPPORTED, "this slotwise was built without BPF");
}

bool slw_socket_bpf_allowed(void)
{
    return false;
}

void slw_socket_bpf_close(struct slw_socket_bpf *b)
{
    (void)b;
}

int slw_socket_bpf_follow(struct slw_socket_bpf *b, uint32_t pid, struct slw_error *err)
{
    (void)b;
    (void)pid;
    return slw_fail(err, SLW_E_UNSUPPORTED, "this slotwise was built without BPF");
}

int slw_socket_bpf_tls(struct slw_socket_bpf *b, const struct slw_socket_tls_file *file,
                       struct slw_error *err)
{
    (void)b;
    (void)file;
    return slw_fail(err, SLW_E_UNSUPPORTED, "this slotwise was built without BPF");
}

bool slw_socket_bpf_add(struct slw_socket_bpf *b, uint64_t inode)
{
    (void)b;
    (void)inode;
    return false;
}

void slw_socket_bpf_quiet(struct slw_socket_bpf *b, uint64_t inode, bool on)
{
    (void)b;
    (void)inode;
    (void)on;
}

bool slw_socket_bpf_kept(struct slw_socket_bpf *b, uint64_t inode, struct slw_socket_kept *ret_kept)
{
    (void)b;
    (void)inode;
    (void)ret_kept;
    return false;
}

void slw_socket_bpf_forget(struct slw_socket_bpf *b, uint64_t inode)
{
    (void)b;
    (void)inode;
}

void slw_socket_bpf_each(struct slw_socket_bpf *b, slw_socket_kept_fn *fn, void *ctx)
{
    (void)b;
    (void)fn;
    (void)ctx;
}

int slw_socket_bpf_wake_fd(const struct slw_socket_bpf *b)
{
    (void)b;
    return -1;
}

void slw_socket_bpf_records(struct slw_socket_bpf *b, slw_socket_record_fn *fn, void *ctx)
{
    (void)b;
    (void)fn;
    (void)ctx;
}

struct slw_socket_losses slw_socket_bpf_losses(const struct slw_socket_bpf *b)
{
    (void)b;
    return (struct slw_socket_losses){0};
}

uint64_t slw_socket_bpf_bytes(const struct slw_socket_bpf *b)
{
    (void)b;
    return 0;
}

uint64_t slw_socket_bpf_time_ns(const struct slw_socket_bpf *b)
{
    (void)b;
    return 0;
}

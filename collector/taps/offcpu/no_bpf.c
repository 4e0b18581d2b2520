/* SPDX-License-Identifier: MIT */
/* In place of bpf.c where slotwise was built without clang, bpftool or libbpf. */
#include "collector/taps/offcpu/bpf.h"

int slw_off_bpf_open(const struct slw_off_bpf_options *opts, struct slw_off_bpf **ret_bpf,
                     struct slw_error *err)
{
    (void)opts;
    (void)ret_bpf;
    slw_error_hint(err, "build it with clang, bpftool and libbpf installed");
    return slw_fail(err, SLW_E_UNSUPPORTED, "this slotwise was built without BPF");
}

void slw_off_bpf_close(struct slw_off_bpf *b)
{
    (void)b;
}

int slw_off_bpf_follow(struct slw_off_bpf *b, const struct slw_off_thread *t, struct slw_error *err)
{
    (void)b;
    (void)t;
    return slw_fail(err, SLW_E_UNSUPPORTED, "this slotwise was built without BPF");
}

void slw_off_bpf_window(struct slw_off_bpf *b, uint64_t start_ns, uint64_t end_ns)
{
    (void)b;
    (void)start_ns;
    (void)end_ns;
}

void slw_off_bpf_ended(struct slw_off_bpf *b, slw_off_thread_fn *fn, void *ctx)
{
    (void)b;
    (void)fn;
    (void)ctx;
}

void slw_off_bpf_live(struct slw_off_bpf *b, slw_off_thread_fn *fn, void *ctx)
{
    (void)b;
    (void)fn;
    (void)ctx;
}

void slw_off_bpf_objects(struct slw_off_bpf *b, size_t max, slw_off_object_fn *fn, void *ctx)
{
    (void)b;
    (void)max;
    (void)fn;
    (void)ctx;
}

struct slw_off_losses slw_off_bpf_losses(const struct slw_off_bpf *b)
{
    (void)b;
    return (struct slw_off_losses){0};
}

void slw_off_bpf_samples(struct slw_off_bpf *b, slw_off_sample_fn *fn, void *ctx)
{
    (void)b;
    (void)fn;
    (void)ctx;
}

void slw_off_bpf_flush(struct slw_off_bpf *b, slw_off_sample_fn *fn, void *ctx)
{
    (void)b;
    (void)fn;
    (void)ctx;
}

void slw_off_bpf_sample_every(struct slw_off_bpf *b, uint64_t ns)
{
    (void)b;
    (void)ns;
}

uint64_t slw_off_bpf_time_ns(const struct slw_off_bpf *b)
{
    (void)b;
    return 0;
}

uint64_t slw_off_bpf_bytes(const struct slw_off_bpf *b)
{
    (void)b;
    return 0;
}

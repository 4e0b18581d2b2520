/* SPDX-License-Identifier: MIT */
/* In place of bpf.c where slotwise was built without clang, bpftool or libbpf. */
#include "collector/taps/stage/bpf.h"

static int missing(struct slw_error *err)
{
    slw_error_hint(err, "build it with clang, bpftool and libbpf installed");
    return slw_fail(err, SLW_E_UNSUPPORTED, "this slotwise was built without BPF");
}

int slw_stage_prog_open(size_t counter_count, bool many, struct slw_stage_prog **ret_prog,
                        struct slw_error *err)
{
    (void)counter_count;
    (void)many;
    (void)ret_prog;
    return missing(err);
}

void slw_stage_prog_close(struct slw_stage_prog *p)
{
    (void)p;
}

int slw_stage_prog_counter(struct slw_stage_prog *p, size_t counter, int cpu, int perf_fd,
                           struct slw_error *err)
{
    (void)p;
    (void)counter;
    (void)cpu;
    (void)perf_fd;
    return missing(err);
}

int slw_stage_prog_attach(struct slw_stage_prog *p, const struct slw_stage_marks *m,
                          uint64_t *ret_failed, struct slw_error *err)
{
    (void)p;
    (void)m;
    (void)ret_failed;
    return missing(err);
}

int slw_stage_prog_follow(struct slw_stage_prog *p, uint32_t pid, uint32_t tid,
                          struct slw_error *err)
{
    (void)p;
    (void)pid;
    (void)tid;
    return missing(err);
}

void slw_stage_prog_phase(struct slw_stage_prog *p, uint32_t phase)
{
    (void)p;
    (void)phase;
}

void slw_stage_prog_open_calls(struct slw_stage_prog *p, uint32_t phase,
                               uint64_t counts[SLW_STAGE_MAX])
{
    (void)p;
    (void)phase;
    (void)counts;
}

int slw_stage_prog_sums(struct slw_stage_prog *p, struct slw_stage_sum *sums, size_t count,
                        struct slw_error *err)
{
    (void)p;
    (void)sums;
    (void)count;
    return missing(err);
}

struct slw_stage_losses slw_stage_prog_losses(const struct slw_stage_prog *p, uint64_t *ret_skipped)
{
    (void)p;
    *ret_skipped = 0;
    return (struct slw_stage_losses){0};
}

uint64_t slw_stage_prog_bytes(const struct slw_stage_prog *p)
{
    (void)p;
    return 0;
}

uint64_t slw_stage_prog_time_ns(const struct slw_stage_prog *p)
{
    (void)p;
    return 0;
}

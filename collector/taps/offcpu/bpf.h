/* SPDX-License-Identifier: MIT */
/* The BPF program in the kernel, as its reader sees it. Not for: what the sums mean (sums.h). */
#ifndef SLW_COLLECTOR_TAPS_OFFCPU_BPF_H
#define SLW_COLLECTOR_TAPS_OFFCPU_BPF_H

#include "base/error.h"

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collector/taps/offcpu/layout.h"

struct slw_off_bpf;

struct slw_off_bpf_options {
    bool syscalls; /* count them: every system call of the machine then costs more */
    enum slw_off_callers callers;
    uint32_t copy_bytes;           /* of stack, at most SLW_OFF_MAX_COPY */
    uint32_t thread_max, slot_max; /* SLW_OFF_LIVE_THREADS, SLW_OFF_SLOTS; tests take less */
};

/* Load and attach; nobody is followed yet. -SLW_E_UNSUPPORTED: not built in, no BTF, too old a
 * kernel. -SLW_E_PERM: refused. Both with a hint. -SLW_E_NOMEM, -SLW_E_IO (descriptors). */
int slw_off_bpf_open(const struct slw_off_bpf_options *opts, struct slw_off_bpf **ret_bpf,
                     struct slw_error *err);
void slw_off_bpf_close(struct slw_off_bpf *b); /* NULL allowed */

/* Follow this thread and what it starts. -SLW_E_LIMIT when there are too many. */
int slw_off_bpf_follow(struct slw_off_bpf *b, const struct slw_off_thread *t,
                       struct slw_error *err);

/* The measured window: to the end, or to end_ns. CLOCK_MONOTONIC. */
void slw_off_bpf_window(struct slw_off_bpf *b, uint64_t start_ns, uint64_t end_ns);

/* Hand over the threads that ended since the last call. */
typedef void slw_off_thread_fn(void *ctx, const struct slw_off_thread *t);
void slw_off_bpf_ended(struct slw_off_bpf *b, slw_off_thread_fn *fn, void *ctx);
/* And those that live, as they are now. */
void slw_off_bpf_live(struct slw_off_bpf *b, slw_off_thread_fn *fn, void *ctx);

/* And what was waited for; the sum of one that is asked for while it goes on may be torn. */
typedef void slw_off_object_fn(void *ctx, const struct slw_off_object *object,
                               const struct slw_off_object_sum *sum);
void slw_off_bpf_objects(struct slw_off_bpf *b, size_t max, slw_off_object_fn *fn, void *ctx);

struct slw_off_losses slw_off_bpf_losses(const struct slw_off_bpf *b);

/* Hand over the stacks of waits that came since the last call. */
typedef void slw_off_sample_fn(void *ctx, const struct slw_off_sample *s);
void slw_off_bpf_samples(struct slw_off_bpf *b, slw_off_sample_fn *fn, void *ctx);
/* Once, after the last window: also what threads have waited since their last stack. */
void slw_off_bpf_flush(struct slw_off_bpf *b, slw_off_sample_fn *fn, void *ctx);
/* How much waiting of a thread comes between two of its stacks, on the average. */
void slw_off_bpf_sample_every(struct slw_off_bpf *b, uint64_t ns);

/* CPU time its programs have used on all CPUs since they were attached; 0: the kernel does not
 * tell.
 */
uint64_t slw_off_bpf_time_ns(const struct slw_off_bpf *b);

/* Bytes of its maps, for the self cost. */
uint64_t slw_off_bpf_bytes(const struct slw_off_bpf *b);

#endif

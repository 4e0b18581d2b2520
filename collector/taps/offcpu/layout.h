/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* What the BPF program and its reader share: maps, records, states. Plain C for both compilers;
 * the fixed-width types come from whoever includes this. */
#ifndef SLW_COLLECTOR_TAPS_OFFCPU_LAYOUT_H
#define SLW_COLLECTOR_TAPS_OFFCPU_LAYOUT_H

/* The same numbers as enum slw_wait of record/run.h (offcpu/bpf.c asserts it). */
enum slw_off_state {
#define SLW_WAIT(id, key, words) SLW_OFF_##id,
#include "record/waits.def"
#undef SLW_WAIT
    SLW_OFF_STATE_COUNT
};

#define SLW_OFF_STATES       16        /* power of two, so that the verifier believes a mask */
#define SLW_OFF_SYSCALLS     1024      /* numbers end below 500 today */
#define SLW_OFF_LIVE_THREADS 16384     /* followed at a time; 5 MiB of maps */
#define SLW_OFF_ENDED_BYTES  (1 << 20) /* ring of ended threads: some 3000 between two polls */
#define SLW_OFF_STACKS       16384     /* distinct stacks, and distinct sums over them */
#define SLW_OFF_STACK_DEPTH  127       /* kernel.perf_event_max_stack */

struct slw_off_thread {
    __u64 born_ns;  /* followed since; with the tid the identity of a thread */
    __u64 since_ns; /* in this state */
    __u64 ended_ns; /* 0: lives */
    __u32 pid, tid;
    __u32 state;   /* enum slw_off_state */
    __u32 started; /* 0: held before exec, not followed yet */
    __s32 user_stack, kernel_stack;
    __u64 ns[SLW_OFF_STATES];
    __u64 waits[SLW_OFF_STATES]; /* times a state was entered */
    __u64 syscalls;
    char comm[16];
};

struct slw_off_stack_key {
    __u32 pid, tid;
    __s32 user_stack, kernel_stack; /* ids, or negative */
    __u32 state, unused;
};

struct slw_off_stack_sum {
    __u64 ns, waits, last_ns;
};

/* Counted, never hidden. */
struct slw_off_losses {
    __u64 threads; /* not followed: the map was full */
    __u64 ended;   /* ended and not reported: the ring was full */
    __u64 stacks;  /* waits without a stack: a map was full */
};

#endif

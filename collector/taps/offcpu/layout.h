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

#define SLW_OFF_STATES       16          /* power of two, so that the verifier believes a mask */
#define SLW_OFF_SYSCALLS     1024        /* numbers end below 500 today */
#define SLW_OFF_WAYS         8           /* threads whose numbers end alike */
#define SLW_OFF_BUCKETS      2048        /* power of two, so that the verifier believes a mask */
#define SLW_OFF_LIVE_THREADS 16384       /* places of all buckets; 6 MiB of maps */
#define SLW_OFF_CLAIMED      0x80000000u /* on the number of a thread: not to be found yet */
#define SLW_OFF_ENDED_BYTES  (1 << 20)   /* ring of ended threads: some 3000 between two polls */
#define SLW_OFF_STACK_DEPTH  127         /* kernel.perf_event_max_stack */
#define SLW_OFF_SLOTS        512         /* threads whose stacks are looked at, at a time; 19 MiB */
#define SLW_OFF_COPY_BYTES   20480 /* of stack: whole for nearly all waits of database clients */
#define SLW_OFF_MAX_COPY     32768 /* power of two, so that the verifier believes a mask */
#define SLW_OFF_PAGE         4096  /* copied at once where a page may not be there */
#define SLW_OFF_LOOK_AGAIN   64    /* copies, after which the end may be another */
#define SLW_OFF_SAMPLE_BYTES (1 << 23) /* ring of stacks: some 700 of 12 KiB between two polls */
#define SLW_OFF_SAMPLE_NS    2000000   /* of waiting, per thread, between two stacks */

/* struct pt_regs as far as it is user mode's. Source: linux arch/{x86,arm64}/include. */
#if defined(__TARGET_ARCH_arm64) || defined(__aarch64__)
#define SLW_OFF_REG_WORDS 34 /* x0 to x30, sp, pc, pstate */
#define SLW_OFF_REG_SP    31
#else
#define SLW_OFF_REG_WORDS 21 /* from r15 to ss */
#define SLW_OFF_REG_SP    19
#endif

/* How the callers of a wait are seen. */
enum slw_off_callers {
    SLW_OFF_CALLERS_NO,     /* not at all: there are no stacks */
    SLW_OFF_CALLERS_KERNEL, /* those in the kernel */
    SLW_OFF_CALLERS_FP,     /* and, by frame pointers, those in user mode */
    SLW_OFF_CALLERS_COPY    /* or as registers and a copy of the stack */
};

/* The stack of a thread that waits. What is in it is the same for the reader of the ring: the
 * thread's last `ns` of waiting, for the most part here. */
struct slw_off_sample {
    __u64 time_ns, ns;
    __u32 pid, tid;
    __u32 kernel_count, user_count; /* addresses in kernel[] and, by frame pointers, in stack[] */
    __u32 stack_bytes;              /* copied; above the stack pointer */
    __u32 has_regs;
    __u64 end;          /* of what could be copied lately: no need to run into it each time */
    __u32 ends, copies; /* ends: behind it there was nothing */
    __u64 regs[SLW_OFF_REG_WORDS];
    __u64 kernel[SLW_OFF_STACK_DEPTH];
    __u8 stack[SLW_OFF_MAX_COPY + SLW_OFF_PAGE]; /* the page is for the verifier */
};

#define SLW_OFF_OBJECTS 4096
#define SLW_OFF_INET    2 /* AF_INET, AF_INET6: socket(7) */
#define SLW_OFF_INET6   10

/* What a thread waits for: a lock, or the other side of a socket. */
struct slw_off_object {
    __u64 address[2]; /* of the futex, in its process; of the peer, as the network has it */
    __u32 pid;
    __u32 state;        /* LOCK, ANSWER, SENDING; ON_CPU: none */
    __u16 family, port; /* port: as the network has it */
    __u32 unused;
};

struct slw_off_object_sum {
    __u64 ns, waits;
};

struct slw_off_thread {
    __u64 born_ns;  /* followed since; with the tid the identity of a thread */
    __u64 since_ns; /* in this state */
    __u64 ended_ns; /* 0: lives */
    __u32 pid, tid;
    __u32 state;                /* enum slw_off_state */
    __u32 started;              /* 0: held before exec, not followed yet */
    __u32 slot;                 /* where its stack is kept, from 1; 0: nowhere */
    __u32 flushed;              /* all its waiting has a stack */
    __u64 unsampled_ns, due_ns; /* waited since the last stack; with so much the next is due */
    __u64 ns[SLW_OFF_STATES];
    __u64 waits[SLW_OFF_STATES]; /* times a state was entered */
    __u64 syscalls;
    char comm[16];
    struct slw_off_object object; /* of the wait it is in, or was in last */
};

/* Where threads are found: place i of bucket b is the record b * SLW_OFF_WAYS + i. 0: it is free.
 */
struct slw_off_bucket {
    __u32 tids[SLW_OFF_WAYS];
};

/* Counted, never hidden. */
struct slw_off_losses {
    __u64 threads;  /* not followed: the map was full */
    __u64 ended;    /* ended and not reported: the ring was full */
    __u64 slots;    /* threads whose stacks are not looked at: there was no slot */
    __u64 stack_ns; /* waited by threads without a slot, or when the ring of stacks was full */
    __u64 full;     /* times that ring was full */
    __u64 objects;  /* waits for a lock or a peer that is not told: the map was full */
};

#endif

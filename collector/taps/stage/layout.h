/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* What the BPF program of the stage tap and its reader share. Plain C for both compilers; the
 * fixed-width types come from whoever includes this. */
#ifndef SLW_COLLECTOR_TAPS_STAGE_LAYOUT_H
#define SLW_COLLECTOR_TAPS_STAGE_LAYOUT_H

#define SLW_STAGE_MAX        256   /* as SLW_MAX_STAGES of record/run.h; marks.c asserts it */
#define SLW_STAGE_DEPTH      16    /* open stages of a thread, one within another */
#define SLW_STAGE_FOLLOWED   16384 /* threads of the client at a time */
#define SLW_STAGE_IN_STAGES  4096  /* of those, threads that have marked a stage; 6 MiB */
#define SLW_STAGE_COUNTERS   5     /* as enum slw_stage_event of record/run.h */
#define SLW_STAGE_EVENT_FDS  4096  /* per counter: CPUs, as SLW_MAX_CPUS of collector/target.h */
#define SLW_STAGE_COOKIE_END 1     /* cookie of a mark: stage * 2, and this */

/* Counters at a moment, or what they counted. They share one group, so that one pair of times holds
 * for all. */
struct slw_stage_counts {
    __u64 values[SLW_STAGE_COUNTERS];
    __u64 enabled_ns, running_ns; /* time they should have counted, and did */
};

struct slw_stage_frame {
    __u64 batch, begin_ns, self_ns, cpu_ns;
    struct slw_stage_counts counts;
    __u32 stage;
    __u32 within_itself; /* the same stage is open further out */
};

struct slw_stage_thread {
    __u64 last_ns;                     /* time is charged up to here */
    struct slw_stage_counts base;      /* counters of this CPU then */
    __u64 away_ns;                     /* since when it is off the CPU in the middle of a mark */
    __u64 gone_ns, gone_seen_ns;       /* sum of such times; what of it is charged */
    __u32 torn, torn_once, torn_twice; /* such times; at the last charge and the one before it */
    __u32 phase;                       /* of measuring, that the frames are of */
    __u32 depth, over;                 /* over: begins beyond SLW_STAGE_DEPTH */
    __u32 in_mark, no_base;            /* no_base: a counter could not be read then */
    struct slw_stage_frame frames[SLW_STAGE_DEPTH];
};

struct slw_stage_sum {
    __u64 calls, requests, max_batch, wall_ns, self_ns, cpu_ns;
    struct slw_stage_counts counts;
    __u64 missed_begins, missed_ends;
};

/* Counted, never hidden. */
struct slw_stage_losses {
    __u64 threads;  /* not followed: a map was full */
    __u64 too_deep; /* calls beyond SLW_STAGE_DEPTH */
    __u64 batches;  /* of which it is not known whether they are the largest */
};

#endif

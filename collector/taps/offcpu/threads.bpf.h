/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* The part of offcpu.bpf.c that finds what is kept of a thread. Each switch asks for two threads of
 * the machine and each wake-up for one, most of them nobody's; a map that hashes takes some 50 ns
 * each time, where calls in the kernel are guarded against speculation. This is a look at eight
 * numbers that stand together, without a call. */

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE); /* the reader puts threads in, and looks at them */
    __uint(max_entries, SLW_OFF_LIVE_THREADS);
    __type(key, __u32);
    __type(value, struct slw_off_thread);
} threads SEC(".maps");

struct slw_off_bucket buckets[SLW_OFF_BUCKETS];
const volatile __u32 bucket_mask = SLW_OFF_BUCKETS - 1;

static __always_inline struct slw_off_bucket *bucket_of(__u32 tid)
{
    return &buckets[tid & bucket_mask & (SLW_OFF_BUCKETS - 1)];
}

static __always_inline struct slw_off_thread *record_of(__u32 tid, __u32 way)
{
    __u32 index = (tid & bucket_mask) * SLW_OFF_WAYS + way;

    return bpf_map_lookup_elem(&threads, &index);
}

/* The place of a thread in its bucket; SLW_OFF_WAYS: it has none. */
static __always_inline __u32 way_of(__u32 tid)
{
    const struct slw_off_bucket *b = bucket_of(tid);

#pragma unroll
    for (__u32 i = 0; i < SLW_OFF_WAYS; i++)
        if (b->tids[i] == tid)
            return i;
    return SLW_OFF_WAYS;
}

static __always_inline struct slw_off_thread *find_thread(__u32 tid)
{
    __u32 way = tid ? way_of(tid) : SLW_OFF_WAYS; /* 0 is idle, and a place that is free */

    return way < SLW_OFF_WAYS ? record_of(tid, way) : 0;
}

/* Has the reader put it in meanwhile? Of two places the lower one stays. */
static __always_inline int is_below(const struct slw_off_bucket *b, __u32 tid, __u32 way)
{
    int found = 0;

#pragma unroll
    for (__u32 i = 0; i < SLW_OFF_WAYS; i++)
        found |= i < way && (b->tids[i] & ~SLW_OFF_CLAIMED) == tid;
    return found;
}

/* A place for a thread, which nobody finds until it is shown: what is in it is another one's. */
static __always_inline struct slw_off_thread *claim_place(__u32 tid)
{
    struct slw_off_bucket *b = bucket_of(tid);
    struct slw_off_thread *t;

#pragma unroll
    for (__u32 i = 0; i < SLW_OFF_WAYS; i++) {
        if (b->tids[i] != 0 ||
            __sync_val_compare_and_swap(&b->tids[i], 0, tid | SLW_OFF_CLAIMED) != 0)
            continue;
        if (is_below(b, tid, i)) {
            b->tids[i] = 0;
            return 0;
        }
        t = record_of(tid, i);
        if (t)
            return t;
        b->tids[i] = 0; /* a table that is smaller than a bucket */
        break;
    }
    __sync_fetch_and_add(&losses.threads, 1);
    return 0;
}

static __always_inline void change_place(__u32 tid, __u32 from, __u32 to)
{
    struct slw_off_bucket *b = bucket_of(tid);

#pragma unroll
    for (__u32 i = 0; i < SLW_OFF_WAYS; i++)
        if (b->tids[i] == from) {
            __sync_val_compare_and_swap(&b->tids[i], from, to);
            return;
        }
}

static __always_inline void show_place(__u32 tid)
{
    change_place(tid, tid | SLW_OFF_CLAIMED, tid);
}

static __always_inline void free_place(__u32 tid)
{
    change_place(tid, tid, 0);
}

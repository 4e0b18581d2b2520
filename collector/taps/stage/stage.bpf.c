/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* Follows the stages that the threads of the target mark. A thread has a stack of open calls; what
 * passes between two events of it (a mark, leaving or getting the CPU) is charged to the innermost
 * one. A call goes into the sums when its end is seen.
 *
 * A mark may be preempted in the middle. What runs in the scheduler then only notes how long that
 * was, in fields that no mark writes. The sums are per CPU, and a mark that preempts another adds
 * to the same ones: hence atomic. */
#include "collector/taps/bpf/core.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "collector/taps/stage/layout.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

const volatile __u32 counter_count = 0; /* the first so many of `counters` are there */
const struct slw_stage_thread blank = {};

volatile __u32 phase = 0; /* 0: not measuring; the n-th time measuring is on */
struct slw_stage_losses losses;

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, SLW_STAGE_FOLLOWED);
    __type(key, __u32);
    __type(value, __u32);
} followed SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, SLW_STAGE_IN_STAGES);
    __type(key, __u32);
    __type(value, struct slw_stage_thread);
} threads SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, SLW_STAGE_MAX);
    __type(key, __u32);
    __type(value, struct slw_stage_sum);
} sums SEC(".maps");

/* One array for each counter, an element for each CPU. */
struct counter_map {
    __uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
    __uint(max_entries, SLW_STAGE_EVENT_FDS);
    __uint(key_size, sizeof(__u32));
    __uint(value_size, sizeof(__u32));
};
struct counter_map counter_0 SEC(".maps");
struct counter_map counter_1 SEC(".maps");
struct counter_map counter_2 SEC(".maps");
struct counter_map counter_3 SEC(".maps");
struct counter_map counter_4 SEC(".maps");

/* ---- counters ---- */

static __always_inline __u32 read_counter(void *map, __u64 *ret_value, struct slw_stage_counts *c)
{
    struct bpf_perf_event_value v = {};

    if (bpf_perf_event_read_value(map, BPF_F_CURRENT_CPU, &v, sizeof(v)))
        return 1;
    *ret_value = v.counter;
    c->enabled_ns = v.enabled;
    c->running_ns = v.running;
    return 0;
}

/* 0: all are read. */
static __always_inline __u32 read_counters(struct slw_stage_counts *c)
{
    __u32 failed = 0;

    if (counter_count > 4)
        failed |= read_counter(&counter_4, &c->values[4], c);
    if (counter_count > 3)
        failed |= read_counter(&counter_3, &c->values[3], c);
    if (counter_count > 2)
        failed |= read_counter(&counter_2, &c->values[2], c);
    if (counter_count > 1)
        failed |= read_counter(&counter_1, &c->values[1], c);
    if (counter_count > 0)
        failed |= read_counter(&counter_0, &c->values[0], c);
    return failed;
}

/* ---- time ---- */

/* The compiler would test the index and use another copy of it, which the verifier rejects. */
static __always_inline struct slw_stage_frame *frame(struct slw_stage_thread *t, __u32 i)
{
    barrier_var(i);
    return &t->frames[i & (SLW_STAGE_DEPTH - 1)];
}

static __always_inline struct slw_stage_frame *innermost(struct slw_stage_thread *t)
{
    return t->depth > 0 ? frame(t, t->depth - 1) : 0;
}

/* Were the counters somebody else's in this stretch? A preemption may have come before or after
 * they were read, so it spoils the stretch it was noticed in and the next. */
static __always_inline int torn(struct slw_stage_thread *t)
{
    __u32 seen = t->torn;
    int is = seen != t->torn_twice;

    t->torn_twice = t->torn_once;
    t->torn_once = seen;
    return is;
}

/* What could not be counted is time in which the counters should have run and did not. */
static __always_inline void charge_counters(struct slw_stage_thread *t, struct slw_stage_frame *f,
                                            __u64 passed)
{
    struct slw_stage_counts now = {};
    __u32 failed, lost;

    if (counter_count == 0)
        return;
    failed = read_counters(&now);
    lost = failed | t->no_base | torn(t);
    if (f && lost) {
        f->counts.enabled_ns += passed;
    } else if (f) {
        f->counts.enabled_ns += now.enabled_ns - t->base.enabled_ns;
        f->counts.running_ns += now.running_ns - t->base.running_ns;
        for (int i = 0; i < SLW_STAGE_COUNTERS; i++)
            f->counts.values[i] += now.values[i] - t->base.values[i];
    }
    t->base = now;
    t->no_base = failed;
}

/* The time since the last event was spent on a CPU, but for what a preempted mark lost. */
static __always_inline void charge_running(struct slw_stage_thread *t, __u64 now)
{
    struct slw_stage_frame *f = innermost(t);
    __u64 passed = now - t->last_ns, gone = t->gone_ns - t->gone_seen_ns;

    if (gone > passed)
        gone = passed; /* the rest was after `now` was read */
    t->gone_seen_ns += gone;
    t->last_ns = now;
    if (f) {
        f->self_ns += passed;
        f->cpu_ns += passed - gone;
    }
    charge_counters(t, f, passed - gone);
}

/* ---- threads ---- */

static __always_inline struct slw_stage_thread *thread_of(__u32 tid)
{
    struct slw_stage_thread *t = bpf_map_lookup_elem(&threads, &tid);

    if (t)
        return t;
    if (!bpf_map_lookup_elem(&followed, &tid))
        return 0;
    bpf_map_update_elem(&threads, &tid, &blank, BPF_NOEXIST);
    t = bpf_map_lookup_elem(&threads, &tid);
    if (!t)
        __sync_fetch_and_add(&losses.threads, 1);
    return t;
}

static __always_inline void add_missed_end(__u32 stage)
{
    struct slw_stage_sum *sum = bpf_map_lookup_elem(&sums, &stage);

    if (sum)
        __sync_fetch_and_add(&sum->missed_ends, 1);
}

/* Calls further in than `depth` will not end any more. */
static __always_inline void drop_frames(struct slw_stage_thread *t, __u32 depth)
{
    for (__u32 i = 0; i < SLW_STAGE_DEPTH; i++)
        if (i >= depth && i < t->depth)
            add_missed_end(t->frames[i].stage);
    t->depth = depth;
}

/* ---- marks ---- */

static __always_inline void begin(struct slw_stage_thread *t, __u32 stage, __u64 batch, __u64 now)
{
    struct slw_stage_frame *f;
    __u32 within = 0;

    if (t->depth >= SLW_STAGE_DEPTH) {
        t->over++;
        __sync_fetch_and_add(&losses.too_deep, 1);
        return;
    }
    for (__u32 i = 0; i < SLW_STAGE_DEPTH; i++)
        within |= i < t->depth && t->frames[i].stage == stage;
    f = frame(t, t->depth);
    f->stage = stage;
    f->within_itself = within;
    f->batch = batch;
    f->begin_ns = now;
    f->self_ns = f->cpu_ns = 0;
    f->counts = (struct slw_stage_counts){};
    t->depth++;
}

#define MAX_TRIES 8

static __always_inline void raise_max(struct slw_stage_sum *sum, __u64 batch)
{
    for (int i = 0; i < MAX_TRIES; i++) {
        __u64 before = sum->max_batch;

        if (batch <= before ||
            __sync_val_compare_and_swap(&sum->max_batch, before, batch) == before)
            return;
    }
    __sync_fetch_and_add(&losses.batches, 1);
}

static __always_inline void add_call(const struct slw_stage_frame *f, __u64 now)
{
    __u32 stage = f->stage;
    struct slw_stage_sum *sum = bpf_map_lookup_elem(&sums, &stage);

    if (!sum)
        return;
    __sync_fetch_and_add(&sum->calls, 1);
    __sync_fetch_and_add(&sum->requests, f->batch);
    raise_max(sum, f->batch);
    if (!f->within_itself)
        __sync_fetch_and_add(&sum->wall_ns, now - f->begin_ns);
    __sync_fetch_and_add(&sum->self_ns, f->self_ns);
    __sync_fetch_and_add(&sum->cpu_ns, f->cpu_ns);
    if (counter_count == 0)
        return;
    __sync_fetch_and_add(&sum->counts.enabled_ns, f->counts.enabled_ns);
    __sync_fetch_and_add(&sum->counts.running_ns, f->counts.running_ns);
    for (int i = 0; i < SLW_STAGE_COUNTERS; i++)
        __sync_fetch_and_add(&sum->counts.values[i], f->counts.values[i]);
}

static __always_inline void end(struct slw_stage_thread *t, __u32 stage, __u64 now)
{
    __u32 at = SLW_STAGE_DEPTH;

    if (t->over > 0) {
        t->over--;
        return;
    }
    for (__u32 i = 0; i < SLW_STAGE_DEPTH; i++)
        if (i < t->depth && t->frames[i].stage == stage)
            at = i;
    if (at < SLW_STAGE_DEPTH) {
        drop_frames(t, at + 1);
        add_call(frame(t, at), now);
        t->depth = at;
        return;
    }
    struct slw_stage_sum *sum = bpf_map_lookup_elem(&sums, &stage);
    if (sum)
        __sync_fetch_and_add(&sum->missed_begins, 1);
}

/* Where the mark has put it: include/slotwise/stage.h. */
static __always_inline __u64 batch_of(const struct pt_regs *regs)
{
#if defined(__TARGET_ARCH_x86)
    return regs->di;
#else
    return regs->regs[0];
#endif
}

SEC("uprobe")
int on_mark(struct pt_regs *ctx)
{
    __u64 cookie = bpf_get_attach_cookie(ctx), now;
    __u32 in_phase = phase, stage = (__u32)(cookie >> 1);
    struct slw_stage_thread *t = in_phase ? thread_of((__u32)bpf_get_current_pid_tgid()) : 0;

    if (!t)
        return 0;
    t->in_mark = 1;
    if (t->phase != in_phase) { /* what was open then was told when measuring stopped */
        t->phase = in_phase;
        t->depth = t->over = 0;
    }
    now = bpf_ktime_get_ns();
    charge_running(t, now);
    if (cookie & SLW_STAGE_COOKIE_END)
        end(t, stage, now);
    else
        begin(t, stage, batch_of(ctx), now);
    t->in_mark = 0;
    return 0;
}

/* ---- scheduler ---- */

static __always_inline void leave_cpu(__u32 tid)
{
    struct slw_stage_thread *t = bpf_map_lookup_elem(&threads, &tid);

    if (!t || t->depth == 0 || t->phase != phase)
        return;
    __u64 now = bpf_ktime_get_ns();
    if (t->in_mark) {
        t->away_ns = now;
        t->torn++;
    } else {
        charge_running(t, now);
    }
}

static __always_inline void get_cpu(__u32 tid)
{
    struct slw_stage_thread *t = bpf_map_lookup_elem(&threads, &tid);

    if (!t || t->depth == 0 || t->phase != phase)
        return;
    __u64 now = bpf_ktime_get_ns();
    if (t->in_mark) {
        t->gone_ns += t->away_ns ? now - t->away_ns : 0;
        return;
    }
    struct slw_stage_frame *f = innermost(t);
    if (f)
        f->self_ns += now - t->last_ns;
    t->last_ns = now;
    if (counter_count > 0)
        t->no_base = read_counters(&t->base);
}

SEC("tp_btf/sched_switch")
int BPF_PROG(on_switch, _Bool preempt, struct task_struct *prev, struct task_struct *next)
{
    if (phase) {
        leave_cpu(prev->pid);
        get_cpu(next->pid);
    }
    return 0;
}

/* ---- the process tree ---- */

SEC("tp_btf/sched_process_fork")
int BPF_PROG(on_fork, struct task_struct *parent, struct task_struct *child)
{
    __u32 from = parent->pid, to = child->pid, pid = child->tgid;

    if (bpf_map_lookup_elem(&followed, &from) && bpf_map_update_elem(&followed, &to, &pid, BPF_ANY))
        __sync_fetch_and_add(&losses.threads, 1);
    return 0;
}

static __always_inline void forget(__u32 tid)
{
    struct slw_stage_thread *t = bpf_map_lookup_elem(&threads, &tid);

    if (!t)
        return;
    if (t->phase && t->phase == phase)
        drop_frames(t, 0);
    bpf_map_delete_elem(&threads, &tid);
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_exit, struct task_struct *task)
{
    __u32 tid = task->pid;

    forget(tid);
    bpf_map_delete_elem(&followed, &tid);
    return 0;
}

/* The old program's calls do not end. When another thread than the first calls exec, it takes the
 * first one's number. */
SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *task, int old_tid)
{
    __u32 tid = task->pid, old = old_tid, pid = task->tgid;

    if (!bpf_map_lookup_elem(&followed, &old))
        return 0;
    forget(old);
    if (old != tid) {
        bpf_map_delete_elem(&followed, &old);
        bpf_map_update_elem(&followed, &tid, &pid, BPF_ANY);
    }
    return 0;
}

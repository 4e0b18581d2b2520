/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* Asked by the timer of each CPU whether the thread it has interrupted is the target's. The
 * processes of the target are followed from fork to fork. A process is known by the address of what
 * its threads share in the kernel: it stays the same over exec, whichever thread calls that, and
 * means the same in every PID namespace. */
#include "collector/taps/bpf/core.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "collector/timers/layout.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

const volatile __u32 by_cgroup = 0;
const volatile __u32 wanted_pid = 0; /* as the loader's PID namespace has it */
const volatile __u32 wanted_state = SLW_TIMER_FOLLOWED;

__u32 found = 0;
__u64 lost = 0; /* processes that were not followed: the map was full */

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, SLW_TIMER_PROCESSES);
    __type(key, __u64);
    __type(value, __u32);
} processes SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_CGROUP_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, __u32);
} cgroup SEC(".maps");

static __always_inline __u64 process_of(struct task_struct *task)
{
    return (__u64)BPF_CORE_READ(task, signal);
}

/* ---- timers ---- */

/* 1: take the sample. */
SEC("perf_event")
int on_tick(void *ctx)
{
    __u64 process;
    __u32 *state;

    if (by_cgroup)
        return bpf_current_task_under_cgroup(&cgroup, 0) == 1;
    process = process_of((struct task_struct *)bpf_get_current_task());
    state = bpf_map_lookup_elem(&processes, &process);
    return state && *state == SLW_TIMER_FOLLOWED;
}

/* ---- processes ---- */

/* An address that is still there is that of a process whose end was missed: a map may be locked. */
static __always_inline void forget(__u64 process)
{
    if (bpf_map_lookup_elem(&processes, &process))
        bpf_map_delete_elem(&processes, &process);
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(on_fork, struct task_struct *parent, struct task_struct *child)
{
    __u64 from = process_of(parent), to = process_of(child);
    __u32 *state, value;

    if (from == to)
        return 0; /* a thread */
    state = bpf_map_lookup_elem(&processes, &from);
    if (!state) {
        forget(to);
        return 0;
    }
    value = *state;
    if (bpf_map_update_elem(&processes, &to, &value, BPF_ANY))
        __sync_fetch_and_add(&lost, 1);
    return 0;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *task)
{
    __u64 process = process_of(task);
    __u32 *state = bpf_map_lookup_elem(&processes, &process);

    if (state)
        *state = SLW_TIMER_FOLLOWED;
    return 0;
}

/* Once nothing of it can run any more: to the end of its exit it is sampled. */
SEC("tp_btf/sched_process_free")
int BPF_PROG(on_free, struct task_struct *task)
{
    if (task->pid == task->tgid) /* its first thread is there as long as any */
        forget(process_of(task));
    return 0;
}

/* ---- the beginning ---- */

/* The number that a task has in the PID namespace of the thread that walks over all of them, who
 * sees only those in it and below. */
static __always_inline __u32 number_of(struct task_struct *task)
{
    struct task_struct *walker = (struct task_struct *)bpf_get_current_task();
    __u32 level = BPF_CORE_READ(walker, thread_pid, level);
    struct pid *pid = BPF_CORE_READ(task, thread_pid);
    const char *numbers = pid ? __builtin_preserve_access_index((const char *)&pid->numbers) : 0;
    __u32 number = 0;

    if (numbers)
        bpf_probe_read_kernel(&number, sizeof(number),
                              numbers + level * bpf_core_type_size(struct upid));
    return number;
}

SEC("iter/task")
int find(struct bpf_iter__task *ctx)
{
    struct task_struct *task = ctx->task;
    __u32 value = wanted_state;
    __u64 process;

    if (!task || number_of(task) != wanted_pid)
        return 0;
    process = process_of(task);
    if (bpf_map_update_elem(&processes, &process, &value, BPF_ANY))
        __sync_fetch_and_add(&lost, 1);
    found = 1;
    return 0;
}

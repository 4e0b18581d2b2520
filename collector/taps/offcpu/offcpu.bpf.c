/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* Follows the threads of the target through the scheduler: each is in one state at a time, and what
 * passes between two events belongs to the state it was in. Nothing is reported per switch; the
 * reader looks at the sums. The system call a thread waits in is read from its saved registers, so
 * that system calls themselves cost nothing unless they are to be counted. */
#include "collector/taps/bpf/core.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "collector/taps/offcpu/cause.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

const volatile __u8 classes[SLW_OFF_SYSCALLS];
const volatile __u32 with_stacks = 0;

/* The measured window. Time outside of it is followed, but in no sum. */
volatile __u64 window_start_ns = ~0ULL, window_end_ns = ~0ULL;
struct slw_off_losses losses;

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, SLW_OFF_LIVE_THREADS);
    __type(key, __u32);
    __type(value, struct slw_off_thread);
} threads SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, SLW_OFF_ENDED_BYTES);
} ended SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct slw_off_thread);
} blank SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_STACK_TRACE);
    __uint(max_entries, SLW_OFF_STACKS);
    __uint(key_size, sizeof(__u32));
    __uint(value_size, SLW_OFF_STACK_DEPTH * sizeof(__u64));
} stacks SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, SLW_OFF_STACKS);
    __type(key, struct slw_off_stack_key);
    __type(value, struct slw_off_stack_sum);
} stack_sums SEC(".maps");

/* ---- time ---- */

static __always_inline int in_window(__u64 now)
{
    return now >= window_start_ns && now <= window_end_ns;
}

static __always_inline void add_stack(const struct slw_off_thread *t, __u64 ns, __u64 now)
{
    struct slw_off_stack_key key = {.pid = t->pid,
                                    .tid = t->tid,
                                    .user_stack = t->user_stack,
                                    .kernel_stack = t->kernel_stack,
                                    .state = t->state};
    struct slw_off_stack_sum *sum = bpf_map_lookup_elem(&stack_sums, &key);
    struct slw_off_stack_sum first = {.ns = ns, .waits = 1, .last_ns = now};

    if (sum) { /* one thread, one writer */
        sum->ns += ns;
        sum->waits++;
        sum->last_ns = now;
    } else if (bpf_map_update_elem(&stack_sums, &key, &first, BPF_NOEXIST)) {
        __sync_fetch_and_add(&losses.stacks, 1);
    }
}

static __always_inline void account(struct slw_off_thread *t, __u64 now)
{
    __u64 from = t->since_ns > window_start_ns ? t->since_ns : window_start_ns;
    __u64 to = now < window_end_ns ? now : window_end_ns;

    if (to > from) {
        t->ns[t->state & (SLW_OFF_STATES - 1)] += to - from;
        if (with_stacks && t->state > SLW_OFF_RUNNABLE)
            add_stack(t, to - from, now);
    }
    t->since_ns = now;
}

static __always_inline void enter(struct slw_off_thread *t, __u32 state, __u64 now)
{
    account(t, now);
    t->state = state;
    if (in_window(now))
        t->waits[state & (SLW_OFF_STATES - 1)]++;
}

/* ---- causes ---- */

static __always_inline __u32 kind_of(struct task_struct *task, __u64 fd)
{
    struct files_struct *files = task->files;
    struct fdtable *table = files ? files->fdt : 0;
    struct file *file = 0;

    if (!table || fd >= table->max_fds)
        return SLW_OFF_KIND_UNKNOWN;
    if (bpf_probe_read_kernel(&file, sizeof(file), table->fd + fd) || !file)
        return SLW_OFF_KIND_UNKNOWN;
    return slw_off_kind(BPF_CORE_READ(file, f_inode, i_mode));
}

/* struct pollfd, poll(2). */
struct poll_fd {
    int fd;
    short events, revents;
};
#define POLLIN  1
#define POLLOUT 4

static __always_inline void look_at_poll(struct task_struct *task, __u64 fds,
                                         struct slw_off_call *call)
{
    struct poll_fd p;

    if (call->fd_count != 1 || bpf_probe_read_user(&p, sizeof(p), (void *)fds))
        return;
    call->kind = kind_of(task, (__u32)p.fd);
    call->write_only = (p.events & (POLLIN | POLLOUT)) == POLLOUT;
}

/* Number and first two arguments of the system call a thread is in; negative: none. The saved
 * registers of a 32-bit program hold other numbers. */
static __always_inline long system_call(struct task_struct *task, __u64 args[2])
{
    struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(task);

#if defined(__TARGET_ARCH_x86)
    if (regs->cs != 0x33)
        return -1;
    args[0] = regs->di;
    args[1] = regs->si;
    return (long)regs->orig_ax;
#else
    if (regs->pstate & 0x10)
        return -1;
    args[0] = regs->orig_x0;
    args[1] = regs->regs[1];
    return regs->syscallno;
#endif
}

static __always_inline __u32 cause_of(struct task_struct *task, __u32 task_state)
{
    struct slw_off_call call = {.uninterruptible = (task_state & TASK_UNINTERRUPTIBLE) != 0,
                                .iowait = BPF_CORE_READ_BITFIELD(task, in_iowait)};
    __u64 args[2] = {};
    long number = system_call(task, args);

    if (number >= 0 && number < SLW_OFF_SYSCALLS)
        call.class = classes[number & (SLW_OFF_SYSCALLS - 1)];
    if (call.class == SLW_OFF_CLASS_READ || call.class == SLW_OFF_CLASS_WRITE)
        call.kind = kind_of(task, (__u32)args[0]);
    if (call.class == SLW_OFF_CLASS_SELECT)
        call.fd_count = args[0];
    if (call.class == SLW_OFF_CLASS_POLL) {
        call.fd_count = args[1];
        look_at_poll(task, args[0], &call);
    }
    return slw_off_cause(&call);
}

/* ---- threads ---- */

static __always_inline struct slw_off_thread *followed(__u32 tid)
{
    struct slw_off_thread *t = bpf_map_lookup_elem(&threads, &tid);

    return t && t->started ? t : 0;
}

static __always_inline void follow(__u32 pid, __u32 tid, __u32 state, __u64 now)
{
    __u32 zero = 0;
    struct slw_off_thread *t = bpf_map_lookup_elem(&blank, &zero);

    if (!t)
        return;
    t->born_ns = t->since_ns = now;
    t->pid = pid;
    t->tid = tid;
    t->state = state;
    t->started = 1;
    if (bpf_map_update_elem(&threads, &tid, t, BPF_ANY))
        __sync_fetch_and_add(&losses.threads, 1);
}

static __always_inline void report_end(struct task_struct *task, struct slw_off_thread *t,
                                       __u64 now)
{
    t->ended_ns = now;
    bpf_probe_read_kernel_str(t->comm, sizeof(t->comm), task->comm);
    /* No wake-up: this runs under the lock of a run queue, and the reader looks by the clock. */
    if (bpf_ringbuf_output(&ended, t, sizeof(*t), BPF_RB_NO_WAKEUP))
        __sync_fetch_and_add(&losses.ended, 1);
}

/* Innermost frames of a kernel stack taken here: this program and what called it. */
#define OUR_FRAMES 2

static __always_inline void leave_cpu(void *ctx, struct task_struct *task, struct slw_off_thread *t,
                                      int runnable, __u32 task_state, __u64 now)
{
    __u32 tid = t->tid;

    if (t->state == SLW_OFF_UNSPLIT) /* what we found running when we came */
        t->state = SLW_OFF_ON_CPU;
    if (task_state & TASK_DEAD) {
        account(t, now);
        report_end(task, t, now);
        bpf_map_delete_elem(&threads, &tid);
        return;
    }
    enter(t, runnable ? SLW_OFF_RUNNABLE : cause_of(task, task_state), now);
    if (with_stacks && !runnable) {
        t->user_stack = bpf_get_stackid(ctx, &stacks, BPF_F_USER_STACK);
        t->kernel_stack = bpf_get_stackid(ctx, &stacks, OUR_FRAMES & BPF_F_SKIP_FIELD_MASK);
    }
}

/* ---- events ---- */

SEC("tp_btf/sched_switch")
int BPF_PROG(on_switch, _Bool preempt, struct task_struct *prev, struct task_struct *next,
             unsigned int prev_state)
{
    struct slw_off_thread *out = followed(prev->pid), *in = followed(next->pid);
    __u64 now;

    if (!out && !in)
        return 0;
    now = bpf_ktime_get_ns();
    if (out)
        leave_cpu(ctx, prev, out, preempt || prev_state == 0, prev_state, now);
    if (in)
        enter(in, SLW_OFF_ON_CPU, now);
    return 0;
}

SEC("tp_btf/sched_wakeup")
int BPF_PROG(on_wakeup, struct task_struct *task)
{
    struct slw_off_thread *t = followed(task->pid);

    /* Woken before it slept: nothing happened. */
    if (t && t->state > SLW_OFF_RUNNABLE) {
        account(t, bpf_ktime_get_ns());
        t->state = SLW_OFF_RUNNABLE; /* not entered: it has left the CPU once, for what it waited */
    }
    return 0;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(on_fork, struct task_struct *parent, struct task_struct *child)
{
    if (followed(parent->pid))
        follow(child->tgid, child->pid, SLW_OFF_RUNNABLE, bpf_ktime_get_ns());
    return 0;
}

/* A command that was held before exec is followed from here. When another thread than the first
 * calls exec, it takes the first one's number. */
SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *task, int old_tid)
{
    __u32 tid = task->pid, old = old_tid;
    struct slw_off_thread *t = bpf_map_lookup_elem(&threads, &old);
    __u64 now = bpf_ktime_get_ns();

    if (!t)
        return 0;
    if (old == tid && t->started)
        return 0;
    if (old != tid) {
        account(t, now);
        report_end(task, t, now);
        bpf_map_delete_elem(&threads, &old);
    }
    follow(task->tgid, tid, SLW_OFF_ON_CPU, now);
    return 0;
}

SEC("tp_btf/sys_enter")
int BPF_PROG(on_syscall)
{
    struct slw_off_thread *t = followed((__u32)bpf_get_current_pid_tgid());

    if (t && window_end_ns == ~0ULL && window_start_ns != ~0ULL)
        t->syscalls++;
    return 0;
}

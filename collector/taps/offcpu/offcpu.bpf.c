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
const volatile __u32 callers = SLW_OFF_CALLERS_NO;
const volatile __u32 copy_bytes = SLW_OFF_COPY_BYTES;

/* The measured window. Time outside of it is followed, but in no sum. */
volatile __u64 window_start_ns = ~0ULL, window_end_ns = ~0ULL;
/* The reader makes it longer when stacks come faster than they can be kept. */
volatile __u64 sample_ns = SLW_OFF_SAMPLE_NS;
struct slw_off_losses losses;

struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, SLW_OFF_ENDED_BYTES);
} ended SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, SLW_OFF_SLOTS);
    __type(key, __u32);
    __type(value, struct slw_off_sample);
} slots SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_QUEUE);
    __uint(max_entries, SLW_OFF_SLOTS);
    __uint(key_size, 0);
    __uint(value_size, sizeof(__u32));
} free_slots SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, SLW_OFF_SAMPLE_BYTES);
} samples SEC(".maps");

#include "collector/taps/offcpu/objects.bpf.h"
#include "collector/taps/offcpu/threads.bpf.h"

/* ---- time ---- */

static __always_inline int in_window(__u64 now)
{
    return now >= window_start_ns && now <= window_end_ns;
}

static __always_inline void account(struct slw_off_thread *t, __u64 now)
{
    __u64 from = t->since_ns > window_start_ns ? t->since_ns : window_start_ns;
    __u64 to = now < window_end_ns ? now : window_end_ns;

    if (to > from) {
        t->ns[t->state & (SLW_OFF_STATES - 1)] += to - from;
        add_to_object(t, to - from);
        if (callers && t->state > SLW_OFF_RUNNABLE)
            t->unsampled_ns += to - from;
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

/* ---- stacks ---- */

/* A copy can be made only here, while the address space is still that of the thread that leaves;
 * how long it will wait is not known yet. So every wait is copied, into a place of the thread's
 * own, and handed over when so much waiting has come together: for the wait in which it did. The
 * steps are of random length, or a client whose waits come in a rhythm would always be met at the
 * same one. */

static __always_inline struct slw_off_sample *slot_of(const struct slw_off_thread *t)
{
    __u32 index = t->slot - 1;

    return t->slot ? bpf_map_lookup_elem(&slots, &index) : 0;
}

/* A page that was never touched, in a large frame, or the end of the stack ends the copy without
 * losing what was before it. */
static __always_inline __u32 copy_pages(__u8 *to, __u64 sp, __u32 wanted)
{
    __u32 n = 0;

#pragma unroll
    for (int i = 0; i <= SLW_OFF_MAX_COPY / SLW_OFF_PAGE; i++) {
        __u32 length = SLW_OFF_PAGE - ((sp + n) & (SLW_OFF_PAGE - 1));

        if (n >= wanted)
            break;
        if (length > wanted - n)
            length = wanted - n;
        /* What the verifier can follow: at least 1, at most a page, from at most the last place. */
        length = (length - 1) & (SLW_OFF_PAGE - 1);
        barrier_var(length);
        length = (length & (SLW_OFF_PAGE - 1)) + 1;
        barrier_var(n);
        if (n > SLW_OFF_MAX_COPY)
            break;
        if (bpf_probe_read_user(to + n, length, (const void *)(sp + n)))
            break;
        n += length;
    }
    return n;
}

/* One read takes half the time of one for each page, but gets all or nothing: up to where pages
 * were there a moment ago. */
static __always_inline __u32 copy_stack(struct slw_off_sample *s, __u64 sp)
{
    const __u32 wanted = copy_bytes < SLW_OFF_MAX_COPY ? copy_bytes : SLW_OFF_MAX_COPY;
    const __u64 there = s->end > sp ? s->end - sp : 0;
    __u32 length = there < wanted ? there : wanted;

    if (length > 0 && (length == wanted || s->ends) && s->copies++ % SLW_OFF_LOOK_AGAIN) {
        length = (length - 1) & (SLW_OFF_MAX_COPY - 1);
        barrier_var(length);
        length = (length & (SLW_OFF_MAX_COPY - 1)) + 1;
        if (!bpf_probe_read_user(s->stack, length, (const void *)sp))
            return length;
    }
    length = copy_pages(s->stack, sp, wanted);
    s->end = sp + length;
    s->ends = length < wanted;
    return length;
}

static __always_inline void take_copy(struct slw_off_sample *s, struct task_struct *task)
{
    const void *regs = (const void *)bpf_task_pt_regs(task);

    s->stack_bytes = 0;
    s->has_regs = bpf_probe_read_kernel(s->regs, sizeof(s->regs), regs) == 0;
    if (s->has_regs && s->regs[SLW_OFF_REG_SP])
        s->stack_bytes = copy_stack(s, s->regs[SLW_OFF_REG_SP]);
}

static __always_inline void take_stack(void *ctx, struct task_struct *task,
                                       const struct slw_off_thread *t)
{
    struct slw_off_sample *s = slot_of(t);
    long length;

    if (!s)
        return;
    if (callers == SLW_OFF_CALLERS_COPY) {
        take_copy(s, task);
    } else if (callers == SLW_OFF_CALLERS_FP) {
        length =
            bpf_get_stack(ctx, s->stack, SLW_OFF_STACK_DEPTH * sizeof(__u64), BPF_F_USER_STACK);
        s->user_count = length > 0 ? length / sizeof(__u64) : 0;
    }
}

/* Its kernel stack is what it slept in until it runs again: no need to walk it before. */
static __always_inline void walk_kernel(struct slw_off_sample *s, struct task_struct *task)
{
    long length = task ? bpf_get_task_stack(task, s->kernel, sizeof(s->kernel), 0) : 0;

    s->kernel_count = length > 0 ? length / sizeof(__u64) : 0;
}

static __always_inline void hand_over(struct slw_off_thread *t, struct task_struct *task, __u64 ns,
                                      __u64 now)
{
    struct slw_off_sample *s = slot_of(t);
    __u32 bytes;

    t->unsampled_ns = 0;
    t->due_ns = sample_ns / 2 + ((__u64)bpf_get_prandom_u32() * sample_ns >> 32);
    if (!s) {
        __sync_fetch_and_add(&losses.stack_ns, ns);
        return;
    }
    s->time_ns = now;
    s->ns = ns;
    s->pid = t->pid;
    s->tid = t->tid;
    walk_kernel(s, task);
    bytes = callers == SLW_OFF_CALLERS_FP ? s->user_count * sizeof(__u64) : s->stack_bytes;
    if (bytes > SLW_OFF_MAX_COPY)
        bytes = SLW_OFF_MAX_COPY;
    bytes += __builtin_offsetof(struct slw_off_sample, stack);
    if (bpf_ringbuf_output(&samples, s, bytes, BPF_RB_NO_WAKEUP)) {
        __sync_fetch_and_add(&losses.full, 1);
        __sync_fetch_and_add(&losses.stack_ns, ns);
    }
}

static __always_inline void give_slot(struct slw_off_thread *t)
{
    __u32 slot = 0;
    struct slw_off_sample *s;

    if (!callers)
        return;
    if (bpf_map_pop_elem(&free_slots, &slot)) {
        __sync_fetch_and_add(&losses.slots, 1);
        return;
    }
    t->slot = slot;
    s = slot_of(t);
    if (s)
        s->stack_bytes = s->user_count = s->has_regs = s->end = s->copies =
            0; /* another thread's */
}

/* The last of its waiting, less than is due, is shown where it waited last. */
static __always_inline void take_slot_back(struct slw_off_thread *t, __u64 now)
{
    if (!callers)
        return;
    if (t->unsampled_ns > 0 && !t->flushed)
        hand_over(t, 0, t->unsampled_ns, now);
    if (t->slot)
        bpf_map_push_elem(&free_slots, &t->slot, BPF_ANY);
}

/* ---- causes ---- */

static __always_inline struct file *file_of(struct task_struct *task, __u64 fd)
{
    struct files_struct *files = task->files;
    struct fdtable *table = files ? files->fdt : 0;
    struct file *file = 0;

    if (!table || fd >= table->max_fds ||
        bpf_probe_read_kernel(&file, sizeof(file), table->fd + fd))
        return 0;
    return file;
}

static __always_inline __u32 kind_of(struct file *file)
{
    return file ? slw_off_kind(BPF_CORE_READ(file, f_inode, i_mode)) : SLW_OFF_KIND_UNKNOWN;
}

/* struct pollfd, poll(2). */
struct poll_fd {
    int fd;
    short events, revents;
};
#define POLLIN  1
#define POLLOUT 4

static __always_inline struct file *look_at_poll(struct task_struct *task, __u64 fds,
                                                 struct slw_off_call *call)
{
    struct poll_fd p;

    if (call->fd_count != 1 || bpf_probe_read_user(&p, sizeof(p), (void *)fds))
        return 0;
    struct file *file = file_of(task, (__u32)p.fd);
    call->kind = kind_of(file);
    call->write_only = (p.events & (POLLIN | POLLOUT)) == POLLOUT;
    return file;
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

static __always_inline __u32 cause_of(struct task_struct *task, struct slw_off_thread *t,
                                      __u32 task_state)
{
    struct slw_off_call call = {.uninterruptible = (task_state & TASK_UNINTERRUPTIBLE) != 0,
                                .iowait = BPF_CORE_READ_BITFIELD(task, in_iowait)};
    __u64 args[2] = {};
    struct file *file = 0;
    long number = system_call(task, args);

    if (number >= 0 && number < SLW_OFF_SYSCALLS)
        call.class = classes[number & (SLW_OFF_SYSCALLS - 1)];
    if (call.class >= SLW_OFF_CLASS_READ && call.class <= SLW_OFF_CLASS_CONNECT)
        file = file_of(task, (__u32)args[0]);
    if (call.class == SLW_OFF_CLASS_READ || call.class == SLW_OFF_CLASS_WRITE)
        call.kind = kind_of(file);
    if (call.class == SLW_OFF_CLASS_SELECT)
        call.fd_count = args[0];
    if (call.class == SLW_OFF_CLASS_POLL) {
        call.fd_count = args[1];
        file = look_at_poll(task, args[0], &call);
    }
    __u32 cause = slw_off_cause(&call);
    set_object(t, cause, args[0], file);
    return cause;
}

/* ---- threads ---- */

static __always_inline struct slw_off_thread *followed(__u32 tid)
{
    struct slw_off_thread *t = find_thread(tid);

    return t && t->started ? t : 0;
}

/* One that is there already (it was held before exec) begins again. */
static __always_inline void follow(__u32 pid, __u32 tid, __u32 state, __u64 now)
{
    struct slw_off_thread *known = find_thread(tid);
    struct slw_off_thread *t = known ? known : claim_place(tid);

    if (!t)
        return;
    __builtin_memset(t, 0, sizeof(*t));
    t->born_ns = t->since_ns = now;
    t->pid = pid;
    t->tid = tid;
    t->state = state;
    give_slot(t);
    t->started = 1;
    if (!known)
        show_place(tid);
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

static __always_inline void leave_cpu(void *ctx, struct task_struct *task, struct slw_off_thread *t,
                                      int runnable, __u32 task_state, __u64 now)
{
    __u32 tid = t->tid;

    if (t->state == SLW_OFF_UNSPLIT) /* what we found running when we came */
        t->state = SLW_OFF_ON_CPU;
    if (task_state & TASK_DEAD) {
        account(t, now);
        take_slot_back(t, now);
        report_end(task, t, now);
        free_place(tid);
        return;
    }
    enter(t, runnable ? SLW_OFF_RUNNABLE : cause_of(task, t, task_state), now);
    if (callers && !runnable && in_window(now))
        take_stack(ctx, task, t);
}

static __always_inline void get_cpu(struct task_struct *task, struct slw_off_thread *t, __u64 now)
{
    enter(t, SLW_OFF_ON_CPU, now);
    if (callers && t->unsampled_ns > t->due_ns && in_window(now))
        hand_over(t, task, t->unsampled_ns, now);
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
        get_cpu(next, in, now);
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
    struct slw_off_thread *t = find_thread(old);
    __u64 now = bpf_ktime_get_ns();

    if (!t)
        return 0;
    if (old == tid && t->started)
        return 0;
    if (old != tid) {
        account(t, now);
        take_slot_back(t, now);
        report_end(task, t, now);
        free_place(old);
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

/* Once, when all measuring is over: what threads that live have waited since their last stack, and
 * what they wait now. */
SEC("iter/task")
int flush(struct bpf_iter__task *ctx)
{
    struct task_struct *task = ctx->task;
    struct slw_off_thread *t;
    __u64 ns, from;

    if (!task)
        return 0;
    t = followed(task->pid);
    if (!t || t->flushed)
        return 0;
    t->flushed = 1; /* what it accounts from now on is in ns */
    ns = t->unsampled_ns;
    from = t->since_ns > window_start_ns ? t->since_ns : window_start_ns;
    if (t->state > SLW_OFF_RUNNABLE && window_end_ns > from)
        ns += window_end_ns - from;
    if (ns > 0)
        hand_over(t, task, ns, window_end_ns);
    return 0;
}

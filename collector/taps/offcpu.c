/* SPDX-License-Identifier: MIT */
/* Where the wall time of the target's threads goes: on-CPU, or off-CPU and why. Seen by a BPF
 * program in the kernel's scheduler (offcpu/). Not for: requests (the wire tap). */
#include "collector/spool.h"
#include "collector/sys.h"
#include "collector/tap.h"
#include "collector/taps/bpf/tasks.h"
#include "collector/taps/offcpu/bpf.h"
#include "collector/taps/offcpu/initial.h"
#include "collector/taps/offcpu/objects.h"
#include "collector/taps/offcpu/spool_stacks.h"
#include "collector/taps/offcpu/sums.h"
#include "collector/taps/offcpu/switches.h"
#include "collector/taps/offcpu/usage.h"
#include "collector/target.h"

#include <stdlib.h>
#include <string.h>

#define MAX_SAMPLE_NS (UINT64_C(1) << 30) /* a second of waiting between two stacks of a thread */

struct slw_tap_state {
    const struct slw_session_options *opts;
    struct slw_live_target *target;
    struct slw_spool *spool; /* NULL: nowhere to put stacks */
    struct slw_run *run;
    struct slw_off_bpf *bpf;           /* NULL: refused, then */
    struct slw_off_switches *switches; /* these, without causes; NULL: refused too, then */
    struct slw_off_usage usage;        /* this */
    struct slw_off_sums sums;
    struct slw_off_objects *objects;
    enum slw_off_callers callers;
    uint64_t sample_ns, full; /* waiting between two stacks; times their ring was full, so far */
    uint64_t not_followed;    /* threads that were too many, or gone */
    size_t first_live;        /* of sums.each: those that lived when all was over */
    bool measuring;
};

/* ---- whom to follow ---- */

static int follow(struct slw_tap_state *s, uint32_t pid, uint32_t tid, uint32_t state, bool started,
                  struct slw_error *err)
{
    uint64_t now_ns = s->target->sys->now_ns();
    const struct slw_off_thread t = {.born_ns = now_ns,
                                     .since_ns = now_ns,
                                     .pid = pid,
                                     .tid = tid,
                                     .state = state,
                                     .started = started};
    int rc = slw_off_bpf_follow(s->bpf, &t, err);

    if (rc != -SLW_E_LIMIT)
        return rc;
    s->not_followed++; /* a lower bound that says so is better than nothing */
    return 0;
}

static int follow_task(void *ctx, uint32_t pid, uint32_t tid, struct slw_error *err)
{
    return follow(ctx, pid, tid, slw_off_initial(pid, tid), true, err);
}

/* A command waits in a pipe of ours until it may call exec; that is not its time, unless the window
 * is opened by hand or by the clock. */
static int follow_target(struct slw_tap_state *s, struct slw_error *err)
{
    const struct slw_live_target *t = s->target;

    if (t->kind != SLW_TARGET_COMMAND)
        return slw_tap_tasks(t, follow_task, s, err);
    uint32_t pid = (uint32_t)t->pid;
    return follow(s, pid, pid, SLW_OFF_PIPE, !t->enable_on_exec, err);
}

/* ---- the seam ---- */

/* BPF is refused: the second best, and a note; or, where BPF was asked for, an error. */
static int open_second_best(struct slw_tap_state *s, const struct slw_error *why,
                            struct slw_error *err)
{
    const char *hint = why->hint[0] ? why->hint : NULL;
    struct slw_error also = {0};

    if (s->opts->offcpu != SLW_OFFCPU_AUTO || why->code == SLW_E_NOMEM) {
        if (err && err->code == SLW_E_OK)
            *err = *why;
        return -(int)why->code;
    }
    if (slw_off_switches_open(s->target, &s->switches, &also) == 0)
        (void)slw_run_note(s->run, SLW_NOTE_INFO, "no-offcpu-causes", hint,
                           "time off-CPU is known, but not what the threads waited for: %s",
                           why->text);
    else if (slw_off_usage_possible(s->target))
        (void)slw_run_note(
            s->run, SLW_NOTE_INFO, "no-offcpu-causes", hint,
            "time off-CPU is what the CPU time of getrusage leaves of the wall time, "
            "and not what the client waited for: %s; %s",
            why->text, also.text);
    else
        (void)slw_run_note(s->run, SLW_NOTE_INFO, "no-offcpu", hint,
                           "what the threads waited for is unknown: %s; %s", why->text, also.text);
    return 0;
}

static int open_all(struct slw_tap_state *s, struct slw_error *err)
{
    const struct slw_off_bpf_options opts = {.syscalls = s->opts->offcpu >= SLW_OFFCPU_SYSCALLS,
                                             .callers = s->callers,
                                             .copy_bytes = slw_off_copy_bytes(s->opts),
                                             .thread_max = SLW_OFF_LIVE_THREADS,
                                             .slot_max = SLW_OFF_SLOTS};

    if (s->target->kind == SLW_TARGET_ALL)
        return slw_fail(err, SLW_E_UNSUPPORTED,
                        "the off-CPU tap follows a command, a process or a cgroup, not a machine");
    int rc = slw_off_sums_init(&s->sums, s->target->gated, opts.syscalls, err);
    s->objects = slw_off_objects_new();
    if (!s->objects)
        return slw_fail(err, SLW_E_NOMEM, "no memory for what is waited for");
    if (rc == 0)
        rc = slw_off_bpf_open(&opts, &s->bpf, err);
    return rc < 0 ? rc : follow_target(s, err);
}

static void close_tap(struct slw_tap_state *s)
{
    if (!s)
        return;
    slw_off_bpf_close(s->bpf);
    slw_off_switches_close(s->switches);
    slw_off_sums_release(&s->sums);
    slw_off_objects_free(s->objects);
    free(s);
}

static int open_tap(const struct slw_session_options *opts, struct slw_live_target *target,
                    struct slw_spool *spool, struct slw_run *run, struct slw_tap_state **ret_state,
                    struct slw_error *err)
{
    struct slw_error why = {0};

    if (opts->offcpu == SLW_OFFCPU_NO)
        return 0;
    struct slw_tap_state *s = calloc(1, sizeof(*s));
    if (!s)
        return slw_fail(err, SLW_E_NOMEM, "no memory for the off-CPU tap");
    *s = (struct slw_tap_state){.opts = opts,
                                .target = target,
                                .spool = spool,
                                .run = run,
                                .callers = slw_off_callers(opts),
                                .sample_ns = SLW_OFF_SAMPLE_NS};
    if (!spool || !slw_spool_begun(spool))
        s->callers = SLW_OFF_CALLERS_NO; /* no file could hold them */
    int rc = open_all(s, &why);
    if (rc < 0) {
        slw_off_bpf_close(s->bpf);
        s->bpf = NULL;
        rc = open_second_best(s, &why, err);
    }
    if (rc < 0 || (!s->bpf && !s->switches && !slw_off_usage_possible(target)))
        close_tap(s);
    else
        *ret_state = s;
    return rc;
}

static void carry(void *ctx, const struct slw_off_thread *t)
{
    slw_off_sums_carry(ctx, t);
}

/* Without BPF. */
static int start_second_best(struct slw_tap_state *s, struct slw_error *err)
{
    s->usage.start_ns = s->target->sys->now_ns();
    return s->switches ? slw_off_switches_start(s->switches, err) : 0;
}

static int start(struct slw_tap_state *s, struct slw_error *err)
{
    if (!s->bpf)
        return start_second_best(s, err);
    if (s->sums.window_count > 0) {
        slw_off_bpf_window(s->bpf, UINT64_MAX, UINT64_MAX);
        slw_off_bpf_live(s->bpf, carry, &s->sums);
    }
    uint64_t now_ns = s->target->sys->now_ns();
    s->measuring = slw_off_sums_begin(&s->sums, now_ns);
    if (s->measuring)
        slw_off_bpf_window(s->bpf, now_ns, UINT64_MAX);
    return 0;
}

static void add(void *ctx, const struct slw_off_thread *t)
{
    slw_off_sums_add(ctx, t);
}

static void put_sample(void *ctx, const struct slw_off_sample *sample)
{
    struct slw_tap_state *s = ctx;

    if (!slw_spool_full(s->spool))
        (void)slw_off_spool_stack(s->spool, s->callers, sample); /* it remembers */
}

/* More stacks than the ring or the spool can take: fewer of them, each for more of the waiting. */
static void sample_less(struct slw_tap_state *s)
{
    const uint64_t full = slw_off_bpf_losses(s->bpf).full;
    uint64_t sample_ns = s->sample_ns;

    if (full > s->full && sample_ns < MAX_SAMPLE_NS)
        sample_ns *= 2;
    while (sample_ns < (uint64_t)SLW_OFF_SAMPLE_NS << slw_spool_thinning(s->spool) &&
           sample_ns < MAX_SAMPLE_NS)
        sample_ns *= 2;
    s->full = full;
    if (sample_ns != s->sample_ns)
        slw_off_bpf_sample_every(s->bpf, sample_ns);
    s->sample_ns = sample_ns;
}

static void poll_stacks(struct slw_tap_state *s)
{
    if (s->callers == SLW_OFF_CALLERS_NO)
        return;
    slw_off_bpf_samples(s->bpf, put_sample, s);
    sample_less(s);
}

static void look_at_object(void *ctx, const struct slw_off_object *object,
                           const struct slw_off_object_sum *sum)
{
    (void)sum;
    slw_off_objects_look(ctx, object);
}

static void add_object(void *ctx, const struct slw_off_object *object,
                       const struct slw_off_object_sum *sum)
{
    slw_off_objects_add(ctx, object, sum);
}

static int poll_tap(struct slw_tap_state *s, struct slw_error *err)
{
    (void)err;
    if (s->bpf) {
        poll_stacks(s);
        slw_off_bpf_ended(s->bpf, add, &s->sums);
        slw_off_bpf_objects(s->bpf, SLW_OFF_PLACES, look_at_object, s->objects);
    } else if (s->switches) {
        slw_off_switches_poll(s->switches);
    } else {
        slw_off_usage_look(&s->usage, s->target);
    }
    return 0;
}

static int stop(struct slw_tap_state *s, struct slw_error *err)
{
    uint64_t now_ns = s->target->sys->now_ns();

    s->usage.end_ns = now_ns;
    if (s->switches)
        slw_off_switches_stop(s->switches);
    if (!s->measuring)
        return 0;
    s->measuring = false;
    slw_off_bpf_window(s->bpf, s->sums.windows[s->sums.window_count - 1].start_ns, now_ns);
    slw_off_sums_end(&s->sums, now_ns);
    return poll_tap(s, err);
}

static void add_live(void *ctx, const struct slw_off_thread *t)
{
    struct slw_off_thread named = *t;

    slw_off_comm(t->pid, t->tid, named.comm);
    slw_off_sums_add(ctx, &named);
}

/* A thread may end between the look at the living and this one at the dead. */
static void add_late(void *ctx, const struct slw_off_thread *t)
{
    struct slw_tap_state *s = ctx;

    for (size_t i = s->first_live; i < s->sums.each_count; i++)
        if (s->sums.each[i].tid == (int32_t)t->tid && s->sums.each[i].pid == (int32_t)t->pid)
            return;
    slw_off_sums_add(&s->sums, t);
}

static void note_losses(struct slw_tap_state *s)
{
    struct slw_off_losses lost = slw_off_bpf_losses(s->bpf);

    s->sums.all.lost_threads = s->not_followed + lost.threads + lost.ended;
    if (s->sums.all.lost_threads > 0)
        (void)slw_run_note(s->run, SLW_NOTE_WARNING, "offcpu-threads-lost", NULL,
                           "%llu threads could not be followed: their waits are in no number",
                           (unsigned long long)s->sums.all.lost_threads);
    if (lost.objects > 0)
        (void)slw_run_note(s->run, SLW_NOTE_INFO, "offcpu-objects-lost", NULL,
                           "%llu waits for locks or sockets are counted, but not told apart: "
                           "there were too many of those",
                           (unsigned long long)lost.objects);
    if (lost.stack_ns > 0)
        (void)slw_run_note(s->run, SLW_NOTE_WARNING, "offcpu-stacks-lost", NULL,
                           "%llu us of waiting had no room for their stacks: they are counted, "
                           "but not in the off-CPU flame graph",
                           (unsigned long long)(lost.stack_ns + 999) / 1000);
}

/* Where nothing is sampled there is no file that could hold them. */
static void put_stacks(struct slw_tap_state *s)
{
    if (s->callers != SLW_OFF_CALLERS_NO)
        slw_off_bpf_flush(s->bpf, put_sample, s);
    else if (s->opts->offcpu == SLW_OFFCPU_STACKS)
        (void)slw_run_note(
            s->run, SLW_NOTE_WARNING, "no-offcpu-stacks", "profile without --no-sampling",
            "there are no off-CPU stacks: nothing was sampled that could carry them");
}

static int collect(struct slw_tap_state *s, struct slw_run *run, struct slw_error *err)
{
    if (!s->bpf)
        return s->switches ? slw_off_switches_collect(s->switches, run, err)
                           : slw_off_usage_put(&s->usage, s->target, run, err);
    (void)poll_tap(s, err);
    s->first_live = s->sums.each_count;
    slw_off_bpf_live(s->bpf, add_live, &s->sums);
    slw_off_bpf_ended(s->bpf, add_late, s);
    put_stacks(s);
    note_losses(s);
    run->self.ring_bytes += slw_off_bpf_bytes(s->bpf);
    slw_tap_tell_bpf_time(run, slw_off_bpf_time_ns(s->bpf));
    slw_off_bpf_objects(s->bpf, SLW_OFF_OBJECTS, add_object, s->objects);
    if (s->sums.all.thread_count == 0)
        return 0;
    int rc = slw_off_sums_put(&s->sums, run, err);
    return rc < 0 ? rc : slw_off_objects_put(s->objects, run, err);
}

const struct slw_tap slw_tap_offcpu = {
    .name = "offcpu",
    .summary = "what threads wait for, by BPF on the scheduler",
    .open = open_tap,
    .start = start,
    .poll = poll_tap,
    .stop = stop,
    .collect = collect,
    .close = close_tap,
};

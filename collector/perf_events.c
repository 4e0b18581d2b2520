/* SPDX-License-Identifier: MIT */
#include "collector/perf_events.h"

#include "collector/perf_int.h"
#include "collector/perf_tasks.h"
#include "collector/perf_timeline.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* How often the rings are emptied and the header brought up to date even when no watermark was
 * reached: what a killed run loses at most. */
#define DRAIN_NS UINT64_C(1000000000)
/* How often records of ended threads are taken in: the rings have room for about 500 ends. */
#define TASKS_LOOK_MS 50

struct slw_backend_state {
    struct slw_perf_env env;
    struct slw_counting counting;
    struct slw_tasks tasks;
    struct slw_timeline timeline;
    struct slw_sample_rings rings;
    struct pollfd *polls; /* rings, then the target's wake_fds */
    size_t poll_count;
    uint64_t drained_ns;
    bool first_start; /* nothing was started yet */
};

/* Is kernel mode allowed? Opens and closes the event that stands for the backend. */
static int decide_mode(struct slw_perf_env *env, const struct slw_perf_event *event,
                       struct slw_error *err)
{
    struct slw_spot *spots = NULL;
    size_t count = 0;
    int fd = -ESRCH;
    int rc = slw_perf_count_spots(env->target, &spots, &count, err);

    if (rc < 0)
        return rc;
    for (size_t i = 0; i < count && fd == -ESRCH; i++) {
        struct perf_event_attr attr = slw_perf_attr(env, event->type, event->config, 0);

        fd = slw_perf_try_open(env, &attr, &spots[i], -1);
        if (fd != -EACCES && fd != -EPERM)
            continue;
        env->user_only = true;
        attr = slw_perf_attr(env, event->type, event->config, 0);
        fd = slw_perf_try_open(env, &attr, &spots[i], -1);
    }
    free(spots);
    if (fd < 0)
        return slw_perf_fail(env, event->name, -fd, err);
    env->sys->close(fd);
    if (env->user_only && env->opts->mode == SLW_MODE_KERNEL)
        return slw_perf_fail(env, "kernel mode", EACCES, err);
    return 0;
}

static int allocate_polls(struct slw_backend_state *s, struct slw_error *err)
{
    s->polls = calloc(s->rings.ring_count + SLW_MAX_WAKE, sizeof(s->polls[0]));
    if (!s->polls)
        return slw_fail(err, SLW_E_NOMEM, "no memory for events");
    slw_sampling_poll_fds(&s->rings, s->polls);
    return 0;
}

static void set_wakes(struct slw_backend_state *s)
{
    const struct slw_live_target *t = s->env.target;

    s->poll_count = s->rings.ring_count + t->wake_count;
    for (size_t i = 0; i < t->wake_count; i++)
        s->polls[s->rings.ring_count + i] = (struct pollfd){.fd = t->wake_fds[i], .events = POLLIN};
}

static void note_mode(const struct slw_perf_env *env)
{
    if (env->user_only)
        (void)slw_run_note(env->run, SLW_NOTE_WARNING, "kernel-hidden",
                           "sudo sysctl kernel.perf_event_paranoid=1",
                           "the kernel lets this user measure user mode only: time spent in the "
                           "kernel is in no sample and in no count but task-clock");
}

static void note_new_threads(const struct slw_perf_env *env)
{
    size_t count = slw_target_new_threads(env->target);

    if (count > 0)
        (void)slw_run_note(env->run, SLW_NOTE_INFO, "threads-started",
                           "measure again, or start the program under slotwise",
                           "%zu threads started while slotwise attached to the process; some of "
                           "them may be missing",
                           count);
}

int slw_perf_open(const struct slw_session_options *opts, struct slw_live_target *target,
                  struct slw_spool *spool, const struct slw_plan *plan,
                  const struct slw_perf_event *sampled, const struct slw_sample_group *group,
                  struct slw_run *run, struct slw_backend_state **ret_state, struct slw_error *err)
{
    struct slw_backend_state *s = calloc(1, sizeof(*s));

    if (!s)
        return slw_fail(err, SLW_E_NOMEM, "no memory for events");
    s->env = (struct slw_perf_env){
        .opts = opts, .sys = target->sys, .target = target, .run = run, .user_only = false};
    s->first_start = true;
    s->env.kind_count = plan->kind_count;
    for (size_t i = 0; i < plan->kind_count; i++)
        s->env.kinds[i] = plan->kinds[i];
    int rc = decide_mode(&s->env, sampled, err);
    if (rc == 0)
        s->env.records = slw_tasks_records(&s->env);
    if (rc == 0)
        rc = slw_counting_open(&s->env, plan, &s->counting, err);
    if (rc == 0)
        rc = slw_tasks_open(&s->env, &s->counting, &s->tasks, err);
    if (rc == 0)
        rc = slw_timeline_open(&s->env, &s->counting, &s->timeline, err);
    if (rc == 0 && opts->sample)
        rc = slw_sampling_open(&s->env, sampled, group, spool, &s->rings, err);
    if (rc == 0)
        rc = allocate_polls(s, err);
    if (rc < 0) {
        slw_perf_close(s);
        return rc;
    }
    note_mode(&s->env);
    note_new_threads(&s->env);
    *ret_state = s;
    return 0;
}

static int enable(struct slw_backend_state *s, bool on, struct slw_error *err)
{
    int rc = 0;

    if (s->rings.event && !slw_spool_full(s->rings.spool))
        rc = slw_sampling_enable(&s->env, &s->rings, on, err);
    if (rc == 0)
        rc = slw_counting_enable(&s->env, &s->counting, on, err);
    return rc;
}

int slw_perf_start(struct slw_backend_state *s, struct slw_error *err)
{
    bool by_exec = s->env.target->enable_on_exec && s->first_start;

    s->drained_ns = s->env.sys->now_ns();
    s->first_start = false;
    int rc = 0;

    if (!by_exec)
        rc = enable(s, true, err);
    else if (s->rings.filter) /* exec starts what is the target's */
        rc = slw_sampling_enable(&s->env, &s->rings, true, err);
    slw_timeline_start(&s->env, &s->timeline);
    return rc;
}

/* Is there data that wants out? Descriptors of ended threads are replaced. */
static bool look_at_rings(struct slw_backend_state *s)
{
    bool data = false;

    for (size_t i = 0; i < s->rings.ring_count; i++) {
        data |= (s->polls[i].revents & POLLIN) != 0;
        if (s->polls[i].revents & (POLLHUP | POLLERR | POLLNVAL))
            slw_sampling_hung_up(&s->rings, i, &s->polls[i]);
    }
    return data;
}

int slw_perf_poll(struct slw_backend_state *s, int timeout_ms, struct slw_error *err)
{
    if (s->tasks.ring_count > 0 && timeout_ms > TASKS_LOOK_MS)
        timeout_ms = TASKS_LOOK_MS;
    set_wakes(s);
    int n = s->env.sys->poll(s->polls, s->poll_count,
                             slw_timeline_timeout_ms(&s->env, &s->timeline, timeout_ms));

    if (n == -EINTR)
        return 0; /* the session looks at its stop flag */
    if (n < 0)
        return slw_fail_sys(err, SLW_E_IO, -n, "cannot wait for samples");
    s->env.run->self.wakeups++;
    slw_timeline_tick(&s->env, &s->timeline, &s->counting);
    slw_tasks_drain(&s->env, &s->tasks);
    if (!s->rings.event)
        return 0;
    uint64_t now_ns = s->env.sys->now_ns();
    bool due = now_ns - s->drained_ns >= DRAIN_NS;
    if (!(n > 0 && look_at_rings(s)) && !due)
        return 0;
    int rc = slw_sampling_drain(&s->env, &s->rings, err);
    if (rc == 0 && due && !slw_spool_full(s->rings.spool)) {
        s->drained_ns = now_ns;
        (void)slw_spool_checkpoint(s->rings.spool, NULL); /* the next write will say */
    }
    return rc;
}

int slw_perf_stop(struct slw_backend_state *s, struct slw_error *err)
{
    int rc = enable(s, false, err);

    slw_timeline_stop(&s->env, &s->timeline, &s->counting);
    return rc;
}

/* Inherited events hang up with the last process that has them. */
static void note_descendants(struct slw_backend_state *s)
{
    const struct slw_live_target *t = s->env.target;

    if (t->kind != SLW_TARGET_COMMAND || !t->reaped || !s->rings.event)
        return;
    slw_sampling_task_fds(&s->rings, s->polls);
    if (s->env.sys->poll(s->polls, s->rings.ring_count, 0) < 0)
        return;
    for (size_t i = 0; i < s->rings.ring_count; i++) {
        if (s->polls[i].fd < 0 || (s->polls[i].revents & POLLHUP))
            continue;
        (void)slw_run_note(s->env.run, SLW_NOTE_INFO, "descendants-running",
                           "attach to the remaining process with -p",
                           "the command ended while processes it had started were still running; "
                           "they were measured up to then");
        return;
    }
}

/* What the task or CPU clock counted, which leads the software group; 0: unknown. */
static uint64_t cpu_time_ns(const struct slw_counting *c)
{
    const struct slw_counter *clock = c->counter_count > 0 ? &c->counters[0] : NULL;

    return clock && clock->source == SLW_SOURCE_SOFTWARE && !clock->absent ? c->totals[0].raw : 0;
}

int slw_perf_collect(struct slw_backend_state *s, struct slw_run *run, struct slw_error *err)
{
    int drained = 0, sampled = 0;

    (void)run; /* the run of open */
    if (s->rings.event) {
        drained = slw_sampling_drain(&s->env, &s->rings, err);
        sampled = slw_sampling_collect(&s->env, &s->rings, err);
        note_descendants(s);
    }
    /* A broken ring is no reason to lose the counts. */
    int counted = slw_counting_collect(&s->env, &s->counting, err);
    if (counted == 0)
        counted = slw_tasks_collect(&s->env, &s->tasks, &s->counting, err);
    if (counted == 0)
        counted = slw_timeline_collect(&s->env, &s->timeline, &s->counting, err);
    if (s->rings.event && !slw_spool_full(s->rings.spool))
        slw_sampling_coverage(&s->env, &s->rings, cpu_time_ns(&s->counting));
    return drained < 0 ? drained : sampled < 0 ? sampled : counted;
}

void slw_perf_close(struct slw_backend_state *s)
{
    if (!s)
        return;
    slw_sampling_close(&s->env, &s->rings);
    slw_tasks_close(&s->env, &s->tasks);
    slw_timeline_close(&s->timeline);
    slw_counting_close(&s->env, &s->counting);
    free(s->polls);
    free(s);
}

void slw_perf_probe(const struct slw_perf_event *event, struct slw_probe *ret_probe)
{
    struct perf_event_attr attr = {.type = event->type,
                                   .size = sizeof(attr),
                                   .config = event->config,
                                   .disabled = 1,
                                   .exclude_kernel = 1,
                                   .exclude_hv = 1};
    int fd = slw_sys_real.perf_event_open(&attr, 0, -1, -1, 0);

    *ret_probe = (struct slw_probe){.works = fd >= 0};
    if (fd >= 0) {
        slw_sys_real.close(fd);
    } else if (fd == -EACCES || fd == -EPERM) {
        (void)snprintf(ret_probe->why_not, sizeof(ret_probe->why_not),
                       "the kernel refuses perf_event_open to this user");
        (void)snprintf(ret_probe->fix, sizeof(ret_probe->fix),
                       "sudo sysctl kernel.perf_event_paranoid=1");
    } else if (fd == -ENOSYS) {
        (void)snprintf(ret_probe->why_not, sizeof(ret_probe->why_not),
                       "this kernel or a seccomp filter has no perf_event_open");
    } else {
        (void)snprintf(ret_probe->why_not, sizeof(ret_probe->why_not),
                       "there is no %s event on this machine", event->name);
    }
}

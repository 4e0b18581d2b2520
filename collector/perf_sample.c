/* SPDX-License-Identifier: MIT */
/* Opening and closing the sampled events and their rings; perf_drain.c moves the data. */
#include "collector/perf_int.h"

#include "collector/call_graph.h"
#include "collector/synth.h"
#include "collector/taps/offcpu/spool_stacks.h"
#include "collector/timers/filter.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What an unprivileged user may map per CPU by default (perf_event_mlock_kb is 512 KiB and the
 * control page). Samples of 200 bytes at 997 Hz fill half of it in 1.3 s. */
#define DEFAULT_RING_BYTES ((uint64_t)512 << 10)
/* Samples with copies of stacks: room for a quarter of a second at 997 Hz, half of which is over
 * before we are woken. Where many CPUs sample, all rings together stay below a limit. */
#define STACK_RING_BYTES      ((uint64_t)4 << 20)
#define STACK_RINGS_MAX_BYTES ((uint64_t)256 << 20)
#define FEWEST_SAMPLES        4 /* a ring has to hold: half of it is filled before we are woken */

static int *fd_slot(const struct slw_sample_rings *r, size_t event, size_t cpu, size_t thread)
{
    return &r->sampled[event].fds[cpu * r->thread_count + thread];
}

/* Is this event not of the target, but of all that runs on a CPU? */
static bool is_timer(const struct slw_sample_rings *r, size_t event)
{
    return r->filter && event == 0;
}

static struct slw_spot spot_of(const struct slw_live_target *t, size_t cpu, size_t thread)
{
    struct slw_spot spot = {t->pid, t->cpus[cpu], 0};

    if (t->kind == SLW_TARGET_PID)
        spot.pid = t->tids[thread];
    if (t->kind == SLW_TARGET_CGROUP)
        spot = (struct slw_spot){t->cgroup_fd, t->cpus[cpu], PERF_FLAG_PID_CGROUP};
    return spot;
}

static bool maybe_too_much(int fd)
{
    return fd == -EINVAL || fd == -ENOSYS || fd == -EOPNOTSUPP;
}

static int open_adapted(const struct slw_perf_env *env, struct perf_event_attr *attr,
                        const struct slw_spot *spot, int group_fd)
{
    int fd = slw_perf_try_open(env, attr, spot, group_fd);

    while (maybe_too_much(fd) && slw_sampling_concede(env, attr))
        fd = slw_perf_try_open(env, attr, spot, group_fd);
    return fd;
}

/* ---- opening ---- */

/* The largest ring the kernel grants from r->ring_bytes down. */
static int open_ring(const struct slw_perf_env *env, struct slw_sample_rings *r, size_t cpu, int fd,
                     struct slw_error *err)
{
    uint64_t page_bytes = (uint64_t)sysconf(_SC_PAGESIZE);
    int rc = -SLW_E_NOMEM;

    for (uint64_t bytes = r->ring_bytes; bytes >= page_bytes; bytes /= 2) {
        rc = slw_ring_open(env->sys, fd, bytes, &r->rings[cpu], err);
        if (rc == 0) {
            r->ring_bytes = bytes;
            return 0;
        }
        if (rc != -SLW_E_NOMEM && rc != -SLW_E_PERM)
            return rc;
    }
    slw_error_hint(err, "sudo sysctl kernel.perf_event_mlock_kb=2048, or ulimit -l unlimited");
    return slw_fail(err, rc == -SLW_E_PERM ? SLW_E_PERM : SLW_E_NOMEM,
                    "the kernel grants not even a one-page ring buffer");
}

/* Have the event write into the ring of its CPU, mapping that with the first one there. */
static int join_ring(const struct slw_perf_env *env, struct slw_sample_rings *r, size_t cpu,
                     size_t thread, int fd, struct slw_error *err)
{
    if (!r->rings[cpu].page) {
        r->poll_threads[cpu] = thread;
        return open_ring(env, r, cpu, fd, err);
    }
    int owner = *fd_slot(r, 0, cpu, r->poll_threads[cpu]);
    int rc = env->sys->ioctl(fd, PERF_EVENT_IOC_SET_OUTPUT, (void *)(intptr_t)owner);
    if (rc < 0)
        return slw_fail_sys(err, SLW_E_IO, -rc, "cannot share a ring buffer");
    return 0;
}

/* On the cores of another kind than the first the kernel finds their PMU by itself, or wants to be
 * told which it is. */
static int open_there(const struct slw_perf_env *env, struct perf_event_attr *attr,
                      const struct slw_spot *spot, int group_fd)
{
    int fd = open_adapted(env, attr, spot, group_fd);

    for (size_t i = 0; i < env->kind_count && fd == -ENOENT; i++) {
        struct perf_event_attr own = *attr;

        if (attr->type != PERF_TYPE_HARDWARE || !slw_core_kind_has(&env->kinds[i], spot->cpu))
            continue;
        own.config |= (uint64_t)env->kinds[i].type << SLW_PMU_TYPE_SHIFT;
        fd = open_adapted(env, &own, spot, group_fd);
    }
    return fd;
}

/* The kernel does not say which of the two it has not: the event was measured before, without. */
static int fail_open(const struct slw_perf_env *env, const struct slw_sampled *s, int fd,
                     struct slw_error *err)
{
    const char *how = slw_call_graph_name(&s->attr);

    if (!maybe_too_much(fd) || env->opts->call_graph == SLW_CALL_GRAPH_AUTO ||
        !(strcmp(how, "dwarf") == 0 || strcmp(how, "lbr") == 0))
        return slw_perf_fail(env, s->name, -fd, err);
    slw_error_hint(err, "--call-graph auto takes what this machine has");
    return slw_fail(err, SLW_E_UNSUPPORTED, "samples of %s with --call-graph %s cannot be had (%s)",
                    s->name, how, strerror(-fd));
}

/* 1: open, 0: this thread or CPU is gone. */
static int open_one(const struct slw_perf_env *env, struct slw_sample_rings *r, size_t event,
                    size_t cpu, size_t thread, struct slw_error *err)
{
    struct slw_spot spot = spot_of(env->target, cpu, thread);
    struct slw_sampled *s = &r->sampled[event];
    uint64_t id = 0;
    bool follows = event != r->leader && (event == 0 || event >= r->first_member);
    int group_fd = follows ? *fd_slot(r, r->leader, cpu, thread) : -1;

    if (is_timer(r, event))
        spot = (struct slw_spot){-1, env->target->cpus[cpu], 0};
    int fd = open_there(env, &s->attr, &spot, group_fd);

    if (fd == -ESRCH && env->target->kind == SLW_TARGET_PID)
        return 0;
    if (fd == -ENODEV && cpu > 0)
        return 0; /* went offline */
    if (fd < 0)
        return fail_open(env, s, fd, err);
    *fd_slot(r, event, cpu, thread) = fd;
    int rc = env->sys->ioctl(fd, PERF_EVENT_IOC_ID, &id);
    if (rc < 0)
        return slw_fail_sys(err, SLW_E_IO, -rc, "cannot read the id of an event");
    s->ids[s->id_count++] = id;
    rc = is_timer(r, event) ? slw_timers_attach(env, r->filter, fd, err) : 0;
    if (rc < 0)
        return rc;
    if (event >= r->first_member)
        return 1; /* it writes nothing by itself */
    rc = join_ring(env, r, cpu, thread, fd, err);
    return rc < 0 ? rc : 1;
}

/* All events of one thread on one CPU; the timer of the CPU with the first of them. 1: open, 0: the
 * thread or the CPU is gone. */
static int open_place(const struct slw_perf_env *env, struct slw_sample_rings *r, size_t cpu,
                      size_t thread, struct slw_error *err)
{
    const bool has_leader = thread == 0 || !is_timer(r, r->leader);
    int rc = has_leader ? open_one(env, r, r->leader, cpu, thread, err)
                        : *fd_slot(r, r->leader, cpu, 0) >= 0;

    for (size_t event = 0; event < r->sampled_count && rc == 1; event++)
        if (event != r->leader)
            rc = open_one(env, r, event, cpu, thread, err);
    return rc;
}

static int open_all(const struct slw_perf_env *env, struct slw_sample_rings *r,
                    struct slw_error *err)
{
    size_t open_count = 0;

    for (size_t cpu = 0; cpu < r->ring_count; cpu++) {
        for (size_t thread = 0; thread < r->thread_count; thread++) {
            int rc = open_place(env, r, cpu, thread, err);

            if (rc < 0)
                return rc;
            open_count += rc == 1;
        }
    }
    if (open_count == 0)
        return slw_fail(err, SLW_E_GONE, "process %d is gone", env->target->pid);
    return 0;
}

static int allocate_event(struct slw_sampled *s, size_t fd_count)
{
    s->ids = calloc(fd_count, sizeof(s->ids[0]));
    s->fds = calloc(fd_count, sizeof(s->fds[0]));
    if (!s->ids || !s->fds)
        return -SLW_E_NOMEM;
    memset(s->fds, 0xff, fd_count * sizeof(s->fds[0]));
    return 0;
}

static int allocate(struct slw_sample_rings *r, const struct slw_live_target *t,
                    struct slw_error *err)
{
    int rc = 0;

    r->thread_count = t->kind == SLW_TARGET_PID ? t->tid_count : 1;
    r->ring_count = t->cpu_count;
    r->rings = calloc(r->ring_count, sizeof(r->rings[0]));
    r->heads = calloc(r->ring_count, sizeof(r->heads[0]));
    r->poll_threads = calloc(r->ring_count, sizeof(r->poll_threads[0]));
    r->parts = calloc(SLW_SPOOL_MAX_PARTS, sizeof(r->parts[0]));
    for (size_t i = 0; i < r->sampled_count && rc == 0; i++)
        rc = allocate_event(&r->sampled[i], r->ring_count * r->thread_count);
    if (rc < 0 || !r->rings || !r->heads || !r->poll_threads || !r->parts)
        return slw_fail(err, SLW_E_NOMEM, "no memory for sampling");
    return 0;
}

static void note_ring(const struct slw_perf_env *env, const struct slw_sample_rings *r,
                      uint64_t wanted_bytes)
{
    if (r->ring_bytes < wanted_bytes)
        (void)slw_run_note(env->run, SLW_NOTE_WARNING, "ring-smaller",
                           "sudo sysctl kernel.perf_event_mlock_kb=2048",
                           "the kernel granted ring buffers of %llu instead of %llu bytes per "
                           "CPU, so that samples may be lost",
                           (unsigned long long)r->ring_bytes, (unsigned long long)wanted_bytes);
    for (size_t i = 0; i < r->ring_count; i++)
        env->run->self.ring_bytes += r->rings[i].map_bytes;
    env->run->self.ring_bytes += slw_sampling_pack_bytes(r);
}

static uint64_t default_ring_bytes(const struct slw_perf_env *env, const struct slw_sample_rings *r)
{
    uint64_t bytes = slw_sampling_copies_stacks(r) ? STACK_RING_BYTES : DEFAULT_RING_BYTES;

    while (bytes > DEFAULT_RING_BYTES && bytes * env->target->cpu_count > STACK_RINGS_MAX_BYTES)
        bytes /= 2;
    return bytes;
}

/* ---- the spool ---- */

static int begin_spool(const struct slw_perf_env *env, struct slw_sample_rings *r,
                       struct slw_error *err)
{
    struct slw_spool_event events[SLW_MAX_SAMPLED + 1];
    struct perf_event_attr off_cpu;
    size_t count = r->sampled_count;

    for (size_t i = 0; i < r->sampled_count; i++)
        events[i] = (struct slw_spool_event){&r->sampled[i].attr, r->sampled[i].name,
                                             r->sampled[i].ids, r->sampled[i].id_count};
    if (slw_off_callers(env->opts) != SLW_OFF_CALLERS_NO)
        events[count++] = slw_off_spool_event(env->opts, &off_cpu);
    int rc = slw_spool_begin(r->spool, events, count, env->run, err);
    if (rc == 0 && !env->user_only)
        rc = slw_synth_kernel(r->spool, err);
    if (rc == 0 && env->target->kind == SLW_TARGET_PID)
        rc = slw_synth_process(r->spool, env->target->pid, slw_sampling_copies_stacks(r), err);
    if (rc == 0 && (env->target->kind == SLW_TARGET_ALL || env->target->kind == SLW_TARGET_CGROUP))
        rc = slw_synth_all(r->spool, slw_sampling_copies_stacks(r), err);
    return rc < 0 ? rc : slw_spool_checkpoint(r->spool, err);
}

static int open_rings(const struct slw_perf_env *env, const struct slw_sample_group *group,
                      struct slw_sample_rings *r, struct slw_error *err)
{
    slw_sampling_choose(env, r, group);
    int rc = allocate(r, env->target, err);
    if (rc == 0)
        rc = open_all(env, r, err);
    return rc == 0 ? slw_sampling_open_pack(r, err) : rc;
}

/* What does not fit into an empty ring is lost without a word of the kernel: it tells of losses in
 * the next record that fits. */
static bool holds_samples(const struct slw_sample_rings *r)
{
    return r->ring_bytes >= FEWEST_SAMPLES * (uint64_t)r->sampled[0].attr.sample_stack_user;
}

static int open_with_callers(const struct slw_perf_env *env, const struct slw_sample_group *group,
                             const struct slw_sample_rings *asked,
                             struct slw_sample_rings *ret_rings, struct slw_error *err)
{
    struct slw_sample_rings r = *asked;

    if (env->opts->ring_bytes == 0)
        r.ring_bytes = default_ring_bytes(env, &r);
    int rc = open_rings(env, group, &r, err);
    if (rc == 0 && !holds_samples(&r)) {
        slw_error_hint(err, "copy less with --stack-size, or give larger rings with --ring-size "
                            "and sysctl kernel.perf_event_mlock_kb");
        rc =
            slw_fail(err, SLW_E_LIMIT, "rings of %llu bytes hold no samples with %u bytes of stack",
                     (unsigned long long)r.ring_bytes, r.sampled[0].attr.sample_stack_user);
    }
    *ret_rings = r;
    return rc;
}

static int open_as_possible(const struct slw_perf_env *env, const struct slw_sample_group *group,
                            const struct slw_sample_rings *asked,
                            struct slw_sample_rings *ret_rings, struct slw_error *err)
{
    struct slw_sample_rings without = *asked;
    struct slw_error why = {0};
    int rc = open_with_callers(env, group, asked, ret_rings, &why);

    if (rc != -SLW_E_LIMIT || asked->how != SLW_CALL_GRAPH_AUTO) {
        if (rc < 0 && err && err->code == SLW_E_OK)
            *err = why;
        return rc;
    }
    ret_rings->filter = NULL; /* kept for the next try */
    slw_sampling_close(env, ret_rings);
    (void)slw_run_note(env->run, SLW_NOTE_WARNING, "no-stack-copies", why.hint,
                       "%s: callers are found by frame pointers, which most libraries do not keep",
                       why.text);
    without.how = SLW_CALL_GRAPH_FP;
    return open_with_callers(env, group, &without, ret_rings, err);
}

int slw_sampling_open(const struct slw_perf_env *env, const struct slw_perf_event *event,
                      const struct slw_sample_group *group, struct slw_spool *spool,
                      struct slw_sample_rings *ret_rings, struct slw_error *err)
{
    /* More than what anybody may map is for slow days only: not having it is nothing to tell. */
    uint64_t wanted_bytes = env->opts->ring_bytes ? env->opts->ring_bytes : DEFAULT_RING_BYTES;
    struct slw_sample_rings asked = {
        .event = event, .spool = spool, .ring_bytes = wanted_bytes, .how = env->opts->call_graph};
    struct slw_sample_rings r = {0};
    int rc = slw_timers_open(env, group != NULL, &asked, err);

    if (rc < 0)
        return rc;
    rc = open_as_possible(env, group, &asked, &r, err);
    if (rc == 0)
        rc = begin_spool(env, &r, err);
    if (rc < 0) {
        slw_sampling_close(env, &r);
        return rc;
    }
    note_ring(env, &r, wanted_bytes);
    *ret_rings = r;
    return 0;
}

int slw_sampling_enable(const struct slw_perf_env *env, struct slw_sample_rings *r, bool on,
                        struct slw_error *err)
{
    unsigned long request = on ? PERF_EVENT_IOC_ENABLE : PERF_EVENT_IOC_DISABLE;

    for (size_t i = 0; i < r->ring_count * r->thread_count; i++) {
        int fd = r->sampled[r->leader].fds[i]; /* the others follow it */
        int rc = fd < 0 ? 0 : env->sys->ioctl(fd, request, NULL);

        if (rc < 0)
            return slw_fail_sys(err, SLW_E_IO, -rc, "cannot %s sampling", on ? "start" : "stop");
    }
    return 0;
}

void slw_sampling_coverage(const struct slw_perf_env *env, const struct slw_sample_rings *r,
                           uint64_t cpu_time_ns)
{
    const uint64_t slack_ns = 2000000 + cpu_time_ns / 50;
    uint64_t running_ns = 0;

    for (size_t i = 0; i < r->ring_count * r->thread_count; i++) {
        /* Value, or in a group the number of events; enabled, running; a group's values and ids. */
        uint64_t reading[3 + 2 * SLW_MAX_GROUP_EVENTS] = {0};
        int fd = r->sampled[0].fds[i];

        /* Reads as nothing: a pinned event that found no counter and gave up. */
        if (fd >= 0 &&
            env->sys->read(fd, reading, sizeof(reading)) >= 3 * (ssize_t)sizeof(reading[0]))
            running_ns += reading[2];
    }
    if (running_ns + slack_ns >= cpu_time_ns)
        return;
    (void)slw_run_note(env->run, SLW_NOTE_WARNING, "sampling-part-time",
                       "end other profilers and measure again",
                       "others held the counter that samples of %s need: samples are of %llu %% of "
                       "the CPU time only",
                       r->event->name, (unsigned long long)(running_ns * 100 / cpu_time_ns));
}

int slw_sampling_collect(const struct slw_perf_env *env, struct slw_sample_rings *r,
                         struct slw_error *err)
{
    const struct perf_event_attr *attr = &r->sampled[0].attr;
    struct slw_sampling s = {.event = r->sampled[0].name,
                             .unit = r->event->unit,
                             .mode = slw_perf_sampled_mode(env),
                             .from = {.source = r->event->source},
                             .frequency_hz = attr->freq ? attr->sample_freq : 0,
                             .period = attr->freq ? 0 : attr->sample_period,
                             .call_graph = slw_call_graph_name(attr)};

    if (r->first_member < r->sampled_count)
        slw_sampling_write_totals(env, r);
    slw_sampling_note_pack(env, r);
    slw_timers_collect(env, r, &s);
    return slw_run_add_sampling(env->run, &s, err);
}

void slw_sampling_close(const struct slw_perf_env *env, struct slw_sample_rings *r)
{
    for (size_t i = 0; r->rings && i < r->ring_count; i++)
        slw_ring_close(&r->rings[i]);
    for (size_t e = 0; e < r->sampled_count; e++) {
        for (size_t i = 0; r->sampled[e].fds && i < r->ring_count * r->thread_count; i++)
            if (r->sampled[e].fds[i] >= 0)
                env->sys->close(r->sampled[e].fds[i]);
        free(r->sampled[e].fds);
        free(r->sampled[e].ids);
    }
    slw_timer_filter_close(r->filter);
    slw_sampling_close_pack(r);
    free(r->rings);
    free(r->heads);
    free(r->poll_threads);
    free(r->parts);
    *r = (struct slw_sample_rings){0};
}

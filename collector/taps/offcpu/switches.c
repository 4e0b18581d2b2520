/* SPDX-License-Identifier: MIT */
#include "collector/taps/offcpu/switches.h"

#include "collector/ring.h"
#include "collector/sys.h"
#include "collector/target.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* 24 bytes a switch: 5,400 of them between two looks. An ordinary user may lock no more besides the
 * rings of the samples; who has less gets less. */
#define RING_BYTES ((uint64_t)128 << 10)
#define MIN_BYTES  ((uint64_t)4 << 10)

struct slw_off_switches {
    const struct slw_sys *sys;
    const struct slw_live_target *target;
    int *fds; /* [cpu * thread_count + thread]; -1 */
    size_t fd_count, thread_count;
    struct slw_ring *rings; /* per CPU */
    uint64_t end_ns;
    struct slw_off_switch_table table;
    _Alignas(8) unsigned char bounce[SLW_RING_RECORD_BYTES];
};

static struct perf_event_attr switch_attr(const struct slw_live_target *t)
{
    return (struct perf_event_attr){.type = PERF_TYPE_SOFTWARE,
                                    .config = PERF_COUNT_SW_DUMMY,
                                    .size = sizeof(struct perf_event_attr),
                                    .sample_period = 1,
                                    .sample_type = PERF_SAMPLE_TID | PERF_SAMPLE_TIME,
                                    .disabled = 1,
                                    .inherit = 1,
                                    .exclude_kernel = 1,
                                    .exclude_hv = 1,
                                    .enable_on_exec = t->enable_on_exec,
                                    .task = 1,
                                    .comm = 1,
                                    .comm_exec = 1,
                                    .sample_id_all = 1,
                                    .context_switch = 1,
                                    .use_clockid = 1,
                                    .clockid = CLOCK_MONOTONIC};
}

static int map_ring(struct slw_off_switches *s, size_t cpu, int fd, struct slw_error *err)
{
    int rc = -SLW_E_NOMEM;

    for (uint64_t bytes = RING_BYTES; bytes >= MIN_BYTES && rc < 0; bytes /= 2)
        rc = slw_ring_open(s->sys, fd, bytes, &s->rings[cpu], err);
    return rc < 0 ? slw_fail(err, SLW_E_PERM, "the kernel grants no ring for context switches") : 0;
}

/* 0 also when this thread or CPU is gone. */
static int open_one(struct slw_off_switches *s, size_t cpu, size_t thread, struct slw_error *err)
{
    const struct slw_live_target *t = s->target;
    struct perf_event_attr attr = switch_attr(t);
    int pid = t->kind == SLW_TARGET_PID ? t->tids[thread] : t->pid;
    int fd = s->sys->perf_event_open(&attr, pid, t->cpus[cpu], -1, 0);

    if (fd == -ESRCH || fd == -ENODEV)
        return 0;
    if (fd < 0)
        return slw_fail_sys(err, fd == -EACCES || fd == -EPERM ? SLW_E_PERM : SLW_E_UNSUPPORTED,
                            -fd, "no context-switch records");
    s->fds[cpu * s->thread_count + thread] = fd;
    if (!s->rings[cpu].page)
        return map_ring(s, cpu, fd, err);
    int owner = -1;
    for (size_t i = 0; owner < 0 && i < thread; i++)
        owner = s->fds[cpu * s->thread_count + i];
    int rc = s->sys->ioctl(fd, PERF_EVENT_IOC_SET_OUTPUT, (void *)(intptr_t)owner);
    return rc < 0 ? slw_fail_sys(err, SLW_E_UNSUPPORTED, -rc, "cannot share a ring") : 0;
}

static int open_all(struct slw_off_switches *s, struct slw_error *err)
{
    int rc = 0;

    for (size_t cpu = 0; cpu < s->target->cpu_count && rc == 0; cpu++)
        for (size_t thread = 0; thread < s->thread_count && rc == 0; thread++)
            rc = open_one(s, cpu, thread, err);
    return rc;
}

int slw_off_switches_open(const struct slw_live_target *target, struct slw_off_switches **ret_s,
                          struct slw_error *err)
{
    if ((target->kind != SLW_TARGET_COMMAND && target->kind != SLW_TARGET_PID) || target->gated)
        return slw_fail(err, SLW_E_UNSUPPORTED,
                        "context-switch records are of a command or process without pauses");
    struct slw_off_switches *s = calloc(1, sizeof(*s));
    if (!s)
        return slw_fail(err, SLW_E_NOMEM, "no memory for context switches");
    s->sys = target->sys;
    s->target = target;
    s->thread_count = target->kind == SLW_TARGET_PID ? target->tid_count : 1;
    s->fd_count = target->cpu_count * s->thread_count;
    s->fds = calloc(s->fd_count, sizeof(s->fds[0]));
    s->rings = calloc(target->cpu_count, sizeof(s->rings[0]));
    if (s->fds)
        memset(s->fds, 0xff, s->fd_count * sizeof(s->fds[0]));
    int rc = s->fds && s->rings ? open_all(s, err)
                                : slw_fail(err, SLW_E_NOMEM, "no memory for context switches");
    if (rc < 0) {
        slw_off_switches_close(s);
        return rc;
    }
    *ret_s = s;
    return 0;
}

static void enable(struct slw_off_switches *s, bool on)
{
    for (size_t i = 0; i < s->fd_count; i++)
        if (s->fds[i] >= 0)
            (void)s->sys->ioctl(s->fds[i], on ? PERF_EVENT_IOC_ENABLE : PERF_EVENT_IOC_DISABLE,
                                NULL);
}

int slw_off_switches_start(struct slw_off_switches *s, struct slw_error *err)
{
    (void)err;
    s->table.start_ns = s->sys->now_ns();
    if (!s->target->enable_on_exec)
        enable(s, true);
    return 0;
}

void slw_off_switches_poll(struct slw_off_switches *s)
{
    for (size_t cpu = 0; cpu < s->target->cpu_count; cpu++) {
        const struct perf_event_header *record;
        struct slw_ring_span span = {0};
        struct slw_ring *ring = &s->rings[cpu];

        if (!ring->page || slw_ring_peek(ring, &span, NULL) < 0)
            continue;
        uint64_t position = ring->tail;
        while (position < span.head &&
               slw_ring_next(ring, span.head, &position, s->bounce, &record, NULL) > 0)
            slw_off_switch_record(&s->table, record);
        slw_ring_release(ring, span.head);
    }
}

void slw_off_switches_stop(struct slw_off_switches *s)
{
    enable(s, false);
    s->end_ns = s->sys->now_ns();
    slw_off_switches_poll(s);
}

static void add_to_all(struct slw_waiting *all, const struct slw_waiting *w)
{
    all->thread_count++;
    all->wall_ns += w->wall_ns;
    for (int i = 0; i < SLW_WAIT_COUNT; i++) {
        all->ns[i] += w->ns[i];
        all->waits[i] += w->waits[i];
    }
}

int slw_off_switches_collect(struct slw_off_switches *s, struct slw_run *run, struct slw_error *err)
{
    struct slw_waiting all = {
        .pid = -1,
        .tid = -1,
        .from = {.source = SLW_SOURCE_SOFTWARE, .detail = "context-switch records"},
        .syscalls = {.absent = "not counted without BPF"},
        .lost_threads = s->table.lost_threads};
    struct slw_waiting w;
    int rc = slw_run_add_waiting(run, &all, err);

    for (size_t i = 0; i < SLW_OFF_MAX_SWITCHED && rc == 0; i++) {
        if (!s->table.threads[i].known)
            continue;
        if (!slw_off_switch_sum(&s->table, &s->table.threads[i], s->end_ns, &w)) {
            all.lost_threads++;
            continue;
        }
        add_to_all(&all, &w);
        if (run->waiting_count < SLW_MAX_WAITING)
            rc = slw_run_add_waiting(run, &w, err);
    }
    all.from.detail = run->waiting_count > 0 ? run->waiting[0].from.detail : NULL;
    all.syscalls = run->waiting[0].syscalls;
    run->waiting[0] = all;
    if (all.lost_threads > 0)
        (void)slw_run_note(run, SLW_NOTE_WARNING, "offcpu-threads-lost", NULL,
                           "of %llu threads not all context switches were seen: they are in no "
                           "number of the waits",
                           (unsigned long long)all.lost_threads);
    if (all.thread_count == 0)
        run->waiting_count = 0; /* nothing is known: the note stays */
    return rc;
}

void slw_off_switches_close(struct slw_off_switches *s)
{
    if (!s)
        return;
    for (size_t cpu = 0; s->rings && cpu < s->target->cpu_count; cpu++)
        slw_ring_close(&s->rings[cpu]);
    for (size_t i = 0; s->fds && i < s->fd_count; i++)
        if (s->fds[i] >= 0)
            s->sys->close(s->fds[i]);
    free(s->rings);
    free(s->fds);
    free(s);
}

/* SPDX-License-Identifier: MIT */
/* Counts where perf_event_open is refused: what the kernel accounts for every process anyway.
 * No samples. Source: getrusage(2), proc(5). */
#include "base/clock.h"
#include "collector/backend.h"
#include "collector/procfs.h"
#include "collector/sys.h"
#include "collector/target.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum usage_field {
    USER_NS,
    SYSTEM_NS,
    VOLUNTARY,
    INVOLUNTARY,
    MINOR_FAULTS,
    MAJOR_FAULTS,
    MAX_RSS,
    FIELD_COUNT
};

static const struct {
    const char *event, *unit;
} fields[FIELD_COUNT] = {
    [USER_NS] = {"user-time", "ns"},
    [SYSTEM_NS] = {"system-time", "ns"},
    [VOLUNTARY] = {"voluntary-switches", "events"},
    [INVOLUNTARY] = {"involuntary-switches", "events"},
    [MINOR_FAULTS] = {"minor-faults", "events"},
    [MAJOR_FAULTS] = {"major-faults", "events"},
    [MAX_RSS] = {"max-rss", "bytes"},
};

/* Totals since the process started. */
struct usage {
    uint64_t values[FIELD_COUNT];
    bool have[FIELD_COUNT];
};

struct slw_backend_state {
    const struct slw_sys *sys;
    const struct slw_live_target *target;
    struct slw_run *run;
    bool whole_life;    /* a command measured from its first to its last instruction */
    int stat_fd;        /* /proc/PID/stat: stays readable while the process lives */
    struct usage start; /* of the current phase */
    struct usage last;
    struct usage sum; /* of the phases before */
    uint64_t started_ns, measured_ns;
    bool running, read_failed;
};

static void probe(struct slw_probe *ret_probe)
{
    *ret_probe = (struct slw_probe){.works = true};
}

static void set(struct usage *u, enum usage_field field, uint64_t value)
{
    u->values[field] = value;
    u->have[field] = true;
}

static uint64_t timeval_ns(struct timeval tv)
{
    return (uint64_t)tv.tv_sec * 1000000000 + (uint64_t)tv.tv_usec * 1000;
}

/* Of a command that ended: what wait4 said, its waited-for children included. */
static void read_rusage(const struct rusage *r, struct usage *u)
{
    set(u, USER_NS, timeval_ns(r->ru_utime));
    set(u, SYSTEM_NS, timeval_ns(r->ru_stime));
    set(u, VOLUNTARY, (uint64_t)r->ru_nvcsw);
    set(u, INVOLUNTARY, (uint64_t)r->ru_nivcsw);
    set(u, MINOR_FAULTS, (uint64_t)r->ru_minflt);
    set(u, MAJOR_FAULTS, (uint64_t)r->ru_majflt);
    set(u, MAX_RSS, (uint64_t)r->ru_maxrss * 1024);
}

/* The times and faults of a process that lives, waited-for children included as in rusage. */
static bool read_stat(struct slw_backend_state *s, struct usage *u)
{
    struct slw_proc_stat stat;
    char text[1024];
    uint64_t tick_ns = UINT64_C(1000000000) / (uint64_t)sysconf(_SC_CLK_TCK);
    ssize_t n = pread(s->stat_fd, text, sizeof(text), 0);

    if (n <= 0 || !slw_proc_parse_stat(text, (size_t)n, &stat))
        return false;
    set(u, USER_NS, (stat.user_ticks + stat.child_user_ticks) * tick_ns);
    set(u, SYSTEM_NS, (stat.system_ticks + stat.child_system_ticks) * tick_ns);
    set(u, MINOR_FAULTS, stat.minor_faults + stat.child_minor_faults);
    set(u, MAJOR_FAULTS, stat.major_faults + stat.child_major_faults);
    return true;
}

static bool read_small(const char *path, char *text, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, size - 1);

    if (fd >= 0)
        (void)close(fd);
    if (n < 0)
        return false;
    text[n] = '\0';
    return true;
}

/* Switches are accounted per thread; those of ended threads are gone. */
static void read_switches(const struct slw_live_target *t, struct usage *u)
{
    char path[96], text[4096];
    uint64_t voluntary = 0, involuntary = 0, v = 0, i = 0;

    (void)snprintf(path, sizeof(path), "/proc/%d/task", t->pid);
    DIR *d = opendir(path);
    for (struct dirent *e = d ? readdir(d) : NULL; e; e = readdir(d)) {
        int tid = slw_proc_parse_id(e->d_name);

        (void)snprintf(path, sizeof(path), "/proc/%d/task/%d/status", t->pid, tid);
        if (tid <= 0 || !read_small(path, text, sizeof(text)) ||
            !slw_proc_parse_field(text, "voluntary_ctxt_switches", &v) ||
            !slw_proc_parse_field(text, "nonvoluntary_ctxt_switches", &i))
            continue;
        voluntary += v;
        involuntary += i;
        u->have[VOLUNTARY] = u->have[INVOLUNTARY] = true;
    }
    if (d)
        (void)closedir(d);
    u->values[VOLUNTARY] = voluntary;
    u->values[INVOLUNTARY] = involuntary;
}

static void read_peak(const struct slw_live_target *t, struct usage *u)
{
    char path[64], text[4096];
    uint64_t kib = 0;

    (void)snprintf(path, sizeof(path), "/proc/%d/status", t->pid);
    if (read_small(path, text, sizeof(text)) && slw_proc_parse_field(text, "VmHWM", &kib))
        set(u, MAX_RSS, kib * 1024);
}

static int open_usage(const struct slw_session_options *opts, struct slw_live_target *target,
                      struct slw_spool *spool, struct slw_run *run,
                      struct slw_backend_state **ret_state, struct slw_error *err)
{
    char path[64];

    (void)spool; /* there is nothing to put into it */
    if (target->pid <= 0)
        return slw_fail(err, SLW_E_UNSUPPORTED,
                        "without perf_event_open only a command or a process can be measured");
    struct slw_backend_state *s = calloc(1, sizeof(*s));
    if (!s)
        return slw_fail(err, SLW_E_NOMEM, "no memory for counts");
    (void)snprintf(path, sizeof(path), "/proc/%d/stat", target->pid);
    *s = (struct slw_backend_state){.sys = target->sys,
                                    .target = target,
                                    .run = run,
                                    .whole_life = target->enable_on_exec,
                                    .stat_fd = open(path, O_RDONLY | O_CLOEXEC)};
    if (s->stat_fd < 0) {
        free(s);
        return slw_fail(err, SLW_E_GONE, "process %d is gone", target->pid);
    }
    if (opts->sample)
        (void)slw_run_note(run, SLW_NOTE_WARNING, "no-samples", NULL,
                           "no samples were taken: the rusage backend can only count");
    *ret_state = s;
    return 0;
}

static int start(struct slw_backend_state *s, struct slw_error *err)
{
    (void)err;
    s->started_ns = s->sys->now_ns();
    s->running = true;
    s->start = (struct usage){0};
    if (s->whole_life && s->measured_ns == 0)
        return 0; /* all its usage is of this phase */
    if (!read_stat(s, &s->start))
        s->read_failed = true;
    read_switches(s->target, &s->start);
    s->last = s->start;
    return 0;
}

static int poll_usage(struct slw_backend_state *s, int timeout_ms, struct slw_error *err)
{
    struct pollfd polls[SLW_MAX_WAKE];
    const struct slw_live_target *t = s->target;

    for (size_t i = 0; i < t->wake_count; i++)
        polls[i] = (struct pollfd){.fd = t->wake_fds[i], .events = POLLIN};
    int n = s->sys->poll(polls, t->wake_count, timeout_ms);
    if (n == -EINTR)
        return 0;
    if (n < 0)
        return slw_fail_sys(err, SLW_E_IO, -n, "cannot wait for the target");
    s->run->self.wakeups++;
    /* A process that is not our child leaves nothing behind: keep what it had last. */
    if (s->running && t->kind == SLW_TARGET_PID)
        (void)read_stat(s, &s->last);
    return 0;
}

/* Totals as of now, the last ones known when the process is gone. */
static void read_now(struct slw_backend_state *s)
{
    if (s->target->kind == SLW_TARGET_COMMAND && s->target->reaped) {
        read_rusage(&s->target->usage, &s->last);
        return;
    }
    if (!read_stat(s, &s->last)) {
        (void)slw_run_note(s->run, SLW_NOTE_INFO, "last-moments-missing", NULL,
                           "the process ended by itself: its last quarter of a second is in no "
                           "count");
        return;
    }
    read_switches(s->target, &s->last);
    read_peak(s->target, &s->last);
}

static int stop(struct slw_backend_state *s, struct slw_error *err)
{
    (void)err;
    if (!s->running)
        return 0;
    read_now(s);
    s->running = false;
    s->measured_ns += s->sys->now_ns() - s->started_ns;
    for (int i = 0; i < FIELD_COUNT; i++) {
        uint64_t end = s->last.values[i], begin = i == MAX_RSS ? 0 : s->start.values[i];

        s->sum.have[i] |= s->last.have[i];
        if (i == MAX_RSS)
            s->sum.values[i] = end; /* a peak, not a sum */
        else
            s->sum.values[i] += end > begin ? end - begin : 0;
    }
    return 0;
}

static int collect(struct slw_backend_state *s, struct slw_run *run, struct slw_error *err)
{
    uint64_t time_ns = s->measured_ns > 0 ? s->measured_ns : 1;
    int rc = 0;

    for (int i = 0; i < FIELD_COUNT && rc == 0; i++) {
        bool have = s->sum.have[i] && !s->read_failed;
        struct slw_count count = {
            .event = fields[i].event,
            .unit = fields[i].unit,
            .mode = SLW_MODE_ALL,
            .from = {.source = SLW_SOURCE_SOFTWARE,
                     .detail = s->target->reaped ? "getrusage" : "/proc"},
            .group = -1,
            .pid = -1,
            .tid = -1,
            .cpu = -1,
            .absent = have ? NULL : "not counted: the process ended before it could be read",
            .raw = have ? s->sum.values[i] : 0,
            .enabled_ns = have ? time_ns : 0,
            .running_ns = have ? time_ns : 0};

        rc = slw_run_add_count(run, &count, err);
    }
    return rc;
}

static void close_usage(struct slw_backend_state *s)
{
    if (!s)
        return;
    if (s->stat_fd >= 0)
        (void)close(s->stat_fd);
    free(s);
}

const struct slw_backend slw_backend_rusage = {
    .name = "rusage",
    .summary = "CPU time, switches and faults from getrusage and /proc, no samples",
    .source = SLW_SOURCE_SOFTWARE,
    .probe = probe,
    .open = open_usage,
    .start = start,
    .poll = poll_usage,
    .stop = stop,
    .collect = collect,
    .close = close_usage,
};

/* SPDX-License-Identifier: MIT */
#include "collector/taps/offcpu/usage.h"

#include "base/cleanup.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct slw_provenance from_usage = {.source = SLW_SOURCE_SOFTWARE,
                                                 .detail = "getrusage: wall time less CPU time"};

bool slw_off_usage_possible(const struct slw_live_target *target)
{
    return target->kind == SLW_TARGET_COMMAND && !target->gated;
}

/* Has the first thread any child? Not known where the kernel has no such file. */
static bool has_children(int pid)
{
    char path[64], byte;

    (void)snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
    int SLW_AUTO(close) fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd >= 0 && read(fd, &byte, 1) == 1;
}

void slw_off_usage_look(struct slw_off_usage *u, const struct slw_live_target *target)
{
    struct stat st;
    char path[32];

    if (u->several)
        return;
    (void)snprintf(path, sizeof(path), "/proc/%d/task", target->pid);
    u->several = (stat(path, &st) == 0 && st.st_nlink > 3) || has_children(target->pid);
}

static uint64_t ns_of(const struct timeval *t)
{
    return (uint64_t)t->tv_sec * 1000000000u + (uint64_t)t->tv_usec * 1000u;
}

int slw_off_usage_put(const struct slw_off_usage *u, const struct slw_live_target *target,
                      struct slw_run *run, struct slw_error *err)
{
    const struct rusage *r = &target->usage;
    const uint64_t cpu_ns = ns_of(&r->ru_utime) + ns_of(&r->ru_stime);
    const uint64_t wall_ns = u->end_ns > u->start_ns ? u->end_ns - u->start_ns : 0;
    struct slw_waiting w = {.pid = -1,
                            .tid = -1,
                            .from = from_usage,
                            .wall_ns = wall_ns,
                            .syscalls = {.absent = "not counted without BPF"},
                            .thread_count = 1};

    if (!target->reaped)
        return 0;
    if (u->several || cpu_ns > wall_ns) {
        (void)slw_run_note(run, SLW_NOTE_INFO, "no-offcpu-threads", NULL,
                           "the client had several threads or processes: how long they were "
                           "off-CPU cannot be told by getrusage; they left the CPU %ld times by "
                           "themselves, and were preempted %ld times",
                           r->ru_nvcsw, r->ru_nivcsw);
        return 0;
    }
    w.ns[SLW_WAIT_ON_CPU] = cpu_ns;
    w.ns[SLW_WAIT_UNSPLIT] = wall_ns - cpu_ns;
    w.waits[SLW_WAIT_UNSPLIT] = (uint64_t)r->ru_nvcsw;
    w.waits[SLW_WAIT_RUNNABLE] = (uint64_t)r->ru_nivcsw;
    int rc = slw_run_add_waiting(run, &w, err);
    w.pid = w.tid = target->pid;
    return rc < 0 ? rc : slw_run_add_waiting(run, &w, err);
}

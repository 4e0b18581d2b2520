/* SPDX-License-Identifier: MIT */
#include "collector/taps/bpf/tasks.h"

#include "base/cleanup.h"
#include "collector/procfs.h"
#include "collector/target.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The process of a thread; 0 when it is gone. */
static uint32_t process_of(uint32_t tid)
{
    char path[64], text[4096];
    uint64_t pid = 0;

    (void)snprintf(path, sizeof(path), "/proc/%u/status", tid);
    int SLW_AUTO(close) fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

    text[n > 0 ? n : 0] = '\0';
    return slw_proc_parse_field(text, "Tgid", &pid) ? (uint32_t)pid : 0;
}

static int tasks_of_cgroup(const struct slw_live_target *t, slw_tap_task_fn *fn, void *ctx,
                           struct slw_error *err)
{
    int fd = openat(t->cgroup_fd, "cgroup.threads", O_RDONLY | O_CLOEXEC);
    if (fd < 0) /* version 1 */
        fd = openat(t->cgroup_fd, "tasks", O_RDONLY | O_CLOEXEC);
    FILE *SLW_AUTO(fclose) list = fd < 0 ? NULL : fdopen(fd, "r");
    char line[32];
    int rc = 0;

    if (!list) {
        if (fd >= 0)
            (void)close(fd);
        return slw_fail(err, SLW_E_UNSUPPORTED, "the threads of the cgroup cannot be listed");
    }
    for (int i = 0; i < SLW_MAX_THREADS && rc == 0 && fgets(line, sizeof(line), list); i++) {
        line[strcspn(line, "\n")] = '\0';
        uint32_t tid = (uint32_t)slw_proc_parse_id(line), pid = tid ? process_of(tid) : 0;

        if (pid != 0)
            rc = fn(ctx, pid, tid, err);
    }
    return rc;
}

int slw_tap_tasks(const struct slw_live_target *t, slw_tap_task_fn *fn, void *ctx,
                  struct slw_error *err)
{
    int rc = 0;

    switch (t->kind) {
    case SLW_TARGET_COMMAND:
        return fn(ctx, (uint32_t)t->pid, (uint32_t)t->pid, err);
    case SLW_TARGET_PID:
        for (size_t i = 0; i < t->tid_count && rc == 0; i++)
            rc = fn(ctx, (uint32_t)t->pid, (uint32_t)t->tids[i], err);
        return rc;
    case SLW_TARGET_CGROUP:
        return tasks_of_cgroup(t, fn, ctx, err);
    case SLW_TARGET_ALL:
    case SLW_TARGET_IMPORT:
        break;
    }
    return slw_fail(err, SLW_E_UNSUPPORTED, "this target has no threads of its own");
}

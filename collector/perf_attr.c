/* SPDX-License-Identifier: MIT */
#include "collector/perf_int.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* More descriptors up to the hard limit; false when we are there already. */
static bool raise_descriptor_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= limit.rlim_max)
        return false;
    limit.rlim_cur = limit.rlim_max;
    return setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

int slw_perf_try_open(const struct slw_perf_env *env, struct perf_event_attr *attr,
                      const struct slw_spot *spot, int group_fd)
{
    int fd = env->sys->perf_event_open(attr, spot->pid, spot->cpu, group_fd, spot->flags);

    if (fd == -EMFILE && raise_descriptor_limit())
        fd = env->sys->perf_event_open(attr, spot->pid, spot->cpu, group_fd, spot->flags);
    return fd;
}

struct perf_event_attr slw_perf_attr(const struct slw_perf_env *env, uint32_t type, uint64_t config,
                                     uint64_t config1)
{
    bool tasks = env->target->kind == SLW_TARGET_COMMAND || env->target->kind == SLW_TARGET_PID;
    struct perf_event_attr attr = {.type = type,
                                   .size = sizeof(attr),
                                   .config = config,
                                   .config1 = config1,
                                   .disabled = 1,
                                   .inherit = tasks,
                                   .exclude_kernel = env->user_only,
                                   .exclude_hv = env->user_only};

    return attr;
}

void slw_perf_set_mode(struct perf_event_attr *attr, enum slw_mode mode)
{
    attr->exclude_kernel |= mode == SLW_MODE_USER;
    /* There is no kernel to call from; who does not say so needs the right to see it (from Linux
     * 6.12.117 of Debian on). */
    attr->exclude_callchain_kernel |= attr->exclude_kernel;
    attr->exclude_user |= mode == SLW_MODE_KERNEL;
    attr->exclude_hv |= mode != SLW_MODE_ALL;
}

enum slw_mode slw_perf_sampled_mode(const struct slw_perf_env *env)
{
    return env->user_only ? SLW_MODE_USER : env->opts->mode;
}

/* Whoever refuses does not say why; this is the setting that most often does. */
static void describe_refusal(const struct slw_perf_env *env, char *text, size_t size)
{
    int paranoid = env->run->host.perf_event_paranoid;

    if (paranoid == INT_MIN)
        (void)snprintf(text, size, "a missing capability or a seccomp filter");
    else
        (void)snprintf(text, size, "perf_event_paranoid=%d, or a seccomp filter", paranoid);
}

const char *slw_perf_reason(const struct slw_perf_env *env, int sys)
{
    char text[160], paranoid[80];

    switch (sys) {
    case ENOENT:
    case ENODEV:
    case EOPNOTSUPP:
    case EINVAL:
        (void)snprintf(text, sizeof(text), "not supported");
        break;
    case EACCES:
    case EPERM:
        describe_refusal(env, paranoid, sizeof(paranoid));
        (void)snprintf(text, sizeof(text), "refused: %s", paranoid);
        break;
    case EBUSY:
        (void)snprintf(text, sizeof(text), "busy: somebody else holds the counters");
        break;
    default:
        (void)snprintf(text, sizeof(text), "could not be opened: %s", strerror(sys));
    }
    return slw_run_str(env->run, text);
}

static int fail_refused(const struct slw_perf_env *env, const char *event, int sys,
                        struct slw_error *err)
{
    char paranoid[80];

    describe_refusal(env, paranoid, sizeof(paranoid));
    if (env->target->kind == SLW_TARGET_PID && sys == EACCES)
        slw_error_hint(err, "run as the user of the process or as root");
    return slw_fail(err, SLW_E_PERM, "the kernel refuses to measure %s: %s (%s)", event,
                    strerror(sys), paranoid);
}

/* A control group that is removed while it is held open is refused like an event that is not known
 * (ENOENT), but has no files any more. */
static bool has_lost_cgroup(const struct slw_perf_env *env)
{
    return env->target->kind == SLW_TARGET_CGROUP &&
           faccessat(env->target->cgroup_fd, "cgroup.procs", F_OK, 0) < 0;
}

int slw_perf_fail(const struct slw_perf_env *env, const char *event, int sys, struct slw_error *err)
{
    if (has_lost_cgroup(env))
        return slw_fail(err, SLW_E_GONE, "control group '%s' is gone", env->opts->cgroup);
    switch (sys) {
    case ENOENT:
    case ENODEV:
    case EOPNOTSUPP:
    case EINVAL:
        return slw_fail(err, SLW_E_UNSUPPORTED, "this machine cannot measure %s (%s)", event,
                        strerror(sys));
    case EACCES:
    case EPERM:
    case ENOSYS:
        return fail_refused(env, event, sys, err);
    case ESRCH:
        return slw_fail(err, SLW_E_GONE, "the process is gone");
    case EMFILE:
    case ENFILE:
        slw_error_hint(err, "raise the limit: 'ulimit -n' as root, or measure fewer threads");
        return slw_fail(err, SLW_E_IO, "out of file descriptors while opening %s: %s", event,
                        strerror(sys));
    default:
        return slw_fail_sys(err, SLW_E_IO, sys, "cannot open event %s", event);
    }
}

int slw_perf_count_spots(const struct slw_live_target *t, struct slw_spot **ret_spots,
                         size_t *ret_count, struct slw_error *err)
{
    size_t count = t->kind == SLW_TARGET_COMMAND ? 1
                   : t->kind == SLW_TARGET_PID   ? t->tid_count
                                                 : t->cpu_count;
    struct slw_spot *spots = calloc(count, sizeof(*spots));

    if (!spots)
        return slw_fail(err, SLW_E_NOMEM, "no memory for events");
    for (size_t i = 0; i < count; i++) {
        if (t->kind == SLW_TARGET_COMMAND)
            spots[i] = (struct slw_spot){t->pid, -1, 0};
        else if (t->kind == SLW_TARGET_PID)
            spots[i] = (struct slw_spot){t->tids[i], -1, 0};
        else if (t->kind == SLW_TARGET_CGROUP)
            spots[i] = (struct slw_spot){t->cgroup_fd, t->cpus[i], PERF_FLAG_PID_CGROUP};
        else
            spots[i] = (struct slw_spot){-1, t->cpus[i], 0};
    }
    *ret_spots = spots;
    *ret_count = count;
    return 0;
}

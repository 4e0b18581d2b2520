/* SPDX-License-Identifier: MIT */
/* Task clocks by kind of core: one for each CPU, which counts while the target runs there. The
 * kernel sorts the events of a task by CPU, so that a switch looks at one of them. */
#include "collector/perf_int.h"

#include <errno.h>
#include <stdlib.h>

/* The CPU at `index` among those of the target, when a clock of this kind belongs there. */
static bool clock_at(const struct slw_perf_env *env, size_t kind, const struct slw_spot *spot,
                     size_t index)
{
    int cpu = env->target->cpus[index];

    return slw_core_kind_has(&env->kinds[kind], cpu) && (spot->cpu < 0 || spot->cpu == cpu);
}

/* 1: open, 0: the thread or the CPU is gone. */
static int open_clock(const struct slw_perf_env *env, const struct slw_spot *spot, int cpu,
                      int *ret_fd, struct slw_error *err)
{
    const struct slw_spot own = {spot->pid, cpu, spot->flags};
    struct perf_event_attr attr =
        slw_perf_attr(env, PERF_TYPE_SOFTWARE, PERF_COUNT_SW_TASK_CLOCK, 0);

    attr.read_format = PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING;
    attr.enable_on_exec = env->target->enable_on_exec;
    int fd = slw_perf_try_open(env, &attr, &own, -1);
    if (fd == -ESRCH || fd == -ENODEV)
        return 0;
    if (fd < 0)
        return slw_perf_fail(env, "task-clock", -fd, err);
    *ret_fd = fd;
    return 1;
}

static int open_kind(const struct slw_perf_env *env, const struct slw_spot *spot, size_t kind,
                     struct slw_core_clocks *c, struct slw_error *err)
{
    for (size_t i = 0; i < env->target->cpu_count; i++) {
        if (!clock_at(env, kind, spot, i))
            continue;
        int rc = open_clock(env, spot, env->target->cpus[i], &c->fds[c->fd_count], err);
        if (rc < 0)
            return rc;
        c->kinds[c->fd_count] = (uint8_t)kind;
        c->fd_count += rc == 1;
    }
    return 0;
}

/* Without a list of CPUs nobody can tell where the time was spent. */
static bool cpus_known(const struct slw_perf_env *env)
{
    for (size_t i = 0; i < env->kind_count; i++)
        if (env->kinds[i].first_cpu < 0)
            return false;
    return env->kind_count > 0;
}

int slw_core_clocks_open(const struct slw_perf_env *env, const struct slw_spot *spots,
                         size_t spot_count, struct slw_core_clocks *c, struct slw_error *err)
{
    size_t room = spot_count * env->target->cpu_count * env->kind_count + 1;

    if (env->target->kind == SLW_TARGET_ALL || !cpus_known(env))
        return 0;
    c->fds = calloc(room, sizeof(c->fds[0]));
    c->kinds = calloc(room, sizeof(c->kinds[0]));
    if (!c->fds || !c->kinds)
        return slw_fail(err, SLW_E_NOMEM, "no memory for the clocks of the cores");
    for (size_t i = 0; i < spot_count; i++) {
        for (size_t kind = 0; kind < env->kind_count; kind++) {
            int rc = open_kind(env, &spots[i], kind, c, err);
            if (rc < 0)
                return rc;
        }
    }
    return 0;
}

int slw_core_clocks_enable(const struct slw_perf_env *env, const struct slw_core_clocks *c, bool on,
                           struct slw_error *err)
{
    unsigned long request = on ? PERF_EVENT_IOC_ENABLE : PERF_EVENT_IOC_DISABLE;

    for (size_t i = 0; i < c->fd_count; i++) {
        int rc = env->sys->ioctl(c->fds[i], request, NULL);

        if (rc < 0)
            return slw_fail_sys(err, SLW_E_IO, -rc, "cannot %s a clock", on ? "start" : "stop");
    }
    return 0;
}

void slw_core_clocks_read(const struct slw_perf_env *env, struct slw_core_clocks *c)
{
    for (size_t i = 0; i < c->fd_count; i++) {
        uint64_t reading[3] = {0}; /* value, enabled, running */

        if (env->sys->read(c->fds[i], reading, sizeof(reading)) < (ssize_t)sizeof(reading)) {
            c->unreadable = true;
            continue;
        }
        c->ns[c->kinds[i]] += reading[0];
        if (reading[1] > c->enabled_ns)
            c->enabled_ns = reading[1];
    }
}

/* A kind the target never ran on counted 0 ns all the time: that is known, not absent. */
static int add_kind(const struct slw_perf_env *env, const struct slw_core_clocks *c, size_t kind,
                    struct slw_error *err)
{
    const uint64_t ns = c->ns[kind], all_ns = c->enabled_ns > ns ? c->enabled_ns : ns;
    struct slw_count count = {.event = "task-clock",
                              .unit = "ns",
                              .pmu = env->kinds[kind].pmu,
                              .from = {.source = SLW_SOURCE_SOFTWARE},
                              .group = -1,
                              .pid = -1,
                              .tid = -1,
                              .cpu = -1,
                              .raw = ns,
                              .enabled_ns = all_ns,
                              .running_ns = all_ns};

    if (c->unreadable)
        count.absent = "not counted: a clock could not be read";
    else if (all_ns == 0)
        count.absent = "never scheduled: the target did not run while measuring";
    return slw_run_add_count(env->run, &count, err);
}

int slw_core_clocks_collect(const struct slw_perf_env *env, const struct slw_core_clocks *c,
                            struct slw_error *err)
{
    int rc = 0;

    for (size_t i = 0; i < env->kind_count && c->fd_count > 0 && rc == 0; i++)
        rc = add_kind(env, c, i, err);
    return rc;
}

void slw_core_clocks_close(const struct slw_perf_env *env, struct slw_core_clocks *c)
{
    for (size_t i = 0; i < c->fd_count; i++)
        env->sys->close(c->fds[i]);
    free(c->fds);
    free(c->kinds);
    *c = (struct slw_core_clocks){0};
}

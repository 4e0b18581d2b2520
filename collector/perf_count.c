/* SPDX-License-Identifier: MIT */
#include "collector/perf_int.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What read(2) gives for a group. Source: perf_event_open(2), PERF_FORMAT_GROUP. */
struct group_reading {
    uint64_t count, enabled_ns, running_ns;
    uint64_t values[2 * SLW_MAX_GROUP_EVENTS]; /* with ids: each is followed by its own */
};

static size_t group_end(const struct slw_counting *c, size_t first)
{
    size_t end = first;

    while (end < c->counter_count && c->counters[end].group == c->counters[first].group)
        end++;
    return end;
}

static int *fd_of(const struct slw_counting *c, size_t spot, size_t counter)
{
    return &c->fds[spot * c->counter_count + counter];
}

/* The first of the group that is open at this spot leads it there; -1: none. */
static int leader_fd(const struct slw_counting *c, size_t spot, size_t first, size_t end)
{
    for (size_t i = first; i < end; i++)
        if (*fd_of(c, spot, i) >= 0)
            return *fd_of(c, spot, i);
    return -1;
}

/* Known before opening that the number would be meaningless. */
static const char *hopeless(const struct slw_perf_env *env, const struct slw_counter *k, bool leads)
{
    char text[160];

    if (k->event.role == SLW_EVENT_PERF_METRIC && leads)
        return "not counted: the slots event that must lead its group is missing";
    if (k->event.kernel_only && k->mode == SLW_MODE_USER)
        return "not counted: it happens in kernel mode";
    if (!env->user_only || (!k->event.kernel_only && k->mode != SLW_MODE_KERNEL))
        return NULL;
    (void)snprintf(text, sizeof(text), "refused: perf_event_paranoid=%d hides kernel mode",
                   env->run->host.perf_event_paranoid);
    return slw_run_str(env->run, text);
}

/* 1: open or absent with a reason, 0: the thread is gone. */
static int open_counter(const struct slw_perf_env *env, struct slw_counting *c, size_t spot_index,
                        const struct slw_spot *spot, size_t index, int group_fd,
                        struct slw_error *err)
{
    struct slw_counter *k = &c->counters[index];
    struct perf_event_attr attr =
        slw_perf_attr(env, k->event.type, k->event.config, k->event.config1);

    attr.read_format =
        PERF_FORMAT_GROUP | PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING;
    /* Records of single threads name their values by id. */
    attr.inherit_stat = env->records;
    attr.read_format |= env->records ? PERF_FORMAT_ID : 0;
    slw_perf_set_mode(&attr, k->event.ignores_mode ? SLW_MODE_ALL : k->mode);
    attr.disabled = group_fd < 0;
    attr.enable_on_exec = group_fd < 0 && env->target->enable_on_exec;
    int fd = slw_perf_try_open(env, &attr, spot, group_fd);
    if (fd >= 0) {
        *fd_of(c, spot_index, index) = fd;
        return 1;
    }
    if (fd == -ESRCH && env->target->kind == SLW_TARGET_PID)
        return 0;
    if (fd == -EMFILE || fd == -ENFILE || fd == -ESRCH || fd == -ENOMEM)
        return slw_perf_fail(env, k->event.name, -fd, err);
    k->absent = slw_perf_reason(env, -fd);
    return k->absent ? 1 : slw_fail(err, SLW_E_NOMEM, "no memory for counts");
}

/* A PMU of one kind of core is not there on the CPUs of the others. */
static bool counts_at(const struct slw_perf_env *env, const struct slw_counter *k,
                      const struct slw_spot *spot)
{
    return k->kind < 0 || spot->cpu < 0 || slw_core_kind_has(&env->kinds[k->kind], spot->cpu);
}

/* 1, or 0 when the thread of this spot is gone. */
static int open_spot(const struct slw_perf_env *env, struct slw_counting *c, size_t spot_index,
                     const struct slw_spot *spot, struct slw_error *err)
{
    for (size_t first = 0; first < c->counter_count; first = group_end(c, first)) {
        size_t end = group_end(c, first);

        for (size_t i = first; i < end; i++) {
            struct slw_counter *k = &c->counters[i];
            int group_fd = leader_fd(c, spot_index, first, end);

            if (!counts_at(env, k, spot))
                continue;
            if (!k->absent)
                k->absent = hopeless(env, k, group_fd < 0);
            if (k->absent)
                continue;
            int rc = open_counter(env, c, spot_index, spot, i, group_fd, err);
            if (rc <= 0)
                return rc;
        }
    }
    return 1;
}

static int kind_of(const struct slw_perf_env *env, const struct slw_plan_group *g)
{
    for (size_t i = 0; g->kind && i < env->kind_count; i++)
        if (strcmp(env->kinds[i].pmu, g->kind->pmu) == 0)
            return (int)i;
    return -1;
}

static int allocate(const struct slw_perf_env *env, const struct slw_plan *plan, size_t spot_count,
                    struct slw_counting *c, struct slw_error *err)
{
    size_t n = 0;

    for (size_t g = 0; g < plan->group_count; g++)
        c->counter_count += plan->groups[g].event_count;
    c->spot_count = spot_count;
    size_t room = c->counter_count ? c->counter_count : 1; /* a plan may count nothing */
    c->counters = calloc(room, sizeof(c->counters[0]));
    c->fds = calloc(room * (spot_count ? spot_count : 1), sizeof(c->fds[0]));
    c->totals = calloc(room, sizeof(c->totals[0]));
    if (!c->counters || !c->fds || !c->totals)
        return slw_fail(err, SLW_E_NOMEM, "no memory for events");
    memset(c->fds, 0xff, c->counter_count * spot_count * sizeof(c->fds[0]));
    for (size_t g = 0; g < plan->group_count; g++)
        for (size_t i = 0; i < plan->groups[g].event_count; i++)
            c->counters[n++] = (struct slw_counter){.event = plan->groups[g].events[i],
                                                    .group = (int)g,
                                                    .kind = kind_of(env, &plan->groups[g]),
                                                    .mode = plan->groups[g].mode,
                                                    .source = plan->groups[g].source};
    return 0;
}

int slw_counting_open(const struct slw_perf_env *env, const struct slw_plan *plan,
                      struct slw_counting *ret_counting, struct slw_error *err)
{
    struct slw_counting c = {0};
    struct slw_spot *spots = NULL;
    size_t spot_count = 0, there = 0;
    int rc = slw_perf_count_spots(env->target, &spots, &spot_count, err);

    if (rc == 0)
        rc = allocate(env, plan, spot_count, &c, err);
    for (size_t i = 0; i < spot_count && rc >= 0; i++) {
        rc = open_spot(env, &c, i, &spots[i], err);
        there += rc == 1;
    }
    if (rc >= 0)
        rc = slw_core_clocks_open(env, spots, spot_count, &c.clocks, err);
    free(spots);
    if (rc >= 0 && there == 0)
        rc = slw_fail(err, SLW_E_GONE, "process %d is gone", env->target->pid);
    if (rc < 0) {
        slw_counting_close(env, &c);
        return rc;
    }
    *ret_counting = c;
    return 0;
}

int slw_counting_enable(const struct slw_perf_env *env, const struct slw_counting *c, bool on,
                        struct slw_error *err)
{
    unsigned long request = on ? PERF_EVENT_IOC_ENABLE : PERF_EVENT_IOC_DISABLE;
    int clocks = slw_core_clocks_enable(env, &c->clocks, on, err);

    if (clocks < 0)
        return clocks;
    for (size_t spot = 0; spot < c->spot_count; spot++) {
        for (size_t first = 0; first < c->counter_count; first = group_end(c, first)) {
            int fd = leader_fd(c, spot, first, group_end(c, first));
            int rc = fd < 0 ? 0 : env->sys->ioctl(fd, request, NULL);

            if (rc < 0)
                return slw_fail_sys(err, SLW_E_IO, -rc, "cannot %s a group of events",
                                    on ? "start" : "stop");
        }
    }
    return 0;
}

static void mark_unreadable(struct slw_counting *c, size_t first, size_t end)
{
    for (size_t i = first; i < end; i++)
        if (!c->counters[i].absent)
            c->counters[i].absent = "not counted: the group could not be read";
}

static void read_group(const struct slw_perf_env *env, struct slw_counting *c, size_t spot,
                       size_t first, size_t end, struct slw_counted *totals)
{
    struct group_reading r = {0};
    size_t opened = 0, next = 0, stride = env->records ? 2 : 1;
    int fd = leader_fd(c, spot, first, end);

    if (fd < 0)
        return;
    for (size_t i = first; i < end; i++)
        opened += *fd_of(c, spot, i) >= 0;
    ssize_t n = env->sys->read(fd, &r, sizeof(r));
    if (n < (ssize_t)((3 + stride * opened) * sizeof(uint64_t)) || r.count != opened) {
        mark_unreadable(c, first, end);
        return;
    }
    /* The kernel lists them in the order they were opened. */
    for (size_t i = first; i < end; i++) {
        if (*fd_of(c, spot, i) < 0)
            continue;
        totals[i].raw += r.values[stride * next++];
        totals[i].enabled_ns += r.enabled_ns;
        totals[i].running_ns += r.running_ns;
    }
}

void slw_counting_read(const struct slw_perf_env *env, struct slw_counting *c, size_t spot,
                       struct slw_counted *totals)
{
    for (size_t first = 0; first < c->counter_count; first = group_end(c, first))
        read_group(env, c, spot, first, group_end(c, first), totals);
}

static const char *absence(const struct slw_counter *k, const struct slw_counted *n)
{
    if (k->absent)
        return k->absent;
    if (n->running_ns > 0 && n->raw == 0 && k->event.doubtful)
        return "not supported: the PMU does not list it, and it did not count";
    if (n->running_ns > 0)
        return NULL;
    if (n->enabled_ns > 0)
        return "never scheduled: no counter was free for its group";
    return k->kind < 0 ? "never scheduled: the target did not run while measuring"
                       : "never scheduled: the target did not run on cores of this kind";
}

static enum slw_mode counted_mode(const struct slw_perf_env *env, const struct slw_counter *k)
{
    if (k->event.ignores_mode)
        return SLW_MODE_ALL;
    return env->user_only && k->mode == SLW_MODE_ALL ? SLW_MODE_USER : k->mode;
}

int slw_counting_add(const struct slw_perf_env *env, const struct slw_counter *k,
                     const struct slw_counted *n, int pid, int tid, struct slw_error *err)
{
    struct slw_count count = {.event = k->event.name,
                              .unit = k->event.unit,
                              .mode = counted_mode(env, k),
                              .from = {.source = k->source},
                              .group = k->group,
                              .pmu = k->kind < 0 ? NULL : env->kinds[k->kind].pmu,
                              .pid = pid,
                              .tid = tid,
                              .cpu = -1,
                              .absent = absence(k, n),
                              .raw = n->raw,
                              .enabled_ns = n->enabled_ns,
                              .running_ns = n->running_ns};

    if (count.absent)
        count.raw = 0;
    return slw_run_add_count(env->run, &count, err);
}

/* A task's event is enabled whenever the task runs, but counts on its kind of core only. The clocks
 * of both are read some microseconds apart: running longer than the clock is no contradiction. */
static void set_core_time(const struct slw_perf_env *env, const struct slw_core_clocks *clocks,
                          struct slw_counter *k, struct slw_counted *n)
{
    if (k->kind < 0 || clocks->fd_count == 0)
        return;
    const enum slw_target_kind target = env->target->kind;
    if (target != SLW_TARGET_COMMAND && target != SLW_TARGET_PID)
        return;
    if (clocks->unreadable && !k->absent)
        k->absent = "not counted: how long the target ran on such cores could not be read";
    n->enabled_ns = clocks->ns[k->kind] > n->running_ns ? clocks->ns[k->kind] : n->running_ns;
}

int slw_counting_collect(const struct slw_perf_env *env, struct slw_counting *c,
                         struct slw_error *err)
{
    int rc = 0;

    memset(c->totals, 0, c->counter_count * sizeof(c->totals[0]));
    for (size_t spot = 0; spot < c->spot_count; spot++)
        slw_counting_read(env, c, spot, c->totals);
    slw_core_clocks_read(env, &c->clocks);
    c->first_count = env->run->count_count;
    for (size_t i = 0; i < c->counter_count && rc == 0; i++) {
        set_core_time(env, &c->clocks, &c->counters[i], &c->totals[i]);
        rc = slw_counting_add(env, &c->counters[i], &c->totals[i], -1, -1, err);
    }
    return rc < 0 ? rc : slw_core_clocks_collect(env, &c->clocks, err);
}

void slw_counting_close(const struct slw_perf_env *env, struct slw_counting *c)
{
    for (size_t i = 0; c->fds && i < c->spot_count * c->counter_count; i++)
        if (c->fds[i] >= 0)
            env->sys->close(c->fds[i]);
    slw_core_clocks_close(env, &c->clocks);
    free(c->fds);
    free(c->totals);
    free(c->counters);
    *c = (struct slw_counting){0};
}

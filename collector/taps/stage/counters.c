/* SPDX-License-Identifier: MIT */
#include "collector/taps/stage/counters.h"

#include "collector/sys.h"
#include "collector/taps/stage/bpf.h"
#include "collector/taps/stage/pick.h"
#include "collector/taps/stage/sums.h"
#include "collector/target.h"
#include "models/model.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct slw_stage_counters {
    const struct slw_sys *sys;
    const struct slw_live_target *target;
    struct slw_stage_picks picks;
    size_t event_count; /* open; 0: why says why */
    char why[160];
    int *fds; /* [cpu index * SLW_STAGE_EVENT_COUNT + event] */
};

static int *fd_at(struct slw_stage_counters *c, size_t cpu, size_t event)
{
    return &c->fds[cpu * SLW_STAGE_EVENT_COUNT + event];
}

static void close_events(struct slw_stage_counters *c)
{
    for (size_t i = 0; c->fds && i < c->target->cpu_count * SLW_STAGE_EVENT_COUNT; i++)
        if (c->fds[i] >= 0) {
            c->sys->close(c->fds[i]);
            c->fds[i] = -1;
        }
}

/* The first error, or 0. */
static int open_events(struct slw_stage_counters *c)
{
    for (size_t cpu = 0; cpu < c->target->cpu_count; cpu++)
        for (size_t i = 0; i < c->picks.event_count; i++) {
            const struct slw_stage_counted *e = &c->picks.events[i];
            struct perf_event_attr attr = {.type = e->type,
                                           .size = sizeof(attr),
                                           .config = e->config,
                                           .config1 = e->config1,
                                           .read_format = PERF_FORMAT_TOTAL_TIME_ENABLED |
                                                          PERF_FORMAT_TOTAL_TIME_RUNNING};
            int leader = i > 0 ? *fd_at(c, cpu, 0) : -1;
            int fd = c->sys->perf_event_open(&attr, -1, c->target->cpus[cpu], leader, 0);

            if (fd < 0)
                return fd;
            *fd_at(c, cpu, i) = fd;
        }
    return 0;
}

static void explain(struct slw_stage_counters *c, int rc)
{
    const char *why = rc == -EACCES || rc == -EPERM
                          ? "refused: counting whole CPUs is not permitted"
                      : rc == -EMFILE ? "too few file descriptors"
                                      : NULL;

    if (why)
        (void)snprintf(c->why, sizeof(c->why), "%s", why);
    else
        (void)snprintf(c->why, sizeof(c->why), "no PMU counts it here (%s)", strerror(-rc));
}

static void open_or_explain(struct slw_stage_counters *c, const struct slw_session_options *opts)
{
    const struct slw_model_vars vars = {.single_task = true};

    if (opts->other_core_count > 0) {
        (void)snprintf(c->why, sizeof(c->why), "%s",
                       "not counted by stage on a CPU with several kinds of core");
        return;
    }
    slw_stage_pick(opts->model, &vars, &c->picks);
    int rc = c->target->cpu_count > 0 ? open_events(c) : -ENODEV;
    if (rc == 0) {
        c->event_count = c->picks.event_count;
        return;
    }
    explain(c, rc);
    close_events(c);
}

int slw_stage_counters_open(const struct slw_session_options *opts,
                            const struct slw_live_target *target,
                            struct slw_stage_counters **ret_counters, struct slw_error *err)
{
    struct slw_stage_counters *c = calloc(1, sizeof(*c));
    size_t count = (target->cpu_count > 0 ? target->cpu_count : 1) * SLW_STAGE_EVENT_COUNT;

    if (c)
        c->fds = calloc(count, sizeof(c->fds[0]));
    if (!c || !c->fds) {
        free(c);
        return slw_fail(err, SLW_E_NOMEM, "no memory for the counters of stages");
    }
    for (size_t i = 0; i < count; i++)
        c->fds[i] = -1;
    c->sys = target->sys;
    c->target = target;
    open_or_explain(c, opts);
    *ret_counters = c;
    return 0;
}

void slw_stage_counters_close(struct slw_stage_counters *c)
{
    if (!c)
        return;
    close_events(c);
    free(c->fds);
    free(c);
}

size_t slw_stage_counters_count(const struct slw_stage_counters *c)
{
    return c->event_count;
}

int slw_stage_counters_hand_over(struct slw_stage_counters *c, struct slw_stage_prog *p,
                                 struct slw_error *err)
{
    int rc = 0;

    for (size_t cpu = 0; cpu < c->target->cpu_count; cpu++)
        for (size_t i = 0; i < c->event_count && rc == 0; i++)
            rc = slw_stage_prog_counter(p, i, c->target->cpus[cpu], *fd_at(c, cpu, i), err);
    return rc;
}

void slw_stage_counters_tell(const struct slw_stage_counters *c, struct slw_stage_results *r)
{
    r->counted_from = (struct slw_provenance){.source = SLW_SOURCE_HARDWARE};
    r->slots_per_cycle = c->event_count > 0 ? c->picks.slots_per_cycle : 0;
    for (int i = 0; i < SLW_STAGE_EVENT_COUNT; i++) {
        r->counter[i] = c->event_count > 0 ? c->picks.counter[i] : -1;
        r->absent[i] = c->event_count > 0 ? c->picks.absent[i] : c->why;
    }
}

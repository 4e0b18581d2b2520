/* SPDX-License-Identifier: MIT */
#include "collector/budget.h"

#include "collector/perf_events.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <string.h>

/* A pinned group either runs at once or is put into an error state, in which reading it gives
 * nothing: no need to wait and see. User mode only, which everybody may ask for and which takes the
 * same counters. */
static struct perf_event_attr trial_attr(uint32_t type, uint64_t config, uint64_t config1,
                                         bool leads)
{
    return (struct perf_event_attr){.type = type,
                                    .size = sizeof(struct perf_event_attr),
                                    .config = config,
                                    .config1 = config1,
                                    .read_format = PERF_FORMAT_GROUP |
                                                   PERF_FORMAT_TOTAL_TIME_ENABLED |
                                                   PERF_FORMAT_TOTAL_TIME_RUNNING,
                                    .disabled = leads,
                                    .pinned = leads,
                                    .exclude_kernel = 1,
                                    .exclude_hv = 1};
}

static int open_trial(const struct slw_sys *sys, const struct slw_plan_event *e, int group_fd)
{
    struct perf_event_attr attr = trial_attr(e->type, e->config, e->config1, group_fd < 0);

    return sys->perf_event_open(&attr, 0, -1, group_fd, 0);
}

/* Some kernels refuse the event that is one too many with EINVAL, which also says that the CPU does
 * not have it: alone, it tells. */
static bool opens_alone(const struct slw_sys *sys, const struct slw_plan_event *e)
{
    int fd = open_trial(sys, e, -1);

    if (fd >= 0)
        sys->close(fd);
    return fd >= 0;
}

/* Does the group of this leader run? */
static bool runs(const struct slw_sys *sys, int leader)
{
    uint64_t reading[3 + SLW_MAX_GROUP_EVENTS] = {0};

    if (sys->ioctl(leader, PERF_EVENT_IOC_ENABLE, NULL) < 0)
        return true;
    return sys->read(leader, reading, sizeof(reading)) != 0;
}

static bool group_fits(const struct slw_sys *sys, const struct slw_plan_group *g)
{
    int fds[SLW_MAX_GROUP_EVENTS];
    size_t count = 0;
    bool fits = true;

    for (size_t i = 0; i < g->event_count && fits; i++) {
        const struct slw_plan_event *e = &g->events[i];
        int fd = open_trial(sys, e, count > 0 ? fds[0] : -1);

        if (fd >= 0)
            fds[count++] = fd;
        else if (fd == -EINVAL && count > 0 && e->role != SLW_EVENT_PERF_METRIC)
            fits = !opens_alone(sys, e);
    }
    if (fits && count > 0)
        fits = runs(sys, fds[0]);
    for (size_t i = count; i > 0; i--)
        sys->close(fds[i - 1]);
    return fits;
}

bool slw_budget_opens(const struct slw_sys *sys, uint32_t type, uint64_t config, uint64_t config1)
{
    struct perf_event_attr attr = trial_attr(type, config, config1, true);
    int fd = sys->perf_event_open(&attr, 0, -1, -1, 0);

    if (fd >= 0)
        sys->close(fd);
    return fd != -ENOENT && fd != -ENODEV && fd != -EOPNOTSUPP && fd != -EINVAL;
}

bool slw_budget_fits(const struct slw_sys *sys, const struct slw_plan *plan,
                     const struct slw_perf_event *sampled)
{
    int held = -1;
    bool fits = true;

    if (sampled) {
        struct perf_event_attr attr = trial_attr(sampled->type, sampled->config, 0, true);

        held = sys->perf_event_open(&attr, 0, -1, -1, 0);
        if (held >= 0)
            (void)sys->ioctl(held, PERF_EVENT_IOC_ENABLE, NULL);
    }
    for (size_t i = 0; i < plan->group_count && fits; i++)
        if (plan->groups[i].source == SLW_SOURCE_HARDWARE)
            fits = group_fits(sys, &plan->groups[i]);
    if (held >= 0)
        sys->close(held);
    return fits;
}

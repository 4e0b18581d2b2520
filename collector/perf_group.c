/* SPDX-License-Identifier: MIT */
/* Counters that the kernel reads with every sample, and their totals at the end.
 * With inherit a kernel older than Linux 6.12 refuses PERF_SAMPLE_READ (commit 7e8b255650fc), newer
 * ones want PERF_SAMPLE_TID and a ring per CPU. Probed by opening, never by version. */
#include "collector/perf_int.h"

#include "record/perf_layout.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define PROBE_NS    10000000 /* the kernel rotates groups that share counters every 4 ms */
#define PROBE_READS 1000000  /* of the clock; more than fit into PROBE_NS, should it stand still */

static const uint64_t group_format = PERF_FORMAT_GROUP | PERF_FORMAT_ID |
                                     PERF_FORMAT_TOTAL_TIME_ENABLED |
                                     PERF_FORMAT_TOTAL_TIME_RUNNING;

/* What read(2) gives for a group with ids. Source: perf_event_open(2), PERF_FORMAT_GROUP. */
struct group_totals {
    uint64_t count, enabled_ns, running_ns;
    struct {
        uint64_t value, id;
    } values[SLW_MAX_GROUP_EVENTS];
};

/* PERF_RECORD_READ with the trailer of sample_id_all that our sample_type asks for. */
struct totals_record {
    struct perf_event_header header;
    int32_t pid, tid;
    uint64_t words[3 + 2 * SLW_MAX_GROUP_EVENTS + 4];
};

static bool useless(const struct slw_perf_env *env, const struct slw_plan_event *e)
{
    return slw_perf_sampled_mode(env) == SLW_MODE_USER && e->kernel_only;
}

static struct slw_sampled member(const struct slw_perf_env *env, const struct slw_sampled *sampler,
                                 const struct slw_plan_event *e, bool leads)
{
    struct slw_sampled m = {.name = e->name,
                            .attr = slw_perf_attr(env, e->type, e->config, e->config1)};

    slw_perf_set_mode(&m.attr, env->opts->mode);
    /* One sample_type for all: readers find the id of a record by it. Branch records alone need a
     * counter that has them. */
    m.attr.sample_type = sampler->attr.sample_type & ~(uint64_t)PERF_SAMPLE_BRANCH_STACK;
    m.attr.sample_regs_user = sampler->attr.sample_regs_user;
    m.attr.sample_stack_user = sampler->attr.sample_stack_user;
    m.attr.exclude_callchain_user = sampler->attr.exclude_callchain_user;
    m.attr.read_format = group_format;
    m.attr.sample_id_all = 1;
    m.attr.use_clockid = 1;
    m.attr.clockid = sampler->attr.clockid;
    m.attr.exclude_idle = sampler->attr.exclude_idle;
    m.attr.disabled = leads;
    m.attr.enable_on_exec = leads && env->target->enable_on_exec;
    return m;
}

void slw_sampling_add_group(const struct slw_perf_env *env, struct slw_sample_rings *r,
                            const struct slw_sample_group *group)
{
    struct slw_sampled *sampler = &r->sampled[0];
    const struct slw_plan_event *own = &group->events[group->sampling];

    /* The model's code for it, which is also right where there are several PMUs; the name stays. */
    if (own->model_event < 0)
        sampler->name = own->name;
    sampler->attr.type = own->type;
    sampler->attr.config = own->config;
    sampler->attr.config1 = own->config1;
    sampler->attr.sample_type |= PERF_SAMPLE_READ;
    sampler->attr.read_format = group_format;
    /* Held for good, a group of this size could leave the counting groups nothing: it takes turns
     * with them, and its own times say for how long it had the counters. */
    sampler->attr.pinned = 0;
    if (group->sampling != 0) {
        sampler->attr.disabled = 0;
        sampler->attr.enable_on_exec = 0;
    }
    for (size_t i = 0; i < group->event_count; i++) {
        if (i == group->sampling || useless(env, &group->events[i]))
            continue;
        if (i == 0)
            r->leader = r->sampled_count;
        r->sampled[r->sampled_count++] = member(env, sampler, &group->events[i], i == 0);
    }
}

/* ---- probing ---- */

static int open_for_probe(const struct slw_perf_env *env, const struct slw_sampled *s, int group_fd)
{
    const struct slw_spot spot = {0, -1, 0};
    struct perf_event_attr attr = s->attr;

    attr.disabled = group_fd < 0;
    attr.enable_on_exec = 0;
    attr.mmap = attr.mmap2 = attr.comm = attr.comm_exec = attr.task = 0;
    if (attr.freq) { /* a rate the kernel does not allow is lowered later */
        attr.freq = 0;
        attr.sample_period = 1000000;
    }
    return slw_perf_try_open(env, &attr, &spot, group_fd);
}

static const char *refusal(const struct slw_perf_env *env, const struct slw_sampled *s, int sys,
                           bool first)
{
    char text[200];

    if (sys == EINVAL && first)
        return "this kernel does not read counters with the samples of inherited events";
    const char *reason = slw_perf_reason(env, sys);
    (void)snprintf(text, sizeof(text), "%s in a group with the others: %s", s->name,
                   reason ? reason : "refused");
    const char *why = slw_run_str(env->run, text);
    return why ? why : "an event was refused";
}

/* Opening is no promise: a group too large for the counters opens on some CPUs and never runs. */
static bool runs(const struct slw_perf_env *env, int leader)
{
    struct group_totals t = {0};

    if (env->sys->ioctl(leader, PERF_EVENT_IOC_ENABLE, NULL) < 0)
        return false;
    uint64_t start_ns = env->sys->now_ns();
    for (int i = 0; i < PROBE_READS && env->sys->now_ns() - start_ns < PROBE_NS; i++)
        ;
    return env->sys->read(leader, &t, sizeof(t)) > 0 && t.running_ns > 0;
}

bool slw_sampling_probe_group(const struct slw_perf_env *env, const struct slw_sample_rings *r,
                              const char **ret_why)
{
    int fds[SLW_MAX_SAMPLED];
    size_t count = 0;
    bool works = true;

    /* The leader first, then the sampled one if that is another, then the rest. */
    for (size_t i = 0; i <= r->sampled_count && works; i++) {
        size_t event = i == 0 ? r->leader : i - 1;

        if ((i > 0 && event == r->leader) || (event != 0 && event < r->first_member))
            continue;
        int fd = open_for_probe(env, &r->sampled[event], count == 0 ? -1 : fds[0]);
        works = fd >= 0;
        if (works)
            fds[count++] = fd;
        else
            *ret_why = refusal(env, &r->sampled[event], -fd, count == 0);
    }
    if (works && count > 0 && !runs(env, fds[0])) {
        *ret_why = "its counters never ran together, though the kernel took the group";
        works = false;
    }
    for (size_t i = 0; i < count; i++)
        env->sys->close(fds[i]);
    return works;
}

/* ---- totals ---- */

static size_t fill_record(const struct slw_perf_env *env, const struct group_totals *t,
                          struct totals_record *ret_record)
{
    struct totals_record rec = {.header = {.type = PERF_RECORD_READ}, .pid = -1, .tid = -1};
    size_t words = 3 + 2 * (size_t)t->count;

    memcpy(rec.words, t, words * sizeof(rec.words[0]));
    memset(&rec.words[words++], 0xff, sizeof(rec.words[0])); /* pid, tid: of everybody */
    rec.words[words++] = env->sys->now_ns();
    rec.words[words++] = UINT32_MAX; /* cpu */
    rec.words[words++] = t->values[0].id;
    rec.header.size =
        (uint16_t)(offsetof(struct totals_record, words) + words * sizeof(rec.words[0]));
    *ret_record = rec;
    return rec.header.size;
}

/* A descriptor that cannot be read leaves its share of the books open; nothing else is lost. */
void slw_sampling_write_totals(const struct slw_perf_env *env, struct slw_sample_rings *r)
{
    for (size_t i = 0; i < r->ring_count * r->thread_count && !slw_spool_full(r->spool); i++) {
        struct group_totals t = {0};
        struct totals_record record;
        uint64_t written = 0;
        int fd = r->sampled[r->leader].fds[i];
        ssize_t n = fd < 0 ? 0 : env->sys->read(fd, &t, sizeof(t));

        if (n < (ssize_t)(3 * sizeof(uint64_t)) || t.count == 0 || t.count > SLW_MAX_GROUP_EVENTS ||
            (size_t)n < (3 + 2 * (size_t)t.count) * sizeof(uint64_t))
            continue;
        struct iovec part = {.iov_base = &record, .iov_len = fill_record(env, &t, &record)};
        if (slw_spool_write(r->spool, &part, 1, &written) < 0)
            slw_spool_cut(r->spool, written);
    }
}

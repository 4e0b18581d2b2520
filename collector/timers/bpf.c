/* SPDX-License-Identifier: MIT */
#include "collector/taps/bpf/load.h"
#include "collector/target.h"
#include "collector/timers/filter.h"
#include "collector/timers/timers.skel.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

struct slw_timer_filter {
    struct slw_timers_skeleton *skeleton;
    int stats; /* while it is open the kernel measures the time of BPF programs; -1: refused */
};

static void configure(struct slw_timers_skeleton *s, const struct slw_live_target *t,
                      uint32_t process_max)
{
    const bool group = t->kind == SLW_TARGET_CGROUP;
    struct bpf_program *const follow[] = {s->progs.on_fork, s->progs.on_exec, s->progs.on_free,
                                          s->progs.find};

    s->rodata->by_cgroup = group;
    s->rodata->wanted_pid = (uint32_t)t->pid;
    s->rodata->wanted_state = t->enable_on_exec ? SLW_TIMER_HELD : SLW_TIMER_FOLLOWED;
    (void)bpf_map__set_max_entries(s->maps.processes, group ? 1 : process_max);
    for (size_t i = 0; group && i < sizeof(follow) / sizeof(follow[0]); i++)
        (void)bpf_program__set_autoload(follow[i], false);
}

static int follow_cgroup(struct slw_timers_skeleton *s, const struct slw_live_target *t,
                         struct slw_error *err)
{
    const uint32_t first = 0;

    if (bpf_map_update_elem(bpf_map__fd(s->maps.cgroup), &first, &t->cgroup_fd, BPF_ANY) < 0)
        return slw_fail(err, SLW_E_UNSUPPORTED, "BPF programs know cgroups of version 2 only");
    return 0;
}

/* The program runs for each task that we see; it prints nothing. */
static int follow_process(struct slw_timers_skeleton *s, const struct slw_live_target *t,
                          struct slw_error *err)
{
    char nothing[64];
    ssize_t n = -1;
    const int fd = bpf_iter_create(bpf_link__fd(s->links.find));

    if (fd < 0)
        return slw_bpf_refused(errno, "tasks", err);
    do
        n = read(fd, nothing, sizeof(nothing));
    while (n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN)));
    const int failed = errno;
    (void)close(fd);
    if (n < 0)
        return slw_bpf_refused(failed, "tasks", err);
    return s->bss->found ? 0 : slw_fail(err, SLW_E_GONE, "process %d is gone", t->pid);
}

static int load(struct slw_timer_filter *f, const struct slw_live_target *t, uint32_t process_max,
                struct slw_error *err)
{
    f->skeleton = slw_timers_skeleton__open();
    if (!f->skeleton)
        return slw_bpf_refused(errno, "open", err);
    configure(f->skeleton, t, process_max);
    int rc = slw_timers_skeleton__load(f->skeleton);
    if (rc < 0)
        return slw_bpf_refused(-rc, "load", err);
    if (t->kind == SLW_TARGET_CGROUP)
        return follow_cgroup(f->skeleton, t, err);
    /* Forks are seen before the process is looked for: nothing it starts slips through. */
    rc = slw_timers_skeleton__attach(f->skeleton);
    return rc < 0 ? slw_bpf_refused(-rc, "attach", err) : follow_process(f->skeleton, t, err);
}

int slw_timer_filter_open(const struct slw_live_target *target, uint32_t process_max,
                          struct slw_timer_filter **ret_filter, struct slw_error *err)
{
    struct slw_timer_filter *f = calloc(1, sizeof(*f));

    if (!f)
        return slw_fail(err, SLW_E_NOMEM, "no memory for the filter of samples");
    f->stats = -1;
    libbpf_print_fn_t before = libbpf_set_print(slw_bpf_say_nothing);
    int rc = load(f, target, process_max, err);
    (void)libbpf_set_print(before);
    if (rc < 0) {
        slw_timer_filter_close(f);
        return rc;
    }
    f->stats = bpf_enable_stats(BPF_STATS_RUN_TIME); /* as good without: then nobody knows */
    *ret_filter = f;
    return 0;
}

void slw_timer_filter_close(struct slw_timer_filter *f)
{
    if (!f)
        return;
    if (f->stats >= 0)
        (void)close(f->stats);
    slw_timers_skeleton__destroy(f->skeleton);
    free(f);
}

int slw_timer_filter_program(const struct slw_timer_filter *f)
{
    return bpf_program__fd(f->skeleton->progs.on_tick);
}

uint64_t slw_timer_filter_lost(const struct slw_timer_filter *f)
{
    return f->skeleton->bss->lost;
}

uint64_t slw_timer_filter_time_ns(const struct slw_timer_filter *f)
{
    return slw_bpf_time_ns(f->skeleton->obj);
}

uint64_t slw_timer_filter_bytes(const struct slw_timer_filter *f)
{
    return slw_bpf_map_bytes(f->skeleton->obj);
}

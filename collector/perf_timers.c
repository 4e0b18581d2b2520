/* SPDX-License-Identifier: MIT */
/* One timer for each CPU in place of one for each task and CPU: those of tasks are set anew
 * whenever the kernel switches to one, which in a virtual machine leaves the guest each time. A BPF
 * program keeps the target's samples (timers/). Only for samples of the CPU clock: a counter of
 * events is saved and restored at switches anyway. */
#include "collector/perf_int.h"

#include "collector/tap.h"
#include "collector/timers/filter.h"

#include <errno.h>

/* Timers also interrupt CPUs that run something else, and wake those that idle. In a virtual
 * machine a tick takes some 15 us, nearly all of it outside of the guest: at most 6 % of what
 * others do. */
#define MAX_TICKS_PER_S 4000
/* More CPUs are woken for nothing than a client needs. */
#define MAX_CPUS 64

static uint64_t ticks_per_s(const struct slw_perf_env *env)
{
    const uint64_t period_ns = env->opts->period;

    if (env->opts->frequency_hz > 0)
        return env->opts->frequency_hz;
    return period_ns > 0 ? UINT64_C(1000000000) / period_ns : 0;
}

/* The machine's own samples are taken so anyway, and nobody's are left out. */
static bool is_choice(const struct slw_perf_env *env, const struct slw_sample_rings *r)
{
    return env->opts->timers != SLW_TIMERS_TASK && env->target->kind != SLW_TARGET_ALL &&
           r->event->source == SLW_SOURCE_SOFTWARE;
}

static int check(const struct slw_perf_env *env, bool group, struct slw_error *err)
{
    const uint64_t ticks = ticks_per_s(env);

    if (group)
        return slw_fail(err, SLW_E_UNSUPPORTED,
                        "counters are read with every sample, and those of a CPU are not the "
                        "target's alone");
    if (ticks > MAX_TICKS_PER_S)
        return slw_fail(err, SLW_E_UNSUPPORTED,
                        "whatever runs on a CPU would be interrupted %llu times a second, and %d "
                        "are the limit",
                        (unsigned long long)ticks, MAX_TICKS_PER_S);
    if (env->target->cpu_count > MAX_CPUS)
        return slw_fail(err, SLW_E_UNSUPPORTED,
                        "this machine has %zu CPUs, which would all be interrupted, and %d are the "
                        "limit",
                        env->target->cpu_count, MAX_CPUS);
    return 0;
}

int slw_timers_attach(const struct slw_perf_env *env, const struct slw_timer_filter *filter, int fd,
                      struct slw_error *err)
{
    /* The kernel takes the descriptor itself for a pointer. */
    void *program = (void *)(intptr_t)slw_timer_filter_program(filter); // NOLINT
    const int rc = env->sys->ioctl(fd, PERF_EVENT_IOC_SET_BPF, program);

    if (rc < 0)
        return slw_fail_sys(err, rc == -EACCES || rc == -EPERM ? SLW_E_PERM : SLW_E_UNSUPPORTED,
                            -rc, "the kernel lets no BPF program choose among samples");
    return 0;
}

/* On one CPU, what will be done on all of them. */
static int try_one(const struct slw_perf_env *env, const struct slw_sample_rings *r,
                   const struct slw_timer_filter *filter, struct slw_error *err)
{
    struct perf_event_attr attr = slw_perf_attr(env, r->event->type, r->event->config, 0);
    const struct slw_spot spot = {-1, env->target->cpus[0], 0};

    attr.inherit = 0;
    attr.sample_period = UINT32_MAX;
    const int fd = slw_perf_try_open(env, &attr, &spot, -1);
    if (fd < 0)
        return slw_perf_fail(env, "the clock of a CPU", -fd, err);
    const int rc = slw_timers_attach(env, filter, fd, err);
    env->sys->close(fd);
    return rc;
}

int slw_timers_open(const struct slw_perf_env *env, bool group, struct slw_sample_rings *r,
                    struct slw_error *err)
{
    struct slw_timer_filter *filter = NULL;
    struct slw_error why = {0};

    if (!is_choice(env, r))
        return 0;
    int rc = check(env, group, &why);
    if (rc == 0)
        rc = slw_timer_filter_open(env->target, SLW_TIMER_PROCESSES, &filter, &why);
    if (rc == 0)
        rc = try_one(env, r, filter, &why);
    if (rc == 0) {
        env->run->self.ring_bytes += slw_timer_filter_bytes(filter);
        r->filter = filter;
        return 0;
    }
    slw_timer_filter_close(filter);
    if (env->opts->timers == SLW_TIMERS_CPU) {
        if (err && err->code == SLW_E_OK)
            *err = why;
        return rc;
    }
    r->timers_reason = slw_run_str(env->run, why.text);
    return 0;
}

static void tell_costs(const struct slw_perf_env *env, const struct slw_timer_filter *filter)
{
    const uint64_t lost = slw_timer_filter_lost(filter);

    slw_tap_tell_bpf_time(env->run, slw_timer_filter_time_ns(filter));
    if (lost > 0)
        (void)slw_run_note(env->run, SLW_NOTE_WARNING, "sampling-processes-lost",
                           "measure with --timers task",
                           "%llu processes of the target could not be told from others, because "
                           "there were too many at a time: no sample is theirs",
                           (unsigned long long)lost);
}

void slw_timers_collect(const struct slw_perf_env *env, const struct slw_sample_rings *r,
                        struct slw_sampling *s)
{
    if (r->event->source != SLW_SOURCE_SOFTWARE)
        return;
    s->timers = r->filter || env->target->kind == SLW_TARGET_ALL ? "cpu" : "task";
    s->timers_reason = r->timers_reason;
    if (r->filter)
        tell_costs(env, r->filter);
}

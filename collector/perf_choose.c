/* SPDX-License-Identifier: MIT */
/* Which events take samples and track mappings, with what attributes, and what is given up where a
 * kernel lacks it. perf_sample.c opens them. */
#include "collector/perf_int.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/parse.h"
#include "collector/call_graph.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

bool slw_sampling_copies_stacks(const struct slw_sample_rings *r)
{
    return r->how == SLW_CALL_GRAPH_AUTO || r->how == SLW_CALL_GRAPH_DWARF;
}

/* Never attr.build_id: one listener that asks makes the kernel mark the record for every listener,
 * also for those it gives device and inode in that place (perf_event_mmap_output), and perf of
 * Linux 6.1 dies of it. Build ids are read from the files (analyzer/symbols.h). */
static void set_tracking(const struct slw_sample_rings *r, struct perf_event_attr *attr)
{
    attr->mmap = 1;
    attr->mmap_data =
        slw_sampling_copies_stacks(r); /* perf reads the unwind tables through these */
    attr->mmap2 = 1;
    attr->comm = 1;
    attr->comm_exec = 1;
    attr->task = 1;
}

static void set_common(struct perf_event_attr *attr)
{
    attr->sample_type = PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_IP | PERF_SAMPLE_TID |
                        PERF_SAMPLE_TIME | PERF_SAMPLE_CPU | PERF_SAMPLE_PERIOD;
    attr->sample_id_all = 1;
    attr->use_clockid = 1;
    attr->clockid = CLOCK_MONOTONIC;
    attr->watermark = 1; /* and a wakeup_watermark of 0: wake us when the ring is half full */
}

static struct perf_event_attr sampling_attr(const struct slw_perf_env *env,
                                            const struct slw_sample_rings *r)
{
    const struct slw_perf_event *event = r->event;
    struct perf_event_attr attr = slw_perf_attr(env, event->type, event->config, 0);

    set_common(&attr);
    slw_call_graph_ask(r->how, env->opts->stack_bytes, &attr);
    slw_perf_set_mode(&attr, env->opts->mode);
    /* An idle CPU executes nothing of interest. A cycle counter stands still there by itself, and
     * Arm's driver refuses to be told. */
    attr.exclude_idle = env->target->kind == SLW_TARGET_ALL && event->source == SLW_SOURCE_SOFTWARE;
    attr.freq = env->opts->frequency_hz > 0;
    attr.sample_period = attr.freq ? env->opts->frequency_hz : env->opts->period;
    attr.enable_on_exec = env->target->enable_on_exec;
    if (r->filter) {
        attr.inherit = attr.enable_on_exec = 0;
        attr.exclude_idle = 1;
    }
    /* Counting groups take turns on the counters; samples that took turns with them would miss what
     * runs meanwhile. The plan leaves a counter free for this. */
    attr.pinned = event->source == SLW_SOURCE_HARDWARE;
    attr.read_format =
        PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING; /* coverage */
    return attr;
}

static struct perf_event_attr tracking_attr(const struct slw_perf_env *env,
                                            const struct slw_sample_rings *r)
{
    struct perf_event_attr attr = slw_perf_attr(env, PERF_TYPE_SOFTWARE, PERF_COUNT_SW_DUMMY, 0);

    set_common(&attr);
    set_tracking(r, &attr);
    attr.sample_period = 1;
    attr.exclude_kernel = 1; /* it counts nothing; this way nobody is refused it */
    attr.exclude_hv = 1;
    attr.disabled = env->target->kind == SLW_TARGET_COMMAND;
    attr.enable_on_exec = attr.disabled;
    return attr;
}

/* ---- what this kernel lacks ---- */

/* The rate above which the kernel refuses; it lowers that by itself on slow machines. 0: unknown.
 */
static uint64_t max_sample_rate(void)
{
    char *SLW_AUTO(free) text = NULL;
    uint64_t rate = 0;

    if (slw_file_read("/proc/sys/kernel/perf_event_max_sample_rate", 64, &text, NULL, NULL) < 0)
        return 0;
    text[strcspn(text, "\n")] = '\0';
    (void)slw_parse_u64(text, "rate", 0, UINT64_MAX, &rate, NULL);
    return rate;
}

bool slw_sampling_concede(const struct slw_perf_env *env, struct perf_event_attr *attr)
{
    uint64_t rate = attr->freq ? max_sample_rate() : 0;

    if (attr->freq && rate > 0 && attr->sample_freq > rate) {
        (void)slw_run_note(env->run, SLW_NOTE_WARNING, "frequency-lowered",
                           "sudo sysctl kernel.perf_event_max_sample_rate=100000",
                           "the kernel allows at most %llu samples per second, %llu were asked for",
                           (unsigned long long)rate, (unsigned long long)attr->sample_freq);
        attr->sample_freq = rate;
        return true;
    }
    if (env->opts->call_graph == SLW_CALL_GRAPH_AUTO && slw_call_graph_fall_back(attr)) {
        (void)slw_run_note(env->run, SLW_NOTE_WARNING, "no-stack-copies", NULL,
                           "this kernel copies no registers and stacks with samples: callers are "
                           "found by frame pointers, which most libraries do not keep");
        return true;
    }
    return false;
}

/* ---- choosing ---- */

static void choose_events(const struct slw_perf_env *env, struct slw_sample_rings *r)
{
    r->sampled[0] = (struct slw_sampled){.name = r->event->name, .attr = sampling_attr(env, r)};
    r->sampled_count = 1;
    if (env->target->enable_on_exec && !r->filter) {
        set_tracking(r, &r->sampled[0].attr); /* on from the first mapping of the program */
    } else {
        r->sampled[1] = (struct slw_sampled){.name = "dummy:u", .attr = tracking_attr(env, r)};
        r->sampled_count = 2;
    }
    r->leader = 0;
    r->tracking = r->sampled_count - 1;
    r->first_member = r->sampled_count;
}

/* Samples without counters where they cannot be had: the stacks are worth having alone. */
static void choose_group(const struct slw_perf_env *env, struct slw_sample_rings *r,
                         const struct slw_sample_group *group)
{
    const char *why = group->why;

    if (group->event_count > 0) {
        slw_sampling_add_group(env, r, group);
        if (slw_sampling_probe_group(env, r, &why))
            return;
        choose_events(env, r);
    }
    (void)slw_run_note(env->run, SLW_NOTE_WARNING, "no-per-function",
                       "Linux 6.12 or newer with a PMU that holds the group can do it",
                       "per-function top-down is not possible here: %s", why);
}

void slw_sampling_choose(const struct slw_perf_env *env, struct slw_sample_rings *r,
                         const struct slw_sample_group *group)
{
    choose_events(env, r);
    if (group)
        choose_group(env, r, group);
}

/* SPDX-License-Identifier: MIT */
/* Samples that carry the values of a group of counters: what each counter counted since the last
 * reading goes to the function the sample found, and what nobody can be charged with is told. The
 * differences are not scaled by the time the group held its counters: within a group that cancels
 * out, and over functions it would make a few samples stand for all (docs/per-function.md). */
#include "analyzer/samples_int.h"

#include <string.h>

/* The room's callback takes what it does not change; naming loads symbols. */
struct reader {
    struct slw_samples *s;
};

/* The leaves are locations. Without symbols nobody knows. */
static bool same_function(const void *ctx, uint32_t leaf_a, uint32_t leaf_b)
{
    struct slw_samples *s = ((const struct reader *)ctx)->s;
    const char *name_a, *name_b;
    uint32_t mapping_a, mapping_b;

    if (leaf_a == leaf_b)
        return true;
    /* False also when out of memory: nothing is claimed. */
    return slw_samples_name(s, leaf_a, &name_a) == 0 && slw_samples_name(s, leaf_b, &name_b) == 0 &&
           name_a[0] && (name_a == name_b || strcmp(name_a, name_b) == 0) &&
           slw_samples_mapping(s, leaf_a, &mapping_a) == 0 &&
           slw_samples_mapping(s, leaf_b, &mapping_b) == 0 && mapping_a == mapping_b &&
           slw_samples_kind(s, leaf_a) == slw_samples_kind(s, leaf_b);
}

/* Reading i of the sample; false: the id is nobody's. */
static bool reading_at(const struct slw_samples *s, const struct slw_perf_record *r, uint64_t i,
                       struct slw_counter_reading *ret_reading, uint32_t *ret_event)
{
    const struct slw_perf_sample *p = &r->sample;
    uint64_t id = slw_perf_value(&p->read, i * p->read_stride + p->read_id_index);

    if (!slw_perfdata_find_id(s->pd, id, &ret_reading->id, ret_event))
        return false;
    uint64_t flags = slw_perfdata_event(s->pd, *ret_event)->attr.flags;
    ret_reading->tid = flags & SLW_PERF_ATTR_INHERIT ? r->tid : SLW_SHARED_COUNTER;
    ret_reading->value = slw_perf_value(&p->read, i * p->read_stride);
    ret_reading->has_times = p->has_read_times;
    ret_reading->enabled_ns = p->read_enabled_ns;
    ret_reading->running_ns = p->read_running_ns;
    return true;
}

/* One wrong counter spoils every ratio: a sample is charged with all of its group or with none. */
static bool all_good(struct slw_samples *s, const struct slw_perf_record *r)
{
    enum slw_reading_state worst = SLW_READING_GOOD;
    struct slw_counter_reading reading;
    uint32_t event;

    for (uint64_t i = 0; i < r->sample.read_count; i++) {
        if (!reading_at(s, r, i, &reading, &event))
            continue;
        enum slw_reading_state state = slw_group_reads_check(s->reads, &reading);
        if (state != SLW_READING_GOOD && worst != SLW_READING_BACKWARDS)
            worst = state;
    }
    s->backwards += worst == SLW_READING_BACKWARDS;
    s->implausible += worst == SLW_READING_IMPLAUSIBLE;
    return worst == SLW_READING_GOOD;
}

static void weigh_within(struct slw_samples *s, uint32_t event, uint64_t delta)
{
    const struct slw_event_columns *c = &s->events[event];

    if (c->within < 0)
        return;
    s->weights[c->within] += 1;
    s->weights[c->within + 1] += delta;
}

int slw_samples_weigh_read(struct slw_samples *s, const struct slw_perf_record *r, uint32_t leaf)
{
    const struct reader reader = {s};
    bool good = all_good(s, r), begun = false, within = false;
    struct slw_counter_reading reading;
    uint64_t delta, running_ns;
    uint32_t event;

    for (uint64_t i = 0; i < r->sample.read_count; i++) {
        if (!reading_at(s, r, i, &reading, &event))
            continue;
        if (!begun)
            within =
                slw_group_reads_begin(s->reads, &reading, r->tid, leaf, same_function, &reader);
        if (!begun && !good && slw_group_reads_distrust(s->reads, &reading))
            break;
        begun = true;
        int rc = slw_group_reads_take(s->reads, &reading, &delta, &running_ns);
        if (rc < 0)
            return rc;
        if (!good || delta == 0)
            continue;
        slw_samples_weigh(s, event, 1, delta);
        s->attributed[event] += delta;
        if (within)
            weigh_within(s, event, delta);
    }
    if (!good) /* it was sampled all the same */
        slw_samples_weigh(s, (size_t)r->event, 1, 0);
    return 0;
}

/* Only readings of everything that was measured: a recorder may also write one per thread. */
void slw_samples_final_read(struct slw_samples *s, const struct slw_perf_record *r)
{
    struct slw_counter_reading reading;
    uint32_t event;

    if (r->tid != -1 || r->sample.read_id_index == 0)
        return;
    for (uint64_t i = 0; i < r->sample.read_count; i++)
        if (reading_at(s, r, i, &reading, &event)) {
            s->final[event] += reading.value;
            s->has_final = true;
        }
}

int slw_samples_close_books(struct slw_samples *s)
{
    const struct slw_frame frame = {.function = SLW_AFTER_LAST_SAMPLE,
                                    .linkage = "",
                                    .file = "",
                                    .mapping = SLW_NO_MAPPING,
                                    .kind = SLW_FRAME_OTHER};
    size_t event_count = slw_perfdata_event_count(s->pd);
    bool any = false;
    uint32_t id;

    for (size_t i = 0; i < event_count && s->has_final; i++) {
        s->overdrawn += s->final[i] < s->attributed[i];
        if (s->final[i] <= s->attributed[i] || s->final[i] > INT64_MAX || s->events[i].count < 0)
            continue;
        slw_samples_weigh(s, i, 0, s->final[i] - s->attributed[i]);
        any = true;
    }
    if (!any || s->delivered == 0)
        return 0;
    int rc = slw_stacks_add_frame(s->stacks, &frame, &id);
    if (rc == 0)
        rc = slw_stacks_add(s->stacks, &id, 1, SLW_NO_THREAD, s->weights);
    slw_samples_total(s, rc == 0);
    s->refused += rc == -SLW_E_RANGE;
    return rc == -SLW_E_RANGE ? 0 : rc;
}

/* How much of the sampled event no function was charged with. */
static int note_remainder(struct slw_samples *s)
{
    for (size_t i = 0; i < slw_perfdata_event_count(s->pd); i++) {
        const struct slw_perf_event *e = slw_perfdata_event(s->pd, i);

        if (e->sample_count == 0 || s->final[i] <= s->attributed[i])
            continue;
        return slw_run_note(s->run, SLW_NOTE_INFO, "after-last-sample", NULL,
                            "%.2f %% of %s were counted after the last sample of their thread on "
                            "a CPU; they are in no function and shown as " SLW_AFTER_LAST_SAMPLE,
                            100.0 * (double)(s->final[i] - s->attributed[i]) / (double)s->final[i],
                            e->name);
    }
    return 0;
}

static int note_discarded(struct slw_samples *s)
{
    const unsigned long long discarded = s->backwards + s->implausible;

    if (discarded == 0)
        return 0;
    return slw_run_note(s->run, SLW_NOTE_WARNING, "reads-discarded", NULL,
                        "the counters of %llu samples were discarded: %llu had gone backwards, "
                        "%llu showed more events than a CPU can have in the time",
                        discarded, (unsigned long long)s->backwards,
                        (unsigned long long)s->implausible);
}

int slw_samples_read_notes(struct slw_samples *s)
{
    uint64_t enabled_ns, running_ns;
    int rc = note_discarded(s);

    slw_group_reads_times(s->reads, &enabled_ns, &running_ns);
    if (rc == 0 && enabled_ns > 0 && running_ns < enabled_ns - enabled_ns / 100)
        rc = slw_run_note(s->run, SLW_NOTE_INFO, "reads-multiplexed",
                          "count less beside them: --level 0",
                          "the counters read with the samples shared the PMU and ran %.0f %% of "
                          "the time; shares and ratios of functions are of that time",
                          100.0 * (double)running_ns / (double)enabled_ns);
    if (rc == 0 && s->has_final)
        rc = note_remainder(s);
    if (rc == 0 && s->overdrawn > 0)
        rc = slw_run_note(s->run, SLW_NOTE_WARNING, "reads-overdrawn", NULL,
                          "functions were charged with more events than were counted in all; "
                          "per-function numbers of this run are wrong");
    return rc;
}

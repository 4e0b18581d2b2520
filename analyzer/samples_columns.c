/* SPDX-License-Identifier: MIT */
/* Columns of the stack profile and samplings of the run, from the events of the file. Events of
 * one name (one per CPU type or per cgroup) share their columns. */
#include "analyzer/samples_int.h"
#include "base/arena.h"

#include <linux/perf_event.h>
#include <string.h>

/* Is the period time? perf and slotwise write waits as BPF output, told by its name. */
static bool is_clock(const struct slw_perf_event *e)
{
    const struct slw_perf_attr *a = &e->attr;

    if (a->type != PERF_TYPE_SOFTWARE)
        return false;
    if (a->config == PERF_COUNT_SW_BPF_OUTPUT)
        return e->name && strcmp(e->name, SLW_EVENT_OFFCPU) == 0;
    return a->config == PERF_COUNT_SW_CPU_CLOCK || a->config == PERF_COUNT_SW_TASK_CLOCK;
}

static struct slw_provenance provenance(const struct slw_samples *s, const struct slw_perf_attr *a)
{
    bool software = a->type == PERF_TYPE_SOFTWARE || a->type == PERF_TYPE_TRACEPOINT;

    return (struct slw_provenance){.source = software ? SLW_SOURCE_SOFTWARE : SLW_SOURCE_HARDWARE,
                                   .imported = s->opts->imported};
}

static const char *call_graph(const struct slw_perf_attr *a)
{
    if (!(a->sample_type & PERF_SAMPLE_CALLCHAIN))
        return "none";
    if (a->sample_type & PERF_SAMPLE_STACK_USER)
        return "dwarf";
    if (a->branch_sample_type & PERF_SAMPLE_BRANCH_CALL_STACK)
        return "lbr";
    return "fp";
}

static struct slw_sampling describe(const struct slw_samples *s, const struct slw_perf_event *e)
{
    const struct slw_perf_attr *a = &e->attr;
    struct slw_sampling sampling = {.event = e->name,
                                    .unit = is_clock(e) ? "nanoseconds" : "events",
                                    .mode = SLW_MODE_ALL,
                                    .from = provenance(s, a),
                                    .call_graph = call_graph(a)};

    if (a->flags & SLW_PERF_ATTR_EXCLUDE_KERNEL)
        sampling.mode = SLW_MODE_USER;
    else if (a->flags & SLW_PERF_ATTR_EXCLUDE_USER)
        sampling.mode = SLW_MODE_KERNEL;
    if (a->flags & SLW_PERF_ATTR_FREQ)
        sampling.frequency_hz = a->period_or_freq;
    else
        sampling.period = a->period_or_freq;
    return sampling;
}

/* The run's entry for the event; what the collector wrote there about it stays. */
static int find_sampling(struct slw_samples *s, const struct slw_sampling *sampling,
                         size_t *ret_index, struct slw_error *err)
{
    struct slw_run *run = s->run;

    for (size_t i = 0; i < run->sampling_count; i++)
        if (strcmp(run->samplings[i].event, sampling->event) == 0) {
            *ret_index = i;
            return 0;
        }
    int rc = slw_run_add_sampling(run, sampling, err);
    if (rc == 0)
        *ret_index = run->sampling_count - 1;
    return rc;
}

static int columns_of(const struct slw_column *columns, size_t count, const char *event)
{
    for (size_t i = 0; i < count; i += 2)
        if (strcmp(columns[i].event, event) == 0)
            return (int)i;
    return -1;
}

/* An event without samples gets no columns, but is listed: nothing happened is a result. The dummy
 * event that carries the recorder's bookkeeping is no measurement. */
static int add_event(struct slw_samples *s, size_t index, struct slw_column *columns,
                     size_t *column_count, struct slw_error *err)
{
    const struct slw_perf_event *e = slw_perfdata_event(s->pd, index);
    struct slw_event_columns *out = &s->events[index];
    struct slw_sampling sampling = describe(s, e);
    bool dummy = e->attr.type == PERF_TYPE_SOFTWARE && e->attr.config == PERF_COUNT_SW_DUMMY;
    bool group_read = (e->attr.sample_type & PERF_SAMPLE_READ) != 0;

    size_t listed = 0;

    *out = (struct slw_event_columns){
        .count = -1,
        .period = -1,
        .within = -1,
        .copies = (e->attr.sample_type & PERF_SAMPLE_STACK_USER) != 0,
        .calls = (e->attr.branch_sample_type & PERF_SAMPLE_BRANCH_CALL_STACK) != 0,
        .offcpu = strcmp(e->name, SLW_EVENT_OFFCPU) == 0};
    if (e->sample_count == 0 && (dummy || s->run->sampling_count >= SLW_MAX_SAMPLINGS))
        return 0;
    int rc = find_sampling(s, &sampling, &listed, err);
    if (rc < 0 || (e->sample_count == 0 && !group_read))
        return rc;
    int at = columns_of(columns, *column_count, e->name);
    if (at < 0) {
        if (*column_count + 2 > SLW_MAX_COLUMNS)
            return slw_fail(err, SLW_E_LIMIT, "samples of more than %d different events",
                            SLW_MAX_COLUMNS / 2);
        at = (int)*column_count;
        columns[at] = (struct slw_column){e->name, "count", sampling.from};
        columns[at + 1] = (struct slw_column){e->name, sampling.unit, sampling.from};
        s->samplings[at / 2] = listed;
        *column_count += 2;
    }
    out->count = at;
    out->period = at + 1;
    return 0;
}

/* The counters of a group read are read in one instant; one alone has nothing to be divided by. */
static bool in_group_read(const struct slw_perf_event *e)
{
    const uint64_t group = PERF_FORMAT_GROUP | PERF_FORMAT_ID;

    return (e->attr.sample_type & PERF_SAMPLE_READ) && (e->attr.read_format & group) == group;
}

/* A profile without room for them does without: they only tell how much its numbers are worth. */
static int add_within(struct slw_samples *s, struct slw_column *columns, size_t *column_count)
{
    for (size_t i = 0; i < slw_perfdata_event_count(s->pd); i++) {
        const struct slw_perf_event *e = slw_perfdata_event(s->pd, i);
        struct slw_event_columns *out = &s->events[i];

        if (out->count < 0 || !in_group_read(e) || *column_count + 2 > SLW_MAX_COLUMNS)
            continue;
        const char *name = slw_arena_printf(s->arena, "%s" SLW_WITHIN_SUFFIX, e->name);
        if (!name)
            return -SLW_E_NOMEM;
        out->within = columns_of(columns, *column_count, name);
        if (out->within >= 0)
            continue;
        out->within = (int)*column_count;
        columns[out->within] = columns[out->count];
        columns[out->within + 1] = columns[out->period];
        columns[out->within].event = columns[out->within + 1].event = name;
        s->samplings[out->within / 2] = SLW_NO_SAMPLING;
        *column_count += 2;
    }
    return 0;
}

int slw_samples_make_columns(struct slw_samples *s, struct slw_error *err)
{
    struct slw_column columns[SLW_MAX_COLUMNS];
    size_t event_count = slw_perfdata_event_count(s->pd), column_count = 0;
    int rc = 0;

    s->events = slw_arena_array(s->arena, event_count + 1, sizeof(*s->events));
    s->weights = slw_arena_array(s->arena, SLW_MAX_COLUMNS, sizeof(*s->weights));
    s->attributed = slw_arena_array(s->arena, event_count + 1, sizeof(*s->attributed));
    s->final = slw_arena_array(s->arena, event_count + 1, sizeof(*s->final));
    s->reads = slw_group_reads_new();
    if (!s->events || !s->weights || !s->attributed || !s->final || !s->reads)
        return slw_fail(err, SLW_E_NOMEM, "no memory for the events of perf.data");
    for (size_t i = 0; i < event_count && rc == 0; i++)
        rc = add_event(s, i, columns, &column_count, err);
    if (rc == 0 && add_within(s, columns, &column_count) < 0)
        rc = slw_fail(err, SLW_E_NOMEM, "no memory for the events of perf.data");
    if (rc == 0 && column_count > 0)
        rc = slw_stacks_new(columns, column_count, &s->stacks, err);
    return rc;
}

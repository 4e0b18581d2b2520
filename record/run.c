/* SPDX-License-Identifier: MIT */
#include "record/run.h"

#include "base/arena.h"
#include "base/buf.h"

#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static const char not_measured[] = "not measured";

static void set_unknown(struct slw_run *run)
{
    run->wall_ns.absent = not_measured;
    run->requests.absent = "no request counter was active";
    run->self.user_ns.absent = not_measured;
    run->self.system_ns.absent = not_measured;
    run->model.absent = "no CPU model was used";
    run->host.perf_event_paranoid = INT_MIN;
    run->host.kptr_restrict = -1;
    run->host.nmi_watchdog = -1;
    run->host.cpu = (struct slw_cpu){.family = -1,
                                     .model = -1,
                                     .stepping = -1,
                                     .implementer = -1,
                                     .part = -1,
                                     .variant = -1,
                                     .revision = -1,
                                     .smt = -1};
    run->command.pid = -1;
}

int slw_run_new(struct slw_run **ret_run, struct slw_error *err)
{
    struct slw_run *run = calloc(1, sizeof(*run));
    struct slw_arena *arena = slw_arena_new();

    if (!run || !arena) {
        free(run);
        slw_arena_free(arena);
        return slw_fail(err, SLW_E_NOMEM, "no memory for a run");
    }
    run->arena = arena;
    set_unknown(run);
    *ret_run = run;
    return 0;
}

void slw_run_free(struct slw_run *run)
{
    if (!run)
        return;
    free(run->counts);
    free(run->rounds);
    free(run->tasks);
    free(run->intervals);
    free(run->series);
    free(run->samplings);
    free(run->printed);
    free(run->other_models);
    free(run->connections);
    free(run->latencies);
    free(run->unwindings);
    free(run->waiting);
    free(run->waited_for);
    free(run->stages);
    free(run->observations);
    free(run->labels);
    free(run->notes);
    slw_arena_free(run->arena);
    free(run);
}

const char *slw_run_str(struct slw_run *run, const char *s)
{
    return slw_arena_strdup(run->arena, s);
}

/* Copy *field into the run's arena; false when out of memory. */
static bool own(struct slw_run *run, const char **field)
{
    if (!*field)
        return true;
    *field = slw_run_str(run, *field);
    return *field != NULL;
}

/* Room for one more element at the end of a doubling array; NULL when out of memory. */
static void *grown(void *array, size_t count, size_t element_bytes)
{
    if (count != 0 && (count & (count - 1)) != 0)
        return array;
    return realloc(array, (count ? count * 2 : 1) * element_bytes);
}

#define APPEND(array, count, element, max, what)                                                   \
    do {                                                                                           \
        if ((count) >= (max))                                                                      \
            return slw_fail(err, SLW_E_LIMIT, "more than %d " what, (int)(max));                   \
        void *more = grown((array), (count), sizeof(*(array)));                                    \
        if (!more)                                                                                 \
            return slw_fail(err, SLW_E_NOMEM, "no memory for " what);                              \
        (array) = more;                                                                            \
        (array)[(count)++] = (element);                                                            \
    } while (0)

static bool own_numbers(struct slw_run *run, uint64_t **numbers, size_t count)
{
    uint64_t *copy = slw_arena_array(run->arena, count + 1, sizeof(*copy));

    if (copy && count > 0)
        memcpy(copy, *numbers, count * sizeof(*copy));
    *numbers = copy;
    return copy != NULL;
}

int slw_run_add_count(struct slw_run *run, const struct slw_count *count, struct slw_error *err)
{
    struct slw_count c = *count;

    if (!own(run, &c.event) || !own(run, &c.unit) || !own(run, &c.pmu) || !own(run, &c.absent) ||
        !own(run, &c.from.detail) ||
        (c.replicate_count > 0 && !own_numbers(run, &c.replicates, c.replicate_count)))
        return slw_fail(err, SLW_E_NOMEM, "no memory for counts");
    APPEND(run->counts, run->count_count, c, SLW_MAX_COUNTS, "counts");
    return 0;
}

int slw_run_add_round(struct slw_run *run, const struct slw_round *round, struct slw_error *err)
{
    struct slw_round r = *round;

    if (!own(run, &r.wall_ns.absent) || !own(run, &r.requests.absent) || !own(run, &r.left_out))
        return slw_fail(err, SLW_E_NOMEM, "no memory for rounds");
    APPEND(run->rounds, run->round_count, r, SLW_MAX_PASSES, "rounds");
    return 0;
}

int slw_run_add_task(struct slw_run *run, const struct slw_counted_task *task,
                     struct slw_error *err)
{
    struct slw_counted_task t = *task;

    if (!own(run, &t.comm))
        return slw_fail(err, SLW_E_NOMEM, "no memory for tasks");
    APPEND(run->tasks, run->task_count, t, SLW_MAX_TASKS, "tasks");
    return 0;
}

int slw_run_add_interval(struct slw_run *run, const struct slw_time_slice *i, struct slw_error *err)
{
    APPEND(run->intervals, run->interval_count, *i, SLW_MAX_INTERVALS, "intervals");
    return 0;
}

int slw_run_add_series(struct slw_run *run, const struct slw_time_series *series,
                       struct slw_error *err)
{
    struct slw_time_series s = *series;

    if (!own_numbers(run, &s.raw, s.length) || !own_numbers(run, &s.enabled_ns, s.length) ||
        !own_numbers(run, &s.running_ns, s.length))
        return slw_fail(err, SLW_E_NOMEM, "no memory for a time line");
    APPEND(run->series, run->series_count, s, SLW_MAX_SERIES, "series");
    return 0;
}

const char *slw_run_check_series(const struct slw_run *run)
{
    for (size_t i = 0; i < run->series_count; i++) {
        const struct slw_time_series *s = &run->series[i];

        if (s->count_index < 0 || (size_t)s->count_index >= run->count_count)
            return "a series is of no count";
        if (run->counts[s->count_index].absent)
            return "a series is of a count that is absent";
        if (s->length != run->interval_count)
            return "a series has not one element for each interval";
        for (size_t k = 0; k < s->length; k++)
            if (s->running_ns[k] > s->enabled_ns[k])
                return "running_ns is larger than enabled_ns in a series";
    }
    return NULL;
}

int slw_run_add_sampling(struct slw_run *run, const struct slw_sampling *sampling,
                         struct slw_error *err)
{
    struct slw_sampling s = *sampling;

    if (!own(run, &s.event) || !own(run, &s.unit) || !own(run, &s.call_graph) ||
        !own(run, &s.timers) || !own(run, &s.timers_reason) || !own(run, &s.from.detail))
        return slw_fail(err, SLW_E_NOMEM, "no memory for sampled events");
    APPEND(run->samplings, run->sampling_count, s, SLW_MAX_SAMPLINGS, "sampled events");
    return 0;
}

int slw_run_add_printed(struct slw_run *run, const struct slw_printed *printed,
                        struct slw_error *err)
{
    struct slw_printed p = *printed;

    if (!own(run, &p.name) || !own(run, &p.value) || !own(run, &p.unit) ||
        !own(run, &p.threshold) || !own(run, &p.pmu) || !own(run, &p.from.detail))
        return slw_fail(err, SLW_E_NOMEM, "no memory for printed metrics");
    APPEND(run->printed, run->printed_count, p, SLW_MAX_PRINTED, "printed metrics");
    return 0;
}

int slw_run_add_model(struct slw_run *run, const struct slw_model_ref *model, struct slw_error *err)
{
    struct slw_model_ref m = *model;

    if (!own(run, &m.name) || !own(run, &m.source) || !own(run, &m.version) || !own(run, &m.pmu) ||
        !own(run, &m.absent))
        return slw_fail(err, SLW_E_NOMEM, "no memory for CPU models");
    APPEND(run->other_models, run->other_model_count, m, SLW_MAX_CORE_KINDS, "CPU models");
    return 0;
}

int slw_run_add_connection(struct slw_run *run, const struct slw_connection *connection,
                           struct slw_error *err)
{
    struct slw_connection c = *connection;

    if (!own(run, &c.protocol) || !own(run, &c.peer) || !own(run, &c.lost_why) ||
        !own(run, &c.from.detail))
        return slw_fail(err, SLW_E_NOMEM, "no memory for connections");
    APPEND(run->connections, run->connection_count, c, SLW_MAX_CONNECTIONS, "connections");
    return 0;
}

int slw_run_add_latency(struct slw_run *run, const struct slw_latency *latency,
                        struct slw_error *err)
{
    APPEND(run->latencies, run->latency_count, *latency, SLW_MAX_LATENCIES, "latencies");
    return 0;
}

uint64_t slw_unwinding_stacks(const struct slw_unwinding *u)
{
    uint64_t stacks = 0;

    for (int i = 0; i < SLW_UNWOUND_COUNT; i++)
        if (__builtin_add_overflow(stacks, u->ends[i], &stacks))
            return UINT64_MAX;
    return stacks;
}

static void add_up(uint64_t *sum, uint64_t n)
{
    if (__builtin_add_overflow(*sum, n, sum))
        *sum = UINT64_MAX;
}

int slw_run_add_unwinding(struct slw_run *run, const struct slw_unwinding *unwinding,
                          struct slw_error *err)
{
    struct slw_unwinding u = *unwinding;

    for (size_t i = 0; i < run->unwinding_count; i++) {
        struct slw_unwinding *known = &run->unwindings[i];
        if (strcmp(known->event, u.event) != 0)
            continue;
        for (int end = 0; end < SLW_UNWOUND_COUNT; end++)
            add_up(&known->ends[end], u.ends[end]);
        add_up(&known->by_frame_pointer, u.by_frame_pointer);
        known->copy_bytes = known->copy_bytes > u.copy_bytes ? known->copy_bytes : u.copy_bytes;
        return 0;
    }
    if (!own(run, &u.event))
        return slw_fail(err, SLW_E_NOMEM, "no memory for unwound stacks");
    APPEND(run->unwindings, run->unwinding_count, u, SLW_MAX_UNWINDINGS, "events with stacks");
    return 0;
}

int slw_run_add_waiting(struct slw_run *run, const struct slw_waiting *waiting,
                        struct slw_error *err)
{
    struct slw_waiting w = *waiting;

    if (!own(run, &w.comm) || !own(run, &w.syscalls.absent) || !own(run, &w.from.detail))
        return slw_fail(err, SLW_E_NOMEM, "no memory for threads");
    APPEND(run->waiting, run->waiting_count, w, SLW_MAX_WAITING, "threads");
    return 0;
}

int slw_run_add_waited_for(struct slw_run *run, const struct slw_waited_for *waited,
                           struct slw_error *err)
{
    struct slw_waited_for w = *waited;

    if (!own(run, &w.what))
        return slw_fail(err, SLW_E_NOMEM, "no memory for what was waited for");
    APPEND(run->waited_for, run->waited_for_count, w, SLW_MAX_WAITED_FOR, "things waited for");
    return 0;
}

int slw_run_add_stage(struct slw_run *run, const struct slw_stage *stage, struct slw_error *err)
{
    struct slw_stage s = *stage;
    bool owned = own(run, &s.name) && own(run, &s.provider) && own(run, &s.from.detail) &&
                 own(run, &s.counted_from.detail) && own(run, &s.cpu_ns.absent);

    for (int i = 0; i < SLW_STAGE_EVENT_COUNT; i++)
        owned = owned && own(run, &s.events[i].absent);
    if (!owned)
        return slw_fail(err, SLW_E_NOMEM, "no memory for stages");
    APPEND(run->stages, run->stage_count, s, SLW_MAX_STAGES, "stages");
    return 0;
}

const char *slw_wait_words(enum slw_wait state)
{
    static const char *const texts[] = {
#define SLW_WAIT(id, key, words) words,
#include "record/waits.def"
#undef SLW_WAIT
    };

    return texts[state];
}

/* The smallest power of two above length: what an observation's values have room for, so that
 * appending one copies seldom. */
static size_t value_room(size_t length)
{
    size_t room = 1;

    while (room <= length)
        room *= 2;
    return room;
}

int slw_run_add_observation(struct slw_run *run, const struct slw_observation *observation,
                            struct slw_error *err)
{
    struct slw_observation o = *observation;
    double *values = slw_arena_array(run->arena, value_room(o.length), sizeof(*values));

    if (!values || !own(run, &o.metric) || !own(run, &o.title) || !own(run, &o.unit) ||
        !own(run, &o.absent) || !own(run, &o.from.detail))
        return slw_fail(err, SLW_E_NOMEM, "no memory for observations");
    for (size_t i = 0; i < o.length; i++)
        values[i] = o.values[i];
    o.values = values;
    APPEND(run->observations, run->observation_count, o, SLW_MAX_OBSERVATIONS, "observations");
    return 0;
}

int slw_run_append_value(struct slw_run *run, size_t index, double value, struct slw_error *err)
{
    struct slw_observation *o = &run->observations[index];

    if (o->length >= SLW_MAX_ROUNDS)
        return slw_fail(err, SLW_E_LIMIT, "more than %d rounds", SLW_MAX_ROUNDS);
    if (value_room(o->length + 1) > value_room(o->length)) {
        double *values = slw_arena_array(run->arena, value_room(o->length + 1), sizeof(*values));

        if (!values)
            return slw_fail(err, SLW_E_NOMEM, "no memory for observations");
        for (size_t i = 0; i < o->length; i++)
            values[i] = o->values[i];
        o->values = values;
    }
    o->values[o->length++] = value;
    return 0;
}

int slw_run_add_label(struct slw_run *run, const char *key, const char *value,
                      struct slw_error *err)
{
    struct slw_label l = {key, value};

    if (!own(run, &l.key) || !own(run, &l.value))
        return slw_fail(err, SLW_E_NOMEM, "no memory for labels");
    APPEND(run->labels, run->label_count, l, SLW_MAX_LABELS, "labels");
    return 0;
}

static bool has_note(const struct slw_run *run, const char *code, const char *text)
{
    for (size_t i = 0; i < run->note_count; i++)
        if (strcmp(run->notes[i].code, code) == 0 && strcmp(run->notes[i].text, text) == 0)
            return true;
    return false;
}

static int add_note(struct slw_run *run, struct slw_note n)
{
    struct slw_error *err = NULL;

    if (has_note(run, n.code, n.text))
        return 0;
    if (!own(run, &n.code) || !own(run, &n.text) || !own(run, &n.hint))
        return -SLW_E_NOMEM;
    APPEND(run->notes, run->note_count, n, SLW_MAX_NOTES, "notes");
    return 0;
}

int slw_run_note(struct slw_run *run, enum slw_note_level level, const char *code, const char *hint,
                 const char *fmt, ...)
{
    struct slw_buf text = {0};
    va_list ap;

    va_start(ap, fmt);
    slw_buf_vprintf(&text, fmt, ap);
    va_end(ap);
    const struct slw_note n = {level, code, text.data ? text.data : "", hint};
    int rc = slw_buf_failed(&text) ? -SLW_E_NOMEM : add_note(run, n);
    slw_buf_release(&text);
    return rc;
}

const struct slw_count *slw_run_find_count(const struct slw_run *run, const char *event)
{
    for (size_t i = 0; i < run->count_count; i++) {
        const struct slw_count *c = &run->counts[i];

        if (c->pid == -1 && c->tid == -1 && c->cpu == -1 && strcmp(c->event, event) == 0)
            return c;
    }
    return NULL;
}

const struct slw_observation *slw_run_find_observation(const struct slw_run *run,
                                                       const char *metric)
{
    for (size_t i = 0; i < run->observation_count; i++)
        if (strcmp(run->observations[i].metric, metric) == 0)
            return &run->observations[i];
    return NULL;
}

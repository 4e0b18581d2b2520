/* SPDX-License-Identifier: MIT */
#include "record/field_macros_int.h"
#include "record/run_json_int.h"
#include "record/stacks.h"

#include <limits.h>

/* The tables store enums and int32_t through int. */
_Static_assert(sizeof(enum slw_source) == sizeof(int), "enums are ints");
_Static_assert(sizeof(int32_t) == sizeof(int), "pids and CPU numbers are ints");

static const char *const sources[] = {[SLW_SOURCE_HARDWARE] = "hardware",
                                      [SLW_SOURCE_SIMULATED] = "simulated",
                                      [SLW_SOURCE_SOFTWARE] = "software",
                                      [SLW_SOURCE_SOFTWARE + 1] = NULL};
static const char *const modes[] = {[SLW_MODE_ALL] = "all",
                                    [SLW_MODE_USER] = "user",
                                    [SLW_MODE_KERNEL] = "kernel",
                                    [SLW_MODE_KERNEL + 1] = NULL};
static const char *const targets[] = {
    [SLW_TARGET_COMMAND] = "command", [SLW_TARGET_PID] = "pid",
    [SLW_TARGET_ALL] = "all",         [SLW_TARGET_CGROUP] = "cgroup",
    [SLW_TARGET_IMPORT] = "import",   [SLW_TARGET_IMPORT + 1] = NULL};
static const char *const exits[] = {[SLW_EXIT_UNKNOWN] = "unknown",
                                    [SLW_EXIT_STATUS] = "status",
                                    [SLW_EXIT_SIGNAL] = "signal",
                                    [SLW_EXIT_STILL_RUNNING] = "still running",
                                    [SLW_EXIT_STILL_RUNNING + 1] = NULL};
static const char *const levels[] = {
    [SLW_NOTE_INFO] = "info", [SLW_NOTE_WARNING] = "warning", [SLW_NOTE_WARNING + 1] = NULL};

static const char *const latency_kinds[] = {[SLW_LATENCY_REQUEST] = "request",
                                            [SLW_LATENCY_BATCH] = "batch",
                                            [SLW_LATENCY_BATCH + 1] = NULL};

#define STRUCT slw_provenance
static const struct slw_field provenance_fields[] = {
    ENUM("source", source, sources), FLAG("imported", imported), TEXT("detail", detail), END};
#undef STRUCT

#define STRUCT slw_column
const struct slw_field slw_column_fields[] = {NAME("event", event), NAME("unit", unit),
                                              OBJECT("from", from, provenance_fields), END};
#undef STRUCT

#define STRUCT slw_cpu
static const struct slw_field cpu_fields[] = {TEXT("arch", arch),
                                              TEXT("vendor", vendor),
                                              TEXT("name", name),
                                              NATURAL("family", family),
                                              NATURAL("model", model),
                                              NATURAL("stepping", stepping),
                                              NATURAL("implementer", implementer),
                                              NATURAL("part", part),
                                              NATURAL("variant", variant),
                                              NATURAL("revision", revision),
                                              TEXT("microcode", microcode),
                                              INT("online_count", online_count, 0, 1, INT_MAX),
                                              INT("smt", smt, -1, 0, 1),
                                              END};
#undef STRUCT

#define STRUCT slw_host
static const struct slw_field host_fields[] = {
    TEXT("hostname", hostname),
    TEXT("os", os),
    TEXT("kernel", kernel),
    TEXT("hypervisor", hypervisor),
    OBJECT("cpu", cpu, cpu_fields),
    INT("perf_event_paranoid", perf_event_paranoid, INT_MIN, INT_MIN + 1, INT_MAX),
    NATURAL("kptr_restrict", kptr_restrict),
    NATURAL("nmi_watchdog", nmi_watchdog),
    TEXT("governor", governor),
    END};
#undef STRUCT

#define STRUCT slw_command
static const struct slw_field command_fields[] = {ENUM("kind", kind, targets),
                                                  TEXTS("argv", argv, argc),
                                                  NATURAL("pid", pid),
                                                  TEXT("cgroup", cgroup),
                                                  ENUM("exit", exit, exits),
                                                  EXIT("exit_value", exit_value, exit),
                                                  END};
#undef STRUCT

#define STRUCT slw_model_ref
static const struct slw_field model_fields[] = {
    TEXT("name", name), TEXT("source", source),         TEXT("version", version),
    TEXT("pmu", pmu),   REASON("absent", absent, name), END};
#undef STRUCT

#define STRUCT slw_losses
static const struct slw_field losses_fields[] = {
    U64("lost_records", lost_records),   U64("lost_samples", lost_samples),
    U64("throttled", throttled),         U64("unreadable_bytes", unreadable_bytes),
    U64("no_user_stack", no_user_stack), END};
#undef STRUCT

#define STRUCT slw_self_cost
static const struct slw_field self_fields[] = {
    MAYBE("user_ns", user_ns),      MAYBE("system_ns", system_ns),
    U64("ring_bytes", ring_bytes),  U64("spool_bytes", spool_bytes),
    U64("wakeups", wakeups),        STAMP("bpf_ns", bpf_ns),
    TEXT("bpf_absent", bpf_absent), END};
#undef STRUCT

#define STRUCT slw_count
static const struct slw_field count_fields[] = {
    NAME("event", event),
    TEXT("unit", unit),
    TEXT("pmu", pmu),
    ENUM("mode", mode, modes),
    OBJECT("from", from, provenance_fields),
    NATURAL("group", group),
    INT("round", round, 0, 1, SLW_MAX_ROUNDS),
    INT("pass", pass, 0, 1, SLW_MAX_PASSES),
    NATURAL("pid", pid),
    NATURAL("tid", tid),
    NATURAL("cpu", cpu),
    ABSENT("absent", absent),
    COUNTED("raw", raw),
    COUNTED("enabled_ns", enabled_ns),
    COUNTED("running_ns", running_ns),
    MARK("scaled", scaled),
    INT("covered_bp", covered_bp, 0, 0, 10000),
    SOME_NUMBERS("replicates", replicates, replicate_count),
    END};
#undef STRUCT

#define STRUCT slw_round
static const struct slw_field round_fields[] = {INT("round", round, 0, 1, SLW_MAX_ROUNDS),
                                                INT("pass", pass, 0, 1, SLW_MAX_PASSES),
                                                MARK("sampled", sampled),
                                                STAMP("started_ns", started_ns),
                                                MAYBE("wall_ns", wall_ns),
                                                MAYBE("requests", requests),
                                                ENUM("exit", exit, exits),
                                                EXIT("exit_value", exit_value, exit),
                                                TEXT("left_out", left_out),
                                                END};
#undef STRUCT

#define STRUCT slw_counted_task
static const struct slw_field task_fields[] = {NATURAL("pid", pid), NATURAL("tid", tid),
                                               TEXT("comm", comm), U64("task_count", task_count),
                                               END};
#undef STRUCT

#define STRUCT slw_time_slice
static const struct slw_field interval_fields[] = {U64("start_ns", start_ns),
                                                   U64("length_ns", length_ns), END};
#undef STRUCT

#define STRUCT slw_time_series
static const struct slw_field series_fields[] = {
    INT("count_index", count_index, -1, 0, INT_MAX), NUMBERS("raw", raw, length),
    NUMBERS("enabled_ns", enabled_ns, length), NUMBERS("running_ns", running_ns, length), END};
#undef STRUCT

#define STRUCT slw_sampling
static const struct slw_field sampling_fields[] = {NAME("event", event),
                                                   TEXT("unit", unit),
                                                   ENUM("mode", mode, modes),
                                                   OBJECT("from", from, provenance_fields),
                                                   STAMP("frequency_hz", frequency_hz),
                                                   STAMP("period", period),
                                                   TEXT("call_graph", call_graph),
                                                   TEXT("timers", timers),
                                                   TEXT("timers_reason", timers_reason),
                                                   U64("samples", samples),
                                                   U64("weight", weight),
                                                   END};
#undef STRUCT

#define STRUCT slw_printed
static const struct slw_field printed_fields[] = {NAME("name", name),
                                                  NAME("value", value),
                                                  TEXT("unit", unit),
                                                  TEXT("threshold", threshold),
                                                  TEXT("pmu", pmu),
                                                  NATURAL("count_index", count_index),
                                                  OBJECT("from", from, provenance_fields),
                                                  END};
#undef STRUCT

#define STRUCT slw_connection
static const struct slw_field connection_fields[] = {TEXT("protocol", protocol),
                                                     NAME("peer", peer),
                                                     NATURAL("pid", pid),
                                                     OBJECT("from", from, provenance_fields),
                                                     U64("connections", connections),
                                                     U64("lost", lost),
                                                     TEXT("lost_why", lost_why),
                                                     U64("requests", requests),
                                                     U64("responses", responses),
                                                     U64("errors", errors),
                                                     U64("statements", statements),
                                                     U64("prepares", prepares),
                                                     U64("pushes", pushes),
                                                     U64("rows", rows),
                                                     U64("flushes", flushes),
                                                     U64("flush_bytes", flush_bytes),
                                                     U64("max_batch", max_batch),
                                                     U64("depth_sum", depth_sum),
                                                     U64("max_depth", max_depth),
                                                     U64("sends", sends),
                                                     U64("sent_bytes", sent_bytes),
                                                     U64("sends_blocked", sends_blocked),
                                                     U64("reads", reads),
                                                     U64("received_bytes", received_bytes),
                                                     U64("reads_blocked", reads_blocked),
                                                     U64("latency_count", latency_count),
                                                     U64("latency_sum_ns", latency_sum_ns),
                                                     U64("latency_max_ns", latency_max_ns),
                                                     U64("batch_count", batch_count),
                                                     U64("batch_sum_ns", batch_sum_ns),
                                                     U64("batch_max_ns", batch_max_ns),
                                                     U64("merged", merged),
                                                     U64("unmatched", unmatched),
                                                     STAMP("bytes_unseen", bytes_unseen),
                                                     END};
#undef STRUCT

#define STRUCT slw_latency
static const struct slw_field latency_fields[] = {ENUM("of", of, latency_kinds),
                                                  U64("low_ns", low_ns), U64("high_ns", high_ns),
                                                  U64("count", count), END};
#undef STRUCT

#define STRUCT slw_waiting
#define SLW_WAIT(id, key, words)                                                                   \
    STAMP(#key "_ns", ns[SLW_WAIT_##id]), STAMP(#key "_waits", waits[SLW_WAIT_##id]),
static const struct slw_field waiting_fields[] = {NATURAL("pid", pid),
                                                  NATURAL("tid", tid),
                                                  TEXT("comm", comm),
                                                  OBJECT("from", from, provenance_fields),
                                                  FLAG("by_cause", by_cause),
                                                  U64("wall_ns", wall_ns),
#include "record/waits.def"
                                                  MAYBE("syscalls", syscalls),
                                                  U64("thread_count", thread_count),
                                                  U64("lost_threads", lost_threads),
                                                  END};
#undef SLW_WAIT
#undef STRUCT

#define STRUCT                      slw_unwinding
#define SLW_UNWOUND(id, key, words) STAMP(#key, ends[SLW_UNWOUND_##id]),
static const struct slw_field unwinding_fields[] = {NAME("event", event),
                                                    U64("copy_bytes", copy_bytes),
#include "record/unwound.def"
                                                    U64("by_frame_pointer", by_frame_pointer), END};
#undef SLW_UNWOUND
#undef STRUCT

#define STRUCT slw_waited_for
static const char *const wait_keys[] = {
#define SLW_WAIT(id, key, words) #key,
#include "record/waits.def"
#undef SLW_WAIT
    NULL};
static const struct slw_field waited_for_fields[] = {ENUM("state", state, wait_keys),
                                                     NAME("what", what),
                                                     NATURAL("pid", pid),
                                                     U64("ns", ns),
                                                     U64("waits", waits),
                                                     END};
#undef STRUCT

#define STRUCT     slw_stage
#define X(id, key) MAYBE(#key, events[SLW_STAGE_##id]),
static const struct slw_field stage_fields[] = {
    NAME("name", name),
    TEXT("provider", provider),
    OBJECT("from", from, provenance_fields),
    OBJECT("counted_from", counted_from, provenance_fields),
    U64("calls", calls),
    U64("requests", requests),
    U64("max_batch", max_batch),
    U64("wall_ns", wall_ns),
    U64("self_ns", self_ns),
    MAYBE("cpu_ns", cpu_ns),
    SLW_STAGE_EVENTS(X) U64("missed_begins", missed_begins),
    U64("missed_ends", missed_ends),
    END};
#undef X
#undef STRUCT

static const char *const betters[] = {[SLW_BETTER_LOWER] = "lower",
                                      [SLW_BETTER_HIGHER] = "higher",
                                      [SLW_BETTER_NEITHER] = "neither",
                                      [SLW_BETTER_NEITHER + 1] = NULL};

#define STRUCT slw_observation
static const struct slw_field observation_fields[] = {NAME("metric", metric),
                                                      NAME("title", title),
                                                      NAME("unit", unit),
                                                      ENUM("better", better, betters),
                                                      MARK("gateable", gateable),
                                                      REAL("step", step),
                                                      OBJECT("from", from, provenance_fields),
                                                      REALS("values", values, length),
                                                      TEXT("absent", absent),
                                                      END};
#undef STRUCT

#define STRUCT slw_label
static const struct slw_field label_fields[] = {NAME("key", key), NAME("value", value), END};
#undef STRUCT

#define STRUCT slw_note
static const struct slw_field note_fields[] = {ENUM("level", level, levels), NAME("code", code),
                                               NAME("text", text), TEXT("hint", hint), END};
#undef STRUCT

static const char *check_count(const void *element)
{
    const struct slw_count *c = element;

    if (!c->scaled && c->covered_bp != 0)
        return "covered_bp is for scaled counts only";
    return c->running_ns > c->enabled_ns ? "running_ns is larger than enabled_ns" : NULL;
}

static int add_count(struct slw_run *run, const void *element, struct slw_error *err)
{
    return slw_run_add_count(run, element, err);
}

static int add_round(struct slw_run *run, const void *element, struct slw_error *err)
{
    return slw_run_add_round(run, element, err);
}

static int add_task(struct slw_run *run, const void *element, struct slw_error *err)
{
    return slw_run_add_task(run, element, err);
}

static int add_interval(struct slw_run *run, const void *element, struct slw_error *err)
{
    return slw_run_add_interval(run, element, err);
}

static int add_series(struct slw_run *run, const void *element, struct slw_error *err)
{
    return slw_run_add_series(run, element, err);
}

static int add_sampling(struct slw_run *run, const void *element, struct slw_error *err)
{
    return slw_run_add_sampling(run, element, err);
}

static int add_printed(struct slw_run *run, const void *element, struct slw_error *err)
{
    return slw_run_add_printed(run, element, err);
}

static int add_model(struct slw_run *run, const void *element, struct slw_error *err)
{
    return slw_run_add_model(run, element, err);
}

static int add_connection(struct slw_run *run, const void *element, struct slw_error *err)
{
    return slw_run_add_connection(run, element, err);
}

static int add_latency(struct slw_run *run, const void *element, struct slw_error *err)
{
    return slw_run_add_latency(run, element, err);
}

static int add_unwinding(struct slw_run *run, const void *element, struct slw_error *err)
{
    return slw_run_add_unwinding(run, element, err);
}

static int add_waiting(struct slw_run *run, const void *element, struct slw_error *err)
{
    return slw_run_add_waiting(run, element, err);
}

static int add_waited_for(struct slw_run *run, const void *element, struct slw_error *err)
{
    return slw_run_add_waited_for(run, element, err);
}

static int add_stage(struct slw_run *run, const void *element, struct slw_error *err)
{
    return slw_run_add_stage(run, element, err);
}

static int add_observation(struct slw_run *run, const void *element, struct slw_error *err)
{
    return slw_run_add_observation(run, element, err);
}

static int add_label(struct slw_run *run, const void *element, struct slw_error *err)
{
    const struct slw_label *l = element;

    return slw_run_add_label(run, l->key, l->value, err);
}

static int add_note(struct slw_run *run, const void *element, struct slw_error *err)
{
    const struct slw_note *n = element;
    int rc = slw_run_note(run, n->level, n->code, n->hint, "%s", n->text);

    return rc < 0 ? slw_fail(err, (enum slw_code) - rc, "no room for a note") : 0;
}

static const struct slw_field_list counts = {count_fields, sizeof(struct slw_count), SLW_MAX_COUNTS,
                                             check_count, add_count};
static const struct slw_field_list rounds = {round_fields, sizeof(struct slw_round), SLW_MAX_PASSES,
                                             NULL, add_round};
static const struct slw_field_list tasks = {task_fields, sizeof(struct slw_counted_task),
                                            SLW_MAX_TASKS, NULL, add_task};
static const struct slw_field_list intervals = {interval_fields, sizeof(struct slw_time_slice),
                                                SLW_MAX_INTERVALS, NULL, add_interval};
static const struct slw_field_list series = {series_fields, sizeof(struct slw_time_series),
                                             SLW_MAX_SERIES, NULL, add_series};
static const struct slw_field_list samplings = {sampling_fields, sizeof(struct slw_sampling),
                                                SLW_MAX_SAMPLINGS, NULL, add_sampling};
static const struct slw_field_list printed = {printed_fields, sizeof(struct slw_printed),
                                              SLW_MAX_PRINTED, NULL, add_printed};
static const struct slw_field_list models = {model_fields, sizeof(struct slw_model_ref),
                                             SLW_MAX_CORE_KINDS, NULL, add_model};
static const struct slw_field_list connections = {connection_fields, sizeof(struct slw_connection),
                                                  SLW_MAX_CONNECTIONS, NULL, add_connection};
static const struct slw_field_list latencies = {latency_fields, sizeof(struct slw_latency),
                                                SLW_MAX_LATENCIES, NULL, add_latency};
static const struct slw_field_list unwindings = {unwinding_fields, sizeof(struct slw_unwinding),
                                                 SLW_MAX_UNWINDINGS, NULL, add_unwinding};
static const struct slw_field_list waiting = {waiting_fields, sizeof(struct slw_waiting),
                                              SLW_MAX_WAITING, NULL, add_waiting};
static const struct slw_field_list waited_for = {waited_for_fields, sizeof(struct slw_waited_for),
                                                 SLW_MAX_WAITED_FOR, NULL, add_waited_for};
static const struct slw_field_list stages = {stage_fields, sizeof(struct slw_stage), SLW_MAX_STAGES,
                                             NULL, add_stage};
static const struct slw_field_list observations = {observation_fields,
                                                   sizeof(struct slw_observation),
                                                   SLW_MAX_OBSERVATIONS, NULL, add_observation};
static const struct slw_field_list labels = {label_fields, sizeof(struct slw_label), SLW_MAX_LABELS,
                                             NULL, add_label};
static const struct slw_field_list notes = {note_fields, sizeof(struct slw_note), SLW_MAX_NOTES,
                                            NULL, add_note};

#define STRUCT slw_run
const struct slw_field slw_run_fields[] = {
    TEXT("tool", tool),
    STAMP("started_realtime_ns", started_realtime_ns),
    MAYBE("wall_ns", wall_ns),
    OBJECT("host", host, host_fields),
    OBJECT("command", command, command_fields),
    OBJECT("model", model, model_fields),
    SOME("other_models", other_models, other_model_count, models),
    MAYBE("requests", requests),
    OBJECT("losses", losses, losses_fields),
    OBJECT("self", self, self_fields),
    LIST("counts", counts, count_count, counts),
    SOME("tasks", tasks, task_count, tasks),
    SOME("intervals", intervals, interval_count, intervals),
    SOME("series", series, series_count, series),
    SOME("rounds", rounds, round_count, rounds),
    LIST("samplings", samplings, sampling_count, samplings),
    SOME("printed", printed, printed_count, printed),
    SOME("waiting", waiting, waiting_count, waiting),
    SOME("waited_for", waited_for, waited_for_count, waited_for),
    SOME("connections", connections, connection_count, connections),
    SOME("latencies", latencies, latency_count, latencies),
    SOME("stages", stages, stage_count, stages),
    SOME("unwindings", unwindings, unwinding_count, unwindings),
    TEXT("experiment", experiment.id),
    TEXT("arm", experiment.arm),
    STAMP("seed", experiment.seed),
    SOME("observations", observations, observation_count, observations),
    LIST("labels", labels, label_count, labels),
    LIST("notes", notes, note_count, notes),
    END};
#undef STRUCT

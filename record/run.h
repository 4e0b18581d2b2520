/* SPDX-License-Identifier: MIT */
/* A run: everything measured about one execution of a client, in memory. This and
 * record/stacks.h are the narrow waist: collector, importers and workloads fill them, analyzer,
 * flamegraph and the renderers read them. Plain data on purpose; every string belongs to the run's
 * arena. Unknown stays unknown: a number that was not measured is absent with a reason. */
#ifndef SLW_RECORD_RUN_H
#define SLW_RECORD_RUN_H

#include "base/error.h"
#include "record/unwound.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct slw_arena;

#define SLW_RUN_SCHEMA 1

/* Where a number comes from: architecture.md section 4. Imported numbers keep their source and say
 * that somebody else's tool measured them. */
enum slw_source { SLW_SOURCE_HARDWARE, SLW_SOURCE_SIMULATED, SLW_SOURCE_SOFTWARE };
struct slw_provenance {
    enum slw_source source;
    bool imported;
    const char *detail; /* NULL, or more: "reference core HASWELL, user mode", "perf stat 6.1" */
};

/* An integer that may be unknown. absent != NULL means value is meaningless and says why. */
struct slw_maybe_u64 {
    uint64_t value;
    const char *absent;
};

/* Privilege level a count covers: perf_event_attr.exclude_user / exclude_kernel. */
enum slw_mode { SLW_MODE_ALL, SLW_MODE_USER, SLW_MODE_KERNEL };

/* One counted event. Source: perf_event_open(2) PERF_FORMAT_TOTAL_TIME_*, getrusage(2), proc(5). */
struct slw_count {
    const char *event;  /* the model's or the kernel's name: "inst_retired.any", "task-clock" */
    const char *unit;   /* "events", "ns", "bytes", "slots" */
    const char *pmu;    /* "cpu_core" on hybrid machines: counted on cores of this kind only; NULL
                           when there is only one kind */
    enum slw_mode mode; /* what was counted, not what was asked for */
    struct slw_provenance from;
    int group;           /* events with one number were counted over the same time; -1: alone */
    int round;           /* of run->rounds it was counted in, from 1; 0: the run is one execution */
    int pass;            /* of that round, from 1; 0: the round is one execution */
    int32_t pid, tid;    /* -1: the whole target */
    int32_t cpu;         /* -1: all */
    const char *absent;  /* NULL: counted; else why not ("not supported", "never scheduled") */
    uint64_t raw;        /* events counted while scheduled; unscaled unless `scaled` */
    uint64_t enabled_ns; /* time the event asked for a counter; with `pmu`, on cores of its kind */
    uint64_t running_ns; /* time it held one; <= enabled_ns */
    /* The tool that was imported from has scaled raw to all of the time already: it must not be
     * scaled again. The times are 0 where that tool printed none; how much of the time was counted
     * stands here, in hundredths of a percent, which is what perf prints. */
    bool scaled;
    int covered_bp; /* 0 .. 10000; meaningless unless scaled */
    /* Of what is concluded from a sample of the instructions: what raw would be without each of its
     * subsamples (record/replicates.h). 0: none, or not known. */
    uint64_t *replicates;
    size_t replicate_count;
};

/* A thread, or a process with all its threads, that was counted by itself; its counts carry its pid
 * and tid. What no task can be charged with is the whole less all tasks. */
struct slw_counted_task {
    int32_t pid, tid;    /* tid -1: the whole process. Both 0: tasks too small to be listed */
    const char *comm;    /* its name, NULL: unknown */
    uint64_t task_count; /* threads counted together here; 1: only itself */
};

/* A stretch of the measurement, for its time line. */
struct slw_time_slice {
    uint64_t start_ns; /* since measuring began */
    uint64_t length_ns;
};

/* One whole-target count over the intervals: what came in each; the sum is the count. */
struct slw_time_series {
    int count_index; /* of run->counts */
    uint64_t *raw, *enabled_ns, *running_ns;
    size_t length; /* of all three: one element per interval of the run */
};

/* A metric as another tool computed and printed it. Kept to check ours against, and because some
 * outputs hold nothing else. The value stays text: what was printed is all that is known. */
struct slw_printed {
    const char *name;      /* as printed: "tma_backend_bound", "insn per cycle" */
    const char *value;     /* digits, '.' as decimal point: "43.2" */
    const char *unit;      /* "%", or NULL */
    const char *threshold; /* the tool's own verdict: "good", "bad"; NULL: none */
    const char *pmu;       /* as in struct slw_count */
    int count_index;       /* of run->counts: the count it stood next to; -1: none */
    struct slw_provenance from;
};

/* One sampled event, a column of the stack profile. */
struct slw_sampling {
    const char *event; /* "cycles", "cpu-clock" */
    const char *unit;  /* unit of the period: "nanoseconds" for clocks, else "events" */
    enum slw_mode mode;
    struct slw_provenance from;
    uint64_t frequency_hz;  /* 0: fixed period */
    uint64_t period;        /* 0: frequency mode */
    const char *call_graph; /* "fp", "none", ... */
    const char *timers; /* of a clock: "cpu", one for each, or "task", set whenever one gets a CPU;
                           NULL: not a clock, or unknown */
    const char *timers_reason; /* why they were not of CPUs; NULL: they were, or it was asked for */
    uint64_t samples;          /* samples read back */
    uint64_t weight;           /* sum of their periods, in unit */
};

enum slw_exit_kind { SLW_EXIT_UNKNOWN, SLW_EXIT_STATUS, SLW_EXIT_SIGNAL, SLW_EXIT_STILL_RUNNING };

/* One execution of the client in a run that is made of several. A round is one execution, or one
 * for each group of events: its passes. Values are computed for each round by itself. */
struct slw_round {
    int round; /* from 1; 0: an execution outside the rounds, which only the samples are of */
    int pass;  /* from 1; 0: the round is one execution */
    bool sampled;
    uint64_t
        started_ns; /* since its experiment began: what shows the order of the arms; 0: alone */
    struct slw_maybe_u64 wall_ns;
    struct slw_maybe_u64 requests;
    enum slw_exit_kind exit;
    int exit_value;
    const char *left_out; /* why the run holds no counts of it; NULL: it does, or needs none */
};

/* What comparisons are made of: one metric of the client, a value from each round (one value where
 * the run is a single execution). Values are per request where the metric says so, and never of
 * several rounds together: one execution is one observation (docs/statistics.md). */
enum slw_better { SLW_BETTER_LOWER, SLW_BETTER_HIGHER, SLW_BETTER_NEITHER };
struct slw_observation {
    const char *metric; /* the name a gate uses: "cpu_per_request", "p99"; unique in the run */
    const char *title;  /* as tables show it: "CPU time per request" */
    const char *unit;   /* "ns", "requests/s", "requests", "1" for ratios and shares */
    enum slw_better better;
    bool gateable; /* false: shown, never judged by a gate ("max") */
    double step;   /* values come in steps of this size at least (a clock, a printed precision, a
                      histogram bucket); 0: exact, as counts are */
    struct slw_provenance from;
    double *values;     /* values[i] is of round i + 1; NAN: that round has none */
    size_t length;      /* the same for every observation of a run; at most SLW_MAX_ROUNDS */
    const char *absent; /* why values are missing, of the last that is; NULL: none is missing */
};

/* The experiment a run is an arm of; id NULL: none. Arms with one id were measured in turn. */
struct slw_experiment_ref {
    const char *id;  /* 16 hexadecimal digits, random */
    const char *arm; /* "A", "B", "batch=4" */
    uint64_t seed;   /* of the order in which arms ran */
};

/* The CPU as the kernel names it. Absent parts are NULL or -1. */
struct slw_cpu {
    const char *arch;                         /* "x86_64", "aarch64" */
    const char *vendor;                       /* "GenuineIntel", "AuthenticAMD", "ARM" */
    const char *name;                         /* marketing name */
    int family, model, stepping;              /* x86 CPUID; -1 elsewhere */
    int implementer, part, variant, revision; /* arm64 MIDR_EL1; -1 elsewhere */
    const char *microcode;
    int online_count;
    int smt; /* 1: two hardware threads a core are online, 0: not, -1: unknown */
};

struct slw_host {
    const char *hostname;
    const char *os;         /* "Debian GNU/Linux 12 (bookworm)" */
    const char *kernel;     /* uname release */
    const char *hypervisor; /* "KVM", NULL when none is seen */
    struct slw_cpu cpu;
    int perf_event_paranoid; /* INT_MIN: unreadable */
    int kptr_restrict;       /* -1: unreadable */
    int nmi_watchdog;        /* -1: unreadable */
    const char *governor;    /* cpufreq; NULL: none */
};

enum slw_target_kind {
    SLW_TARGET_COMMAND,
    SLW_TARGET_PID,
    SLW_TARGET_ALL,
    SLW_TARGET_CGROUP,
    SLW_TARGET_IMPORT
};

struct slw_command {
    enum slw_target_kind kind;
    const char **argv; /* argc strings; empty for -a */
    size_t argc;
    int32_t pid;        /* of the command or the target; -1: none */
    const char *cgroup; /* NULL unless SLW_TARGET_CGROUP */
    enum slw_exit_kind exit;
    int exit_value; /* status or signal number */
};

struct slw_label {
    const char *key, *value;
};

/* Were the counts taken while certain tasks ran, rather than on whole CPUs? Of an import nobody
 * knows, and no. */
static inline bool slw_command_is_tasks(enum slw_target_kind kind)
{
    return kind != SLW_TARGET_ALL && kind != SLW_TARGET_IMPORT;
}

/* Something a reader of the report must know: a degraded tier, a fallback, lost samples. */
enum slw_note_level { SLW_NOTE_INFO, SLW_NOTE_WARNING };
struct slw_note {
    enum slw_note_level level;
    const char *code; /* stable, kebab-case: "no-pmu", "ring-smaller" */
    const char *text; /* one sentence: what and why */
    const char *hint; /* what to do; NULL: nothing */
};

/* What the wire tap saw of a connection, or of several to one peer that are told together. Sums; a
 * maximum where it says so. */
struct slw_connection {
    const char *protocol; /* "PostgreSQL"; NULL: not recognised */
    const char *peer;     /* "127.0.0.1:5432", "[::1]:6379", "unix:/run/x"; of the server */
    int32_t pid;          /* of the client process; -1: several */
    struct slw_provenance from;
    uint64_t connections; /* that this row tells */
    uint64_t lost;        /* of those, connections that could not be followed to their end */
    const char *lost_why; /* NULL: none was lost; else of the last one */
    uint64_t requests, responses, errors; /* operations asked for, answered, refused */
    uint64_t statements;                  /* results the server told; several to a request */
    uint64_t prepares, pushes, rows;
    uint64_t flushes, flush_bytes; /* writes that completed a request, and their bytes */
    uint64_t max_batch;            /* requests of the largest flush */
    uint64_t depth_sum, max_depth; /* requests in flight after each flush: sum and largest */
    uint64_t sends, sent_bytes, sends_blocked; /* writes that moved bytes; that would have waited */
    uint64_t reads, received_bytes, reads_blocked;
    uint64_t latency_count, latency_sum_ns, latency_max_ns; /* of requests: write to answer */
    uint64_t batch_count, batch_sum_ns, batch_max_ns; /* of flushes: write to the last answer */
    uint64_t merged;    /* requests whose start is only known to be no later than some other's */
    uint64_t unmatched; /* answers without a request that was seen */
    /* Of sent_bytes, those that were not decoded; then requests is a lower bound. */
    uint64_t bytes_unseen;
};

/* One bucket of the latencies of all connections. */
enum slw_latency_of { SLW_LATENCY_REQUEST, SLW_LATENCY_BATCH };
struct slw_latency {
    enum slw_latency_of of;
    uint64_t low_ns, high_ns; /* low <= latency < high; the highest bucket holds all above it */
    uint64_t count;           /* > 0 */
};

/* What was lost on the way. Source: PERF_RECORD_LOST, LOST_SAMPLES, THROTTLE. */
struct slw_losses {
    uint64_t lost_records;     /* records the kernel dropped because a ring was full */
    uint64_t lost_samples;     /* samples the kernel says it lost */
    uint64_t throttled;        /* THROTTLE records: sampling stood still for a tick */
    uint64_t unreadable_bytes; /* of perf.data that could not be parsed */
    uint64_t no_user_stack;    /* samples whose user stack has at most one frame */
};

/* What measuring cost, so that a reader can judge the disturbance. */
struct slw_self_cost {
    struct slw_maybe_u64 user_ns, system_ns; /* CPU time of the collector between start and stop */
    uint64_t ring_bytes;                     /* mapped ring buffers */
    uint64_t spool_bytes;                    /* bytes written to perf.data */
    uint64_t wakeups;                        /* times the collector woke up */
    /* CPU time of BPF programs, on all CPUs and for every task they look at; 0: unknown, or none
     * ran. It is spent inside whatever they interrupt, and so not in user_ns or system_ns. */
    uint64_t bpf_ns;
    const char *bpf_absent; /* NULL, or why bpf_ns is unknown although programs ran */
};

/* The CPU model the numbers were interpreted with. name == NULL: none, absent says why. */
struct slw_model_ref {
    const char *name, *source, *version;
    const char *pmu; /* which counts it interprets, where a run has several models; else NULL */
    const char *absent;
};

/* Where the wall time of a thread, or of all of them, went. Each moment of a thread is in exactly
 * one state, so that the states sum to wall_ns. */
enum slw_wait {
#define SLW_WAIT(id, key, words) SLW_WAIT_##id,
#include "record/waits.def"
#undef SLW_WAIT
    SLW_WAIT_COUNT
};

struct slw_waiting {
    int32_t pid, tid; /* -1: all threads together, one after the other */
    const char *comm; /* NULL: all, or unknown */
    struct slw_provenance from;
    bool by_cause;    /* false: SLW_WAIT_UNSPLIT holds all time off-CPU, the causes are unknown */
    uint64_t wall_ns; /* of the measured window, while it lived; of all threads: the sum */
    uint64_t ns[SLW_WAIT_COUNT];
    uint64_t waits[SLW_WAIT_COUNT]; /* times it left the CPU for this; RUNNABLE: was preempted */
    struct slw_maybe_u64 syscalls;
    uint64_t thread_count; /* summed here; 1 for a thread */
    uint64_t lost_threads; /* not followed, or ended unseen: their time is missing */
};

/* What threads waited for, where it has a name: the lock, the other side of the socket. Not in it:
 * what was waited for when measuring stopped. */
struct slw_waited_for {
    enum slw_wait state; /* LOCK, ANSWER or SENDING */
    const char *what;    /* "queue_lock (client)", "127.0.0.1:5432" as struct slw_connection */
    int32_t pid;         /* of a lock; -1 */
    uint64_t ns, waits;
};

/* A stage of the client, as it marked it (include/slotwise/stage.h). Calls are those whose begin
 * and end were both seen; every number is of them, summed over threads. A stage that is called
 * within another is part of that one's wall_ns, but not of its self_ns; the same goes for a stage
 * within itself, whose inner calls add nothing to wall_ns. On a described core (from: simulated)
 * there are no times: wall_ns and self_ns are 0, events are of the calls alone. */
#define SLW_STAGE_EVENTS(X)                                                                        \
    X(CYCLES, cycles)                                                                              \
    X(INSTRUCTIONS, instructions)                                                                  \
    X(ICACHE_MISSES, icache_misses)                                                                \
    X(FRONTEND_SLOTS, frontend_slots) /* that the front end left empty */                          \
    X(SLOTS, slots)
enum slw_stage_event {
#define X(id, key) SLW_STAGE_##id,
    SLW_STAGE_EVENTS(X)
#undef X
        SLW_STAGE_EVENT_COUNT
};

struct slw_stage {
    const char *name;
    const char *provider;               /* who marked it, where it says so; NULL: the client */
    struct slw_provenance from;         /* of calls, batches and times */
    struct slw_provenance counted_from; /* of events */
    uint64_t calls;
    uint64_t requests, max_batch; /* sum and largest of the batch sizes */
    uint64_t wall_ns, self_ns;
    struct slw_maybe_u64 cpu_ns;                        /* on a CPU, of self_ns */
    struct slw_maybe_u64 events[SLW_STAGE_EVENT_COUNT]; /* during cpu_ns */
    uint64_t missed_begins, missed_ends; /* calls of which only the other mark was seen */
};

/* How the user stacks of one event that were copied could be followed. Every one of them is in one
 * of the ends. */
struct slw_unwinding {
    const char *event;
    uint64_t copy_bytes; /* that could be copied of each; the most of any */
    uint64_t ends[SLW_UNWOUND_COUNT];
    uint64_t by_frame_pointer; /* of them all, those with frames that only a frame pointer led to */
};
uint64_t slw_unwinding_stacks(const struct slw_unwinding *u); /* all of them */

/* Words for a state, as reports show it: "on-CPU". */
const char *slw_wait_words(enum slw_wait state);

struct slw_run {
    struct slw_arena *arena;
    const char *tool;             /* "slotwise 0.1.0" */
    uint64_t started_realtime_ns; /* 0: unknown (imports) */
    struct slw_maybe_u64 wall_ns; /* length of the measured window; of rounds the mean */
    struct slw_host host;
    struct slw_command command;
    struct slw_model_ref model;
    struct slw_model_ref *other_models; /* of the other kinds of core of a hybrid CPU */
    size_t other_model_count;
    struct slw_maybe_u64 requests; /* observed requests; absent until something counts them; of
                                      rounds the mean */
    struct slw_losses losses;
    struct slw_self_cost self;
    struct slw_count *counts;
    size_t count_count;
    struct slw_round *rounds; /* the executions it is made of; none: one */
    size_t round_count;
    struct slw_counted_task *tasks;
    size_t task_count;
    struct slw_time_slice *intervals;
    size_t interval_count;
    struct slw_time_series *series;
    size_t series_count;
    struct slw_sampling *samplings;
    size_t sampling_count;
    struct slw_printed *printed;
    size_t printed_count;
    struct slw_connection *connections;
    size_t connection_count;
    struct slw_latency *latencies; /* ascending, requests before batches */
    size_t latency_count;
    struct slw_waiting *waiting; /* the first: all threads; then single ones */
    size_t waiting_count;
    struct slw_waited_for *waited_for; /* the longest first; of rounds none */
    size_t waited_for_count;
    struct slw_stage *stages;
    size_t stage_count;
    struct slw_unwinding *unwindings;
    size_t unwinding_count;
    struct slw_experiment_ref experiment;
    struct slw_observation *observations;
    size_t observation_count;
    struct slw_label *labels;
    size_t label_count;
    struct slw_note *notes;
    size_t note_count;
};

/* Heap; free with slw_run_free (NULL allowed). 0 or -SLW_E_NOMEM. Every maybe starts absent with
 * "not measured", every int that can be unknown starts unknown. */
int slw_run_new(struct slw_run **ret_run, struct slw_error *err);
void slw_run_free(struct slw_run *run);

/* Copy a string into the run (NULL stays NULL). Returns NULL for NULL or when out of memory. */
const char *slw_run_str(struct slw_run *run, const char *s);

/* Append a copy (strings included). 0 or -SLW_E_NOMEM, -SLW_E_LIMIT past SLW_MAX_x. */
#define SLW_MAX_COUNTS     1000000 /* threads x CPUs x events of the largest machine seen */
#define SLW_MAX_NOTES      1000    /* a report nobody reads helps nobody */
#define SLW_MAX_LABELS     1000
#define SLW_MAX_SAMPLINGS  64
#define SLW_MAX_CORE_KINDS 8    /* of one CPU; phones have three, none is known to have more */
#define SLW_MAX_PRINTED    2000 /* perf knows some hundred metrics for a CPU */
#define SLW_MAX_ROUNDS     1000 /* no interval is worth more */
#define SLW_MAX_PASSES     100000
#define SLW_MAX_TASKS      1000 /* smaller ones are pooled: nobody reads more */
#define SLW_MAX_INTERVALS  1000 /* more than a screen has columns; then neighbours are joined */
#define SLW_MAX_SERIES     4096
/* Connections past some dozen are told together. */
#define SLW_MAX_CONNECTIONS  4096
#define SLW_MAX_LATENCIES    4096 /* buckets of 3 % over ten decades are about 800, twice */
#define SLW_MAX_WAITED_FOR   64
#define SLW_MAX_WAITING      1024 /* threads told apart; the rest is in the sum */
#define SLW_MAX_STAGES       256  /* of one client */
#define SLW_MAX_UNWINDINGS   64   /* sampled events */
#define SLW_MAX_OBSERVATIONS 4096 /* metrics of one run, those a client prints included */
int slw_run_add_observation(struct slw_run *run, const struct slw_observation *o,
                            struct slw_error *err);
/* One more value for observations[index], which slw_run_add_observation made. -SLW_E_LIMIT past
 * SLW_MAX_ROUNDS. */
int slw_run_append_value(struct slw_run *run, size_t index, double value, struct slw_error *err);
int slw_run_add_count(struct slw_run *run, const struct slw_count *count, struct slw_error *err);
int slw_run_add_sampling(struct slw_run *run, const struct slw_sampling *s, struct slw_error *err);
int slw_run_add_round(struct slw_run *run, const struct slw_round *r, struct slw_error *err);
int slw_run_add_printed(struct slw_run *run, const struct slw_printed *p, struct slw_error *err);
/* `model` is one more: its pmu says of which kind of core. */
int slw_run_add_model(struct slw_run *run, const struct slw_model_ref *model,
                      struct slw_error *err);
int slw_run_add_task(struct slw_run *run, const struct slw_counted_task *task,
                     struct slw_error *err);
int slw_run_add_interval(struct slw_run *run, const struct slw_time_slice *i,
                         struct slw_error *err);
int slw_run_add_series(struct slw_run *run, const struct slw_time_series *s, struct slw_error *err);
int slw_run_add_connection(struct slw_run *run, const struct slw_connection *c,
                           struct slw_error *err);
int slw_run_add_latency(struct slw_run *run, const struct slw_latency *l, struct slw_error *err);
int slw_run_add_waiting(struct slw_run *run, const struct slw_waiting *w, struct slw_error *err);
int slw_run_add_waited_for(struct slw_run *run, const struct slw_waited_for *w,
                           struct slw_error *err);
int slw_run_add_stage(struct slw_run *run, const struct slw_stage *s, struct slw_error *err);
/* Of an event that is there already, the counts are added up. */
int slw_run_add_unwinding(struct slw_run *run, const struct slw_unwinding *u,
                          struct slw_error *err);
int slw_run_add_label(struct slw_run *run, const char *key, const char *value,
                      struct slw_error *err);

/* Append a note unless one with the same code and text is there. hint may be NULL. */
__attribute__((format(printf, 5, 6))) int slw_run_note(struct slw_run *run,
                                                       enum slw_note_level level, const char *code,
                                                       const char *hint, const char *fmt, ...);

/* NULL, or why the series do not fit the counts and intervals they are of. */
const char *slw_run_check_series(const struct slw_run *run);

/* The observation of that metric, or NULL. */
const struct slw_observation *slw_run_find_observation(const struct slw_run *run,
                                                       const char *metric);

/* The whole-target count of an event (pid, tid, cpu all -1; any pmu), or NULL. */
const struct slw_count *slw_run_find_count(const struct slw_run *run, const char *event);

#endif

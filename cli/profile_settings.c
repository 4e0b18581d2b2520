/* SPDX-License-Identifier: MIT */
/* The options of `slotwise profile` and what they set. */
#include "cli/profile_int.h"

#include "base/parse.h"
#include "cli/command.h"
#include "cli/profile_options.h"
#include "cli/program.h"
#include "cli/render.h"
#include "collector/backend.h"
#include "collector/call_graph.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_FREQUENCY_HZ 997                 /* prime: not in step with timers and loops */
#define MAX_FREQUENCY_HZ     100000              /* the kernel's own default limit */
#define MAX_RING_BYTES       (UINT64_C(1) << 30) /* per CPU; more is a typing error */
#define MAX_LEVEL            6                   /* deepest published top-down tree */

/* Not in <linux/limits.h>: the largest pid_max of a 64-bit kernel. */
#define MAX_PID (UINT64_C(4) << 20)

const char *slw_profile_call_graph(size_t i)
{
    static const char *const names[] = {"auto", "dwarf", "fp", "lbr", "none", NULL};

    return names[i];
}

static const char *modes(size_t i)
{
    static const char *const names[] = {"all", "user", "kernel", "split", NULL};

    return names[i];
}

const char *slw_profile_yes_or_no(size_t i)
{
    static const char *const names[] = {"yes", "no", NULL};

    return names[i];
}

const char *slw_profile_offcpu(size_t i)
{
    static const char *const names[] = {"no", "yes", "syscalls", "stacks", NULL};

    return names[i];
}

const char *slw_profile_timers(size_t i)
{
    static const char *const names[] = {"auto", "task", "cpu", NULL};

    return names[i];
}

const char *slw_profile_backend(size_t i)
{
    return i < slw_backend_count ? slw_backends[i]->name : NULL;
}

const struct slw_option slw_profile_options[] = {
    SLW_OPTION_OUTPUT_DIRECTORY(
        "Directory to write; must not exist (default: the command's name with .slotwise, or "
        "the next free of -2, -3, ...)."),
    {.name = "pid",
     .letter = 'p',
     .kind = SLW_OPTION_NUMBER,
     .value = "PID",
     .text = "Attach to a running process, its threads and its children to come."},
    {.name = "workload",
     .kind = SLW_OPTION_TEXT,
     .value = "NAME",
     .text =
         "Profile a built-in workload; its settings stand after '--' (see 'slotwise workload')."},
    {.name = "all", .letter = 'a', .text = "Measure the whole machine."},
    {.name = "cgroup",
     .kind = SLW_OPTION_TEXT,
     .value = "PATH",
     .text = "Measure one control group, named below the cgroup mount."},
    SLW_OPTION_FREQUENCY,
    {.name = "period",
     .kind = SLW_OPTION_NUMBER,
     .value = "N",
     .text = "Sample every N events (nanoseconds for clocks) instead of by frequency."},
    SLW_OPTION_TIMERS,
    SLW_OPTION_CALL_GRAPH,
    SLW_OPTION_STACK_SIZE,
    SLW_OPTION_SPOOL_SIZE,
    SLW_OPTION_PER_FUNCTION,
    {.name = "per-thread",
     .text = "Count each thread of the command and its children apart, besides the whole."},
    {.name = "per-process", .text = "The same for each process, its threads together."},
    {.name = "mode",
     .kind = SLW_OPTION_CHOICE,
     .choices = modes,
     .text =
         "Privilege level of hardware events and samples: all (default), user, kernel, or split: "
         "events once in user and once in kernel mode, which takes twice the counters."},
    {.name = "interval",
     .kind = SLW_OPTION_TIME,
     .value = "TIME",
     .text = "Keep a time line: what was counted in every 100ms, 1s (at most 1000 intervals; then "
             "neighbours are joined)."},
    SLW_OPTION_OFFCPU,
    SLW_OPTION_STAGES,
    {.name = "stages-in",
     .kind = SLW_OPTION_FILE,
     .value = "FILE",
     .repeated = true,
     .text = "Look for stages in this library too, which the client opens by itself (dlopen). May "
             "be repeated."},
    SLW_OPTION_NO_SAMPLING,
    SLW_OPTION_BACKEND,
    SLW_OPTION_MODEL,
    SLW_OPTION_LEVEL,
    {.name = "delay",
     .kind = SLW_OPTION_TIME,
     .value = "TIME",
     .text = "Measure only after this: 500ms, 10s, 2m."},
    {.name = "duration",
     .kind = SLW_OPTION_TIME,
     .value = "TIME",
     .text = "Measure no longer than this."},
    SLW_OPTIONS_CONTINUOUS,
    {.name = "rounds",
     .kind = SLW_OPTION_NUMBER,
     .value = "N",
     .text = "Measure N times, so that values come with intervals: the command is run N times; of "
             "other targets N windows of --duration are measured. Samples are taken in one more, "
             "before the rounds."},
    SLW_OPTION_NO_MULTIPLEX,
    {.name = "control",
     .kind = SLW_OPTION_FILE,
     .value = "FIFO",
     .text = "Read the lines start, stop and quit from this FIFO and obey them."},
    {.name = "start-stopped", .text = "With --control: wait for the first start."},
    SLW_OPTION_RING_SIZE,
    SLW_OPTION_WIRE,
    SLW_OPTION_NO_WIRE,
    SLW_OPTIONS_SIMULATE,
    SLW_OPTIONS_DEBUGINFOD,
    SLW_OPTION_LABEL,
    SLW_OPTIONS_PUSH,
    {.name = "keep-raw", .text = "Keep the raw samples (perf.data) in the run."},
    {.name = "propagate",
     .text = "Exit with the client's own status (128+N when signal N killed it)."},
    {.name = "format",
     .letter = 'f',
     .kind = SLW_OPTION_CHOICE,
     .choices = slw_render_formats,
     .text = "Format of the report on standard error (default term)."},
    {.name = "quiet", .letter = 'q', .text = "No report; errors only."},
    {.name = "no-flamegraph", .text = "Do not write flamegraph.svg."},
    SLW_OPTION_COLOR,
    SLW_OPTION_HELP,
    SLW_OPTION_END,
};

static int check_exclusions(const struct slw_args *a, struct slw_error *err)
{
    static const char *const pairs[][2] = {
        {"pid", "all"},
        {"pid", "cgroup"},
        {"all", "cgroup"},
        {"frequency", "period"},
        {"no-sampling", "frequency"},
        {"no-sampling", "period"},
        {"no-sampling", "timers"},
        {"no-sampling", "call-graph"},
        {"no-sampling", "stack-size"},
        {"no-sampling", "spool-size"},
        {"no-sampling", "keep-raw"},
        {"no-sampling", "per-function"},
        {"per-thread", "per-process"},
        {"wire", "no-wire"},
    };

    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        int rc = slw_args_exclude(a, pairs[i][0], pairs[i][1], err);
        if (rc < 0)
            return rc;
    }
    if (slw_args_has(a, "start-stopped") && !slw_args_has(a, "control"))
        return slw_fail(err, SLW_E_USAGE, "--start-stopped needs --control");
    return 0;
}

/* Between two executions nothing of the one before may go on. */
static int check_rounds(const struct slw_profile *p, struct slw_error *err)
{
    const bool command = p->session.target == SLW_TARGET_COMMAND;

    if (p->rounds == 0)
        return 0;
    if (p->session.control_fifo)
        return slw_fail(err, SLW_E_USAGE,
                        "--control cannot be combined with --rounds or --no-multiplex");
    if (command && p->session.duration_ms > 0) {
        slw_error_hint(err, "give the command a limit of its own, or attach to it with -p");
        return slw_fail(err, SLW_E_USAGE,
                        "--rounds and --no-multiplex run the command to its end each time: "
                        "--duration would leave it running");
    }
    if (!command && p->session.duration_ms == 0) {
        slw_error_hint(err, "for example: --duration 5s");
        return slw_fail(err, SLW_E_USAGE,
                        "--rounds and --no-multiplex measure windows of this target: say how long "
                        "with --duration");
    }
    return 0;
}

static int set_rounds(struct slw_profile *p, struct slw_error *err)
{
    uint64_t rounds = slw_args_has(p->args, "no-multiplex") ? 1 : 0;
    int rc = slw_args_u64(p->args, "rounds", 1, SLW_MAX_ROUNDS, &rounds, err);

    p->rounds = (int)rounds;
    p->no_multiplex = slw_args_has(p->args, "no-multiplex");
    return rc < 0 ? rc : check_rounds(p, err);
}

/* The command is the program of the workloads; what follows "--" are the settings of the workload.
 */
static int set_workload(struct slw_profile *p, struct slw_error *err)
{
    const struct slw_args *a = p->args;

    if (a->operand_count > 0 && !a->separated) {
        slw_error_hint(err, "slotwise profile --workload NAME -- --setting VALUE");
        return slw_fail(err, SLW_E_USAGE, "settings of a workload stand after '--'");
    }
    p->workload = calloc(a->operand_count + 4, sizeof(*p->workload));
    if (!p->workload)
        return slw_fail(err, SLW_E_NOMEM, "no memory for a command line");
    int rc = slw_program_beside("slotwise-workload", &p->workload[0], err);
    if (rc < 0)
        return rc;
    p->workload[1] = strdup("run");
    p->workload[2] = strdup(slw_args_get(a, "workload"));
    if (!p->workload[1] || !p->workload[2])
        return slw_fail(err, SLW_E_NOMEM, "no memory for a command line");
    memcpy(p->workload + 3, a->operands, a->operand_count * sizeof(*a->operands));
    p->session.target = SLW_TARGET_COMMAND;
    p->session.argv = p->workload;
    p->session.envp = environ;
    return 0;
}

static int set_target(struct slw_profile *p, struct slw_error *err)
{
    const struct slw_args *a = p->args;
    bool other = slw_args_has(a, "pid") || slw_args_has(a, "all") || slw_args_has(a, "cgroup");
    const bool workload = slw_args_has(a, "workload");
    uint64_t pid = 0;

    if (workload && other)
        return slw_fail(err, SLW_E_USAGE, "either --workload or one of -p, -a, --cgroup, not both");
    if (workload)
        return set_workload(p, err);
    if (other && a->operand_count > 0)
        return slw_fail(err, SLW_E_USAGE, "either a command or one of -p, -a, --cgroup, not both");
    if (!other && a->operand_count == 0) {
        slw_error_hint(err, "for example: slotwise profile -- psql -c 'select 1'");
        return slw_fail(err, SLW_E_USAGE, "there is nothing to profile");
    }
    int rc = slw_args_u64(a, "pid", 1, MAX_PID, &pid, err);
    if (rc < 0)
        return rc;
    p->session.pid = (int32_t)pid;
    p->session.cgroup = slw_args_get(a, "cgroup");
    if (pid)
        p->session.target = SLW_TARGET_PID;
    else if (p->session.cgroup)
        p->session.target = SLW_TARGET_CGROUP;
    else
        p->session.target = other ? SLW_TARGET_ALL : SLW_TARGET_COMMAND;
    p->session.argv = other ? NULL : a->operands;
    p->session.envp = environ;
    return 0;
}

/* The kernel takes 2^n pages. Source: perf_event_open(2), "MMAP layout". */
static uint64_t round_ring(uint64_t bytes)
{
    uint64_t size = (uint64_t)sysconf(_SC_PAGESIZE);

    while (size < bytes)
        size *= 2;
    return bytes ? size : 0;
}

#define MIN_STACK_BYTES 64                  /* less holds no frame */
#define MIN_SPOOL_BYTES (UINT64_C(1) << 20) /* less holds no second of samples */
#define MAX_SPOOL_BYTES (UINT64_C(1) << 50)

static int set_stacks(struct slw_profile *p, struct slw_error *err)
{
    static const enum slw_call_graph ways[] = {SLW_CALL_GRAPH_AUTO, SLW_CALL_GRAPH_DWARF,
                                               SLW_CALL_GRAPH_FP, SLW_CALL_GRAPH_LBR,
                                               SLW_CALL_GRAPH_NONE};
    const char *how = slw_args_get(p->args, "call-graph");
    uint64_t bytes = 0;

    p->session.call_graph = SLW_CALL_GRAPH_AUTO;
    for (size_t i = 0; how && slw_profile_call_graph(i); i++)
        if (strcmp(how, slw_profile_call_graph(i)) == 0)
            p->session.call_graph = ways[i];
    int rc = slw_args_bytes(p->args, "stack-size", 65536, &bytes, err);
    if (rc >= 0)
        rc = slw_args_bytes(p->args, "spool-size", MAX_SPOOL_BYTES, &p->session.spool_limit, err);
    if (rc < 0)
        return rc;
    if (slw_args_has(p->args, "stack-size") && bytes < MIN_STACK_BYTES)
        return slw_fail(err, SLW_E_USAGE, "--stack-size: the least is %d bytes", MIN_STACK_BYTES);
    if (slw_args_has(p->args, "spool-size") && p->session.spool_limit < MIN_SPOOL_BYTES)
        return slw_fail(err, SLW_E_USAGE, "--spool-size: the least is 1M");
    bytes &= ~UINT64_C(7); /* the kernel takes whole words */
    p->session.stack_bytes = (uint32_t)(bytes < SLW_MAX_STACK_BYTES ? bytes : SLW_MAX_STACK_BYTES);
    return 0;
}

static void set_timers(struct slw_profile *p)
{
    static const enum slw_timers kinds[] = {SLW_TIMERS_AUTO, SLW_TIMERS_TASK, SLW_TIMERS_CPU};
    const char *which = slw_args_knows(p->args, "timers") ? slw_args_get(p->args, "timers") : NULL;

    p->session.timers = SLW_TIMERS_AUTO;
    for (size_t i = 0; which && slw_profile_timers(i); i++)
        if (strcmp(which, slw_profile_timers(i)) == 0)
            p->session.timers = kinds[i];
}

static int set_sampling(struct slw_profile *p, struct slw_error *err)
{
    uint64_t hz = DEFAULT_FREQUENCY_HZ, period = 0;
    int rc = slw_args_u64(p->args, "frequency", 1, MAX_FREQUENCY_HZ, &hz, err);

    if (rc >= 0 && slw_args_knows(p->args, "period"))
        rc = slw_args_u64(p->args, "period", 1, UINT64_MAX / 2, &period, err);
    if (rc < 0)
        return rc;
    rc = slw_args_bytes(p->args, "ring-size", MAX_RING_BYTES, &p->session.ring_bytes, err);
    if (rc < 0)
        return rc;
    p->session.ring_bytes = round_ring(p->session.ring_bytes);
    p->session.sample = !slw_args_has(p->args, "no-sampling");
    p->session.per_function = slw_args_has(p->args, "per-function");
    set_timers(p);
    p->session.frequency_hz = period ? 0 : hz;
    p->session.period = period;
    return set_stacks(p, err);
}

#define MIN_INTERVAL_MS 10 /* reading the counters more often would itself be what is measured */

/* What is told apart. */
static int set_scopes(struct slw_profile *p, struct slw_error *err)
{
    const char *mode = slw_args_get(p->args, "mode");
    int rc = slw_args_duration_ms(p->args, "interval", &p->session.interval_ms, err);

    if (rc < 0)
        return rc;
    if (slw_args_has(p->args, "interval") && p->session.interval_ms < MIN_INTERVAL_MS)
        return slw_fail(err, SLW_E_USAGE, "--interval: the shortest is %d ms", MIN_INTERVAL_MS);
    if (slw_args_has(p->args, "per-thread"))
        p->session.per = SLW_PER_THREAD;
    else if (slw_args_has(p->args, "per-process"))
        p->session.per = SLW_PER_PROCESS;
    if (mode && strcmp(mode, "user") == 0)
        p->session.mode = SLW_MODE_USER;
    else if (mode && strcmp(mode, "kernel") == 0)
        p->session.mode = SLW_MODE_KERNEL;
    p->session.split_modes = mode && strcmp(mode, "split") == 0;
    if (p->rounds > 0 &&
        (p->session.per != SLW_PER_WHOLE || p->session.interval_ms > 0 || p->session.split_modes))
        return slw_fail(err, SLW_E_USAGE,
                        "--per-thread, --per-process, --interval and --mode split take one "
                        "execution apart: they cannot be combined with --rounds or --no-multiplex");
    return 0;
}

/* The whole machine is not followed: unless asked for, nobody misses a note about that. */
static void set_offcpu(struct slw_profile *p)
{
    static const enum slw_offcpu levels[] = {SLW_OFFCPU_NO, SLW_OFFCPU_YES, SLW_OFFCPU_SYSCALLS,
                                             SLW_OFFCPU_STACKS};
    const char *how = slw_args_get(p->args, "offcpu");

    p->session.offcpu = p->session.target == SLW_TARGET_ALL ? SLW_OFFCPU_NO : SLW_OFFCPU_AUTO;
    for (size_t i = 0; how && slw_profile_offcpu(i); i++)
        if (strcmp(how, slw_profile_offcpu(i)) == 0)
            p->session.offcpu = levels[i];
}

/* What nobody waits for and nobody reads between two windows is not made. */
#define WINDOW_SPOOL_BYTES (UINT64_C(256) << 20)
static void set_continuous(struct slw_profile *p)
{
    p->session.duration_ms = p->continuous.for_ms;
    if (!slw_args_has(p->args, "spool-size"))
        p->session.spool_limit = WINDOW_SPOOL_BYTES;
    p->flamegraph = false;
    p->quiet = p->quiet || !p->format;
}

static int set_window(struct slw_profile *p, struct slw_error *err)
{
    int rc = slw_continuous_settings(p->args, &p->continuous, err);

    if (rc >= 0)
        rc = slw_args_duration_ms(p->args, "delay", &p->session.delay_ms, err);
    if (rc >= 0)
        rc = slw_args_duration_ms(p->args, "duration", &p->session.duration_ms, err);
    if (rc < 0)
        return rc;
    if (slw_args_has(p->args, "duration") && p->session.duration_ms == 0)
        return slw_fail(err, SLW_E_USAGE, "--duration: nothing can be measured in no time");
    p->session.control_fifo = slw_args_get(p->args, "control");
    p->session.start_stopped = slw_args_has(p->args, "start-stopped");
    return 0;
}

int slw_profile_measuring(struct slw_profile *p, struct slw_error *err)
{
    const char *stages = slw_args_get(p->args, "stages");
    uint64_t level = 1;
    int rc = set_sampling(p, err);

    if (stages)
        p->session.no_stages = strcmp(stages, "no") == 0;
    if (rc >= 0)
        rc = slw_args_u64(p->args, "level", 0, MAX_LEVEL, &level, err);
    p->session.level = (int)level;
    p->session.backend = slw_args_get(p->args, "backend");
    set_offcpu(p);
    return rc;
}

/* Libraries that the client will open. One that is not there is a slip of the pen. */
static int set_stage_files(struct slw_profile *p, struct slw_error *err)
{
    const char *name;

    for (size_t i = 0; (name = slw_args_get_nth(p->args, "stages-in", i)) != NULL; i++) {
        if (i == SLW_MAX_STAGE_FILES)
            return slw_fail(err, SLW_E_USAGE, "--stages-in: at most %d files", SLW_MAX_STAGE_FILES);
        if (access(name, R_OK) != 0)
            return slw_fail_sys(err, SLW_E_USAGE, errno, "--stages-in: '%s'", name);
        p->session.stage_files[i] = name;
    }
    return 0;
}

int slw_profile_settings(struct slw_profile *p, struct slw_error *err)
{
    int rc = check_exclusions(p->args, err);

    if (rc >= 0)
        rc = set_target(p, err);
    if (rc >= 0)
        rc = slw_profile_measuring(p, err);
    if (rc >= 0)
        rc = set_window(p, err);
    if (rc >= 0)
        rc = set_stage_files(p, err);
    if (rc >= 0)
        rc = set_rounds(p, err);
    if (rc >= 0)
        rc = set_scopes(p, err);
    if (rc >= 0)
        rc = slw_simulate_settings(p, err);
    p->format = slw_args_get(p->args, "format");
    p->quiet = slw_args_has(p->args, "quiet");
    p->keep_raw = slw_args_has(p->args, "keep-raw");
    p->propagate = slw_args_has(p->args, "propagate");
    p->flamegraph = !slw_args_has(p->args, "no-flamegraph") && p->session.sample;
    if (p->continuous.every_ms > 0)
        set_continuous(p);
    return rc;
}

/* SPDX-License-Identifier: MIT */
/* slotwise profile: measure a client, save the run, say what it means. */
#include "cli/command.h"
#include "cli/profile_int.h"
#include "cli/run_name.h"
#include "collector/host.h"
#include "collector/rounds.h"

#include <stdlib.h>
#include <unistd.h>

static const struct slw_example examples[] = {
    {"slotwise profile -- redis-benchmark -t set -n 100000", "Profile a client from its start."},
    {"slotwise profile -p $(pidof myapp) --duration 10s", "Attach for ten seconds."},
    {"slotwise profile --rounds 10 --no-multiplex -- ./load",
     "Exact counts of every event, values with 95 % intervals."},
    {"slotwise profile --label batch=64 -o b64.slotwise -- ./load 64", "Name and mark the run."},
    {"slotwise profile -a --every 60s --for 10s --push http://profiles:4040",
     "Ten seconds of each minute, to a Pyroscope server."},
    {"slotwise profile --control ctl --start-stopped -- ./load",
     "Measure only between 'echo start > ctl' and 'echo stop > ctl'."},
    {NULL, NULL},
};

static const struct slw_exit_note exits[] = {
    {"0", "Done, also when the client failed (the report says so); see --propagate."},
    {"1-255", "With --propagate: the client's own status, 128+N when signal N killed it."},
    {NULL, NULL},
};

static int plan_push(struct slw_profile *p, struct slw_error *err)
{
    char stem[SLW_MAX_STEM];

    slw_profile_stem(p, stem);
    return slw_pushing_new(p->args, p->run, stem, &p->pushing, err);
}

/* What is asked for, and whether it can be. */
static int settle(struct slw_profile *p, struct slw_error *err)
{
    int rc = slw_profile_settings(p, err);

    if (rc >= 0)
        rc = slw_debuginfod_open(p->args, &p->debuginfod, err);
    if (rc >= 0)
        rc = slw_run_new(&p->run, err);
    if (rc < 0)
        return rc;
    p->run->tool = "slotwise " SLW_VERSION;
    rc = slw_profile_add_labels(p, err);
    if (rc >= 0)
        rc = slw_host_read(p->run, "", err);
    return rc < 0 ? rc : plan_push(p, err);
}

static int prepare(struct slw_profile *p, struct slw_error *err)
{
    int rc = settle(p, err);

    if (rc >= 0)
        rc = slw_profile_choose_model(p, err);
    if (rc >= 0 && p->simulate)
        rc = slw_simulate_choose(p->simulate, p, err);
    if (rc >= 0)
        rc = slw_profile_tap_wire(p, err);
    return rc < 0 ? rc : slw_profile_create_dir(p, err);
}

/* Nobody waits for the end of a machine: say how to end this. */
static void announce(const struct slw_profile *p)
{
    if (p->session.target == SLW_TARGET_COMMAND || p->quiet || !p->terminal->err.is_terminal)
        return;
    if (p->session.duration_ms == 0)
        slw_terminal_say("measuring; Ctrl-C stops and reports");
}

static int propagated_status(const struct slw_run *run)
{
    switch (run->command.exit) {
    case SLW_EXIT_STATUS:
        return run->command.exit_value;
    case SLW_EXIT_SIGNAL:
        return 128 + run->command.exit_value;
    case SLW_EXIT_UNKNOWN:
    case SLW_EXIT_STILL_RUNNING:
        break;
    }
    return 0;
}

/* These failures come before anything could be measured (session.h), whatever is in the spool. */
static bool worth_keeping(const struct slw_profile *p, int rc)
{
    static const enum slw_code before[] = {SLW_E_EXEC, SLW_E_GONE,  SLW_E_UNSUPPORTED,
                                           SLW_E_PERM, SLW_E_USAGE, SLW_E_INVAL};

    for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++)
        if (rc == -(int)before[i])
            return false;
    return slw_profile_measured(p);
}

/* Making sense of a window can wait for whoever is being watched. */
#define AFTER_WINDOW_NICE 10

static int run_sessions(struct slw_profile *p, struct slw_error *err)
{
    struct slw_rounds_options rounds = {
        .session = &p->session, .rounds = p->rounds, .no_multiplex = p->no_multiplex};

    if (p->simulate)
        return slw_simulate_run(p->simulate, p->dir, &p->session, p->run, &p->stacks, err);
    slw_profile_tap_rounds(p, &rounds);
    return p->rounds > 0 ? slw_rounds_run(&rounds, p->run, err)
                         : slw_session_run(&p->session, p->run, err);
}

/* The run is saved by now; what is not sent is in the spool before it is tried. */
static int push(struct slw_profile *p, struct slw_error *err)
{
    (void)slw_signals_catch("given up; what was not sent is %s",
                            p->pushing->options.spool ? "left to the next run" : "lost");
    if (!p->window)
        slw_signals_analysing();
    return slw_pushing_send(p->pushing, p->run, p->stacks, p->quiet, err);
}

static int measure(struct slw_profile *p, struct slw_error *err)
{
    struct slw_error later = {0};

    p->session.stop = slw_signals_catch("given up; samples taken so far are in %s", p->perf_data);
    announce(p);
    int rc = run_sessions(p, err);
    if (p->window)
        (void)nice(AFTER_WINDOW_NICE);
    if (rc < 0 && !worth_keeping(p, rc)) {
        slw_profile_discard(p);
        return rc;
    }
    int finished = slw_profile_finish(p, &later);
    if (rc >= 0 && finished < 0 && err)
        *err = later;
    else if (rc < 0 && finished < 0)
        slw_terminal_error("profile", &later);
    rc = rc < 0 ? rc : finished;
    if (rc >= 0 && p->pushing)
        rc = push(p, err);
    if (rc >= 0 && p->propagate)
        rc = propagated_status(p->run);
    return rc;
}

static int profile_once(const struct slw_args *args, const struct slw_terminal *t,
                        const char *window, struct slw_error *err)
{
    struct slw_profile p = {.args = args, .terminal = t, .window = window};
    int rc = prepare(&p, err);

    if (rc >= 0)
        rc = measure(&p, err);
    else
        slw_profile_discard(&p);
    slw_profile_release(&p);
    return rc;
}

static int profile_window(void *ctx, const char *dir, struct slw_error *err)
{
    const struct slw_profile *p = ctx;
    const int rc = profile_once(p->args, p->terminal, dir, err);

    return rc == -SLW_E_GONE ? 0 : rc; /* it has ended since, as everything does */
}

/* p is settled, so that what is wrong is told once and not by every window. */
static int profile_again_and_again(struct slw_profile *p, struct slw_error *err)
{
    struct slw_continuous *c = &p->continuous;
    char stem[SLW_MAX_STEM];
    char *folder = NULL;

    slw_profile_stem(p, stem);
    int rc = slw_name_create(slw_args_get(p->args, "output"), stem, ".windows", &folder, err);
    if (rc < 0)
        return rc;
    c->folder = folder;
    c->pid = p->session.target == SLW_TARGET_PID ? p->session.pid : 0;
    c->stop = slw_signals_catch("given up; the windows so far are in %s", folder);
    c->quiet = slw_args_has(p->args, "quiet");
    c->window = profile_window;
    c->ctx = p;
    rc = slw_continuous_run(c, err);
    free(folder);
    return rc;
}

static int run(const struct slw_args *args, const struct slw_terminal *t, struct slw_error *err)
{
    struct slw_profile p = {.args = args, .terminal = t};
    int rc;

    if (!slw_args_has(args, "every"))
        return profile_once(args, t, NULL, err);
    rc = settle(&p, err);
    if (rc >= 0)
        rc = profile_again_and_again(&p, err);
    slw_profile_release(&p);
    return rc;
}

const struct slw_command_entry slw_command_profile = {
    .name = "profile",
    .summary = "Profile a client and say where its CPU time goes.",
    .usage = "[OPTION]... -- CMD [ARG]...\n[OPTION]... -p PID | -a | --cgroup PATH [--every TIME "
             "--for TIME]\n"
             "[OPTION]... --workload NAME [-- SETTING...]",
    .about = "Run CMD, or attach, and measure until it ends, --duration is over, or Ctrl-C: "
             "counters, samples with call stacks, and their cost. Then save the run in a directory "
             "(run.json, profile.pb.gz, flamegraph.svg) and print a report on standard error; "
             "standard output is the client's. Threads and children are followed.\n\n"
             "What can be counted depends on the machine: 'slotwise doctor' explains.",
    .options = slw_profile_options,
    .examples = examples,
    .exits = exits,
    .operand = SLW_OPERAND_COMMAND,
    .run = run,
};

/* SPDX-License-Identifier: MIT */
#include "collector/simulate.h"

#include "collector/simulate_replay.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/file.h"
#include "models/core.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CORE_FILE   "core"
#define OUTPUT_STEM "simulated"
#define PARTIAL     ".part" /* what a carrier keeps now and then, and makes of UNFINISHED */
#define UNFINISHED  ".next"

/* Of one execution: a shell script may start thousands, and then a report is not the answer. */
#define MAX_PROCESSES 4096

/* ---- the command line ---- */

struct work {
    const struct slw_simulation *sim;
    const struct slw_session_options *session;
    struct slw_run *run;
    struct slw_arena *arena;
    char **argv; /* the carrier's words, then the client's; NULL-terminated */
    struct slw_simulated done;
};

static int write_core(const struct work *w, const char **ret_path, struct slw_error *err)
{
    struct slw_buf text = {0};
    const char *path = slw_arena_printf(w->arena, "%s/" CORE_FILE, w->sim->directory);

    slw_core_text(w->sim->core, &text);
    int rc = !path || slw_buf_failed(&text)
                 ? slw_fail(err, SLW_E_NOMEM, "no memory for a description")
                 : slw_file_write(path, text.data, text.length, err);
    slw_buf_release(&text);
    *ret_path = path;
    return rc;
}

/* What exec gets is not const, for want of a way to say so in C. */
static int join(struct work *w, const char **words, size_t count, struct slw_error *err)
{
    size_t argc = 0;

    while (w->session->argv[argc])
        argc++;
    w->argv = slw_arena_array(w->arena, count + argc + 1, sizeof(*w->argv));
    if (!w->argv)
        return slw_fail(err, SLW_E_NOMEM, "no memory for a command line");
    for (size_t i = 0; i < count; i++)
        w->argv[i] = slw_arena_strdup(w->arena, words[i]);
    memcpy(w->argv + count, w->session->argv, argc * sizeof(*w->argv));
    return count == 0 || w->argv[count - 1] ? 0
                                            : slw_fail(err, SLW_E_NOMEM, "no memory for a command");
}

static int make_command(struct work *w, struct slw_error *err)
{
    const struct slw_simulation *sim = w->sim;
    struct slw_carrier_job job = {
        .launcher = sim->launcher,
        .program = sim->program,
        .core_name = sim->core->name,
        .output = slw_arena_printf(w->arena, "%s/" OUTPUT_STEM, sim->directory),
        .period = sim->period,
        .detail = sim->detail,
        .start = sim->start,
        .repeatable = sim->repeatable,
    };
    const char **words = NULL;
    size_t count = 0;
    int rc = job.output ? 0 : slw_fail(err, SLW_E_NOMEM, "no memory for a path");

    if (rc >= 0)
        rc = write_core(w, &job.core_file, err);
    if (rc >= 0)
        rc = sim->carrier->command(&job, w->arena, &words, &count, err);
    return rc < 0 ? rc : join(w, words, count, err);
}

/* ---- running it ---- */

/* The run is of the client, not of what carries it. */
static int name_client(struct work *w, struct slw_error *err)
{
    struct slw_command *c = &w->run->command;
    size_t argc = 0;

    while (w->session->argv[argc])
        argc++;
    c->argv = slw_arena_array(w->run->arena, argc + 1, sizeof(*c->argv));
    for (size_t i = 0; c->argv && i < argc; i++)
        c->argv[i] = slw_run_str(w->run, w->session->argv[i]);
    c->argc = argc;
    return c->argv ? 0 : slw_fail(err, SLW_E_NOMEM, "no memory for the command line");
}

static int execute(struct work *w, struct slw_error *err)
{
    struct slw_session_options session = *w->session;
    char **envp = NULL;

    session.argv = w->argv;
    session.backend = "rusage";
    session.model = NULL;
    session.other_core_count = 0;
    session.sample = false;
    session.offcpu = SLW_OFFCPU_NO;
    session.no_stages = true; /* the carrier sees them */
    session.per = SLW_PER_WHOLE;
    session.interval_ms = 0;
    int rc = slw_replay_environment(w->sim, session.envp, w->arena, &envp, err);

    if (rc < 0)
        return rc;
    session.envp = envp;
    rc = slw_session_run(&session, w->run, err);

    /* What the kernel accounts for the process is the carrier's doing more than the client's. */
    w->run->count_count = 0;
    const int named = name_client(w, err);
    return rc < 0 ? rc : named;
}

/* ---- what it wrote ---- */

static int read_output(struct work *w, const char *name, struct slw_error *err)
{
    char path[PATH_MAX];
    char *bytes = NULL;
    size_t length = 0;

    (void)snprintf(path, sizeof(path), "%s/%s", w->sim->directory, name);
    int rc = slw_file_read(path, SLW_SIM_OUTPUT_MAX_BYTES, &bytes, &length, err);
    if (rc >= 0)
        rc = slw_sim_output_read(bytes, length, path, &w->done.outputs[w->done.count], err);
    free(bytes);
    if (rc >= 0)
        w->done.count++;
    return rc;
}

static bool ends_with(const char *text, const char *end)
{
    const size_t length = strlen(text), tail = strlen(end);

    return length >= tail && strcmp(text + length - tail, end) == 0;
}

/* By process number: what is made of them does not depend on the order of a directory. */
static int by_process(const void *a, const void *b)
{
    const struct slw_sim_output *const *x = a, *const *y = b;

    return ((*x)->process > (*y)->process) - ((*x)->process < (*y)->process);
}

/* What a carrier keeps now and then counts only where it did not come to write the rest. */
static bool is_superseded(const struct work *w, const char *name)
{
    char path[PATH_MAX];

    if (!ends_with(name, PARTIAL))
        return false;
    (void)snprintf(path, sizeof(path), "%s/%.*s", w->sim->directory,
                   (int)(strlen(name) - strlen(PARTIAL)), name);
    return access(path, F_OK) == 0;
}

static int read_outputs(struct work *w, struct slw_error *err)
{
    DIR *dir = opendir(w->sim->directory);
    const struct dirent *entry;
    int rc = 0;

    if (!dir)
        return slw_fail_sys(err, SLW_E_IO, errno, "cannot list %s", w->sim->directory);
    while (rc >= 0 && (entry = readdir(dir)) != NULL) {
        const char *name = entry->d_name;

        if (strncmp(name, OUTPUT_STEM ".", strlen(OUTPUT_STEM) + 1) != 0 ||
            ends_with(name, UNFINISHED) || is_superseded(w, name))
            continue;
        if (w->done.count == MAX_PROCESSES)
            rc = slw_fail(err, SLW_E_LIMIT, "the client executed more than %d programs",
                          MAX_PROCESSES);
        else if (ends_with(name, PARTIAL)) /* it may have been cut short where it was written */
            w->done.unreadable += read_output(w, name, NULL) < 0;
        else
            rc = read_output(w, name, err);
    }
    (void)closedir(dir);
    if (w->done.count > 1)
        qsort(w->done.outputs, w->done.count, sizeof(*w->done.outputs), by_process);
    return rc;
}

/* ---- what is to be said ---- */

static uint64_t unfollowed(const struct slw_simulated *s)
{
    uint64_t calls = 0;

    for (size_t i = 0; i < s->count; i++)
        for (size_t k = 0; k < s->outputs[i]->thread_count; k++)
            calls += s->outputs[i]->threads[k].unfollowed;
    return calls;
}

static size_t partial(const struct slw_simulated *s)
{
    size_t count = 0;

    for (size_t i = 0; i < s->count; i++)
        count += s->outputs[i]->ended != SLW_SIM_ENDED_EXIT;
    return count;
}

static bool any_started(const struct slw_simulated *s)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->outputs[i]->has_started)
            return true;
    return false;
}

/* Requests were to be counted from the first stage on. */
static bool waited_for_stage(const struct slw_simulated *s)
{
    for (size_t i = 0; i < s->count; i++) {
        const struct slw_sim_output *o = s->outputs[i];

        if (o->began && strcmp(o->began, "program") == 0 && o->stage_count > 0)
            return true;
    }
    return false;
}

#define FEW_WINDOWS 100 /* fewer say little of what is between them */

/* Stretches of instructions that were timed; UINT64_MAX: all of them. */
static uint64_t windows(const struct slw_simulated *s)
{
    uint64_t count = 0;

    for (size_t i = 0; i < s->count; i++) {
        const struct slw_sim_output *o = s->outputs[i];

        if (o->period == 0)
            return UINT64_MAX;
        for (size_t k = 0; k < o->thread_count; k++)
            count += o->threads[k].events[SLW_SIM_INSTRUCTIONS] / o->period;
    }
    return count;
}

static void add_notes(const struct work *w)
{
    const struct slw_simulated *s = &w->done;
    struct slw_run *run = w->run;

    if (!any_started(s))
        (void)slw_run_note(run, SLW_NOTE_WARNING, "simulation-not-started",
                           "count from the start with --start whole",
                           "the client never connected to a server, so nothing was counted");
    slw_replay_notes(w->sim, run);
    if (partial(s) > 0)
        (void)slw_run_note(run, SLW_NOTE_WARNING, "simulation-partial", NULL,
                           "partial: %zu of %zu programs did not end by themselves, and are in the "
                           "numbers as far as they came",
                           partial(s), s->count);
    if (waited_for_stage(s))
        (void)slw_run_note(run, SLW_NOTE_WARNING, SLW_SIM_NO_STAGE, "use --start whole",
                           "a program has marks of stages and came to none of them, so that its "
                           "requests were not counted");
    if (any_started(s) && windows(s) < FEW_WINDOWS)
        (void)slw_run_note(run, SLW_NOTE_WARNING, "simulation-short",
                           "time every instruction with --full, which so short a client can afford",
                           "cycles and slots are of %llu stretches of instructions only",
                           (unsigned long long)windows(s));
    if (s->unreadable > 0)
        (void)slw_run_note(run, SLW_NOTE_WARNING, "simulation-missing", NULL,
                           "%zu programs were ended while their counts were written: they are in "
                           "no number",
                           s->unreadable);
    if (unfollowed(s) > 0)
        (void)slw_run_note(run, SLW_NOTE_INFO, "simulation-calls", NULL,
                           "%llu calls are counted in their caller: too deep, or too many "
                           "different paths",
                           (unsigned long long)unfollowed(s));
}

/* ---- all of it ---- */

static int nothing(const struct work *w, struct slw_error *err)
{
    const struct slw_command *c = &w->run->command;

    if (c->exit == SLW_EXIT_SIGNAL)
        return slw_fail(err, SLW_E_NODATA,
                        "the %s carrier or the client was killed by signal %d, and left no counts",
                        w->sim->carrier->name, c->exit_value);
    return slw_fail(err, SLW_E_NODATA,
                    "the %s carrier ended with status %d and left no counts; what it printed says "
                    "why",
                    w->sim->carrier->name, c->exit_value);
}

static int name_model(struct slw_run *run, const struct slw_core *core, struct slw_error *err)
{
    run->model.name = SLW_SIM_MODEL;
    run->model.source = slw_run_str(run, core->title);
    run->model.version = slw_run_str(run, core->name);
    run->model.absent = NULL;
    return run->model.source && run->model.version ? 0 : slw_fail(err, SLW_E_NOMEM, "no memory");
}

static int take_over(struct work *w, struct slw_stacks **ret_stacks, struct slw_error *err)
{
    const struct slw_provenance from = {.source = SLW_SOURCE_SIMULATED,
                                        .detail = slw_simulated_detail(&w->done, true, w->run)};
    const uint64_t wall_ns = w->run->wall_ns.absent ? 0 : w->run->wall_ns.value;
    int rc = from.detail ? 0 : slw_fail(err, SLW_E_NOMEM, "no memory for counts");

    add_notes(w);
    if (rc >= 0)
        rc = name_model(w->run, w->sim->core, err);
    if (rc < 0 || !any_started(&w->done))
        return rc;
    rc = slw_simulated_counts(&w->done, wall_ns, w->run, err);
    if (rc >= 0)
        rc = slw_simulated_stages(&w->done, &from, w->run, err);
    return rc < 0 ? rc : slw_simulated_stacks(&w->done, &from, ret_stacks, err);
}

int slw_simulate(const struct slw_simulation *sim, const struct slw_session_options *session,
                 struct slw_run *run, struct slw_stacks **ret_stacks, struct slw_error *err)
{
    struct work w = {.sim = sim, .session = session, .run = run, .arena = slw_arena_new()};
    int rc = 0;

    assert(session->target == SLW_TARGET_COMMAND && session->argv && session->argv[0]);
    *ret_stacks = NULL;
    w.done.outputs = calloc(MAX_PROCESSES, sizeof(struct slw_sim_output *));
    if (!w.arena || !w.done.outputs)
        rc = slw_fail(err, SLW_E_NOMEM, "no memory for a simulation");
    if (rc >= 0)
        rc = make_command(&w, err);
    if (rc >= 0)
        rc = execute(&w, err);
    if (rc >= 0)
        rc = read_outputs(&w, err);
    if (rc >= 0 && w.done.count == 0)
        rc = nothing(&w, err);
    if (rc >= 0)
        rc = take_over(&w, ret_stacks, err);
    for (size_t i = 0; w.done.outputs && i < w.done.count; i++)
        slw_sim_output_free(w.done.outputs[i]);
    free(w.done.outputs);
    slw_arena_free(w.arena);
    return rc;
}

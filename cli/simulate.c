/* SPDX-License-Identifier: MIT */
#include "cli/simulate.h"

#include "analyzer/naming.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "cli/cache.h"
#include "cli/profile_int.h"
#include "cli/profile_options.h"
#include "cli/program.h"
#include "cli/suggest.h"
#include "models/core.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* One instruction in 25 is timed. What counts is how many windows there are, more than how long
 * they are; but what is under way at their start (misses, prefetched lines, the reorder buffer) is
 * unknown, which shows in windows of less than 1,000 (docs/simulated.md). */
#define PERIOD 50000
#define DETAIL 2000

#define MAX_CORE_BYTES ((size_t)1 << 20)
#define FALLBACK_CORE  "haswell" /* the best documented one */

const char *slw_simulate_core_name(size_t i)
{
    return i < slw_core_builtin_count() ? slw_core_builtin_name(i) : NULL;
}

const char *slw_simulate_carrier_name(size_t i)
{
    return i < slw_carrier_count ? slw_carriers[i]->name : NULL;
}

static const char *const starts[] = {"auto", "whole", "connect", NULL};

const char *slw_simulate_start_name(size_t i)
{
    return starts[i];
}

void slw_simulate_free(struct slw_simulate *s)
{
    if (!s)
        return;
    slw_core_free(s->core);
    free(s->launcher);
    free(s->program);
    free(s);
}

/* ---- settings ---- */

static enum slw_sim_start start_of(const char *name)
{
    static const enum slw_sim_start values[] = {SLW_SIM_START_AUTO, SLW_SIM_START_WHOLE,
                                                SLW_SIM_START_CONNECT};

    for (size_t i = 0; name && starts[i]; i++)
        if (strcmp(name, starts[i]) == 0)
            return values[i];
    return SLW_SIM_START_AUTO;
}

static bool is_given(const struct slw_args *a, const char *name)
{
    return slw_args_knows(a, name) && slw_args_has(a, name);
}

/* What belongs to it means nothing without it, and what counts on this CPU means nothing with it.
 */
static int check(const struct slw_args *a, struct slw_error *err)
{
    static const char *const own[] = {"core", "carrier", "record-server", "replay",
                                      "full", "sampled", "start",         "no-det"};
    static const char *const others[] = {
        "pid",        "all",          "cgroup",     "frequency",   "period",      "timers",
        "call-graph", "per-function", "per-thread", "per-process", "mode",        "interval",
        "offcpu",     "backend",      "model",      "level",       "rounds",      "no-multiplex",
        "delay",      "duration",     "control",    "keep-raw",    "no-sampling", "ring-size",
    };

    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
        if (is_given(a, own[i]) && !slw_args_has(a, "simulate"))
            return slw_fail(err, SLW_E_USAGE, "--%s needs --simulate", own[i]);
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        if (is_given(a, others[i]) && slw_args_has(a, "simulate"))
            return slw_fail(err, SLW_E_USAGE,
                            "--simulate follows a command from its start and counts nothing on "
                            "this CPU: --%s does not go with it",
                            others[i]);
    return 0;
}

/* What measures in turns (compare, sweep) times everything unless it is told otherwise: a sample
 * would differ from the next one by chance. */
static int read_detail(const struct slw_args *a, struct slw_simulation *sim, struct slw_error *err)
{
    const bool in_turns = slw_args_knows(a, "warmup");
    const bool is_sampled = is_given(a, "sampled");
    const bool is_full = slw_args_has(a, "full") || (in_turns && !is_sampled);

    if (is_sampled && slw_args_has(a, "full"))
        return slw_fail(err, SLW_E_USAGE,
                        "--full times all instructions, --sampled a part of them");
    sim->period = is_full ? 0 : PERIOD;
    sim->detail = is_full ? 0 : DETAIL;
    return 0;
}

int slw_simulate_settings(struct slw_profile *p, struct slw_error *err)
{
    const struct slw_args *a = p->args;
    int rc = check(a, err);

    if (rc < 0 || !slw_args_has(a, "simulate"))
        return rc;
    p->simulate = calloc(1, sizeof(*p->simulate));
    if (!p->simulate)
        return slw_fail(err, SLW_E_NOMEM, "no memory for a simulation");
    struct slw_simulation *sim = &p->simulate->simulation;

    rc = read_detail(a, sim, err);
    if (rc < 0)
        return rc;
    sim->start = start_of(slw_args_get(a, "start"));
    sim->repeatable = !slw_args_has(a, "no-det");
    sim->record_server = slw_args_get(a, "record-server");
    sim->replay = slw_args_get(a, "replay");
    if (sim->record_server && sim->replay)
        return slw_fail(err, SLW_E_USAGE, "--record-server needs a server, --replay does without");
    if ((sim->record_server || sim->replay) && !sim->repeatable)
        return slw_fail(err, SLW_E_USAGE,
                        "a server is recorded for clients that repeat: "
                        "--no-det does not go with it");
    p->simulate->core_name = slw_args_get(a, "core");
    p->simulate->carrier_name = slw_args_get(a, "carrier");
    return 0;
}

/* ---- the core ---- */

static int load_core_file(const char *path, struct slw_core **ret_core, struct slw_error *err)
{
    char *SLW_AUTO(free) text = NULL;
    size_t length = 0;
    const int rc = slw_file_read(path, MAX_CORE_BYTES, &text, &length, err);

    return rc < 0 ? rc : slw_core_parse(text, length, path, ret_core, err);
}

static bool is_path(const char *name)
{
    const size_t length = strlen(name);

    return strchr(name, '/') || (length > 5 && strcmp(name + length - 5, ".json") == 0);
}

static void hint_cores(struct slw_error *err)
{
    char names[160] = "";

    for (size_t i = 0; i < slw_core_builtin_count(); i++) {
        const size_t used = strlen(names);

        (void)snprintf(names + used, sizeof(names) - used, "%s%s", i > 0 ? ", " : "",
                       slw_core_builtin_name(i));
    }
    slw_error_hint(err, "there are %s; a file needs a '/' or .json", names);
}

static int load_core(const char *name, struct slw_core **ret_core, struct slw_error *err)
{
    struct slw_suggestion s = {.typed = name};

    if (is_path(name))
        return load_core_file(name, ret_core, err);
    for (size_t i = 0; i < slw_core_builtin_count(); i++) {
        if (strcmp(slw_core_builtin_name(i), name) == 0)
            return slw_core_builtin(name, ret_core, err);
        slw_suggest(&s, slw_core_builtin_name(i));
    }
    if (s.best)
        slw_error_hint(err, "did you mean %s?", s.best);
    else
        hint_cores(err);
    return slw_fail(err, SLW_E_NOTFOUND, "there is no described core '%.60s'", name);
}

/* The core most like this CPU, else one that is documented best; which of the two, a note says. */
static int choose_core(struct slw_simulate *s, const struct slw_profile *p, struct slw_error *err)
{
    const char *like = p->model ? slw_core_like(p->model->name) : NULL;

    if (s->core_name)
        return load_core(s->core_name, &s->core, err);
    const int rc = slw_core_builtin(like ? like : FALLBACK_CORE, &s->core, err);
    if (rc >= 0)
        (void)slw_run_note(p->run, SLW_NOTE_INFO, "simulated-core",
                           "name another with --core: the same one everywhere makes numbers that "
                           "can be compared",
                           like ? "the described core is %s, which is most like this CPU"
                                : "the described core is %s, for none is known to be like this CPU",
                           s->core->name);
    return rc;
}

/* ---- the carrier ---- */

/* Can this one run the command here? Else the reason stays in *err. */
static int try_carrier(const struct slw_carrier *c, const struct slw_profile *p,
                       const char *program, char **ret_launcher, struct slw_error *err)
{
    struct slw_probe probe;
    int rc = slw_program_beside(c->launcher, ret_launcher, err);

    if (rc < 0)
        return rc;
    const char *refusal = c->refuses ? c->refuses(program) : NULL;
    if (refusal) {
        rc = slw_fail(err, SLW_E_UNSUPPORTED, "the %s carrier cannot run %.200s, which %s", c->name,
                      program, refusal);
    } else {
        slw_carrier_probe(*ret_launcher, p->session.envp, &probe);
        if (!probe.works)
            rc = slw_fail(err, SLW_E_UNSUPPORTED, "the %s carrier does not work here: %s", c->name,
                          probe.why_not);
        if (!probe.works && probe.fix[0])
            slw_error_hint(err, "%s", probe.fix);
    }
    if (rc < 0) {
        free(*ret_launcher);
        *ret_launcher = NULL;
    }
    return rc;
}

/* The first that can, or the one that was asked for. Why a better one cannot is a note. */
static int choose_carrier(struct slw_simulate *s, const struct slw_profile *p,
                          struct slw_error *err)
{
    struct slw_error first = {0};

    for (size_t i = 0; i < slw_carrier_count; i++) {
        const struct slw_carrier *c = slw_carriers[i];
        struct slw_error why = {0};

        if (s->carrier_name && strcmp(s->carrier_name, c->name) != 0)
            continue;
        if (try_carrier(c, p, s->program, &s->launcher, &why) >= 0) {
            s->simulation.carrier = c;
            if (first.code != SLW_E_OK)
                (void)slw_run_note(p->run, SLW_NOTE_WARNING, "simulated-carrier",
                                   first.hint[0] ? first.hint : NULL,
                                   "simulated with the %s carrier: %s", c->name, first.text);
            return 0;
        }
        if (first.code == SLW_E_OK)
            first = why;
    }
    if (err && err->code == SLW_E_OK)
        *err = first;
    return -(int)(first.code == SLW_E_OK ? SLW_E_UNSUPPORTED : first.code);
}

int slw_simulate_choose(struct slw_simulate *s, struct slw_profile *p, struct slw_error *err)
{
    const char *arch = p->run->host.cpu.arch;

    if (arch && strcmp(arch, "x86_64") != 0)
        return slw_fail(err, SLW_E_UNSUPPORTED,
                        "only x86-64 programs are simulated, not yet those of %.32s", arch);
    if (slw_program_find(p->session.argv[0], &s->program, err) < 0 ||
        access(s->program, X_OK) != 0) {
        if (err)
            *err = (struct slw_error){0};
        return slw_fail(err, SLW_E_EXEC, "there is no program '%.200s'", p->session.argv[0]);
    }
    int rc = choose_core(s, p, err);
    if (rc >= 0)
        rc = choose_carrier(s, p, err);
    if (rc >= 0 && s->simulation.repeatable && !s->simulation.carrier->makes_repeatable)
        (void)slw_run_note(p->run, SLW_NOTE_INFO, "simulated-clock", NULL,
                           "the %s carrier leaves clocks and random bytes as they are: another "
                           "execution may count differently",
                           s->simulation.carrier->name);
    if (rc >= 0) { /* what counts on this CPU is not asked */
        slw_model_free(p->model);
        p->model = NULL;
        rc = slw_model_builtin(SLW_SIM_MODEL, &p->model, err);
    }
    s->simulation.core = s->core;
    s->simulation.launcher = s->launcher;
    s->simulation.program = s->program;
    p->session.model = NULL;
    p->session.other_core_count = 0;
    return rc;
}

void slw_simulate_ask(struct slw_doctor_carrier *ret_carriers)
{
    for (size_t i = 0; i < slw_carrier_count; i++) {
        struct slw_doctor_carrier *to = &ret_carriers[i];
        struct slw_error why = {0};
        struct slw_probe probe = {0};
        char *launcher = NULL;

        if (slw_program_beside(slw_carriers[i]->launcher, &launcher, &why) >= 0) {
            slw_carrier_probe(launcher, environ, &probe);
        } else {
            (void)snprintf(probe.why_not, sizeof(probe.why_not), "its program is not installed");
            (void)snprintf(probe.fix, sizeof(probe.fix), "build slotwise where %s is installed",
                           slw_carriers[i]->name);
        }
        free(launcher);
        *to = (struct slw_doctor_carrier){.name = slw_carriers[i]->name, .works = probe.works};
        memcpy(to->why_not, probe.why_not, sizeof(to->why_not));
        memcpy(to->fix, probe.fix, sizeof(to->fix));
    }
}

/* ---- running ---- */

/* Only what we and the carrier have put there. */
static void remove_folder(const char *path)
{
    DIR *dir = opendir(path);
    const struct dirent *entry;

    while (dir && (entry = readdir(dir)) != NULL)
        (void)unlinkat(dirfd(dir), entry->d_name, 0);
    if (dir)
        (void)closedir(dir);
    (void)rmdir(path);
}

static int name_stacks(struct slw_run *run, struct slw_stacks **stacks, struct slw_error *err)
{
    char cache[PATH_MAX];
    const struct slw_naming_options opts = {.cache_dir = slw_cache_dir(cache)};
    struct slw_stacks *named = NULL;

    if (!*stacks)
        return 0;
    const int rc = slw_stacks_name(*stacks, &opts, run, &named, err);

    slw_stacks_free(*stacks);
    *stacks = named;
    return rc;
}

void slw_simulate_untime(struct slw_run *run)
{
    static const char why[] = "the client was simulated, which takes longer";

    if (!run->wall_ns.absent)
        (void)slw_run_note(run, SLW_NOTE_INFO, "simulated-time", NULL, "simulating took %.3g s",
                           (double)run->wall_ns.value / 1e9);
    run->wall_ns = (struct slw_maybe_u64){.absent = why};
    for (size_t i = 0; i < run->note_count; i++)
        if (strcmp(run->notes[i].code, SLW_SIM_NO_STAGE) == 0)
            run->requests = (struct slw_maybe_u64){.absent = run->notes[i].text};
    run->latency_count = 0;
    for (size_t i = 0; i < run->connection_count; i++) {
        struct slw_connection *c = &run->connections[i];

        c->latency_count = c->latency_sum_ns = c->latency_max_ns = 0;
        c->batch_count = c->batch_sum_ns = c->batch_max_ns = 0;
    }
}

int slw_simulate_run(struct slw_simulate *s, const char *dir,
                     const struct slw_session_options *session, struct slw_run *run,
                     struct slw_stacks **ret_stacks, struct slw_error *err)
{
    char path[PATH_MAX], *SLW_AUTO(free) folder = NULL;
    struct slw_simulation sim = s->simulation;
    char library[PATH_MAX];

    if (sim.record_server || sim.replay) {
        if (!slw_profile_find_library("replay", library))
            return slw_fail(err, SLW_E_UNSUPPORTED, "libslotwise-replay.so is not installed");
        sim.replay_library = library;
    }
    (void)snprintf(path, sizeof(path), "%.4000s/carrier", dir);
    if (mkdir(path, 0700) < 0)
        return slw_fail_sys(err, SLW_E_IO, errno, "cannot create %s", path);
    folder = realpath(path, NULL); /* the client may go to another folder */
    int rc = folder ? 0 : slw_fail(err, SLW_E_NOMEM, "no memory for a path");

    sim.directory = folder;
    if (rc >= 0)
        rc = slw_simulate(&sim, session, run, ret_stacks, err);
    if (rc >= 0)
        rc = name_stacks(run, ret_stacks, err);
    remove_folder(path);
    return rc;
}

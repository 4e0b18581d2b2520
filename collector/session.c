/* SPDX-License-Identifier: MIT */
#include "collector/session.h"

#include "base/arena.h"
#include "base/clock.h"
#include "collector/backend.h"
#include "collector/control.h"
#include "collector/session_int.h"
#include "collector/spool.h"
#include "collector/sys.h"
#include "collector/tap.h"
#include "collector/taps/wire.h"
#include "collector/target.h"
#include "models/model.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* How long a stop flag, or the end of a command on a kernel without pidfd, may go unseen: a signal
 * can arrive just before poll sleeps. */
#define LOOK_UP_MS 250
/* Per CPU; perf's own limit is of this order, and more only delays losses. */
#define SLW_MAX_RING_BYTES (UINT64_C(1) << 30)
/* What an interrupted command gets to end in. */
#define PATIENCE_MS 2000

struct session {
    const struct slw_session_options *opts;
    const struct slw_sys *sys;
    struct slw_run *run;
    struct slw_live_target *target;
    struct slw_spool *spool;
    const struct slw_backend *backend;
    struct slw_backend_state *state;
    struct slw_tap_state *taps[SLW_MAX_TAPS]; /* NULL: not wanted, or cannot work here */
    int control_fd;
    struct slw_control_lines lines;
    bool measuring, waiting; /* waiting: for the end of the delay */
    bool quit;
    int signal_number; /* the user wants us to stop */
    uint64_t delay_end_ns;
    uint64_t phase_start_ns, measured_ns;
    uint64_t first_ns, last_ns; /* bounds of all phases */
    struct rusage self_start;
    uint64_t self_user_ns, self_system_ns;
};

/* ---- setting up ---- */

static int copy_command(struct session *s, struct slw_error *err)
{
    struct slw_command *c = &s->run->command;
    size_t argc = 0;

    c->kind = s->opts->target;
    c->cgroup = slw_run_str(s->run, s->opts->cgroup);
    while (c->kind == SLW_TARGET_COMMAND && s->opts->argv[argc])
        argc++;
    c->argv = slw_arena_array(s->run->arena, argc + 1, sizeof(c->argv[0]));
    for (size_t i = 0; c->argv && i < argc; i++)
        c->argv[i] = slw_run_str(s->run, s->opts->argv[i]);
    c->argc = argc;
    if (!c->argv || (argc > 0 && !c->argv[argc - 1]))
        return slw_fail(err, SLW_E_NOMEM, "no memory for the command line");
    return 0;
}

static const char *refusal_code(const struct slw_backend *b, int rc)
{
    if (rc == -SLW_E_PERM)
        return "perf-refused";
    return b->source == SLW_SOURCE_HARDWARE ? "no-pmu" : "no-perf-events";
}

/* Why a better backend was passed over, as a clause a report can quote. */
static void note_refusal(struct session *s, const struct slw_backend *b, int rc, const char *why)
{
    const char *code = refusal_code(b, rc);
    const char *hypervisor = s->run->host.hypervisor;
    const char *hint = "run 'slotwise doctor' to see what would help";

    if (strcmp(code, "no-pmu") == 0 && hypervisor)
        (void)slw_run_note(s->run, SLW_NOTE_WARNING, code, hint,
                           "this %s guest is given no PMU (%s)", hypervisor, why);
    else
        (void)slw_run_note(s->run, SLW_NOTE_WARNING, code, hint,
                           "the %s backend cannot be used: %s", b->name, why);
}

/* Callers or timers asked for by name: better no samples at all than others. */
static bool last_that_samples(const struct session *s, const struct slw_backend *b, int rc)
{
    const bool callers =
        s->opts->call_graph == SLW_CALL_GRAPH_DWARF || s->opts->call_graph == SLW_CALL_GRAPH_LBR;
    const bool timers = s->opts->timers == SLW_TIMERS_CPU;

    return s->opts->sample && b->source != SLW_SOURCE_HARDWARE &&
           (rc == -SLW_E_UNSUPPORTED ? callers || timers : rc == -SLW_E_PERM && timers);
}

/* The best backend that opens; each that did not leaves a note. */
static int choose_backend(struct session *s, struct slw_error *err)
{
    struct slw_error why;
    int rc = -SLW_E_UNSUPPORTED;

    for (size_t i = 0; i < slw_backend_count; i++) {
        const struct slw_backend *b = slw_backends[i];

        if (s->opts->backend && strcmp(s->opts->backend, b->name) != 0)
            continue;
        why = (struct slw_error){0};
        s->backend = b;
        rc = b->open(s->opts, s->target, s->spool, s->run, &s->state, &why);
        if (rc == 0)
            return 0;
        if ((rc != -SLW_E_UNSUPPORTED && rc != -SLW_E_PERM) || s->opts->backend ||
            last_that_samples(s, b, rc) || i + 1 == slw_backend_count) {
            if (err && err->code == SLW_E_OK)
                *err = why;
            return rc;
        }
        note_refusal(s, b, rc, why.text);
    }
    return slw_fail(err, SLW_E_INVAL, "there is no backend '%s'", s->opts->backend);
}

/* ---- taps ---- */

static int open_taps(struct session *s, struct slw_error *err)
{
    int rc = 0;

    for (size_t i = 0; i < slw_tap_count && rc == 0; i++)
        rc = slw_taps[i]->open(s->opts, s->target, s->spool, s->run, &s->taps[i], err);
    return rc;
}

static int start_taps(struct session *s, struct slw_error *err)
{
    int rc = 0;

    for (size_t i = 0; i < slw_tap_count && rc == 0; i++)
        rc = s->taps[i] ? slw_taps[i]->start(s->taps[i], err) : 0;
    return rc;
}

static int poll_taps(struct session *s, struct slw_error *err)
{
    int rc = 0;

    for (size_t i = 0; i < slw_tap_count && rc == 0; i++)
        rc = s->taps[i] ? slw_taps[i]->poll(s->taps[i], err) : 0;
    return rc;
}

/* All of them, whatever fails; the first failure is returned. */
static int stop_taps(struct session *s, struct slw_error *err)
{
    int first = 0;

    for (size_t i = 0; i < slw_tap_count; i++) {
        int rc = s->taps[i] ? slw_taps[i]->stop(s->taps[i], err) : 0;
        first = first < 0 ? first : rc;
    }
    return first;
}

static int collect_taps(struct session *s, struct slw_error *err)
{
    int first = 0;

    for (size_t i = 0; i < slw_tap_count; i++) {
        int rc = s->taps[i] ? slw_taps[i]->collect(s->taps[i], s->run, err) : 0;
        first = first < 0 ? first : rc;
    }
    return first;
}

static void close_taps(struct session *s)
{
    for (size_t i = 0; i < slw_tap_count; i++)
        if (s->taps[i])
            slw_taps[i]->close(s->taps[i]);
}

/* ---- setting up, all of it ---- */

static int check_options(const struct slw_session_options *o, struct slw_error *err)
{
    uint64_t page_bytes = (uint64_t)sysconf(_SC_PAGESIZE);

    if (o->sample && o->frequency_hz == 0 && o->period == 0)
        return slw_fail(err, SLW_E_INVAL, "sampling needs a frequency or a period");
    if (o->ring_bytes != 0 &&
        (o->ring_bytes < page_bytes || (o->ring_bytes & (o->ring_bytes - 1)) != 0 ||
         o->ring_bytes > SLW_MAX_RING_BYTES))
        return slw_fail(err, SLW_E_INVAL,
                        "a ring buffer has a power of two of bytes from %llu to %llu, not %llu",
                        (unsigned long long)page_bytes, (unsigned long long)SLW_MAX_RING_BYTES,
                        (unsigned long long)o->ring_bytes);
    return 0;
}

static int open_session(struct session *s, struct slw_error *err)
{
    const struct slw_session_options *o = s->opts;
    int rc = check_options(o, err);

    if (rc == 0)
        rc = copy_command(s, err);
    if (rc == 0 && o->control_fifo)
        rc = slw_control_open(o->control_fifo, &s->control_fd, err);
    if (rc == 0)
        rc = slw_target_open(s->sys, o, &s->target, err);
    if (rc == 0 && s->control_fd >= 0)
        s->target->wake_fds[s->target->wake_count++] = s->control_fd;
    if (rc == 0)
        s->run->command.pid = s->target->pid;
    if (rc == 0 && o->sample)
        rc = slw_spool_open(s->sys, o->spool_path, &s->spool, err);
    if (rc == 0 && s->spool)
        slw_spool_limit(s->spool, o->spool_limit);
    if (rc == 0)
        rc = choose_backend(s, err);
    return rc < 0 ? rc : open_taps(s, err);
}

/* ---- phases ---- */

static uint64_t timeval_ns(struct timeval tv)
{
    return (uint64_t)tv.tv_sec * 1000000000 + (uint64_t)tv.tv_usec * 1000;
}

static int start_phase(struct session *s, struct slw_error *err)
{
    if (s->measuring)
        return 0;
    int rc = s->backend->start(s->state, err);
    (void)getrusage(RUSAGE_SELF, &s->self_start);
    s->phase_start_ns = s->sys->now_ns();
    if (s->first_ns == 0)
        s->first_ns = s->phase_start_ns;
    if (rc == 0)
        rc = start_taps(s, err); /* within the window, as their stop is */
    s->measuring = rc == 0;
    slw_wire_count(s->opts->wire, s->measuring);
    return rc;
}

static int stop_phase(struct session *s, struct slw_error *err)
{
    struct rusage now;

    if (!s->measuring)
        return 0;
    s->measuring = false;
    slw_wire_count(s->opts->wire, false);
    int tapped = stop_taps(s, err);
    int rc = s->backend->stop(s->state, err);
    rc = rc < 0 ? rc : tapped;
    s->last_ns = s->sys->now_ns();
    s->measured_ns += s->last_ns - s->phase_start_ns;
    (void)getrusage(RUSAGE_SELF, &now);
    s->self_user_ns += timeval_ns(now.ru_utime) - timeval_ns(s->self_start.ru_utime);
    s->self_system_ns += timeval_ns(now.ru_stime) - timeval_ns(s->self_start.ru_stime);
    return rc;
}

static int obey(struct session *s, enum slw_control_command command, struct slw_error *err)
{
    switch (command) {
    case SLW_CONTROL_START:
        s->waiting = false;
        return start_phase(s, err);
    case SLW_CONTROL_STOP:
        s->waiting = false;
        return stop_phase(s, err);
    case SLW_CONTROL_QUIT:
        s->quit = true;
        return 0;
    }
    return 0;
}

static int read_control(struct session *s, struct slw_error *err)
{
    enum slw_control_command command;
    char bytes[256];

    if (s->control_fd < 0)
        return 0;
    ssize_t n = s->sys->read(s->control_fd, bytes, sizeof(bytes));
    for (ssize_t i = 0; i < n && !s->quit; i++) {
        if (!slw_control_feed(&s->lines, bytes[i], &command))
            continue;
        int rc = obey(s, command, err);
        if (rc < 0)
            return rc;
    }
    return 0; /* EAGAIN: nothing there */
}

static uint64_t measured_so_far(const struct session *s, uint64_t now_ns)
{
    return s->measured_ns + (s->measuring ? now_ns - s->phase_start_ns : 0);
}

static bool finished(struct session *s, uint64_t now_ns)
{
    if (s->opts->stop && *s->opts->stop != 0)
        s->signal_number = (int)*s->opts->stop;
    if (s->signal_number != 0 || s->quit)
        return true;
    if (s->opts->duration_ms > 0 &&
        measured_so_far(s, now_ns) >= s->opts->duration_ms * UINT64_C(1000000))
        return true;
    return slw_target_ended(s->target);
}

/* A tap that copies something must be emptied before it is full. */
static uint64_t look_up_ns(const struct session *s)
{
    uint64_t ms = LOOK_UP_MS;

    for (size_t i = 0; i < slw_tap_count; i++)
        if (s->taps[i] && slw_taps[i]->poll_ms > 0 && slw_taps[i]->poll_ms < ms)
            ms = slw_taps[i]->poll_ms;
    return ms * UINT64_C(1000000);
}

/* Until the next thing that happens by the clock, at most LOOK_UP_MS. */
static int timeout_ms(const struct session *s, uint64_t now_ns)
{
    uint64_t left_ns = look_up_ns(s);

    if (s->waiting && s->delay_end_ns - now_ns < left_ns)
        left_ns = s->delay_end_ns - now_ns;
    if (s->measuring && s->opts->duration_ms > 0) {
        uint64_t rest_ns = s->opts->duration_ms * UINT64_C(1000000) - measured_so_far(s, now_ns);
        left_ns = rest_ns < left_ns ? rest_ns : left_ns;
    }
    return (int)((left_ns + 999999) / 1000000);
}

static int measure(struct session *s, struct slw_error *err)
{
    bool held = s->opts->control_fifo && s->opts->start_stopped;
    int rc = 0;

    s->waiting = s->opts->delay_ms > 0 && !held;
    if (!s->waiting && !held)
        rc = start_phase(s, err);
    if (rc == 0)
        rc = slw_target_go(s->target, err);
    s->delay_end_ns = s->sys->now_ns() + s->opts->delay_ms * UINT64_C(1000000);
    for (uint64_t now_ns = s->sys->now_ns(); rc == 0 && !finished(s, now_ns);
         now_ns = s->sys->now_ns()) {
        if (s->waiting && now_ns >= s->delay_end_ns) {
            s->waiting = false;
            rc = start_phase(s, err);
            continue;
        }
        rc = s->backend->poll(s->state, timeout_ms(s, now_ns), err);
        if (rc == 0)
            rc = poll_taps(s, err);
        if (rc == 0)
            rc = read_control(s, err);
    }
    int stopped = stop_phase(s, err);
    return rc < 0 ? rc : stopped;
}

/* ---- results ---- */

static struct slw_maybe_u64 known(uint64_t value)
{
    return (struct slw_maybe_u64){.value = value};
}

static int add_time(struct slw_run *run, const char *event, uint64_t ns, uint64_t wall_ns,
                    struct slw_error *err)
{
    struct slw_count c = {.event = event,
                          .unit = "ns",
                          .mode = SLW_MODE_ALL,
                          .from = {.source = SLW_SOURCE_SOFTWARE, .detail = "getrusage"},
                          .group = -1,
                          .pid = -1,
                          .tid = -1,
                          .cpu = -1,
                          .raw = ns,
                          .enabled_ns = wall_ns,
                          .running_ns = wall_ns};

    return slw_run_add_count(run, &c, err);
}

/* CPU time as the kernel accounts it at the end of a command, children included: free, and a second
 * opinion on task-clock. Only when the whole command was measured. */
static int add_usage(struct session *s, struct slw_error *err)
{
    const struct slw_live_target *t = s->target;
    uint64_t wall_ns = s->measured_ns > 0 ? s->measured_ns : 1;

    if (!t->reaped || !t->enable_on_exec || s->opts->duration_ms > 0 || s->signal_number != 0 ||
        strcmp(s->backend->name, "rusage") == 0)
        return 0;
    int rc = add_time(s->run, "user-time", timeval_ns(t->usage.ru_utime), wall_ns, err);
    return rc < 0 ? rc
                  : add_time(s->run, "system-time", timeval_ns(t->usage.ru_stime), wall_ns, err);
}

static void add_notes(struct session *s)
{
    if (s->lines.unknown_count > 0)
        (void)slw_run_note(s->run, SLW_NOTE_WARNING, "control-unknown",
                           "write start, stop or quit, each on a line of its own",
                           "%llu lines from the control FIFO were no commands",
                           (unsigned long long)s->lines.unknown_count);
    if (s->run->command.exit == SLW_EXIT_STILL_RUNNING && s->target->kind == SLW_TARGET_COMMAND)
        (void)slw_run_note(s->run, SLW_NOTE_INFO, "command-still-running", NULL,
                           "the command (process %d) was still running when measuring ended",
                           s->target->pid);
    if (s->first_ns == 0)
        (void)slw_run_note(s->run, SLW_NOTE_WARNING, "never-started", NULL,
                           "the target ended before measuring began");
}

static void set_model(struct session *s)
{
    const struct slw_model *m = s->opts->model;

    if (!m || s->backend->source != SLW_SOURCE_HARDWARE || s->run->model.name)
        return;
    s->run->model.name = slw_run_str(s->run, m->name);
    s->run->model.source = slw_run_str(s->run, m->source);
    s->run->model.version = slw_run_str(s->run, m->version);
    s->run->model.absent = NULL;
}

static int finish_spool(struct session *s, struct slw_error *err)
{
    bool full = slw_spool_full(s->spool);
    int rc = slw_spool_finish(s->spool, s->first_ns, s->last_ns, full ? NULL : err);

    s->run->self.spool_bytes = slw_spool_begun(s->spool) ? slw_spool_bytes(s->spool) : 0;
    if (!full)
        return rc;
    return slw_fail(err, slw_spool_failure(s->spool)->code,
                    "%s: samples after %llu bytes are missing, counts are complete",
                    slw_spool_failure(s->spool)->text,
                    (unsigned long long)s->run->self.spool_bytes);
}

/* Everything that was measured goes into the run, whatever failed on the way; the first failure is
 * returned. */
static int collect(struct session *s, struct slw_error *err)
{
    slw_target_wait(s->target, s->signal_number, s->signal_number != 0 ? PATIENCE_MS : 0);
    slw_target_exit(s->target, &s->run->command);
    s->run->wall_ns = known(s->measured_ns);
    s->run->self.user_ns = known(s->self_user_ns);
    s->run->self.system_ns = known(s->self_system_ns);
    set_model(s);
    int rc = s->backend->collect(s->state, s->run, err);
    int tapped = collect_taps(s, err);
    rc = rc < 0 ? rc : tapped;
    if (rc == 0)
        rc = add_usage(s, err);
    add_notes(s);
    int spooled = s->spool ? finish_spool(s, err) : 0;
    return rc < 0 ? rc : spooled;
}

static void close_session(struct session *s)
{
    close_taps(s);
    if (s->backend)
        s->backend->close(s->state);
    slw_spool_close(s->spool);
    slw_target_close(s->target);
    if (s->control_fd >= 0)
        (void)close(s->control_fd);
}

int slw_session_run_on(const struct slw_sys *sys, const struct slw_session_options *opts,
                       struct slw_run *run, struct slw_error *err)
{
    struct session s = {.opts = opts, .sys = sys, .run = run, .control_fd = -1};
    struct slw_error local = {0};

    assert(!opts->sample || opts->spool_path);
    assert(opts->target != SLW_TARGET_COMMAND || (opts->argv && opts->argv[0]));
    err = err ? err : &local;
    run->started_realtime_ns = slw_clock_realtime_ns();
    int rc = open_session(&s, err);
    if (rc == 0) {
        rc = measure(&s, err);
        if (rc != -SLW_E_EXEC) {
            int collected = collect(&s, err);
            rc = rc < 0 ? rc : collected;
        }
    }
    if (rc == -SLW_E_EXEC && s.spool)
        slw_spool_discard(s.spool); /* it holds nothing but a header */
    close_session(&s);
    return rc;
}

int slw_session_run(const struct slw_session_options *opts, struct slw_run *run,
                    struct slw_error *err)
{
    return slw_session_run_on(&slw_sys_real, opts, run, err);
}

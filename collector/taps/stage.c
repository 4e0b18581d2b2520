/* SPDX-License-Identifier: MIT */
/* The stages that the client marks with include/slotwise/stage.h: how often each was called, on how
 * many requests, and what it took. Seen by uprobes on the marks (stage/). A client without marks is
 * not touched. */
#include "collector/tap.h"
#include "collector/taps/bpf/files.h"
#include "collector/taps/bpf/tasks.h"
#include "collector/taps/stage/bpf.h"
#include "collector/taps/stage/counters.h"
#include "collector/taps/stage/late.h"
#include "collector/taps/stage/marks.h"
#include "collector/taps/stage/sums.h"
#include "collector/target.h"

#include <stdlib.h>

struct slw_tap_state {
    struct slw_run *run;
    struct slw_stage_prog *prog; /* NULL: nothing was marked when we looked */
    struct slw_stage_late *late;
    int pid; /* whose files are looked at again; -1: nobody's */
    struct slw_stage_counters *counters;
    struct slw_stage_marks *marks;
    struct slw_stage_sum *sums;
    uint64_t not_followed, not_attached;
    uint32_t phase_count;               /* times measuring was started */
    bool measuring, broken;             /* a file */
    uint64_t open_calls[SLW_STAGE_MAX]; /* when measuring was stopped */
};

static void close_tap(struct slw_tap_state *s)
{
    if (!s)
        return;
    slw_stage_prog_close(s->prog);
    slw_stage_counters_close(s->counters);
    if (s->marks)
        slw_stage_marks_release(s->marks);
    free(s->marks);
    slw_stage_late_free(s->late);
    free(s->sums);
    free(s);
}

static struct slw_tap_state *new_state(struct slw_run *run)
{
    struct slw_tap_state *s = calloc(1, sizeof(*s));

    if (!s)
        return NULL;
    s->run = run;
    s->pid = -1;
    s->late = slw_stage_late_new();
    s->marks = calloc(1, sizeof(*s->marks));
    s->sums = calloc(SLW_STAGE_MAX, sizeof(*s->sums));
    if (s->marks && s->sums && s->late)
        return s;
    close_tap(s);
    return NULL;
}

/* ---- opening ---- */

/* A file that cannot be read has none; one that is broken is passed over and told. */
static int look_at(void *ctx, const char *path, struct slw_error *err)
{
    struct slw_tap_state *s = ctx;
    struct slw_error why = {0};
    int rc = slw_stage_marks_file(s->marks, path, &why);

    if (rc != -SLW_E_FORMAT)
        return rc < 0 ? slw_fail(err, why.code, "%s", why.text) : 0;
    if (!s->broken)
        (void)slw_run_note(s->run, SLW_NOTE_WARNING, "stage-file-broken", NULL,
                           "stages cannot be looked for in '%s': %s", path, why.text);
    s->broken = true;
    return 0;
}

/* What the client will open later, if it is not what it is linked with. */
static int look_at_named(struct slw_tap_state *s, const struct slw_session_options *opts,
                         struct slw_error *err)
{
    struct stat st;
    int rc = 0;

    for (size_t i = 0; i < SLW_MAX_STAGE_FILES && opts->stage_files[i] && rc == 0; i++) {
        const size_t before = s->marks->mark_count;

        if (stat(opts->stage_files[i], &st) == 0 && slw_stage_marks_know(s->marks, &st))
            continue;
        rc = look_at(s, opts->stage_files[i], err);
        if (rc == 0 && s->marks->mark_count == before)
            (void)slw_run_note(s->run, SLW_NOTE_WARNING, "no-stages-in-file", NULL,
                               "no stages are marked in '%s'", opts->stage_files[i]);
    }
    return rc;
}

static int follow(void *ctx, uint32_t pid, uint32_t tid, struct slw_error *err)
{
    struct slw_tap_state *s = ctx;
    int rc = slw_stage_prog_follow(s->prog, pid, tid, err);

    if (rc != -SLW_E_LIMIT)
        return rc;
    s->not_followed++; /* a lower bound that says so is better than nothing */
    return 0;
}

static int attach(struct slw_tap_state *s, const struct slw_session_options *opts,
                  const struct slw_live_target *target, struct slw_error *err)
{
    int rc = slw_stage_counters_open(opts, target, &s->counters, err);

    if (rc == 0)
        rc = slw_stage_prog_open(slw_stage_counters_count(s->counters), true, &s->prog, err);
    if (rc == 0)
        rc = slw_stage_counters_hand_over(s->counters, s->prog, err);
    if (rc == 0)
        rc = slw_tap_tasks(target, follow, s, err);
    return rc < 0 ? rc : slw_stage_prog_attach(s->prog, s->marks, &s->not_attached, err);
}

static int open_tap(const struct slw_session_options *opts, struct slw_live_target *target,
                    struct slw_spool *spool, struct slw_run *run, struct slw_tap_state **ret_state,
                    struct slw_error *err)
{
    struct slw_error why = {0};

    (void)spool;
    if (target->kind == SLW_TARGET_ALL || opts->no_stages)
        return 0;
    struct slw_tap_state *s = new_state(run);
    if (!s)
        return slw_fail(err, SLW_E_NOMEM, "no memory for the stage tap");
    int rc = slw_tap_files(opts, target, look_at, s, &why);
    if (rc == 0)
        rc = look_at_named(s, opts, &why);
    if (rc == 0 && s->marks->mark_count > 0)
        rc = attach(s, opts, target, &why);
    if (rc == 0 && target->kind != SLW_TARGET_CGROUP)
        s->pid = target->pid;
    if (rc == 0 && (s->prog || s->pid > 0)) {
        *ret_state = s;
        return 0;
    }
    close_tap(s);
    if (rc < 0 && rc != -SLW_E_NOMEM)
        (void)slw_run_note(run, SLW_NOTE_WARNING, "no-stages", why.hint[0] ? why.hint : NULL,
                           "the client marks stages, but they cannot be followed: %s", why.text);
    return rc == -SLW_E_NOMEM ? slw_fail(err, SLW_E_NOMEM, "no memory for the stage tap") : 0;
}

/* ---- measuring ---- */

static int start(struct slw_tap_state *s, struct slw_error *err)
{
    (void)err;
    if (!s->prog)
        return 0;
    s->measuring = true;
    slw_stage_prog_phase(s->prog, ++s->phase_count);
    return 0;
}

static int poll_tap(struct slw_tap_state *s, struct slw_error *err)
{
    (void)err;
    if (s->pid > 0)
        slw_stage_late_look(s->late, s->pid);
    return 0; /* the sums wait in the kernel */
}

static int stop(struct slw_tap_state *s, struct slw_error *err)
{
    (void)err;
    if (!s->measuring)
        return 0;
    s->measuring = false;
    slw_stage_prog_phase(s->prog, 0);
    slw_stage_prog_open_calls(s->prog, s->phase_count, s->open_calls);
    return 0;
}

static int collect(struct slw_tap_state *s, struct slw_run *run, struct slw_error *err)
{
    struct slw_stage_results r = {.marks = s->marks,
                                  .sums = s->sums,
                                  .not_followed = s->not_followed,
                                  .not_attached = s->not_attached};

    int late = slw_stage_late_tell(s->late, s->marks, run, err);
    if (late < 0 || !s->prog)
        return late;
    slw_stage_counters_tell(s->counters, &r);
    int rc = slw_stage_prog_sums(s->prog, s->sums, s->marks->stage_count, err);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < s->marks->stage_count; i++)
        s->sums[i].missed_ends += s->open_calls[i];
    r.losses = slw_stage_prog_losses(s->prog, &r.skipped);
    run->self.ring_bytes += slw_stage_prog_bytes(s->prog);
    slw_tap_tell_bpf_time(run, slw_stage_prog_time_ns(s->prog));
    return slw_stage_put(&r, run, err);
}

const struct slw_tap slw_tap_stage = {
    .name = "stage",
    .summary = "stages the client marks, by uprobes",
    .open = open_tap,
    .start = start,
    .poll = poll_tap,
    .stop = stop,
    .collect = collect,
    .close = close_tap,
};

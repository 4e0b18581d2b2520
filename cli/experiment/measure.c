/* SPDX-License-Identifier: MIT */
/* The blocks of an experiment: in each of them every arm once, in random order. */
#include "cli/experiment/experiment_int.h"

#include "analyzer/statistics/order.h"
#include "base/arena.h"
#include "base/clock.h"
#include "collector/host.h"
#include "record/run_dir.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_FAILED_IN_A_ROW 3 /* blocks; what failed as often will go on to */

/* ---- setting up ---- */

/* "batch=16" -> "batch=16.slotwise"; what a file name should not hold is replaced, and what then
 * would be the same twice is numbered. */
static const char *directory_of(struct slw_experiment *e, size_t arm, const char *name)
{
    char stem[96];

    (void)snprintf(stem, sizeof(stem), "%.90s", name);
    for (char *c = stem; *c; c++)
        *c = isalnum((unsigned char)*c) || strchr("-_+=,.", *c) ? (char)tolower((unsigned char)*c)
                                                                : '_';
    if (stem[0] == '.')
        stem[0] = '_';
    const char *directory = slw_arena_printf(e->arena, "%s.slotwise", stem);
    for (size_t i = 0; directory && i < arm; i++)
        if (strcmp(e->arms[i].directory, directory) == 0)
            directory = slw_arena_printf(e->arena, "%s-%zu.slotwise", stem, arm + 1);
    return directory;
}

static bool copy_parameters(struct slw_experiment *e, const struct slw_arm *a,
                            struct slw_experiment_arm *to)
{
    to->parameters = slw_arena_array(e->arena, a->parameter_count + 1, sizeof(to->parameters[0]));
    to->parameter_count = to->parameters ? a->parameter_count : 0;
    for (size_t i = 0; i < to->parameter_count; i++) {
        to->parameters[i].name = slw_arena_strdup(e->arena, a->parameters[i].name);
        to->parameters[i].value = slw_arena_strdup(e->arena, a->parameters[i].value);
        if (!to->parameters[i].name || !to->parameters[i].value)
            return false;
    }
    return to->parameters != NULL;
}

/* Directories that the caller has named stay as they are. */
static bool describe_arms(const struct slw_measure_plan *p, struct slw_experiment *e)
{
    if (!e->arms) {
        e->arms = slw_arena_array(e->arena, p->arm_count, sizeof(e->arms[0]));
        e->arm_count = p->arm_count;
    }
    assert(e->arm_count == p->arm_count);
    for (size_t i = 0; e->arms && i < p->arm_count; i++) {
        struct slw_experiment_arm *to = &e->arms[i];

        to->name = slw_arena_strdup(e->arena, p->arms[i].name);
        to->command = slw_arena_strdup(e->arena, p->arms[i].shown);
        if (!to->directory)
            to->directory = directory_of(e, i, p->arms[i].name);
        if (!to->name || !to->command || !to->directory || !copy_parameters(e, &p->arms[i], to))
            return false;
    }
    return e->arms != NULL;
}

static const char *copied(struct slw_experiment *e, const char *text, bool *failed)
{
    const char *copy = slw_arena_strdup(e->arena, text);

    *failed = *failed || (text && !copy);
    return copy;
}

static int describe(const struct slw_measuring *m, struct slw_error *err)
{
    const struct slw_measure_plan *p = m->plan;
    struct slw_experiment *e = m->experiment;
    uint64_t id = 0;
    bool failed = false;

    if (getrandom(&id, sizeof(id), 0) != (ssize_t)sizeof(id))
        return slw_fail_sys(err, SLW_E_IO, errno, "no random numbers");
    e->id = slw_arena_printf(e->arena, "%016llx", (unsigned long long)id);
    e->tool = "slotwise " SLW_VERSION;
    e->seed = p->seed;
    e->started_realtime_ns = slw_clock_realtime_ns();
    e->warmup = p->warmup;
    e->budget_ms = p->budget_ms;
    e->setup = copied(e, p->setup, &failed);
    e->prepare = copied(e, p->prepare, &failed);
    e->cleanup = copied(e, p->cleanup, &failed);
    e->sampled = m->base.session.sample;
    e->order = slw_arena_array(e->arena, p->blocks * p->arm_count + 1, sizeof(e->order[0]));
    if (failed || !e->id || !e->order || !describe_arms(p, e))
        return slw_fail(err, SLW_E_NOMEM, "no memory for an experiment");
    return 0;
}

static int prepare_base(struct slw_measuring *m, struct slw_error *err)
{
    struct slw_profile *b = &m->base;

    *b = (struct slw_profile){.args = m->plan->args, .terminal = m->plan->terminal, .quiet = true};
    b->session.target = SLW_TARGET_COMMAND;
    b->session.envp = environ;
    b->session.stop = m->stop;
    b->session.no_stages = true; /* their marks cost more the smaller the batches are */
    int rc = slw_profile_measuring(b, err);
    if (rc >= 0)
        rc = slw_run_new(&b->run, err);
    if (rc < 0)
        return rc;
    b->run->tool = "slotwise " SLW_VERSION;
    rc = slw_host_read(b->run, "", err);
    if (rc >= 0)
        rc = slw_profile_choose_model(b, err);
    if (rc >= 0)
        rc = slw_simulate_settings(b, err);
    b->session.argv = m->plan->arms[0].argv;
    if (rc >= 0 && b->simulate)
        rc = slw_simulate_choose(b->simulate, b, err);
    return rc;
}

static int make_directories(const struct slw_measuring *m, struct slw_error *err)
{
    int rc = 0;

    for (size_t i = 0; i < m->plan->arm_count && rc == 0; i++) {
        char *path = slw_run_dir_file(m->plan->directory, m->experiment->arms[i].directory);

        rc = path ? slw_run_dir_create(path, err)
                  : slw_fail(err, SLW_E_NOMEM, "no memory for a path");
        free(path);
    }
    return rc;
}

static int set_up(struct slw_measuring *m, struct slw_error *err)
{
    const size_t count = m->plan->arm_count;

    m->states = calloc(count, sizeof(m->states[0]));
    m->block = calloc(count, sizeof(m->block[0]));
    if (!m->states || !m->block)
        return slw_fail(err, SLW_E_NOMEM, "no memory for an experiment");
    int rc = prepare_base(m, err);
    if (rc >= 0)
        rc = describe(m, err);
    if (rc >= 0)
        rc = make_directories(m, err);
    for (size_t i = 0; i < count && rc >= 0; i++)
        rc = slw_arm_begin(m, i, err);
    return rc;
}

static void tear_down(struct slw_measuring *m)
{
    for (size_t i = 0; m->states && i < m->plan->arm_count; i++)
        slw_arm_end(&m->states[i]);
    free(m->states);
    free(m->block);
    slw_profile_release(&m->base);
}

/* ---- one block ---- */

static bool stopped(const struct slw_measuring *m)
{
    return m->stop && *m->stop;
}

static void draw_order(struct slw_coin *coin, size_t count, uint16_t *order)
{
    size_t drawn[SLW_MAX_ARMS] = {0};

    if (count == 2) {
        order[0] = slw_coin_flip(coin);
        order[1] = !order[0];
        return;
    }
    slw_coin_shuffle(coin, drawn, count);
    for (size_t i = 0; i < count; i++)
        order[i] = (uint16_t)drawn[i];
}

/* Why the whole block is left out; NULL: it counts. */
static const char *fault_of(const struct slw_measuring *m, char text[256])
{
    for (size_t i = 0; i < m->plan->arm_count; i++)
        if (m->block[i].left_out[0]) {
            (void)snprintf(text, 256, "left out with %s, of which %s", m->plan->arms[i].name,
                           m->block[i].left_out);
            return text;
        }
    return NULL;
}

static int keep_block(struct slw_measuring *m, size_t round, struct slw_error *err)
{
    char text[256];
    const char *why = fault_of(m, text);
    int rc = 0;

    m->failed_in_a_row = why ? m->failed_in_a_row + 1 : 0;
    for (size_t i = 0; i < m->plan->arm_count && rc >= 0; i++) {
        const struct slw_arm_round *x = &m->block[i];

        rc = slw_arm_add(m, i, round, x, x->left_out[0] ? x->left_out : why, err);
    }
    return rc;
}

/* round 0: warm up. An interrupted block leaves no trace. */
static int run_block(struct slw_measuring *m, size_t round, const uint16_t *order,
                     struct slw_error *err)
{
    const uint64_t begin_ns = slw_clock_monotonic_ns();
    int rc = 0;

    for (size_t i = 0; i < m->plan->arm_count && rc >= 0 && !stopped(m); i++)
        rc = slw_arm_execute(m, order[i], round, &m->block[order[i]], err);
    if (rc >= 0 && round > 0 && !stopped(m)) {
        rc = keep_block(m, round, err);
        m->experiment->block_count = round;
    }
    for (size_t i = 0; i < m->plan->arm_count; i++)
        slw_arm_round_release(&m->block[i]);
    m->block_ns += slw_clock_monotonic_ns() - begin_ns;
    m->blocks_timed++;
    return rc;
}

/* ---- all blocks ---- */

static uint64_t elapsed_ns(const struct slw_measuring *m)
{
    return slw_clock_monotonic_ns() - m->started_ns;
}

/* Would the next block end after the budget does? The first always runs. */
static bool over_budget(const struct slw_measuring *m)
{
    if (m->plan->budget_ms == 0 || m->blocks_timed == 0 || m->experiment->block_count == 0)
        return false;
    return elapsed_ns(m) + m->block_ns / m->blocks_timed > m->plan->budget_ms * UINT64_C(1000000);
}

static void tell(const struct slw_measuring *m, size_t round)
{
    const uint64_t seconds = elapsed_ns(m) / 1000000000;
    const uint64_t left = m->block_ns / m->blocks_timed * (m->plan->blocks - round) / 1000000000;

    if (m->plan->quiet || !m->plan->terminal->err.is_terminal)
        return;
    slw_terminal_say("%s%sround %zu of %s%zu, %llu s, at most %llu s left",
                     m->plan->what ? m->plan->what : "", m->plan->what ? ": " : "", round,
                     m->plan->enough ? "at most " : "", m->plan->blocks,
                     (unsigned long long)seconds, (unsigned long long)left);
}

static int ask_enough(struct slw_measuring *m, bool *ret_enough, struct slw_error *err)
{
    int rc = 0;

    *ret_enough = false;
    if (!m->plan->enough)
        return 0;
    for (size_t i = 0; i < m->plan->arm_count && rc == 0; i++)
        rc = slw_arm_refresh(m, i, err);
    if (rc == 0)
        *ret_enough = m->plan->enough(m->plan->enough_ctx, m->plan->arms, m->plan->arm_count,
                                      m->experiment->block_count);
    return rc;
}

static int warm_up(struct slw_measuring *m, struct slw_error *err)
{
    uint16_t order[SLW_MAX_ARMS] = {0};
    int rc = 0;

    for (size_t i = 0; i < m->plan->arm_count; i++)
        order[i] = (uint16_t)i;
    for (size_t i = 0; i < m->plan->warmup && rc >= 0 && !stopped(m); i++)
        rc = run_block(m, 0, order, err);
    return rc;
}

static int run_blocks(struct slw_measuring *m, struct slw_error *err)
{
    struct slw_experiment *e = m->experiment;
    struct slw_coin coin = slw_coin_of(m->plan->seed);
    bool enough = false;
    int rc = warm_up(m, err);

    for (size_t round = 1; rc >= 0 && round <= m->plan->blocks; round++) {
        uint16_t *order = e->order + (round - 1) * m->plan->arm_count;

        if (stopped(m) || over_budget(m) || enough || m->failed_in_a_row >= MAX_FAILED_IN_A_ROW)
            break;
        draw_order(&coin, m->plan->arm_count, order);
        rc = run_block(m, round, order, err);
        if (rc >= 0 && e->block_count == round)
            tell(m, round);
        if (rc >= 0 && e->block_count == round)
            rc = ask_enough(m, &enough, err);
    }
    e->stopped = rc < 0 || m->failed_in_a_row >= MAX_FAILED_IN_A_ROW ? SLW_STOPPED_FAILED
                 : stopped(m)                                        ? SLW_STOPPED_INTERRUPTED
                 : enough                                            ? SLW_STOPPED_SETTLED
                 : e->block_count < m->plan->blocks                  ? SLW_STOPPED_BUDGET
                                                                     : SLW_STOPPED_ROUNDS;
    return rc;
}

/* ---- hooks around it ---- */

static int set_up_servers(const struct slw_measuring *m, struct slw_error *err)
{
    char failure[96];
    const char *setup = m->plan->is_up ? NULL : m->plan->setup;
    int rc = slw_hook_run(setup, NULL, m->stop, failure, err);

    if (rc < 0 || !failure[0])
        return rc;
    return slw_fail(err, SLW_E_EXEC, "the --setup command %s", failure);
}

/* Also after a failure or an interrupt: what setup made is there. */
static void clean_up(struct slw_measuring *m)
{
    char failure[96];
    struct slw_error why = {0};

    if (m->plan->keep_up)
        return;
    if (slw_hook_run(m->plan->cleanup, NULL, NULL, failure, &why) < 0)
        (void)snprintf(failure, sizeof(failure), "did not run: %.60s", why.text);
    for (size_t i = 0; failure[0] && i < m->plan->arm_count && m->plan->arms[i].run; i++)
        (void)slw_run_note(m->plan->arms[i].run, SLW_NOTE_WARNING, "cleanup-failed", NULL,
                           "the --cleanup command %s", failure);
}

/* What was measured before a failure is kept; where there is nothing, there is only the failure. */
static int conclude(struct slw_measuring *m, int rc, const struct slw_error *why,
                    struct slw_error *err)
{
    int done = 0;

    for (size_t i = 0; i < m->plan->arm_count && rc < 0 && m->states[0].kept > 0; i++)
        (void)slw_run_note(m->plan->arms[i].run, SLW_NOTE_WARNING, "rounds-ended", NULL,
                           "the rounds ended early, because the next could not be measured: %s",
                           why->text);
    if (m->states[0].kept == 0 && rc < 0) {
        *err = *why;
        return rc;
    }
    if (m->states[0].kept == 0 && stopped(m))
        return slw_fail(err, SLW_E_NODATA, "interrupted before a round was measured");
    if (m->states[0].kept == 0)
        return slw_fail(err, SLW_E_NODATA, "no round could be used: %s",
                        m->states[0].left_out ? m->states[0].left_out : "none was run");
    for (size_t i = 0; i < m->plan->arm_count && done == 0; i++)
        done = slw_arm_finish(m, i, err);
    return done;
}

/* Directories of arms that came to nothing. What clients printed stays, and is worth a hint. */
static void discard(const struct slw_measuring *m, struct slw_error *err)
{
    const struct slw_experiment *e = m->experiment;
    bool printed = false;

    for (size_t i = 0; e->arms && i < e->arm_count && e->arms[i].directory; i++) {
        char *path = slw_run_dir_file(m->plan->directory, e->arms[i].directory);

        printed = printed || (path && rmdir(path) < 0 && errno == ENOTEMPTY);
        free(path);
    }
    if (printed)
        slw_error_hint(err, "what the client printed is in %s", m->plan->directory);
}

int slw_experiment_measure(const struct slw_measure_plan *plan, struct slw_experiment *experiment,
                           struct slw_error *err)
{
    struct slw_measuring m = {.plan = plan, .experiment = experiment};
    struct slw_error why = {0}, local = {0};

    assert(plan->arm_count > 0 && plan->arm_count <= SLW_MAX_ARMS);
    assert(plan->blocks > 0 && plan->blocks <= SLW_MAX_BLOCKS);
    err = err ? err : &local;
    m.stop = slw_signals_catch("given up; what clients printed is in %s", plan->directory);
    m.stdin_start = lseek(STDIN_FILENO, 0, SEEK_CUR);
    m.started_ns = slw_clock_monotonic_ns();
    int rc = set_up(&m, err);
    if (rc >= 0) {
        rc = set_up_servers(&m, &why);
        rc = rc < 0 ? rc : run_blocks(&m, &why);
        clean_up(&m);
        rc = conclude(&m, rc, &why, err);
    } else if (plan->is_up) {
        clean_up(&m);
    }
    if (rc < 0)
        discard(&m, err);
    tear_down(&m);
    return rc;
}

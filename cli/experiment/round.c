/* SPDX-License-Identifier: MIT */
/* One execution of an arm: a session of its own, what the client printed, its report. */
#include "cli/experiment/experiment_int.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "record/run_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PART "client.part" /* what the client prints, while it does */

void slw_arm_round_release(struct slw_arm_round *x)
{
    slw_report_free(x->report);
    slw_models_release(&x->models);
    slw_moments_free(x->moments);
    slw_stacks_free(x->stacks);
    slw_run_free(x->run);
    *x = (struct slw_arm_round){0};
}

char *slw_output_path(const struct slw_measuring *m, size_t arm, const char *name)
{
    char *directory = slw_run_dir_file(m->plan->directory, m->experiment->arms[arm].directory);
    char *path = directory ? slw_run_dir_file(directory, name) : NULL;

    free(directory);
    return path;
}

/* ---- what the client printed ---- */

/* The last SLW_MAX_CLIENT_BYTES of a file, NUL-terminated. */
static int read_tail(const char *path, char **ret_text, size_t *ret_length, struct slw_error *err)
{
    int SLW_AUTO(close) fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0)
        return slw_fail_sys(err, SLW_E_IO, errno, "cannot read '%s'", path);
    const off_t start = st.st_size > SLW_MAX_CLIENT_BYTES ? st.st_size - SLW_MAX_CLIENT_BYTES : 0;
    const size_t length = (size_t)(st.st_size - start);
    char *text = malloc(length + 1);
    if (!text)
        return slw_fail(err, SLW_E_NOMEM, "no memory for what the client printed");
    long long n = lseek(fd, start, SEEK_SET) < 0 ? -errno : slw_read_full(fd, text, length);
    if (n < 0) {
        free(text);
        return slw_fail_sys(err, SLW_E_IO, (int)-n, "cannot read '%s'", path);
    }
    text[n] = '\0';
    *ret_text = text;
    *ret_length = (size_t)n;
    return 0;
}

/* Nothing printed, nothing kept; a client that floods the disk keeps its last words. */
static int keep_output(const char *part, const char *path, const char *text, size_t length,
                       struct slw_error *err)
{
    struct stat st;
    const bool whole = stat(part, &st) == 0 && (size_t)st.st_size == length;
    int rc = 0;

    if (length == 0) {
        (void)unlink(part);
        (void)unlink(path);
        return 0;
    }
    if (whole && rename(part, path) == 0)
        return 0;
    rc = slw_file_write(path, text, length, err);
    (void)unlink(part);
    return rc;
}

static int read_client(const struct slw_measuring *m, size_t arm, const char *text, size_t length,
                       struct slw_client_readings *ret, struct slw_error *err)
{
    const struct slw_measure_plan *p = m->plan;
    const char *const *argv;
    size_t argc = 0;

    memcpy(&argv, &p->arms[arm].argv, sizeof(argv));
    while (argv[argc])
        argc++;
    return slw_client_output_read(argc, argv, text, length, p->patterns, p->pattern_count, ret,
                                  err);
}

static int take_output(const struct slw_measuring *m, size_t arm, size_t round,
                       struct slw_arm_round *x, struct slw_error *err)
{
    char *SLW_AUTO(free) part = slw_output_path(m, arm, PART);
    char name[64] = "client.out";
    char *text = NULL;
    size_t length = 0;

    if (x->left_out[0] && round == 0)
        (void)snprintf(name, sizeof(name), "failed-warmup.out");
    else if (x->left_out[0])
        (void)snprintf(name, sizeof(name), "failed-%zu.out", round);
    char *SLW_AUTO(free) path = slw_output_path(m, arm, name);
    if (!part || !path)
        return slw_fail(err, SLW_E_NOMEM, "no memory for a path");
    int rc = read_tail(part, &text, &length, err);
    if (rc == 0 && round > 0 && !x->left_out[0])
        rc = read_client(m, arm, text, length, &x->client, err);
    if (rc == 0)
        rc = keep_output(part, path, text, length, err);
    free(text);
    return rc;
}

/* ---- requests ---- */

static int take_requests(struct slw_arm_round *x, uint64_t requests, const char *code,
                         const char *by, struct slw_error *err)
{
    x->run->requests = (struct slw_maybe_u64){.value = requests};
    int rc = slw_run_note(x->run, SLW_NOTE_INFO, code, NULL, "%s: they are %s",
                          x->tap_requests > 0 ? "requests are not those on the wire, where several "
                                                "may go as one"
                                              : "the wire tap counted no requests",
                          by);
    return rc < 0 ? slw_fail(err, SLW_E_NOMEM, "no memory for notes") : 0;
}

/* The user's pattern wins over what a reader finds. */
static const char *counted_by(const struct slw_measure_plan *plan,
                              const struct slw_client_readings *client)
{
    for (size_t i = 0; i < plan->pattern_count; i++)
        if (strcmp(slw_output_pattern_name(plan->patterns[i]), "requests") == 0)
            return "--metric requests";
    return client->reader ? client->reader : "its output";
}

int slw_resolve_requests(const struct slw_measure_plan *plan, struct slw_arm_round *x,
                         struct slw_error *err)
{
    char by[128];
    double said = 0;

    x->tap_requests = x->run->requests.absent ? 0 : x->run->requests.value;
    if (slw_client_readings_find(&x->client, "requests", &said) && isfinite(said) && said >= 1 &&
        said < 1e18)
        x->client_requests = (uint64_t)(said + 0.5);
    if (x->tap_requests > 0 && !(x->client.requests_asked_for && x->client_requests > 0))
        return 0;
    (void)snprintf(by, sizeof(by), "the client's own count (%s)", counted_by(plan, &x->client));
    if (x->client_requests > 0)
        return take_requests(x, x->client_requests, "requests-from-client", by, err);
    if (plan->operations > 0)
        return take_requests(x, plan->operations, "requests-given",
                             "what --ops says, and nobody counted", err);
    return 0;
}

/* ---- the session ---- */

/* A client that reads a file from its standard input finds all of it every time. */
static void rewind_stdin(const struct slw_measuring *m)
{
    if (m->stdin_start >= 0)
        (void)lseek(STDIN_FILENO, m->stdin_start, SEEK_SET);
}

static void find_fault(const struct slw_measuring *m, struct slw_arm_round *x)
{
    const struct slw_command *c = &x->run->command;

    x->interrupted = m->stop && *m->stop;
    if (x->interrupted)
        (void)snprintf(x->left_out, sizeof(x->left_out), "interrupted");
    else if (c->exit == SLW_EXIT_SIGNAL)
        (void)snprintf(x->left_out, sizeof(x->left_out), "the client was killed by signal %d",
                       c->exit_value);
    else if (c->exit != SLW_EXIT_STATUS)
        (void)snprintf(x->left_out, sizeof(x->left_out), "the client had not ended");
    else if (c->exit_value != 0)
        (void)snprintf(x->left_out, sizeof(x->left_out), "the client failed with exit status %d",
                       c->exit_value);
}

static int make_report(const struct slw_measuring *m, struct slw_arm_round *x,
                       struct slw_error *err)
{
    if (!x->run->model.name)
        return slw_report_new(x->run, x->stacks, NULL, &x->report, err);
    if (x->run->other_model_count == 0)
        return slw_report_new(x->run, x->stacks, m->base.model, &x->report, err);
    int rc = slw_models_load(x->run, &x->models);
    if (rc < 0)
        return slw_fail(err, SLW_E_NOMEM, "no memory for CPU models");
    return slw_models_report(x->run, x->stacks, &x->models, &x->report, err);
}

/* Everything that follows from the session, whose profile is p. */
static int digest(struct slw_measuring *m, struct slw_profile *p, size_t arm, size_t round,
                  struct slw_arm_round *x, struct slw_error *err)
{
    int rc = slw_profile_complete(p, err);

    find_fault(m, x);
    if (rc >= 0 && round > 0 && !x->left_out[0] && !p->simulate)
        rc = slw_profile_load_samples(p, err);
    x->stacks = p->stacks;
    x->moments = p->moments;
    if (rc >= 0)
        rc = take_output(m, arm, round, x, err);
    if (rc < 0 || round == 0 || x->left_out[0])
        return rc;
    if (x->client.left_out[0])
        rc = slw_run_note(x->run, SLW_NOTE_WARNING, "metric-missing", NULL, "%s",
                          x->client.left_out);
    if (rc < 0)
        return slw_fail(err, SLW_E_NOMEM, "no memory for notes");
    rc = slw_resolve_requests(m->plan, x, err);
    return rc < 0 ? rc : make_report(m, x, err);
}

static int run_session(const struct slw_measuring *m, size_t arm, struct slw_profile *p,
                       struct slw_error *err)
{
    if (!p->simulate)
        return slw_session_run(&p->session, p->run, err);
    char *SLW_AUTO(free) directory =
        slw_run_dir_file(m->plan->directory, m->experiment->arms[arm].directory);

    if (!directory)
        return slw_fail(err, SLW_E_NOMEM, "no memory for a path");
    return slw_simulate_run(p->simulate, directory, &p->session, p->run, &p->stacks, err);
}

static int measure(struct slw_measuring *m, size_t arm, size_t round, struct slw_arm_round *x,
                   struct slw_error *err)
{
    char *SLW_AUTO(free) spool = slw_output_path(m, arm, SLW_RUN_PERF_DATA);
    char *SLW_AUTO(free) part = slw_output_path(m, arm, PART);
    struct slw_profile p = m->base;
    int rc = slw_run_new(&x->run, err);

    if (rc < 0)
        return rc;
    if (!spool || !part)
        return slw_fail(err, SLW_E_NOMEM, "no memory for a path");
    p.run = x->run;
    p.run->tool = m->base.run->tool;
    p.run->host = m->base.run->host;
    p.session.argv = m->plan->arms[arm].argv;
    p.session.output_path = part;
    p.session.spool_path = p.session.sample ? spool : NULL;
    rc = slw_profile_tap_wire(&p, err);
    rewind_stdin(m);
    x->started_ns = slw_clock_monotonic_ns() - m->started_ns + 1;
    if (rc >= 0)
        rc = run_session(m, arm, &p, err);
    if (rc >= 0)
        rc = digest(m, &p, arm, round, x, err);
    slw_wire_close(p.wire);
    (void)unlink(spool);
    if (rc < 0)
        (void)unlink(part);
    return rc;
}

int slw_arm_execute(struct slw_measuring *m, size_t arm, size_t round, struct slw_arm_round *x,
                    struct slw_error *err)
{
    char failure[96];
    int rc = slw_hook_run(m->plan->prepare, m->plan->arms[arm].name, m->stop, failure, err);

    if (rc < 0)
        return rc;
    if (m->stop && *m->stop) {
        x->interrupted = true;
        (void)snprintf(x->left_out, sizeof(x->left_out), "interrupted");
        return 0;
    }
    if (failure[0]) {
        (void)snprintf(x->left_out, sizeof(x->left_out), "its --prepare command %s", failure);
        return 0;
    }
    return measure(m, arm, round, x, err);
}

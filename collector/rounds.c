/* SPDX-License-Identifier: MIT */
#include "collector/rounds.h"

#include "collector/rounds_int.h"
#include "collector/session_int.h"
#include "collector/sys.h"

#include <assert.h>
#include <stdlib.h>
#include <unistd.h>

struct series {
    struct slw_executions x;
    size_t capacity;
    const struct slw_sys *sys;
    struct slw_run *run;
    off_t stdin_start; /* -1: standard input cannot be rewound */
};

static bool interrupted(const struct series *s)
{
    const struct slw_session_options *o = s->x.opts->session;

    return o->stop && *o->stop != 0;
}

static int add_execution(struct series *s, const struct slw_execution *e, struct slw_error *err)
{
    if (s->x.count == s->capacity) {
        size_t capacity = s->capacity ? s->capacity * 2 : 16;
        struct slw_execution *more = realloc(s->x.all, capacity * sizeof(s->x.all[0]));

        if (!more)
            return slw_fail(err, SLW_E_NOMEM, "no memory for rounds");
        s->x.all = more;
        s->capacity = capacity;
    }
    s->x.all[s->x.count++] = *e;
    return 0;
}

/* A client that reads a file from its standard input finds all of it every time. */
static void rewind_stdin(const struct series *s)
{
    if (s->stdin_start >= 0)
        (void)lseek(STDIN_FILENO, s->stdin_start, SEEK_SET);
}

static int run_session(const struct series *s, struct slw_session_options *o, struct slw_run *run,
                       struct slw_error *err)
{
    const struct slw_rounds_options *r = s->x.opts;
    int rc = r->before ? r->before(r->ctx, o, run, err) : 0;

    if (rc >= 0)
        rc = slw_session_run_on(s->sys, o, run, err);
    return r->after ? r->after(r->ctx, run, rc, err) : rc;
}

/* One session. On a full disk what was measured is there in spite of the error. */
static int execute(struct series *s, int round, int pass, struct slw_error *err)
{
    struct slw_session_options o = *s->x.opts->session;
    struct slw_execution e = {.round = round, .pass = pass, .sampled = round == 0};
    int rc = slw_run_new(&e.run, err);

    if (rc < 0)
        return rc;
    o.sample = e.sampled;
    o.per_function = e.sampled && o.per_function;
    o.spool_path = e.sampled ? o.spool_path : NULL;
    o.only_group = pass;
    o.ret_group_count = &e.group_count;
    e.run->host = s->run->host;
    rewind_stdin(s);
    rc = run_session(s, &o, e.run, err);
    e.interrupted = interrupted(s);
    int added = rc == 0 || rc == -SLW_E_FULL ? add_execution(s, &e, err) : -SLW_E_GONE;
    if (added < 0)
        slw_run_free(e.run);
    return rc < 0 ? rc : added;
}

static int run_round(struct series *s, int round, struct slw_error *err)
{
    const bool passes = s->x.opts->no_multiplex;
    size_t groups = 1;
    int rc = 0;

    for (size_t pass = 1; pass <= groups && rc == 0 && !interrupted(s); pass++) {
        rc = execute(s, round, passes ? (int)pass : 0, err);
        if (rc == 0 && passes && pass == 1)
            groups = s->x.all[s->x.count - 1].group_count;
    }
    return rc;
}

static int run_all(struct series *s, struct slw_error *err)
{
    int rc = s->x.opts->session->sample ? execute(s, 0, 0, err) : 0;

    for (int round = 1; round <= s->x.opts->rounds && rc == 0 && !interrupted(s); round++)
        rc = run_round(s, round, err);
    return rc;
}

/* What was measured before a failure is kept. Only a full disk stays an error: samples are lost. */
static int forgive(const struct series *s, int rc, const struct slw_error *why,
                   struct slw_error *err)
{
    if (rc == 0)
        return 0;
    if (s->x.count == 0 || rc == -SLW_E_FULL || rc == -SLW_E_NOMEM) {
        if (err && err->code == SLW_E_OK)
            *err = *why;
        return rc;
    }
    return slw_run_note(s->run, SLW_NOTE_WARNING, "rounds-ended", NULL,
                        "the rounds ended early, because the next could not be measured: %s",
                        why->text);
}

int slw_rounds_run_on(const struct slw_sys *sys, const struct slw_rounds_options *opts,
                      struct slw_run *run, struct slw_error *err)
{
    struct series s = {.x.opts = opts, .sys = sys, .run = run};
    const struct slw_session_options *o = opts->session;
    struct slw_error why = {0};

    assert(opts->rounds >= 1 && opts->rounds <= SLW_MAX_ROUNDS);
    assert((o->target == SLW_TARGET_COMMAND) == (o->duration_ms == 0) && !o->control_fifo);
    s.stdin_start = lseek(STDIN_FILENO, 0, SEEK_CUR);
    int rc = run_all(&s, &why);
    rc = forgive(&s, rc, &why, err);
    if (s.x.count > 0) {
        int merged = slw_executions_merge(&s.x, run, err);
        rc = rc < 0 ? rc : merged;
    }
    for (size_t i = 0; i < s.x.count; i++)
        slw_run_free(s.x.all[i].run);
    free(s.x.all);
    return rc;
}

int slw_rounds_run(const struct slw_rounds_options *opts, struct slw_run *run,
                   struct slw_error *err)
{
    return slw_rounds_run_on(&slw_sys_real, opts, run, err);
}

/* SPDX-License-Identifier: MIT */
/* slotwise-workload run NAME. */
#include "cli/command.h"
#include "cli/help.h"
#include "cli/workload/workload_int.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static atomic_bool stop;

static void on_signal(int number)
{
    (void)number;
    atomic_store(&stop, true);
}

static void catch_signals(void)
{
    const struct sigaction action = {.sa_handler = on_signal,
                                     .sa_flags = SA_RESTART | (int)SA_RESETHAND};

    (void)sigaction(SIGINT, &action, NULL); /* a second one ends the program */
    (void)sigaction(SIGTERM, &action, NULL);
}

/* ---- ids of what was acknowledged ---- */

struct log {
    pthread_mutex_t lock;
    int fd;
};

/* One write of one line: nothing is lost when the program is killed after it. */
static int acknowledged(void *ctx, uint64_t id)
{
    struct log *log = ctx;
    char line[32];
    int n = snprintf(line, sizeof(line), "%" PRIu64 "\n", id);

    (void)pthread_mutex_lock(&log->lock);
    ssize_t written = write(log->fd, line, (size_t)n);
    (void)pthread_mutex_unlock(&log->lock);
    return written == n ? 0 : -SLW_E_IO;
}

static int open_log(struct log *log, const char *path, struct slw_error *err)
{
    log->fd = -1;
    if (!path)
        return 0;
    log->fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    return log->fd < 0 ? slw_fail_sys(err, SLW_E_IO, errno, "cannot write %.200s", path) : 0;
}

/* ---- runs ---- */

static int make_table(const struct slw_workload_options *o, struct slw_error *err)
{
    void *connection = NULL;
    int rc = o->driver->open(o->where, o->table, o->choices, &connection, err);

    if (rc < 0)
        return rc;
    rc = o->driver->create(connection, err);
    o->driver->close(connection);
    return rc;
}

static int run_all(const struct slw_workload_command *c, struct slw_workload_options *o,
                   struct slw_workload_result *results, size_t runs, size_t *ret_done,
                   struct slw_error *err)
{
    const bool keep = slw_choices_flag(&c->choices, "keep");
    int rc = c->workload->check ? c->workload->check(o, err) : 0;
    size_t i = 0;

    for (; i < runs && rc >= 0 && !atomic_load(&stop); i++) {
        if (o->driver && !keep)
            rc = make_table(o, err);
        if (rc >= 0)
            rc = c->workload->run(o, &results[i], err);
        if (keep)
            o->first_id += o->requests + o->warm_up;
    }
    *ret_done = i;
    return rc;
}

static void fill_options(const struct slw_workload_command *c, struct slw_workload_options *o)
{
    const struct slw_choices *ch = &c->choices;
    const struct slw_chosen *requests = slw_choices_find(ch, "requests");
    const struct slw_chosen *warm_up = slw_choices_find(ch, "warm-up");

    *o = (struct slw_workload_options){
        .driver = c->driver,
        .where = slw_choices_text(ch, "connect"),
        .table = slw_choices_text(ch, "table"),
        .choices = ch,
        .requests = requests->given ? requests->number : c->workload->requests,
        .first_id = slw_choices_number(ch, "first-id"),
        .seed = slw_choices_number(ch, "seed"),
        .rate = slw_choices_decimal(ch, "rate"),
        .stop = &stop,
    };
    o->warm_up = warm_up->given ? warm_up->number : o->requests / 10;
}

static int print(const struct slw_workload_runs *r, const struct slw_terminal *t,
                 struct slw_error *err)
{
    struct slw_buf out = {0};
    int rc = 0;

    if (slw_choices_choice(&r->command->choices, "format") == 1)
        rc = slw_workload_json(&out, r, err);
    else
        slw_workload_text(&out, r);
    if (rc >= 0)
        rc = slw_terminal_write(&t->out, &out, err);
    slw_buf_release(&out);
    return rc;
}

static int run_with(struct slw_workload_command *c, struct slw_workload_options *o,
                    const struct slw_terminal *t, struct slw_error *err)
{
    const size_t runs = slw_choices_number(&c->choices, "runs");
    struct slw_workload_result *results = calloc(runs, sizeof(*results));
    size_t done = 0;

    if (!results)
        return slw_fail(err, SLW_E_NOMEM, "no memory for %zu results", runs);
    catch_signals();
    int rc = run_all(c, o, results, runs, &done, err);
    if (rc >= 0) {
        const struct slw_workload_runs r = {c, o, results, done};
        rc = print(&r, t, err);
    }
    free(results);
    return rc;
}

static int run_parsed(struct slw_workload_command *c, const struct slw_terminal *t,
                      struct slw_error *err)
{
    struct slw_workload_place place = {{0}, {0}};
    struct slw_workload_options o;
    struct log log = {.lock = PTHREAD_MUTEX_INITIALIZER, .fd = -1};
    int rc = 0;

    fill_options(c, &o);
    if (c->driver && c->driver->embedded && !o.where) {
        rc = slw_workload_place_make(&place, err);
        o.where = place.file;
    }
    if (rc >= 0)
        rc = open_log(&log, slw_choices_text(&c->choices, "acknowledged"), err);
    if (log.fd >= 0) {
        o.acknowledged = acknowledged;
        o.acknowledged_ctx = &log;
    }
    if (rc >= 0)
        rc = run_with(c, &o, t, err);
    if (log.fd >= 0)
        (void)close(log.fd);
    slw_workload_place_remove(&place);
    return rc;
}

static int print_help(const struct slw_workload_command *c, const struct slw_terminal *t,
                      struct slw_error *err)
{
    char name[64];
    struct slw_buf out = {0};
    const struct slw_command_entry entry = {
        .name = name,
        .summary = c->workload->summary,
        .usage = "[--driver NAME] [OPTION]...",
        .about = c->workload->ancestor,
        .options = c->options,
    };

    (void)snprintf(name, sizeof(name), "workload run %.40s", c->workload->name);
    slw_help_command(&entry, &out);
    int rc = slw_terminal_write(&t->out, &out, err);
    slw_buf_release(&out);
    return rc;
}

int slw_workload_run(int argc, char **argv, const struct slw_terminal *t, struct slw_error *err)
{
    struct slw_workload_command c = {0};

    if (argc < 2 || argv[1][0] == '-') {
        slw_error_hint(err, "for example: slotwise workload run coalesce --mode worker");
        return slw_fail(err, SLW_E_USAGE, "which workload?");
    }
    int rc = slw_workload_named(argv[1], &c.workload, err);
    if (rc >= 0)
        rc = slw_workload_parse(&c, slw_run_settings, argc - 1, argv + 1, err);
    if (c.args.table && slw_args_has(&c.args, "help"))
        rc = print_help(&c, t, err);
    else if (rc >= 0)
        rc = slw_args_operands(&c.args, 0, 0, "option", err);
    if (rc >= 0 && !slw_args_has(&c.args, "help"))
        rc = run_parsed(&c, t, err);
    slw_workload_command_release(&c);
    return rc;
}

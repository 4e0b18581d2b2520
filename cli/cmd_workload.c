/* SPDX-License-Identifier: MIT */
/* slotwise workload: the built-in workloads, without profiling. They are a program of their own. */
#include "cli/command.h"
#include "cli/program.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct slw_option options[] = {
    SLW_OPTION_HELP,
    SLW_OPTION_END,
};

static const struct slw_example examples[] = {
    {"slotwise workload list", "Workloads and databases."},
    {"slotwise workload run coalesce --help", "The settings of one."},
    {"slotwise workload run shards --threads 4", "Run it, on SQLite or without a database."},
    {"slotwise profile --workload coalesce -- --mode worker", "Profile it."},
    {NULL, NULL},
};

static const char *verbs(size_t i)
{
    static const char *const names[] = {"list", "run", "verify", "endpoint", NULL};

    return names[i];
}

static int run(const struct slw_args *args, const struct slw_terminal *t, struct slw_error *err)
{
    char *program = NULL;
    int rc = slw_program_beside("slotwise-workload", &program, err);

    (void)t;
    if (rc < 0)
        return rc;
    char **argv = calloc(args->operand_count + 2, sizeof(*argv));
    if (!argv) {
        free(program);
        return slw_fail(err, SLW_E_NOMEM, "no memory for a command line");
    }
    argv[0] = program;
    for (size_t i = 0; i < args->operand_count; i++)
        argv[i + 1] = args->operands[i];
    (void)execv(program, argv);
    rc = slw_fail_sys(err, SLW_E_EXEC, errno, "cannot start %.200s", program);
    free(argv);
    free(program);
    return rc;
}

const struct slw_command_entry slw_command_workload = {
    .name = "workload",
    .summary = "Run a built-in database client whose batching can be switched.",
    .usage = "list\nrun NAME [--driver NAME] [OPTION]...\n"
             "verify --driver NAME --connect WHERE --acknowledged FILE\n"
             "endpoint [--port N] [--durable FILE]",
    .about = "Small clients of SQLite, PostgreSQL, MariaDB, Redis and CQL databases, with their "
             "batching on or off: what batching does to a client's CPU can be seen on the machine "
             "at hand. 'run NAME --help' shows the settings of a workload and where the idea was "
             "published.\n\n"
             "verify compares the ids that a run wrote to --acknowledged with the rows that are "
             "stored. endpoint serves the CQL protocol on loopback, where there is no Cassandra.",
    .options = options,
    .examples = examples,
    .operand = SLW_OPERAND_COMMAND,
    .words = verbs,
    .run = run,
};

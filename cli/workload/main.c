/* SPDX-License-Identifier: MIT */
/* slotwise-workload: started by `slotwise workload` and `slotwise profile --workload`. */
#include "cli/command.h"
#include "cli/json_memory.h"
#include "cli/workload/workload_int.h"

#include <signal.h>
#include <string.h>

/* help.c lists the commands of slotwise; this program shows only its own verbs. */
const struct slw_command_entry *const slw_commands[] = {NULL};
const size_t slw_command_count = 0;

static const struct {
    const char *name;
    int (*run)(int argc, char **argv, const struct slw_terminal *t, struct slw_error *err);
} verbs[] = {
    {"list", slw_workload_list},
    {"run", slw_workload_run},
    {"verify", slw_workload_verify},
    {"endpoint", slw_workload_endpoint},
};

static int run_verb(int argc, char **argv, const struct slw_terminal *t, struct slw_error *err)
{
    if (argc < 2) {
        slw_error_hint(err, "see 'slotwise workload --help'");
        return slw_fail(err, SLW_E_USAGE, "list, run, verify or endpoint?");
    }
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
        if (strcmp(argv[1], verbs[i].name) == 0)
            return verbs[i].run(argc - 1, argv + 1, t, err);
    slw_error_hint(err, "it is list, run, verify or endpoint");
    return slw_fail(err, SLW_E_USAGE, "unknown word '%.60s'", argv[1]);
}

int main(int argc, char **argv)
{
    struct slw_error err = {0};
    struct slw_terminal terminal;

    (void)signal(SIGPIPE, SIG_IGN); /* a server that goes away is an answer that is lost */
    slw_json_memory();
    slw_terminal_read(&terminal);
    int rc = run_verb(argc, argv, &terminal, &err);
    if (rc >= 0)
        return rc;
    if (err.code == SLW_E_OK)
        err.code = (enum slw_code) - rc;
    slw_terminal_error("workload", &err);
    return slw_code_exit_status((enum slw_code) - rc);
}

/* SPDX-License-Identifier: MIT */
/* A command of the slotwise program. To add one: write cmd_NAME.c that defines
 * `const struct slw_command_entry slw_command_NAME`, add SLW_COMMAND(NAME) to commands.def. */
#ifndef SLW_CLI_COMMAND_H
#define SLW_CLI_COMMAND_H

#include "base/error.h"

#include <stddef.h>

struct slw_command_entry {
    const char *name;
    const char *summary;              /* one line for `slotwise help` */
    const char *usage;                /* "slotwise report RUN [--format F]" */
    const char *help;                 /* full text: options, examples, exit status */
    const struct slw_option *options; /* cli/options.h; NULL-name terminated */
    /* argv[0] is the command's name. Returns the process exit status, or a negative code with *err
     * filled: main prints it and maps it to an exit status. */
    int (*run)(int argc, char **argv, struct slw_error *err);
};

extern const struct slw_command_entry *const slw_commands[];
extern const size_t slw_command_count;

#endif

/* SPDX-License-Identifier: MIT */
/* A command with {name} in it, and parameters with values, to one command for each combination.
 * {{ and }} stand for braces. Not for: measuring them (experiment/experiment.h). */
#ifndef SLW_CLI_SWEEP_ARMS_H
#define SLW_CLI_SWEEP_ARMS_H

#include "cli/sweep_parameters.h"
#include "record/experiment.h"

#define SLW_MAX_SWEEP_WORD 65536 /* bytes of one word of a command */

struct slw_sweep_command {
    const char *name; /* "batch=4,depth=2" */
    char **argv;      /* NULL-terminated */
    struct slw_parameter *parameters;
    size_t parameter_count;
};

/* Everything belongs to the arena. */
struct slw_sweep_commands {
    struct slw_arena *arena;
    struct slw_sweep_command *all; /* the first parameter moves fastest */
    size_t count;
};

/* `words` are copied. SLW_E_USAGE: no parameter, more than SLW_MAX_ARMS combinations, a {name} that
 * is no parameter (the text names the nearest), a parameter that no word has, a brace that is not
 * closed. SLW_E_NOMEM. Release with slw_sweep_commands_release. */
int slw_sweep_commands_make(const struct slw_sweep_parameters *parameters, char *const *words,
                            size_t word_count, struct slw_sweep_commands *ret_commands,
                            struct slw_error *err);
void slw_sweep_commands_release(struct slw_sweep_commands *commands);

/* Put words before each of the commands; in them a brace is a brace. SLW_E_NOMEM. */
int slw_sweep_commands_lead(struct slw_sweep_commands *commands, const char *const *words,
                            size_t word_count, struct slw_error *err);

#endif

/* SPDX-License-Identifier: MIT */
/* The commands of a sweep, measured in turn and saved in a directory of their own. */
#ifndef SLW_CLI_SWEEP_MEASURE_H
#define SLW_CLI_SWEEP_MEASURE_H

#include "cli/experiment/experiment.h"
#include "cli/sweep_arms.h"

struct slw_sweep_request {
    struct slw_measure_plan *plan; /* but for the arms and the directory */
    struct slw_sweep_commands *commands;
    const char *workload; /* the commands are settings of this one; NULL: they are whole */
    const char *output;   /* of the directory; NULL: the name of the command, .sweep */
};

/* Fills ret_loaded, also when only a part was measured before a failure or a signal, and
 * *ret_directory, which the caller frees. As slw_experiment_measure and slw_experiment_save. */
int slw_sweep_measure(struct slw_sweep_request *r, struct slw_loaded_experiment *ret_loaded,
                      char **ret_directory, struct slw_error *err);

#endif

/* SPDX-License-Identifier: MIT */
/* Measuring arms in turn, for compare and sweep, and reading saved experiments. */
#ifndef SLW_CLI_EXPERIMENT_H
#define SLW_CLI_EXPERIMENT_H

#include "analyzer/client_output/client_output.h"
#include "analyzer/renderer.h"
#include "analyzer/report.h"
#include "cli/options.h"
#include "cli/terminal.h"
#include "record/experiment.h"
#include "record/moments.h"

/* One arm: what is measured and, after, what came of it. */
struct slw_arm {
    const char *name;  /* "A", "batch=4" */
    char *const *argv; /* NULL-terminated */
    const char *shown; /* the command as a shell would be given it */
    const struct slw_parameter *parameters;
    size_t parameter_count;
    struct slw_run *run; /* the arm's run, its rounds merged */
    struct slw_stacks *stacks;
    struct slw_moments *moments;
    struct slw_report *report; /* of run, stacks and the CPU model */
};

/* Called after every block with all arms as they are; true: enough (--rounds auto). */
typedef bool (*slw_enough_fn)(void *ctx, const struct slw_arm *arms, size_t arm_count,
                              size_t blocks);

struct slw_measure_plan {
    const struct slw_args *args; /* of the command: options of measuring are read from it */
    const struct slw_terminal *terminal;
    struct slw_arm *arms;
    size_t arm_count;
    size_t blocks;      /* at most */
    size_t warmup;      /* blocks run before and dropped */
    uint64_t budget_ms; /* 0: none */
    uint64_t seed;
    const char *setup, *prepare, *cleanup; /* shell commands: once before, before every round (with
                                              SLOTWISE_ARM in the environment), once after */
    const struct slw_output_pattern *const *patterns; /* --metric */
    size_t pattern_count;
    uint64_t
        operations; /* --ops: requests of one execution when nothing counts them; 0: not given */
    slw_enough_fn enough;
    void *enough_ctx;
    const char *directory; /* the experiment's; outputs of the clients go below it */
};

/* Options every experiment has, for the tables of compare and sweep. */
#define SLW_EXPERIMENT_OPTION_COUNT 20 /* at most */

/* Run all blocks. Fills order, block_count, stopped and what else is known into *experiment, and
 * run, stacks, moments, report of the arms. A round in which a client fails is left out with its
 * pair and said in notes; when every round of an arm failed: -SLW_E_EXEC or -SLW_E_NODATA. What was
 * measured before a failure is kept. */
int slw_experiment_measure(const struct slw_measure_plan *plan, struct slw_experiment *experiment,
                           struct slw_error *err);

/* A saved experiment, with all arms loaded and their reports made. */
struct slw_loaded_experiment {
    struct slw_experiment *experiment;
    struct slw_arm *arms;
    size_t arm_count;
};
/* Does the path hold an experiment.json? */
bool slw_is_experiment(const char *path);
int slw_experiment_load(const char *path, struct slw_loaded_experiment *ret_loaded,
                        struct slw_error *err);
void slw_loaded_experiment_release(struct slw_loaded_experiment *l);

/* Render a saved or just measured experiment (compare or sweep by its kind). */
int slw_experiment_render(const struct slw_loaded_experiment *l, const char *format,
                          const struct slw_render_options *opts, struct slw_buf *out,
                          struct slw_error *err);

#endif

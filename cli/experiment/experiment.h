/* SPDX-License-Identifier: MIT */
/* Measuring arms in turn, for compare and sweep, and reading saved experiments. */
#ifndef SLW_CLI_EXPERIMENT_H
#define SLW_CLI_EXPERIMENT_H

#include "analyzer/client_output/client_output.h"
#include "analyzer/renderer.h"
#include "analyzer/report.h"
#include "cli/options.h"
#include "cli/profile_options.h"
#include "cli/render.h"
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
    struct slw_models models;  /* lent to the report */
};

/* Free what came of it: run, stacks, moments, report. The rest is lent. */
void slw_arms_release(struct slw_arm *arms, size_t arm_count);

/* Make (again) the report of an arm from its run and stacks. -SLW_E_NOMEM. */
int slw_arm_report(struct slw_arm *arm, struct slw_error *err);

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
    const char *directory; /* the experiment's; it exists. Outputs of the clients go below it */
    bool quiet;            /* no line for each block on a terminal */
    const char *what;      /* for these lines: "A/A"; NULL: nothing */
    bool is_up;            /* setup has run for a measurement before this one */
    bool keep_up;          /* cleanup is the caller's, or the next measurement's */
};

/* Options every experiment has, for the tables of compare and sweep; besides these a table names
 * its own, output, format and color. The texts of rounds differ: it is no part of this. */
#define SLW_EXPERIMENT_OPTIONS                                                                     \
    {.name = "warmup",                                                                             \
     .kind = SLW_OPTION_NUMBER,                                                                    \
     .value = "N",                                                                                 \
     .text = "Rounds of each command that are run first and not counted (default 1)."},            \
        {.name = "budget",                                                                         \
         .kind = SLW_OPTION_TIME,                                                                  \
         .value = "TIME",                                                                          \
         .text = "Begin no round that would end later than this, all in all: 90s, 10m."},          \
        {.name = "seed",                                                                           \
         .kind = SLW_OPTION_NUMBER,                                                                \
         .value = "N",                                                                             \
         .text = "Draw the order of the rounds from this seed (default: random; reports name "     \
                 "it)."},                                                                          \
        {.name = "setup",                                                                          \
         .kind = SLW_OPTION_TEXT,                                                                  \
         .value = "CMD",                                                                           \
         .text = "Shell command to run once before anything is measured."},                        \
        {.name = "prepare",                                                                        \
         .kind = SLW_OPTION_TEXT,                                                                  \
         .value = "CMD",                                                                           \
         .text = "Shell command to run before every round; SLOTWISE_ARM names what will be "       \
                 "measured. A round it fails for is left out."},                                   \
        {.name = "cleanup",                                                                        \
         .kind = SLW_OPTION_TEXT,                                                                  \
         .value = "CMD",                                                                           \
         .text = "Shell command to run once at the end, whatever happened."},                      \
        {.name = "metric",                                                                         \
         .kind = SLW_OPTION_TEXT,                                                                  \
         .value = "NAME=REGEX",                                                                    \
         .text = "Read a metric from what the client prints: the first group of the last match; "  \
                 "NAME[UNIT]>=REGEX says that higher is better, <= that lower is. May be "         \
                 "repeated.",                                                                      \
         .repeated = true},                                                                        \
        {.name = "ops",                                                                            \
         .kind = SLW_OPTION_NUMBER,                                                                \
         .value = "N",                                                                             \
         .text = "Requests of one round, where neither slotwise nor the client counts them."},     \
        {.name = "quiet", .letter = 'q', .text = "No line for each round on the terminal."},       \
        SLW_OPTION_LABEL, SLW_OPTION_NO_SAMPLING, SLW_OPTION_FREQUENCY, SLW_OPTION_CALL_GRAPH,     \
        SLW_OPTION_STACK_SIZE, SLW_OPTION_SPOOL_SIZE, SLW_OPTION_PER_FUNCTION, SLW_OPTION_OFFCPU,  \
        SLW_OPTION_STAGES, SLW_OPTION_WIRE, SLW_OPTION_NO_WIRE, SLW_OPTION_LEVEL,                  \
        SLW_OPTION_MODEL, SLW_OPTION_BACKEND, SLW_OPTION_RING_SIZE, SLW_OPTIONS_SIMULATE

/* Read those options into the plan: warmup, budget_ms, seed (random when not given), setup,
 * prepare, cleanup, patterns, operations, quiet. SLW_E_USAGE, SLW_E_NOMEM. What it allocates is
 * freed with slw_measure_plan_release. */
int slw_measure_plan_settings(struct slw_measure_plan *plan, struct slw_error *err);
void slw_measure_plan_release(struct slw_measure_plan *plan);

/* A command as it was typed -> argv: split as a shell would split plain words; with anything only a
 * shell can do (pipes, variables, patterns) it is {"/bin/sh", "-c", text} and *ret_shell is true.
 * 'slotwise workload ...' becomes the program of the workloads. One allocation per string and one
 * for the array: free with slw_argv_free. SLW_E_USAGE: a quote is not closed, or there is nothing.
 */
int slw_argv_split(const char *text, char ***ret_argv, bool *ret_shell, struct slw_error *err);
void slw_argv_free(char **argv);

/* argv as a shell would be given it. */
void slw_argv_quote(struct slw_buf *out, const char *const *argv);

/* Run all blocks. Fills id, tool, seed, arms, started, order, block_count, warmup, budget_ms,
 * stopped, sampled and hooks into *experiment (kind, margin, gates and floors are the caller's),
 * and run, stacks, moments, report of the arms. A round in which a client fails is left out with
 * its pair and said in notes; when every round of an arm failed: -SLW_E_EXEC or -SLW_E_NODATA. What
 * was measured before a failure is kept. */
int slw_experiment_measure(const struct slw_measure_plan *plan, struct slw_experiment *experiment,
                           struct slw_error *err);

/* Write the runs of the arms below the directory, and experiment.json last. */
int slw_experiment_save(const char *directory, const struct slw_experiment *experiment,
                        const struct slw_arm *arms, struct slw_error *err);

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

/* For the option table of `report`: every format that runs, comparisons or sweeps have, each name
 * once; NULL past the last. */
const char *slw_report_formats(size_t i);

/* Render a saved or just measured experiment (compare or sweep by its kind). */
int slw_experiment_render(const struct slw_loaded_experiment *l, const char *format,
                          const struct slw_render_options *opts, struct slw_buf *out,
                          struct slw_error *err);

#endif

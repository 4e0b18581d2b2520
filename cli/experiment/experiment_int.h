/* SPDX-License-Identifier: MIT */
/* Between the parts of measuring: one execution (round.c), what becomes of it (arm.c), the blocks
 * (measure.c), the shell commands around them (hooks.c). */
#ifndef SLW_CLI_EXPERIMENT_INT_H
#define SLW_CLI_EXPERIMENT_INT_H

#include "cli/experiment/experiment.h"
#include "cli/profile_int.h"

/* ---- one execution of an arm ---- */

struct slw_arm_round {
    struct slw_run *run; /* of this execution alone */
    struct slw_stacks *stacks;
    struct slw_moments *moments;
    struct slw_report *report;
    struct slw_models models; /* lent to the report */
    struct slw_client_readings client;
    uint64_t started_ns;      /* since the experiment began */
    uint64_t tap_requests;    /* 0: the tap counted none */
    uint64_t client_requests; /* 0: the client said none */
    bool interrupted;
    char left_out[160]; /* why it does not count; "" it does */
};
void slw_arm_round_release(struct slw_arm_round *x);

/* All of measuring. */
struct slw_measuring {
    const struct slw_measure_plan *plan;
    struct slw_experiment *experiment;
    struct slw_profile base; /* settings, host and model of every round */
    struct slw_arm_state *states;
    struct slw_arm_round *block; /* one for each arm */
    const volatile sig_atomic_t *stop;
    off_t stdin_start; /* -1: standard input cannot be rewound */
    uint64_t started_ns;
    uint64_t block_ns; /* length of all blocks so far */
    size_t blocks_timed;
    size_t failed_in_a_row;
};

/* Run an arm once. A client that fails is no error: x->left_out says so. `round` is from 1; 0: warm
 * up, whose results nobody reads. Errors as slw_session_run. */
int slw_arm_execute(struct slw_measuring *m, size_t arm, size_t round, struct slw_arm_round *x,
                    struct slw_error *err);

/* Where the client prints, and what is kept of it: heap paths below the arm's directory. */
char *slw_output_path(const struct slw_measuring *m, size_t arm, const char *name);

/* ---- an arm's run ---- */

struct slw_run_sums;
struct slw_arm_state {
    struct slw_run_sums *sums;
    size_t kept;          /* rounds */
    double tap, client;   /* requests of rounds in which both counted */
    const char *left_out; /* of the first round that is; lent from the run */
    size_t left_out_count;
};

/* The run of an arm before its first round. -SLW_E_NOMEM. */
int slw_arm_begin(struct slw_measuring *m, size_t arm, struct slw_error *err);

/* Put an execution into the arm's run, as round `round`; `why`: list it only, for this reason. */
int slw_arm_add(struct slw_measuring *m, size_t arm, size_t round, const struct slw_arm_round *x,
                const char *why, struct slw_error *err);

/* Means, notes of the whole and the report, from what there is so far. */
int slw_arm_refresh(struct slw_measuring *m, size_t arm, struct slw_error *err);
int slw_arm_finish(struct slw_measuring *m, size_t arm, struct slw_error *err);
void slw_arm_end(struct slw_arm_state *s);

/* Say who counted the requests of this execution, and count them. -SLW_E_NOMEM. */
int slw_resolve_requests(const struct slw_measure_plan *plan, struct slw_arm_round *x,
                         struct slw_error *err);

/* ---- shell commands ---- */

/* Run `command` (NULL: nothing to do) with /bin/sh, what it prints on our standard error. arm NULL:
 * none. *ret_failure is "" when it did well, else what happened: "failed with exit status 3". A
 * stop flag that is set ends it. SLW_E_EXEC: it could not be started. */
int slw_hook_run(const char *command, const char *arm, const volatile sig_atomic_t *stop,
                 char ret_failure[96], struct slw_error *err);

#endif

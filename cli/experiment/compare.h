/* SPDX-License-Identifier: MIT */
/* What `slotwise compare` does besides measuring arms: judging them, the A/A test before, and the
 * exit status. */
#ifndef SLW_CLI_EXPERIMENT_COMPARE_H
#define SLW_CLI_EXPERIMENT_COMPARE_H

#include "analyzer/compare/comparison.h"
#include "cli/experiment/experiment.h"

/* How two arms are judged. */
struct slw_judging {
    const char *gates; /* as --fail-on has it; NULL: none */
    double margin;     /* relative; 0: the default */
    bool equivalence_90;
    bool force;
};

/* A comparison and what it lends from. Release with slw_judged_release. */
struct slw_judged_arms {
    struct slw_gates gates;
    struct slw_comparison *comparison;
};

/* Compare two arms, of `experiment` (NULL: of none). Fails as slw_comparison_new and
 * slw_gates_parse. ret must not move afterwards. */
int slw_judge_arms(const struct slw_arm *a, const struct slw_arm *b,
                   const struct slw_experiment *experiment, const struct slw_judging *how,
                   struct slw_judged_arms *ret, struct slw_error *err);
void slw_judged_release(struct slw_judged_arms *j);

/* How a saved experiment was judged. */
struct slw_judging slw_judging_of(const struct slw_experiment *experiment);

/* 0, 10 or 11; inconclusive_passes: 0 for 11. */
#define SLW_EXIT_REGRESSED    10
#define SLW_EXIT_INCONCLUSIVE 11
int slw_compare_status(const struct slw_comparison *c, bool inconclusive_passes);

/* Append the comparison in a format (NULL: the first). SLW_E_USAGE: there is no such format. */
int slw_comparison_put(const struct slw_comparison *c, const char *format,
                       const struct slw_render_options *opts, struct slw_buf *out,
                       struct slw_error *err);

/* ---- the A/A test: arm A against itself ---- */

enum slw_aa { SLW_AA_AUTO, SLW_AA_NO, SLW_AA_COUNT };

struct slw_aa_request {
    enum slw_aa kind;
    size_t count;                        /* SLW_AA_COUNT: so many */
    const struct slw_measure_plan *plan; /* of the comparison; its first arm is measured */
    const struct slw_judging *judging;
};

/* Fill experiment->floors, floor_absent and floor_reused: from A/A tests of the last day where the
 * cache holds some of this machine and command, else from new ones, which are kept there and in
 * plan->directory (aa-1, aa-2). *ret_measured: setup has run. An A/A test that fails is said in
 * floor_absent; an interrupt, or a command that cannot be measured at all, is an error. */
int slw_aa_floors(const struct slw_aa_request *request, struct slw_experiment *experiment,
                  bool *ret_measured, struct slw_error *err);

/* ---- both ---- */

struct slw_compare_request {
    struct slw_measure_plan *plan; /* two arms; filled but for directory and enough */
    struct slw_judging judging;
    bool shell[2]; /* the arm needs a shell */
    bool automatic;
    enum slw_aa aa;
    size_t aa_count;
};

/* Make the directory (name NULL: after arm A), measure the A/A test and both arms, save. The arms
 * hold what came of it; the caller frees them, the directory's name and the experiment. Fails as
 * slw_experiment_measure; then what is left are the outputs of clients that failed. */
int slw_compare_measure(struct slw_compare_request *request, const char *name, char **ret_directory,
                        struct slw_experiment **ret_experiment, struct slw_error *err);

#endif

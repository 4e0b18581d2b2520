/* SPDX-License-Identifier: MIT */
/* A/A tests: made (aa.c) and kept (aa_store.c). */
#ifndef SLW_CLI_EXPERIMENT_AA_INT_H
#define SLW_CLI_EXPERIMENT_AA_INT_H

#include "cli/experiment/compare.h"

#define SLW_MAX_AA_TESTS 32 /* that a floor is made of; the latest */

/* An experiment whose floors are what this one test found; `differs` of a floor: the metric was
 * gated, and 0 lay outside of its interval in this test. */
struct slw_aa_test {
    struct slw_experiment *experiment;
    bool differs; /* one of its floors does */
    bool interrupted;
};

struct slw_aa_tests {
    struct slw_aa_test all[SLW_MAX_AA_TESTS]; /* the latest last */
    size_t count;
    size_t made; /* in this comparison */
};
bool slw_aa_excludes_zero(const struct slw_experiment *aa);
void slw_aa_tests_release(struct slw_aa_tests *tests);

/* Measure one; is_up: setup has run. */
int slw_aa_measure(const struct slw_aa_request *request, size_t test, bool is_up,
                   struct slw_aa_test *ret, struct slw_error *err);

/* The floors of some tests into an experiment. */
int slw_aa_combine(const struct slw_aa_tests *tests, bool differs, struct slw_experiment *e,
                   struct slw_error *err);

/* Tests of the last day of this machine, command, options and number of rounds. Whatever cannot be
 * read there is none of them. */
void slw_aa_recall(const struct slw_aa_request *request, struct slw_aa_tests *tests);

/* Keep a test for those to come. Nobody needs it: that it cannot be kept is no failure. */
void slw_aa_store(const struct slw_aa_request *request, const struct slw_experiment *aa);

#endif

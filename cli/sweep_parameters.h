/* SPDX-License-Identifier: MIT */
/* -P NAME=VALUES: what a sweep varies. VALUES are words between commas; ".." goes on with the row
 * of numbers before it up to the one after it: 1,2,4,..64 doubles, 10,20,30,..100 adds 10,
 * and 1..64 alone doubles too. A row that does not meet its end, or that could be meant in two
 * ways, is an error. Not for: what the words are put into (sweep_arms.h). */
#ifndef SLW_CLI_SWEEP_PARAMETERS_H
#define SLW_CLI_SWEEP_PARAMETERS_H

#include "analyzer/sweep/sweep.h"

#define SLW_MAX_SWEEP_VALUES SLW_MAX_SWEEP_POINTS

struct slw_sweep_parameter {
    char name[SLW_MAX_PARAMETER_BYTES + 1]; /* letters, digits, '_' and '-', a letter first */
    char values[SLW_MAX_SWEEP_VALUES][SLW_MAX_PARAMETER_BYTES + 1];
    size_t count;
};

struct slw_sweep_parameters {
    struct slw_sweep_parameter all[SLW_MAX_PARAMETERS];
    size_t count;
};

/* Parse one. SLW_E_USAGE: what is wrong with which word, and what to write instead. */
int slw_sweep_parameter_parse(const char *text, struct slw_sweep_parameter *ret_parameter,
                              struct slw_error *err);

/* Append one that was parsed. SLW_E_USAGE: its name was given before, or there are too many; the
 * first is on the x axis and has to be of numbers above 0. */
int slw_sweep_parameters_add(struct slw_sweep_parameters *all,
                             const struct slw_sweep_parameter *parameter, struct slw_error *err);

/* The product of the counts. */
size_t slw_sweep_parameters_arms(const struct slw_sweep_parameters *all);

#endif

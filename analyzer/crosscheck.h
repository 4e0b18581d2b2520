/* SPDX-License-Identifier: MIT */
/* Metrics another tool printed, held against the values computed here from the counts it printed
 * next to them: two roads to one number. */
#ifndef SLW_ANALYZER_CROSSCHECK_H
#define SLW_ANALYZER_CROSSCHECK_H

#include "analyzer/report.h"

/* How many printed metrics could be checked, and how many differ by more than the printing rounds
 * (half of the last digit). */
struct slw_crosscheck {
    size_t checked, different;
};

/* Compare, and say so in notes of `run` (the one r is made of): a warning for each difference,
 * one line when all agree; a warning too when level 1 was counted in several stretches of time.
 * -SLW_E_NOMEM. */
int slw_crosscheck_note(const struct slw_report *r, struct slw_run *run,
                        struct slw_crosscheck *ret_result, struct slw_error *err);

#endif

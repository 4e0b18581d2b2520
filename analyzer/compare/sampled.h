/* SPDX-License-Identifier: MIT */
/* How many requests the samples of a run are of: together, and in each round. */
#ifndef SLW_ANALYZER_COMPARE_SAMPLED_H
#define SLW_ANALYZER_COMPARE_SAMPLED_H

#include "record/run.h"

struct slw_sampled {
    double total;       /* meaningless where absent is set */
    const char *absent; /* lent by the run, or static */
    double *rounds;     /* heap; [i] of round i + 1, NAN where it is not known or not sampled */
    size_t round_count;
};

/* -SLW_E_NOMEM. */
int slw_sampled_init(struct slw_sampled *s, const struct slw_run *run, struct slw_error *err);
void slw_sampled_release(struct slw_sampled *s);

#endif

/* SPDX-License-Identifier: MIT */
/* What observing is made of: one metric after the other into an arm, and where they are found. */
#ifndef SLW_ANALYZER_COMPARE_OBSERVE_INT_H
#define SLW_ANALYZER_COMPARE_OBSERVE_INT_H

#include "analyzer/compare/metrics.h"
#include "analyzer/compare/observe.h"

#define SLW_METRIC_KEY_BYTES 256 /* names of stages are the client's own */

/* Sticky: after a failure nothing more is added. */
struct slw_observing {
    struct slw_run *arm;
    size_t before;      /* rounds that were kept before this one */
    const char *absent; /* NULL; else no value is taken, and this is why */
    struct slw_error *err;
    int rc;
};

/* A metric of this round; given twice, the first counts. */
void slw_observing_add(struct slw_observing *o, const struct slw_observation *metric,
                       const struct slw_measure *m);

/* Nodes of the top-down tree, slots, waits and stages of the report. */
void slw_observe_found(struct slw_observing *o, const struct slw_report *report);
void slw_observe_client(struct slw_observing *o, const struct slw_client_readings *client);

#endif

/* SPDX-License-Identifier: MIT */
/* The table of metrics (metrics.def) and how each is taken from a report. To add one: a line there,
 * and a getter in metrics.c if none of those does. Not for: what only some reports have (stages,
 * nodes of the tree), which observe_found.c finds. */
#ifndef SLW_ANALYZER_COMPARE_METRICS_H
#define SLW_ANALYZER_COMPARE_METRICS_H

#include "analyzer/report.h"

enum slw_metric_use {
    SLW_METRIC_HEADLINE,   /* in every report */
    SLW_METRIC_DETAIL,     /* in a report when it changed */
    SLW_METRIC_NEVER_GATED /* as DETAIL, and no gate may name it */
};

/* One value. The reason may stand in `why`, so measures are not copied. */
struct slw_measure {
    struct slw_figure figure;
    double step;   /* as in struct slw_observation */
    bool relative; /* the step grows with the value, as buckets of a histogram do */
    char why[160];
};

struct slw_metric {
    const char *key, *title, *unit;
    enum slw_better better;
    enum slw_metric_use use;
    const char *alias_of; /* key of another metric; "": none */
    /* False: the report knows nothing of it, not even why it is absent. *ret starts as zeros. */
    bool (*get)(const struct slw_report *report, const char *argument, struct slw_measure *ret);
    const char *argument;
};

extern const struct slw_metric slw_metrics[];
extern const size_t slw_metric_count;

/* NULL: no line of the table. */
const struct slw_metric *slw_metric_find(const char *key);

/* An event of the run divided by its requests; of the names, separated by spaces, the first that
 * was counted. */
bool slw_metric_event_per_request(const struct slw_report *report, const char *names,
                                  struct slw_measure *ret);

#endif

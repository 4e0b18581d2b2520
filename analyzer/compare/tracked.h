/* SPDX-License-Identifier: MIT */
/* The observations of a run, or of the arms of a comparison, in formats that other tools read.
 * Shared by the renderers of comparisons and the exporters of runs, so that a baseline and a
 * comparison give series that line up. docs/ci.md says what is written where. Pure: no I/O. */
#ifndef SLW_ANALYZER_COMPARE_TRACKED_H
#define SLW_ANALYZER_COMPARE_TRACKED_H

#include "analyzer/compare/comparison.h"
#include "base/buf.h"
#include "record/run.h"

struct slw_tracked_arm {
    const char *name; /* "A", "B"; NULL: a run alone */
    const struct slw_run *run;
};

/* Arms to write; what a tracker follows from commit to commit is the last. */
struct slw_tracked {
    struct slw_tracked_arm arms[2];
    size_t arm_count;                        /* 1 or 2 */
    const struct slw_comparison *comparison; /* of the two; NULL: a run alone */
};

struct slw_tracked slw_tracked_of_run(const struct slw_run *run);
struct slw_tracked slw_tracked_of_comparison(const struct slw_comparison *comparison);

/* -SLW_E_NODATA: no run of it has observations. */
int slw_tracked_check(const struct slw_tracked *series, struct slw_error *err);

/* What an observation comes to over its rounds. No interval: rounds alone, without a partner, do
 * not make one that holds (docs/statistics.md). */
struct slw_tracked_summary {
    size_t rounds; /* that have a value; 0: none, the rest is meaningless */
    double median, smallest, largest;
};
struct slw_tracked_summary slw_tracked_summarise(const struct slw_observation *observation);

/* The shortest decimal number that reads back as this one, which is finite. */
void slw_tracked_put_real(struct slw_buf *out, double value);

/* What the tracker calls this: the label "benchmark" of the last arm, else its command. Clean text
 * of at most `columns` columns. */
void slw_tracked_title(struct slw_buf *out, const struct slw_tracked *series, size_t columns);

/* Each appends a whole document. -SLW_E_NODATA as slw_tracked_check, -SLW_E_NOMEM. */

/* RFC 4180, a header and a line for each arm, round and metric. Text that a spreadsheet would take
 * for a formula gets an apostrophe before it. */
int slw_tracked_csv(const struct slw_tracked *series, struct slw_buf *out, struct slw_error *err);

/* OpenMetrics text; also a valid Prometheus text file. Times are in seconds. */
int slw_tracked_openmetrics(const struct slw_tracked *series, struct slw_buf *out,
                            struct slw_error *err);

/* Bencher Metric Format. */
int slw_tracked_bencher(const struct slw_tracked *series, struct slw_buf *out,
                        struct slw_error *err);

/* github-action-benchmark's custom JSON. One of its files holds one direction only: `better` says
 * of which metrics. */
int slw_tracked_github(const struct slw_tracked *series, enum slw_better better,
                       struct slw_buf *out, struct slw_error *err);

#endif

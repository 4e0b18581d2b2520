/* SPDX-License-Identifier: MIT */
/* What a run means: scaled counts, metrics, the top-down tree, hot functions, findings and the
 * verdict in one sentence. Renderers only format this. Pure: no I/O. */
#ifndef SLW_ANALYZER_REPORT_H
#define SLW_ANALYZER_REPORT_H

#include "models/model.h"
#include "record/run.h"
#include "record/stacks.h"

/* A number as a report shows it. absent != NULL: show the word, never a 0. */
struct slw_figure {
    double value;
    const char *absent;
    const char *unit;
    struct slw_provenance from;
    double coverage; /* running / enabled, 0..1 */
};

struct slw_report_row { /* a count, scaled */
    const char *name;
    struct slw_figure total;
    struct slw_figure per_request;
    const struct slw_count *count; /* lent from the run */
};

struct slw_report_node { /* a top-down node or metric */
    const char *name, *title;
    int level, parent;
    struct slw_figure value;
    bool flagged, mismeasured;
    const struct slw_model_node *node; /* lent from the model */
};

struct slw_report_function {
    const char *function; /* never empty: "[libpq.so.5]" when there is no symbol */
    const char *module;
    enum slw_frame_kind kind;
    uint64_t self, total; /* weight in the report's main column */
    uint64_t self_samples, total_samples;
};

struct slw_finding {
    const char *id, *title;
    const char *evidence; /* the numbers that made it fire */
    const char *advice;
};

struct slw_report {
    struct slw_arena *arena;
    const struct slw_run *run;       /* lent */
    const struct slw_stacks *stacks; /* lent; may be NULL */
    const struct slw_model *model;   /* lent; may be NULL */
    const char *verdict;             /* one sentence */
    const char *verdict_basis;       /* what it rests on: tier, samples, coverage */
    struct slw_report_row *rows;
    size_t row_count;
    struct slw_report_node *nodes;
    size_t node_count;
    int main_column;                       /* of stacks; -1: no samples */
    struct slw_report_function *functions; /* by self weight, descending */
    size_t function_count;
    struct slw_report_function *modules; /* function is NULL here */
    size_t module_count;
    struct slw_finding *findings;
    size_t finding_count;
};

/* run is required; stacks and model may be NULL. Everything lent must outlive the report. */
int slw_report_new(const struct slw_run *run, const struct slw_stacks *stacks,
                   const struct slw_model *model, struct slw_report **ret_report,
                   struct slw_error *err);
void slw_report_free(struct slw_report *r);

#endif

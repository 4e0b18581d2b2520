/* SPDX-License-Identifier: MIT */
/* Which counts a formula is computed from. An event may be counted several times in a run, once in
 * each group of events it belongs to; counts of one formula must come from one stretch of time, or
 * they do not fit together. */
#ifndef SLW_ANALYZER_INPUTS_H
#define SLW_ANALYZER_INPUTS_H

#include "analyzer/report.h"

/* One event counted over one stretch of time: a whole-target count, or the sum of the parts (CPUs,
 * threads) of one group. */
struct slw_input_cell {
    int event; /* of the model */
    enum slw_mode mode;
    int group;    /* 0 .. group_count - 1; -1: alone */
    int pass;     /* execution of its round, from 1; 0: there is only one */
    bool whole;   /* not a sum of parts */
    bool carries; /* the tool it comes from printed a metric next to it */
    uint64_t events;
    const char *absent;
    double coverage;
    uint64_t running_ns; /* of the part that ran least; 0: unknown */
    struct slw_provenance from;
    size_t count_index; /* of its (first) count in the run */
};

struct slw_inputs {
    const struct slw_report *report;
    struct slw_input_cell *cells; /* by model event, then in the order of the run */
    size_t cell_count;
    size_t *first; /* event_count + 1: cells of event i are first[i] .. first[i + 1] - 1 */
    int *groups;   /* what the run calls each group */
    size_t *sizes; /* cells of each group */
    size_t group_count;
    int *printed_node; /* of every printed metric of the run: the node it is about, -1 */
};

/* Cells looked at: 256 events, the most a model has, in four groups each. What is counted again
 * beyond that is left out. */
#define SLW_MAX_INPUT_CELLS 1024

/* The counts of r->run that r->model's events name. -SLW_E_NOMEM. */
int slw_inputs_init(struct slw_inputs *in, const struct slw_report *r);

#define SLW_STRETCH_ALL     (-1) /* every count covers all of the time */
#define SLW_STRETCH_SEVERAL (-2) /* counts of different times were mixed */

/* Choose the cells for a node that needs the events marked in needed[event_count]; chosen[i] is
 * NULL where an event was not counted. In this order: the smallest group that counted all of them;
 * else what the tool that printed the metric must have used: the row it stands next to, the rest of
 * that row's group, then counts that carry no other metric, first come first. Returns the group
 * the counts are from, or one of SLW_STRETCH_x. */
int slw_inputs_choose(const struct slw_inputs *in, size_t node, const bool *needed,
                      const struct slw_input_cell **chosen);

/* What the formulas of the model ask about the run. */
struct slw_model_vars slw_inputs_vars(const struct slw_run *run);

/* The node of the model that a printed metric is about, or -1: "tma_frontend_bound", "Frontend
 * Bound" and "frontend_bound" are one. */
int slw_inputs_find_node(const struct slw_model *m, const char *printed_name);

#endif

/* SPDX-License-Identifier: MIT */
/* The interval of one node of the tree from the counts it was computed from. */
#ifndef SLW_ANALYZER_NODE_INTERVAL_H
#define SLW_ANALYZER_NODE_INTERVAL_H

#include "analyzer/inputs.h"

/* The kernel lets groups of events take turns once a tick: 1 to 10 ms. The longest makes the fewest
 * stretches and the widest interval. Source: perf_event_mux_interval_ms, 1000 / CONFIG_HZ. */
#define SLW_TURN_NS 10000000.0

/* A PERF_METRICS field is this part of the slots, 0xff being all; it is off by at most one step.
 * Source: linux tools/perf/Documentation/topdown.txt. */
#define SLW_METRIC_STEP (1.0 / 255)

struct slw_node_inputs {
    const struct slw_report *report;
    struct slw_model_input *inputs;             /* restored when they were changed */
    const struct slw_input_cell *const *chosen; /* of each event of the model */
    const bool *needed;
    struct slw_model_value *scratch; /* of every node */
};

/* Fill n->value.interval, n->quantum and n->sample_half of node `index`, whose value is set. What
 * was counted all of the time and in whole events has no interval: it is exact for this execution.
 */
void slw_node_interval(const struct slw_node_inputs *in, size_t index, struct slw_report_node *n);

#endif

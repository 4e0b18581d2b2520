/* SPDX-License-Identifier: MIT */
/* Counts of a run -> inputs of the CPU model -> the top-down tree -> the bottleneck, or an honest
 * "undecided". Source of the method: A. Yasin, "A Top-Down method for performance analysis and
 * counters architecture", ISPASS 2014. Not for: formulas (models/). */
#ifndef SLW_ANALYZER_TOPDOWN_H
#define SLW_ANALYZER_TOPDOWN_H

#include "analyzer/report.h"

/* Below this part of the time counted, a node is shown but not judged by: with fewer than every
 * second slice seen, a phase of the client that happens to fall between the slices decides. */
#define SLW_MIN_COVERAGE 0.5

/* A multiplexed count that held a counter for less than this saw too few rotations (the kernel
 * rotates every 4 ms) for raw * enabled / running to mean anything. */
#define SLW_MIN_MULTIPLEXED_NS UINT64_C(100000000)

/* Two nodes of one level closer than this (in slots, or the unit they share) are not told apart
 * unless they were measured in rounds: nothing else says how they differ from one execution to the
 * next. Where how much was counted is all that is known of the counting, and so there is no
 * interval, half of what is not covered is added: 80 % coverage makes it 0.05 + 0.10. */
#define SLW_MIN_LEAD 0.05

/* Level 1 must account for every slot to this; formulas with residuals round, sums of independent
 * counts that miss by more were not counted over the same time. */
#define SLW_MAX_SUM_ERROR 0.02

/* The same where the parts were counted in different stretches of time: nothing but the client's
 * own behaviour tells such a miss from a change between the stretches. */
#define SLW_MAX_APART_ERROR 0.005

/* Fill r->nodes and r->topdown from r->rows and r->model (NULL: no nodes, the reason is
 * run->model.absent). -SLW_E_NOMEM. */
int slw_topdown_fill(struct slw_report *r, struct slw_error *err);

/* The nodes alone, from the counts of r->run as those of one execution; r->rows tell the CPU time
 * if they are filled. -SLW_E_NOMEM. */
int slw_topdown_nodes(struct slw_report *r);

/* The decision alone, over nodes that have values; fills *ret. The rule, level by level from the
 * root: the candidates are the children that are known, in range, covered, and flagged (where the
 * model publishes no threshold for any sibling: all of them). One candidate, or one that leads the
 * others, their intervals apart and by SLW_MIN_LEAD: it is chosen and its children are looked at.
 * Two too close, or in different units: level 1 is undecided; deeper down the path ends above
 * them. No candidate: level 1 is balanced; deeper down the path ends. */
void slw_topdown_decide(const struct slw_report_node *nodes, size_t node_count,
                        struct slw_topdown *ret);

#endif

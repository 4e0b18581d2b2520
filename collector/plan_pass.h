/* SPDX-License-Identifier: MIT */
/* The part of a plan that one execution of several counts, so that its group need not take turns.
 */
#ifndef SLW_COLLECTOR_PLAN_PASS_H
#define SLW_COLLECTOR_PLAN_PASS_H

#include "collector/plan.h"

struct slw_sys;

/* What the counts of a pass call their groups: software events first, then these. */
#define SLW_PASS_GROUP     1 /* the one group of hardware events */
#define SLW_PASS_REFERENCE 2 /* retired instructions, to compare the executions by */

size_t slw_plan_hardware_groups(const struct slw_plan *p);

/* Leave the software events and the n-th group of hardware events (from 1). Where that group does
 * not count retired instructions, they are added as a group of their own, if the counters have room
 * for both at once. `m` may be NULL. Event types are those of the running kernel. */
void slw_plan_keep(struct slw_plan *p, size_t n, const struct slw_model *m,
                   const struct slw_sys *sys);

/* Does this event of the model count retired instructions? */
bool slw_plan_counts_instructions(const struct slw_model *m, int model_event);

#endif

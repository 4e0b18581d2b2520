/* SPDX-License-Identifier: MIT */
/* Which event of a model a name of perf means. perf, the kernel and the manuals call one event by
 * several names; what counts is the code behind them. Pure. Not for: opening events (collector). */
#ifndef SLW_MODELS_PERF_NAME_H
#define SLW_MODELS_PERF_NAME_H

#include "models/model.h"

/* Index into m->events, or -1. `name` is in lower case, modifiers behind it as models write them
 * ("int_misc.recovery_cycles:c1:e1"), a bare code as "r" and hexadecimal ("r19c"). Known are the
 * model's own names, the kernel's names under sysfs events/, its generic names (what each vendor's
 * driver makes of them), and modified or bare codes that equal an event's code. */
int slw_model_find_perf_event(const struct slw_model *m, const char *name);

/* Is the name one the kernel gives meaning to on every CPU ("cycles", "branch-misses",
 * "l1-dcache-loads")? It says nothing about which CPU was measured. */
bool slw_perf_name_is_generic(const char *name);

#endif

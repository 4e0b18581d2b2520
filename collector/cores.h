/* SPDX-License-Identifier: MIT */
/* The kinds of core of a hybrid CPU (Intel: cpu_core and cpu_atom; Arm: big and little; Apple),
 * each with a PMU of its own and the CPUs that have it. Not for: what those PMUs count (pmu.h).
 * Source: Documentation/ABI/testing/sysfs-bus-event_source-devices, file "cpus". */
#ifndef SLW_COLLECTOR_CORES_H
#define SLW_COLLECTOR_CORES_H

#include "collector/pmu.h"
#include "models/model.h"
#include "record/run.h"

#include <sched.h>

#define SLW_CORE_CPUS 4096 /* machines with cores of several kinds have some dozen CPUs */

struct slw_core_kind {
    char pmu[SLW_MAX_PMU_NAME]; /* name of its PMU: "cpu_core" */
    uint32_t type;              /* attr.type of its PMU */
    int first_cpu;              /* -1: sysfs does not say which CPUs it has */
    uint64_t cpus[SLW_CORE_CPUS / 64];
};

/* The kinds of core of this machine, by their first CPU; 0 when there is only one. */
size_t slw_core_kinds(const char *root, struct slw_core_kind kinds[SLW_MAX_CORE_KINDS]);

/* True also when sysfs does not say which CPUs the kind has: opening an event there will tell. */
bool slw_core_kind_has(const struct slw_core_kind *k, int cpu);

/* Have this thread run on cores of this kind, to try what they can do. False, and nothing changed,
 * when k is NULL or has no CPU where we may run. Undo with slw_core_kind_leave(what it returned).
 */
bool slw_core_kind_visit(const struct slw_core_kind *k, cpu_set_t *ret_before);
void slw_core_kind_leave(bool moved, const cpu_set_t *before);

/* What slw_model_select wants to know of the cores of this kind: `first` is what the machine says
 * of CPU 0, and x86 numbers all of its kinds alike. Strings are lent from `first`. */
struct slw_model_cpu slw_core_kind_cpu(const struct slw_core_kind *k, const char *root,
                                       const struct slw_cpu *first);

/* The built-in model of these cores. x86 tells its kinds apart by the PMU alone, Arm by what each
 * core says it is. SLW_E_NOTFOUND, SLW_E_NOMEM. */
int slw_core_kind_model(const struct slw_core_kind *k, const struct slw_model_cpu *cpu,
                        struct slw_model **ret_model);

/* Which of the kinds the model is of: the PMU is called as the model says, or has CPU 0, by which
 * models are chosen. NULL: there is one kind of core. */
const struct slw_core_kind *slw_core_kind_of(const struct slw_model *m,
                                             const struct slw_core_kind *kinds, size_t count);

#endif

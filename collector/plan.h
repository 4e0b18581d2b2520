/* SPDX-License-Identifier: MIT */
/* Which events to count, in which groups. Pure: model and limits in, plan out; nothing is opened
 * and nothing is read, so that plans for every CPU are tested on any machine.
 * Source: perf_event_open(2); linux tools/perf/Documentation/topdown.txt for PERF_METRICS. */
#ifndef SLW_COLLECTOR_PLAN_H
#define SLW_COLLECTOR_PLAN_H

#include "base/error.h"
#include "models/model.h"
#include "record/run.h"

#define SLW_MAX_GROUP_EVENTS 24  /* 8 general + 8 fixed counters + 8 parts of PERF_METRICS */
#define SLW_MAX_GROUPS       64  /* more would each run a hundredth of the time */
#define SLW_MAX_MODEL_EVENTS 512 /* the longest published list for levels 1 to 3 has about 150 */

struct slw_plan_event {
    int model_event; /* index into model->events; -1: not from a model */
    const char *name, *unit;
    uint32_t type;
    uint64_t config, config1;
    enum slw_event_role role;
    bool kernel_only;  /* happens in kernel mode: counting user mode alone would say 0 */
    bool ignores_mode; /* counts user and kernel mode whatever attr.exclude_* asks for */
    bool doubtful;     /* opens, but the PMU does not list it: a count of 0 would mean nothing */
};

struct slw_core_kind;

struct slw_plan_group {
    enum slw_source source;
    const struct slw_core_kind *kind; /* where there are several: of those alone; lent */
    enum slw_mode mode;
    size_t event_count;
    struct slw_plan_event events[SLW_MAX_GROUP_EVENTS]; /* the first leads */
};

#define SLW_PLAN_GENERIC_EVENTS 4 /* of a CPU without a model, in one group where they fit */

/* Something the formulas need and the plan does not hold as they need it. */
struct slw_plan_gap {
    int model_event; /* left out: why says it; -1: the node was split over groups */
    int node;        /* -1, or the node whose events did not fit one group */
    const char *why; /* static, or lent from options->absent */
};

struct slw_plan {
    struct slw_plan_group *groups;
    size_t group_count;
    struct slw_plan_gap *gaps;
    size_t gap_count;
    const struct slw_core_kind *kinds; /* of a hybrid CPU; lent; set by whoever knows the machine */
    size_t kind_count;
};

struct slw_plan_options {
    const struct slw_model *model; /* NULL: a few generic hardware events */
    int level;                     /* deepest level of the tree; level 0 metrics always */
    int reserved_counters;         /* general counters others hold: NMI watchdog, our sampling */
    bool system_wide;              /* the target is every CPU, idle or not */
    enum slw_mode mode;            /* of the hardware groups */
    bool split_modes;              /* each hardware group twice: user mode, then kernel mode */
    bool hardware;                 /* false: software events only */
    /* slw_model_needs; tests of plans need no formulas and pass their own. */
    void (*needs)(const struct slw_model *m, size_t index, bool *needed);
    const struct slw_model_vars *vars; /* with them slw_model_needs_with decides; NULL: not known */
    const char *const *absent; /* per model event: why it cannot be had here, or NULL; or NULL */
};

/* The software group comes first. SLW_E_LIMIT past SLW_MAX_x, SLW_E_NOMEM. Free with
 * slw_plan_free (NULL allowed). */
int slw_plan_new(const struct slw_plan_options *opts, struct slw_plan **ret_plan,
                 struct slw_error *err);
void slw_plan_free(struct slw_plan *p);

/* Can these model events be on the counters at the same time? Exposed for the tests. */
bool slw_plan_fits(const struct slw_model *m, const int *events, size_t count,
                   int reserved_counters);

#endif

/* SPDX-License-Identifier: MIT */
/* CPU models: data files that say which events a CPU counts and which formulas make top-down out of
 * them. To add one: write models/NAME.json (docs/models.md), add SLW_MODEL(NAME) to models.def; the
 * build runs modelc over it and stops on any mistake. Not for: opening events (collector). */
#ifndef SLW_MODELS_MODEL_H
#define SLW_MODELS_MODEL_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct slw_expr;
struct slw_model_own; /* model_int.h: what only this room needs */

/* Which CPU: what CPUID or MIDR_EL1 says. -1 or NULL: not applicable here. */
struct slw_model_cpu {
    const char *arch;   /* "x86_64", "aarch64" */
    const char *vendor; /* CPUID vendor string, or "ARM" */
    int family, model;
    int stepping; /* arm64: variant * 16 + revision, so r0p3 is 0x03 and r1p0 is 0x10 */
    int implementer, part;
};

/* What the planner must know about an event beyond its code. */
enum slw_event_role {
    SLW_EVENT_PLAIN,
    SLW_EVENT_SLOTS,      /* Intel TOPDOWN.SLOTS: must lead the group of PERF_METRICS parts */
    SLW_EVENT_PERF_METRIC /* a part of PERF_METRICS: only inside a slots group, no counter */
};

/* Of events that no kernel counts: those of the simulated tier. No kernel gives a PMU this type. */
#define SLW_MODEL_TYPE_SIMULATED UINT32_MAX

struct slw_model_event {
    const char *name;         /* lower case, as formulas write it: "idq_uops_not_delivered.core" */
    uint32_t type;            /* perf_event_attr.type: PERF_TYPE_RAW, _HARDWARE, _HW_CACHE,... */
    uint64_t config, config1; /* perf_event_attr */
    const char *libpfm;       /* libpfm4 name (no "pmu::") where it encodes the same; NULL: none */
    const char *sysfs;        /* name under the PMU's events/ that must exist; NULL: no check */
    uint64_t counters;        /* bit n: general counter n may hold it; 0: any */
    int fixed;                /* fixed counter number, -1: none */
    enum slw_event_role role;
    const char *errata; /* NULL: none known */
    const char *source; /* NULL: the model's */
};

struct slw_model_let {
    const char *name;
    const char *text;
    const struct slw_expr *expr;
};

/* Prose for `slotwise explain` and the reports; plain sentences. */
struct slw_model_prose {
    const char *what;    /* what the node means */
    const char *look_at; /* what to look at next, for a database client in particular */
};

/* A node of the top-down tree (level >= 1) or a plain metric such as IPC (level 0). */
struct slw_model_node {
    const char *name;  /* "frontend_bound", lower case */
    const char *title; /* "Frontend Bound" */
    int level;         /* 0: a metric outside the tree */
    int parent;        /* index of the parent node; -1 */
    const char *text;  /* the formula as written */
    const struct slw_expr *expr;
    const char *unit; /* "slots", "clocks", "ratio", "per kilo-instruction", ... */
    double low, high; /* plausible range; outside it is mismeasured */
    bool has_threshold;
    double threshold;           /* flag when above, and the ancestors named flag too */
    const int *threshold_needs; /* node indexes */
    size_t threshold_need_count;
    const int *threshold_or; /* nodes any one of whose flags flags this one too */
    size_t threshold_or_count;
    const char *source; /* NULL: the model's */
    struct slw_model_prose prose;
};

/* A self-check: input counts and the values the formulas must give. */
struct slw_model_check {
    const char *why; /* which recording, or "hand-computed" */
    bool smt_on, single_task;
    const char *const *input_names;
    const double *input_values;
    size_t input_count;
    const char *const *expect_names;
    const double *expect_values;
    const double *expect_tolerances;
    size_t expect_count;
};

struct slw_model_match {
    const char *vendor;              /* CPUID vendor string, or "ARM" */
    int family, model;               /* x86; -1: any */
    int model_high;                  /* last of the range model .. model_high; -1: model alone */
    int stepping_low, stepping_high; /* inclusive; -1: any; arm64: as in slw_model_cpu */
    int implementer, part;           /* arm64; -1: any */
};

/* A CPU this model does not cover but comes close to: offered in errors, never taken. */
struct slw_model_relative {
    struct slw_model_match match;
    const char *why;
};

struct slw_model {
    const char *name;    /* "skylake" */
    const char *title;   /* "Intel Skylake (client), Kaby/Coffee/Comet Lake" */
    const char *arch;    /* "x86_64", "aarch64", "any" */
    const char *pmu;     /* sysfs PMU name: "cpu", "cpu_core", "armv8_pmuv3_0" */
    const char *source;  /* document */
    const char *version; /* "TMA 5.01" or the document's version */
    const char *date;
    int slots_per_cycle;  /* 0: none published */
    int general_counters; /* usable by one task, hyper-threading on */
    int fixed_counters;
    int max_level; /* deepest level in the tree; 0: no top-down on this CPU */
    const struct slw_model_match *matches;
    size_t match_count;
    const char *match_source; /* who says that those are these CPUs; NULL: nobody */
    const struct slw_model_relative *relatives;
    size_t relative_count;
    const char *libpfm_pmu; /* libpfm4's name of this PMU: "skl"; NULL: it has no table */
    const struct slw_model_event *events;
    size_t event_count;
    const struct slw_model_let *lets;
    size_t let_count;
    const struct slw_model_node *nodes;
    size_t node_count;
    const struct slw_model_check *checks;
    size_t check_count;
    const struct slw_model_own *own;
};

/* Load a model from JSON text. `origin` names it in errors; every error's `where` is
 * origin:line:column of the offending key, value or place inside a formula. Validates everything
 * modelc validates: known keys, sources present, formulas parse and name existing events or lets
 * or nodes, no cycle, children one level below their parent, checks hold. SLW_E_FORMAT, SLW_E_LIMIT
 * (a count in model_int.h), SLW_E_NOMEM. Free with slw_model_free (NULL allowed). */
int slw_model_parse(const char *json, size_t length, const char *origin,
                    struct slw_model **ret_model, struct slw_error *err);
void slw_model_free(struct slw_model *m);

/* The models compiled in, in the order of models.def. */
size_t slw_model_builtin_count(void);
const char *slw_model_builtin_name(size_t index);
/* The name of its node number `node`, without loading it; NULL past the last. */
const char *slw_model_builtin_node(size_t index, size_t node);
int slw_model_builtin(const char *name, struct slw_model **ret_model, struct slw_error *err);

/* The built-in model that matches this CPU, most specific first. `pmu` NULL: the first match (the
 * P-core on hybrids). SLW_E_NOTFOUND when no model names this CPU: the text then offers the closest
 * relative, which is never taken by itself. */
int slw_model_select(const struct slw_model_cpu *cpu, const char *pmu, struct slw_model **ret_model,
                     struct slw_error *err);

/* The name of the model offered for a CPU that no model names; NULL: none comes close. Never to be
 * taken without being asked for. */
const char *slw_model_offer(const struct slw_model_cpu *cpu, const char *pmu);

/* ---- evaluation ---- */

/* One input: the scaled count of model->events[i]. absent != NULL: why there is none. */
struct slw_model_input {
    double value;
    const char *absent;
};

struct slw_model_vars {
    bool smt_on;      /* two hardware threads per core are online */
    bool single_task; /* counted while certain tasks ran, not on whole CPUs: what the other thread
                         of the core did meanwhile is not in the counts */
};

/* How far outside [low, high] a value may be, as a fraction of high - low, and still be rounding:
 * the PERF_METRICS fields are 1/255 each and are subtracted from each other. */
#define SLW_MODEL_ROUNDING 0.01

/* The value of model->nodes[i]. have == false: `missing` names the event (or, where the input says
 * why, that reason) or the arithmetic ("division by zero: slots is 0"). In range unless
 * `mismeasured`. */
struct slw_model_value {
    bool have;
    bool mismeasured; /* it, or a node it is computed from, is outside [low, high] beyond rounding;
                         never flagged */
    bool clamped;     /* outside by rounding only; value is the bound it passed */
    bool flagged;     /* above its threshold, and so are the ancestors it needs; or one of
                         threshold_or is flagged */
    double value;
    const char *missing; /* lent from the model, the input or static */
};

/* Evaluate every node. inputs has event_count entries, values node_count. Pure; never NaN. */
void slw_model_evaluate(const struct slw_model *m, const struct slw_model_input *inputs,
                        const struct slw_model_vars *vars, struct slw_model_value *values);

/* How many pipeline slots there were: the model's let SLOTS, which its tree is made of shares of.
 * have == false where it has none or a count is missing. */
struct slw_model_value slw_model_slots(const struct slw_model *m,
                                       const struct slw_model_input *inputs,
                                       const struct slw_model_vars *vars);

/* Set `flagged` of every value anew, from the values as they stand: for nodes that were evaluated
 * with different inputs and are now put together. */
void slw_model_flag(const struct slw_model *m, struct slw_model_value *values);

/* Mark in needed[event_count] the events that node `index` (and, transitively, the lets and nodes
 * it uses) needs. Adds to what is set already. */
void slw_model_needs(const struct slw_model *m, size_t index, bool *needed);

/* The same with the conditions known: what only the other branch of `a if smt_on else b` reads is
 * not needed. */
void slw_model_needs_with(const struct slw_model *m, size_t index,
                          const struct slw_model_vars *vars, bool *needed);

/* Mark in lets[let_count] the lets that the formula of node `index` uses, directly or through other
 * lets, and in nodes[node_count] the nodes it uses directly or through those lets. */
void slw_model_parts(const struct slw_model *m, size_t index, bool *lets, bool *nodes);

/* The event that counts core cycles of one thread: what samples are taken by. -1: none. */
int slw_model_cycles_event(const struct slw_model *m);

int slw_model_find_event(const struct slw_model *m, const char *name); /* -1: none */
int slw_model_find_node(const struct slw_model *m, const char *name);  /* -1: none */

#endif

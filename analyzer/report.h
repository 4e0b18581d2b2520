/* SPDX-License-Identifier: MIT */
/* What a run means: scaled counts, metrics, the top-down tree, hot functions, findings and the
 * verdict in one sentence. Renderers only format this. Pure: no I/O. */
#ifndef SLW_ANALYZER_REPORT_H
#define SLW_ANALYZER_REPORT_H

#include "analyzer/interval.h"
#include "analyzer/share.h"
#include "models/model.h"
#include "record/run.h"
#include "record/stacks.h"

struct slw_facts;
struct slw_moments;
struct slw_scopes;
struct slw_traffic;
struct slw_bar;
struct slw_costs;
struct slw_side;

/* A number as a report shows it. absent != NULL: show the word, never a 0. */
struct slw_figure {
    double value;
    const char *absent;
    const char *unit;
    struct slw_provenance from;
    double coverage;              /* running / enabled, 0..1; of several counts the smallest */
    struct slw_interval interval; /* of a mean over rounds, and of tree and metric values */
};

/* One event over the whole target, scaled. When the run holds it only per thread or per CPU, the
 * parts are scaled one by one and added. */
struct slw_report_row {
    const char *name;
    struct slw_figure total;
    struct slw_figure per_request;
    uint64_t events; /* total as the exact integer; 0 when total.absent; of executions the mean */
    size_t part_count;
    size_t execution_count;        /* total is the mean of so many executions; 0: there is one */
    const struct slw_count *count; /* the first part; lent from the run */
};

struct slw_report_node { /* a top-down node or metric */
    const char *name, *title;
    int level, parent;
    struct slw_figure value;
    bool flagged, mismeasured;
    bool thin;          /* its counts cover too little to judge by: topdown.h */
    enum slw_mode mode; /* what its counts are of; ALL where it has none */
    int stretch;        /* group its counts are from, or SLW_STRETCH_x: inputs.h */
    bool in_passes;     /* some were counted in one of a round's executions only */
    double quantum;     /* what fields of 8 bits leave open, to each side */
    double sample_half; /* what a sample of the instructions leaves open at 95 %, to each side */
    size_t round_count; /* the value is the mean of so many rounds; 0: no rounds */
    /* Events it has a value from and their errata, legend.h; NULL: none known. */
    const char *errata;
    const struct slw_model_node *node; /* lent from the model */
};

enum slw_topdown_status {
    SLW_TOPDOWN_NONE,      /* no tree; reason says why */
    SLW_TOPDOWN_UNDECIDED, /* a tree, but no honest choice; reason says why */
    SLW_TOPDOWN_BALANCED,  /* no node is above its threshold */
    SLW_TOPDOWN_FOUND      /* bottleneck is set */
};

struct slw_topdown {
    enum slw_topdown_status status;
    const char *reason;  /* NULL when FOUND and when BALANCED; one clause */
    int bottleneck;      /* index of the deepest node of the path; -1 */
    int rival;           /* UNDECIDED: the node it cannot be told from; -1 */
    bool have_sum;       /* every level-1 node has a value */
    double level1_sum;   /* 1.0 when the level accounts for every slot */
    size_t stretches;    /* level 1 was counted in so many different stretches of time; 0, 1: one */
    double min_coverage; /* of the level-1 nodes */
};

/* One kind of core of a hybrid CPU: a tree of its own, of counts of its own. */
struct slw_report_core {
    const struct slw_model *model; /* lent; NULL: topdown.reason says why there is none */
    const char *pmu, *title;       /* "cpu_core", "P-cores" */
    struct slw_figure time;        /* share of the target's CPU time spent there */
    struct slw_figure cycles;      /* share of the cycles; of all kinds or of none */
    struct slw_report_node *nodes;
    size_t node_count;
    struct slw_topdown topdown;
};

struct slw_report_function {
    const char *function;    /* never empty: "[libpq.so.5]" when there is no symbol */
    const char *module;      /* path as mapped; "[unknown]" when there is none */
    const char *module_name; /* last part of the path */
    const char *symbol;      /* as the frames have it, "" none; lent by the stacks */
    enum slw_frame_kind kind;
    uint64_t self, total; /* weight in the report's main column */
    uint64_t self_samples, total_samples;
    struct slw_share self_share, total_share;
};

/* Columns of the per-function table. */
enum slw_function_cell {
    SLW_CELL_FRONTEND,
    SLW_CELL_BACKEND,
    SLW_CELL_BAD_SPECULATION,
    SLW_CELL_RETIRING,
    SLW_CELL_IPC,
    SLW_CELL_ICACHE_MPKI,
    SLW_CELL_COUNT
};

enum slw_function_category {
    SLW_CATEGORY_UNKNOWN,   /* no numbers */
    SLW_CATEGORY_UNDECIDED, /* no category is above the others beyond doubt */
    SLW_CATEGORY_FRONTEND,
    SLW_CATEGORY_BACKEND,
    SLW_CATEGORY_BAD_SPECULATION,
    SLW_CATEGORY_RETIRING
};

struct slw_report_function_topdown {
    const struct slw_report_function *function; /* lent from functions */
    uint64_t reads;                             /* samples whose counters were the function's own */
    double mixing;      /* estimated part of its counts that is others'; 0..1 */
    const char *absent; /* NULL, or why it has no numbers: "too few samples" */
    struct slw_figure cells[SLW_CELL_COUNT];
    double margins[SLW_CELL_COUNT]; /* of shares: half the 95 % interval and the mixing; else 0 */
    enum slw_function_category category;
};

struct slw_report_thread {
    const char *comm; /* "" unknown */
    int32_t pid, tid; /* -1 unknown */
    uint64_t weight, samples;
    struct slw_share share;
};

struct slw_report_part { /* of the main column, by the kind of the leaf frame */
    uint64_t weight, samples;
    struct slw_share share;
};

/* How sure a finding is: its numbers say so; they and what clients usually do; worth a look. */
enum slw_sure { SLW_CERTAIN, SLW_LIKELY, SLW_HINT };

struct slw_finding {
    const char *id, *title;
    enum slw_sure sure;
    double weight;        /* part of the client's wall time it is about, 0..1; 0: unknown */
    int order;            /* of its rule in findings.def */
    const char *evidence; /* the numbers that made it fire */
    const char *advice;
};

struct slw_report {
    struct slw_arena *arena;
    const struct slw_run *run;       /* lent */
    const struct slw_stacks *stacks; /* lent; may be NULL */
    /* When the stacks were sampled; lent. NULL: not kept. Not looked at by slw_report_new: who has
     * them sets them. */
    const struct slw_moments *moments;
    const struct slw_model *model; /* lent; may be NULL */
    const char *pmu;               /* whose counts it interprets; NULL: what the model says */
    const struct slw_model *const *others; /* lent; one for each of run->other_models, or none */
    size_t other_count;
    const char *verdict;       /* one sentence; safe to print: no control characters */
    const char *verdict_basis; /* what it rests on: tier, samples, coverage */
    struct slw_report_row *rows;
    size_t row_count;
    struct slw_report_node *nodes;
    size_t node_count;
    const char
        *errata; /* what the mark of a node's errata means, naming the events; NULL: no mark */
    struct slw_topdown topdown;
    struct slw_report_core *cores; /* the kinds of core; nodes and topdown are the first one's */
    size_t core_count;             /* 0: there is one kind */
    int main_column;               /* of stacks; -1: no samples */
    int samples_column; /* of stacks: number of samples behind main_column; -1: unknown */
    const struct slw_column *column;       /* the main column; NULL: no samples */
    const struct slw_sampling *sampling;   /* how it was sampled; NULL: unknown */
    uint64_t weight, samples;              /* totals of the two columns */
    struct slw_report_part parts[3];       /* indexed by enum slw_frame_kind; they sum to weight */
    struct slw_report_function *functions; /* by self weight, descending */
    size_t function_count;
    struct slw_report_function_topdown *function_topdowns; /* of each function; NULL: none */
    struct slw_report_function *modules;                   /* function is NULL here */
    size_t module_count;
    struct slw_report_thread *threads; /* by weight, descending */
    size_t thread_count;
    struct slw_facts *facts;     /* facts.h */
    struct slw_scopes *scopes;   /* scopes.h */
    struct slw_traffic *traffic; /* traffic.h */
    struct slw_bar *bar;         /* bar.h */
    struct slw_costs *costs;     /* costs.h */
    struct slw_side *side;       /* side.h */
    struct slw_finding *findings;
    size_t finding_count;
};

/* run is required; stacks and model may be NULL. Everything lent must outlive the report.
 * -SLW_E_NOMEM, or -SLW_E_RANGE when the weights of the profile sum past 64 bits. */
int slw_report_new(const struct slw_run *run, const struct slw_stacks *stacks,
                   const struct slw_model *model, struct slw_report **ret_report,
                   struct slw_error *err);

/* The same for a run that counted several kinds of core: others[i] is the model of
 * run->other_models[i], or NULL where it cannot be loaded. */
int slw_report_new_hybrid(const struct slw_run *run, const struct slw_stacks *stacks,
                          const struct slw_model *model, const struct slw_model *const *others,
                          struct slw_report **ret_report, struct slw_error *err);
void slw_report_free(struct slw_report *r);

#endif

/* SPDX-License-Identifier: MIT */
/* Two runs side by side: for each metric both values, the difference with its interval, the noise
 * floor and one word; the gates; why it changed; which functions explain it. Renderers only format
 * this. Pure: no I/O. The statistics are analyzer/statistics and docs/statistics.md. */
#ifndef SLW_ANALYZER_COMPARE_COMPARISON_H
#define SLW_ANALYZER_COMPARE_COMPARISON_H

#include "analyzer/compare/gate.h"
#include "analyzer/report.h"
#include "analyzer/statistics/judgement.h"
#include "analyzer/statistics/pairs.h"
#include "analyzer/statistics/regimes.h"
#include "record/experiment.h"
#include "record/moments.h"

/* One side. Everything is lent. */
struct slw_side_of {
    const char *name;          /* "A", "B"; for saved runs what the user called them */
    const struct slw_run *run; /* with observations */
    const struct slw_report *report;
    const struct slw_stacks *stacks;   /* NULL: no samples */
    const struct slw_moments *moments; /* NULL: not kept; then no function is judged */
};

struct slw_comparison_input {
    struct slw_side_of a, b;
    const struct slw_experiment *experiment; /* NULL: the runs were measured apart */
    const struct slw_gates *gates;           /* NULL: none; then cpu_per_request is the one judged
                                                by the exit status, as far as it is there */
    double margin;                           /* relative; 0: the default of 2 % */
    bool equivalence_90;
    bool force; /* compare although host, CPU, kernel, client or tier differ; said in a note */
};

/* How sure a word is meant to be: gated metrics share the 5 %. */
enum slw_metric_rank {
    SLW_METRIC_GATED,
    SLW_METRIC_SHOWN, /* plain 95 % interval; starred by Holm */
    SLW_METRIC_ALIAS, /* another metric in other words: shown, counted once */
};

struct slw_metric_row {
    const struct slw_observation *a, *b; /* lent; NULL where that side does not have it */
    const char *metric, *title, *unit;   /* never NULL */
    struct slw_provenance from;          /* both sides' */
    enum slw_better better;
    enum slw_metric_rank rank;
    struct slw_figure a_value, b_value; /* centre (median) over the rounds */
    enum slw_pairs_kind kind;
    struct slw_pairs pairs;           /* used and dropped */
    struct slw_difference difference; /* meaningless where absent is set */
    const char *absent;               /* why there is no difference; NULL: there is */
    struct slw_judgement judgement;
    struct slw_forecast forecast;
    const struct slw_floor *floor; /* lent; NULL: none */
    bool starred;                  /* the difference stands Holm's correction */
    bool exact;   /* counts of a described core that repeat: the difference is no estimate */
    bool sampled; /* such counts, from a sample of the instructions: the interval is that of the
                     sample, and more rounds would say nothing new */
    bool deterministic;               /* every round of each arm gave the same value */
    const struct slw_gate_rule *gate; /* NULL: none */
    enum slw_judged gate_word;        /* of the gate: REGRESSED fails it */
    struct slw_regimes regimes_a, regimes_b;
    double drift;         /* total over the rounds, log; NAN: unknown */
    bool drift_sure;      /* a trend, not chance */
    bool headline;        /* stands in every report, changed or not */
    const char *alias_of; /* ALIAS: the metric it repeats; else NULL */
    const char *why;      /* why the word is not what the interval alone says, or what it takes for
                             one: "needs 6 rounds or more"; NULL: nothing to add */
};

/* A reason for the change, in words for a reviewer, most important first: "16.0 requests a flush
 * instead of 1.0: 94 % of the send and recv calls are gone". */
struct slw_cause {
    const char *id; /* stable, kebab-case */
    const char *text;
    double share; /* of the change of the main metric it accounts for, 0..1; NAN: not known */
};

/* A function (or module) whose cost per request changed. */
struct slw_function_change {
    const char *function, *module; /* "" unknown */
    enum slw_frame_kind kind;
    double a, b;                      /* self weight per request, in unit of the report's column */
    struct slw_difference difference; /* of b - a per request, over the rounds */
    bool judged;                      /* false: too few samples or rounds to tell */
    bool real;           /* the interval excludes 0 after correction for all functions shown */
    bool only_a, only_b; /* gone, new */
};

/* Something of the two runs that is not the same and should be. */
struct slw_mismatch {
    const char *what; /* "kernel", "CPU", "client" */
    const char *a, *b;
    bool severe;     /* the comparison is refused without force */
    bool downgrades; /* without force no word is more than inconclusive */
};

struct slw_comparison {
    struct slw_arena *arena;
    struct slw_comparison_input in;
    struct slw_metric_row *rows; /* gated first, then as the table of metrics has them */
    size_t row_count;
    size_t main_row; /* the one the verdict is about; row_count: none */
    enum slw_gate gate;
    const char *gate_reason; /* one sentence */
    const char *verdict;     /* one sentence; safe to print */
    const char *verdict_basis;
    struct slw_cause *causes;
    size_t cause_count;
    struct slw_function_change *functions; /* by size of the change, descending */
    size_t function_count;
    const char *functions_absent; /* why there are none */
    struct slw_mismatch *mismatches;
    size_t mismatch_count;
    struct slw_note *notes; /* order, drift, regimes, weak floor, denominators that disagree */
    size_t note_count;
    bool interleaved;   /* a coin per pair decided the order */
    double alpha;       /* of the interval of one metric: .05, or that of the look it stopped at */
    double alpha_gated; /* the same shared by the gated ones */
    size_t gated_count;
};

/* -SLW_E_USAGE: a gate names a metric neither run has (the text lists the nearest).
 * -SLW_E_NODATA: nothing can be compared. -SLW_E_INVAL: a severe mismatch without force; err says
 * which and what to do. -SLW_E_NOMEM. */
int slw_comparison_new(const struct slw_comparison_input *in,
                       struct slw_comparison **ret_comparison, struct slw_error *err);
void slw_comparison_free(struct slw_comparison *c);

/* The row of that metric, or NULL. */
const struct slw_metric_row *slw_comparison_find(const struct slw_comparison *c,
                                                 const char *metric);

/* The row's interval is there and 0 is outside of it. */
bool slw_metric_row_real(const struct slw_metric_row *row);

#endif

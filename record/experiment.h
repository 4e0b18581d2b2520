/* SPDX-License-Identifier: MIT */
/* An experiment: several commands (arms) measured in turn, block after block, so that they can be
 * compared. On disk NAME.compare/ or NAME.sweep/: experiment.json, and a run directory for each arm
 * whose rounds are the blocks. Says how it was done; what was measured is in the arms' runs
 * (observations), what it means is analyzer/compare and analyzer/sweep. */
#ifndef SLW_RECORD_EXPERIMENT_H
#define SLW_RECORD_EXPERIMENT_H

#include "base/buf.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct slw_arena;

#define SLW_EXPERIMENT_SCHEMA 1
#define SLW_EXPERIMENT_JSON   "experiment.json"
#define SLW_MAX_ARMS          256  /* batches times depths of a sweep */
#define SLW_MAX_BLOCKS        400  /* SLW_MAX_PAIRS of analyzer/statistics/paired.h */
#define SLW_MAX_FLOORS        4096 /* metrics */
#define SLW_MAX_PARAMETERS    8    /* of a sweep */

enum slw_experiment_kind { SLW_EXPERIMENT_COMPARE, SLW_EXPERIMENT_SWEEP };

struct slw_parameter {
    const char *name, *value; /* "batch", "16" */
};

struct slw_experiment_arm {
    const char *name;      /* "A", "B", "batch=16" */
    const char *directory; /* of its run, below the experiment's */
    const char *command;   /* as a shell would be given it; what "how to reproduce" prints */
    struct slw_parameter *parameters;
    size_t parameter_count;
};

/* What an A/A test found for one metric: how far two arms of the same command lie apart. */
struct slw_floor {
    const char *metric;
    size_t pairs;
    double estimate, low,
        high;     /* of B/A as a logarithm, as struct slw_difference; of the last A/A */
    double floor; /* the margin it makes, in the same unit */
    size_t tests; /* A/As it rests on; below SLW_FLOOR_RUNS it is weak */
    bool differs; /* two A/As in a row had 0 outside: an effect of order or state */
};

/* Why no more rounds were measured. */
enum slw_stopped {
    SLW_STOPPED_ROUNDS,      /* as many as were asked for */
    SLW_STOPPED_SETTLED,     /* --rounds auto: every gated metric has a word */
    SLW_STOPPED_BUDGET,      /* the time was up */
    SLW_STOPPED_INTERRUPTED, /* a signal */
    SLW_STOPPED_FAILED,      /* a round could not be measured; a note says why */
};

struct slw_experiment {
    struct slw_arena *arena;
    enum slw_experiment_kind kind;
    const char *id;   /* as the arms have it */
    const char *tool; /* "slotwise 0.1.0" */
    uint64_t seed;
    uint64_t started_realtime_ns;
    struct slw_experiment_arm *arms;
    size_t arm_count;
    size_t warmup;      /* rounds of each arm that were run and dropped */
    size_t block_count; /* rounds measured */
    uint16_t *order;    /* order[block * arm_count + i]: the arm that ran i-th in the block */
    bool automatic;     /* rounds auto: intervals are those of the look it stopped at */
    uint64_t budget_ms; /* 0: none */
    enum slw_stopped stopped;
    const char *setup, *prepare, *cleanup; /* shell commands; NULL: none */
    double margin;                         /* asked for, relative: .02 */
    const char *gates;                     /* --fail-on as given; NULL: none */
    bool equivalence_90;                   /* "no change" is judged at 90 % */
    bool sampled;                          /* rounds were sampled too */
    struct slw_floor *floors;              /* none: no A/A was made; floor_absent says why */
    size_t floor_count;
    const char *floor_absent;
    bool floor_reused; /* from A/As made before */
};

/* Heap, everything in its arena; free with slw_experiment_free (NULL allowed). -SLW_E_NOMEM. */
int slw_experiment_new(struct slw_experiment **ret_experiment, struct slw_error *err);
void slw_experiment_free(struct slw_experiment *e);

/* Keys in a fixed order, a newline at the end: equal experiments are equal files.
 * docs/run-format.md describes it, docs/experiment.schema.json is its JSON Schema. */
int slw_experiment_to_json(const struct slw_experiment *e, struct slw_buf *out,
                           struct slw_error *err);
/* A newer schema is SLW_E_VERSION; what is wrong is SLW_E_FORMAT with the place. */
int slw_experiment_from_json(const char *name, const char *text, size_t length,
                             struct slw_experiment **ret_experiment, struct slw_error *err);

#endif

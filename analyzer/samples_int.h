/* SPDX-License-Identifier: MIT */
/* Shared by the samples*.c files: one load in progress. */
#ifndef SLW_ANALYZER_SAMPLES_INT_H
#define SLW_ANALYZER_SAMPLES_INT_H

#include "analyzer/group_reads.h"
#include "analyzer/perfdata.h"
#include "analyzer/procstate.h"
#include "analyzer/samples.h"
#include "analyzer/symbols.h"
#include "analyzer/unwind/tables.h"

#include <stdint.h>

/* An address of a module (exact: that of an instruction that ran, not of one returned to). */
struct slw_location {
    uint64_t address;
    uint32_t module; /* top bit: exact */
    uint32_t hits;   /* as the leaf of a sample; when frames are made: anywhere in one */
    uint32_t turn;   /* slw_symbols_turn */
};
#define SLW_NO_LOCATION    UINT32_MAX
#define SLW_LOCATION_EXACT (UINT32_C(1) << 31)
static inline uint32_t slw_samples_module(const struct slw_location *l)
{
    return l->module & ~SLW_LOCATION_EXACT;
}

struct slw_locations {
    struct slw_location *locations;
    uint32_t count, capacity;
    struct slw_index index;
};

/* Where the weight of an event goes; -1: it has no samples. within: the first of the pair for what
 * began and ended in one function; -1: the event is in no group read. */
struct slw_event_columns {
    int count, period, within;
    bool copies, calls; /* its samples have them: stacks, and the CPU's record of calls */
    bool offcpu;        /* they are waits */
};
#define SLW_NO_SAMPLING SIZE_MAX

/* An address as recorded, and what kind of one. What it means depends on the root of its chain: a
 * thread and, below it, the generation of the mappings of its process. */
struct slw_chain_step {
    uint64_t address;
    uint32_t kind; /* SLW_STEP_*, and above them slw_symbols_turn */
};
#define SLW_STEP_KERNEL 1U
#define SLW_STEP_EXACT  2U
#define SLW_STEP_ROOT   4U /* no address: a thread, or a generation */
#define SLW_STEP_BITS   3

struct slw_chain_root {
    uint32_t thread;     /* in the profile */
    uint64_t generation; /* slw_procstate_generation */
};

struct slw_chain {
    struct slw_chain_step step;
    uint32_t caller;   /* chain; SLW_NO_CHAIN: of a thread */
    uint32_t location; /* what the caller found it to be */
    uint32_t row;      /* of weights; internal */
};
#define SLW_NO_CHAIN UINT32_MAX

struct slw_chains;

/* A sample from when it is met to when its weight is added: what has to be known of that moment,
 * and the callers that were found in the copy of its stack. */
struct slw_sample {
    const struct slw_perf_record *record;
    struct slw_task task;
    struct slw_unwind_space space;
    bool copied; /* there is a copy to be unwound */
    struct slw_unwound unwound;
    size_t frames_at; /* of those of the batch */
};

/* Samples that are unwound together, in their order. */
#define SLW_BATCH_SAMPLES 256
struct slw_batch {
    struct slw_sample samples[SLW_BATCH_SAMPLES];
    struct slw_perf_record records[SLW_BATCH_SAMPLES]; /* theirs */
    size_t count, bytes;                               /* of copies */
    struct slw_unwound_frame *frames;
    size_t frame_count, frame_capacity;
    int rc; /* of unwinding them */
};

/* Where the registers of an event's samples stand among the recorded ones; -1: nowhere. */
struct slw_register_places {
    bool usable; /* a machine whose stacks are followed */
    enum slw_cfi_machine machine;
    int8_t at[SLW_CFI_REGISTERS]; /* by DWARF number */
    int8_t ip, sp;
};

/* Where the frames lay of the last copied stack of a thread that ended at the same place. */
#define SLW_PLACES     32
#define SLW_PLACE_SETS 256 /* power of two */
struct slw_frame_places {
    int32_t tid;
    uint32_t count;
    uint64_t sp;
    uint64_t at[SLW_PLACES];
};

/* Frames that have no name though somebody could have left one. */
#define SLW_MAX_NAMELESS     8
#define SLW_MAX_INTERPRETERS 8
struct slw_nameless {
    uint64_t frames, generated, interpreted[SLW_MAX_INTERPRETERS];
    bool told[SLW_MAX_INTERPRETERS]; /* functions of that language have names */
    int32_t pids[SLW_MAX_NAMELESS];  /* whose generated code that is */
    size_t pid_count;
};

/* No CPU keeps more calls. */
#define SLW_MAX_CALLS 32

/* All that unwinding changes: one thread has it at a time. */
struct slw_unwinder {
    const struct slw_perfdata *pd;
    struct slw_unwind_tables *tables;
    struct slw_register_places *registers; /* by event */
    struct slw_frame_places places[SLW_PLACE_SETS];
    struct slw_unwound_frame frames[SLW_MAX_STACK_DEPTH];
};

struct slw_unwinding_thread; /* samples_batch.c */

struct slw_samples {
    const struct slw_samples_options *opts;
    struct slw_run *run;
    struct slw_arena *arena;
    struct slw_perfdata *pd;
    struct slw_modules modules;
    struct slw_procstate *procs;
    struct slw_symbols *symbols;
    struct slw_stacks *stacks;
    struct slw_event_columns *events;      /* by event */
    size_t samplings[SLW_MAX_COLUMNS / 2]; /* in the run, of each pair of columns, or none */
    uint64_t *weights;                     /* one per column, all 0 between samples */
    struct slw_group_reads *reads;
    uint64_t *attributed, *final; /* of group reads, by event: events with a function,
                                     and all there were */
    struct slw_locations locations;
    uint32_t *mappings; /* stack mapping of a module; SLW_NO_MAPPING: not made yet */
    uint32_t mapping_capacity;
    bool *expected; /* by module: its symbols are being read */
    uint32_t expected_capacity;
    uint32_t kernel_module, unknown_module; /* for addresses no mapping covers */
    struct slw_chains *chains;
    const struct slw_task *task; /* whose sample is being read */
    /* Whose was read last, until other records than samples are: */
    struct slw_task now;
    struct slw_chain_root now_root;
    bool has_now;
    struct slw_chain_step steps[SLW_MAX_STACK_DEPTH];
    struct slw_symbols_options symbols_options; /* also those of tables */
    struct slw_unwinder *unwinder;              /* NULL: no stack was copied yet */
    struct slw_batch *batch;                    /* the one that is filled; NULL likewise */
    struct slw_unwinding_thread *thread;        /* NULL: there is none */
    uint64_t batches;                           /* that were full */
    struct slw_unwinding *unwindings;           /* by event; NULL: the same */
    uint64_t calls[SLW_MAX_CALLS + 1]; /* stacks whose callers the CPU recorded, by how many */
    uint64_t delivered, foreign_frames, no_period, refused;
    uint64_t backwards, implausible, overdrawn; /* of group reads */
    struct slw_nameless nameless;
    bool has_final;
    bool timed;                /* moments are asked for */
    struct slw_moments *times; /* of chains, then of paths; NULL: none are kept */
    uint64_t start_ns;         /* what times are relative to; 0: no sample yet */
    bool times_given_up;
};

/* samples_columns.c */
int slw_samples_make_columns(struct slw_samples *s, struct slw_error *err);

/* samples_frames.c: a slw_chain_locate for s->task. 0 or -SLW_E_x. */
int slw_samples_locate(void *samples, const struct slw_chain_step *step, uint32_t *ret_location);
/* The name that covers a location, or "". Lent. */
int slw_samples_name(struct slw_samples *s, uint32_t location, const char **ret_name);
enum slw_frame_kind slw_samples_kind(const struct slw_samples *s, uint32_t location);
int slw_samples_mapping(struct slw_samples *s, uint32_t location, uint32_t *ret_mapping);
/* The frames of locations: one each, and for some those that were inlined there. */
struct slw_samples_frames {
    uint32_t *outer;       /* by location */
    uint32_t *inner;       /* of all locations, those of one together, outermost first */
    uint32_t *inner_begin; /* by location, with one past the last; NULL: nothing was inlined */
    uint32_t inner_count, inner_capacity;
};
int slw_samples_frames(struct slw_samples *s, struct slw_samples_frames *ret_frames);
void slw_samples_frames_release(struct slw_samples_frames *f);

/* samples_mend.c: ask for files that copied stacks lead through, before any is unwound. 0 or
 * -SLW_E_NOMEM. */
int slw_samples_mend(struct slw_samples *s);

/* samples_remote.c: ask for files that name much of the profile; hits are those of frames. 0 or
 * -SLW_E_NOMEM. */
int slw_samples_fetch(struct slw_samples *s);

/* samples_nameless.c: names by location. */
void slw_samples_count_nameless(struct slw_samples *s, const char *const *names);
int slw_samples_nameless_notes(struct slw_samples *s);

/* samples_stack.c: what has to be known of a sample now, its stack taken for not copied; later, the
 * sample into the chains, with the frames of its copy, if it has one; the chains, named, into the
 * stacks. */
int slw_samples_begin(struct slw_samples *s, const struct slw_perf_record *r,
                      struct slw_sample *ret_sample);
/* A sample without a copy whose turn it is. */
int slw_samples_add_now(struct slw_samples *s, const struct slw_perf_record *r);
int slw_samples_add(struct slw_samples *s, const struct slw_sample *sample,
                    const struct slw_unwound_frame *frames);
int slw_samples_name_stacks(struct slw_samples *s);

/* Add `samples` samples of together `weight` to the event's columns of s->weights. */
void slw_samples_weigh(struct slw_samples *s, size_t event, uint64_t samples, uint64_t weight);
/* s->weights into the totals of the run's samplings; clears them. */
void slw_samples_total(struct slw_samples *s, bool taken);

/* samples_batch.c: a sample takes its turn; all that wait for theirs do, which has to be before
 * anything else is made of the recording. Copied stacks are unwound together, by a thread of its
 * own where there are many. 0 or -SLW_E_x. */
int slw_samples_queue(struct slw_samples *s, const struct slw_perf_record *r);
int slw_samples_flush(struct slw_samples *s);
void slw_samples_forget_batches(struct slw_samples *s);

/* samples_unwind.c */
bool slw_samples_has_copy(const struct slw_samples *s, const struct slw_perf_record *r);
struct slw_unwinder *slw_unwinder_new(const struct slw_samples *s); /* NULL: no memory */
void slw_unwinder_free(struct slw_unwinder *u);                     /* NULL allowed */
/* The callers in one copy, for what is learnt of the files that its stack leads through. */
void slw_unwinder_try(struct slw_unwinder *u, const struct slw_sample *sample);
/* The callers in the copies of a batch. How it went is in b->rc: 0 or -SLW_E_NOMEM. */
void slw_unwinder_run(struct slw_unwinder *u, struct slw_batch *b);
/* Counts how the stack of a sample ended. 0 or -SLW_E_NOMEM. */
int slw_samples_count_unwound(struct slw_samples *s, const struct slw_sample *sample);

/* Tell the run how the stacks of each event ended, and where. */
int slw_samples_unwound_notes(struct slw_samples *s);

/* samples_reads.c: samples that carry counter values. */
int slw_samples_weigh_read(struct slw_samples *s, const struct slw_perf_record *r, uint32_t leaf);
void slw_samples_final_read(struct slw_samples *s, const struct slw_perf_record *r);
/* What was counted after the last sample of each thread becomes a stack of its own. */
int slw_samples_close_books(struct slw_samples *s);
int slw_samples_read_notes(struct slw_samples *s);

/* samples_times.c: asked for by s->timed. One sample, s->weights being those of its chain; all of
 * them, by the paths that chains have become. */
int slw_samples_start_times(struct slw_samples *s);
int slw_samples_time(struct slw_samples *s, uint32_t chain, uint64_t time_ns);
int slw_samples_name_times(struct slw_samples *s, const uint32_t *path_of);

/* samples_chains.c. Callers come before what they call; rows in the order they were first weighed.
 */
struct slw_chains *slw_chains_new(size_t columns);
void slw_chains_free(struct slw_chains *c);
/* The chain of `depth` steps, leaf first, below a root; `locate` is asked for the location of each
 * that no sample came by before. -SLW_E_NOMEM, -SLW_E_LIMIT, or what locate returns. */
typedef int (*slw_chain_locate)(void *ctx, const struct slw_chain_step *step,
                                uint32_t *ret_location);
int slw_chains_follow(struct slw_chains *c, const struct slw_chain_root *root,
                      const struct slw_chain_step *steps, size_t depth, slw_chain_locate locate,
                      void *ctx, uint32_t *ret_chain);
/* One more sample, which ended there. 0, -SLW_E_NOMEM, or -SLW_E_RANGE for what would pass 2^63,
 * and then no weight was added. */
int slw_chains_weigh(struct slw_chains *c, uint32_t chain, const uint64_t *weights);
/* The same where all weights but a pair are 0: 1 in that column, `weight` in the next. */
int slw_chains_weigh_pair(struct slw_chains *c, uint32_t chain, size_t column, uint64_t weight);
/* Of those, the ones that ended at the chain of a row. */
uint64_t slw_chains_hits(const struct slw_chains *c, uint32_t row);
/* There will be no more to follow or to weigh: give back what only that takes. */
void slw_chains_seal(struct slw_chains *c);
uint32_t slw_chains_count(const struct slw_chains *c);
const struct slw_chain *slw_chains_get(const struct slw_chains *c, uint32_t chain);
uint32_t slw_chains_row_count(const struct slw_chains *c);
const uint64_t *slw_chains_row(const struct slw_chains *c, uint32_t row, uint32_t *ret_chain);

/* samples_notes.c: what the file says about the run, and what was wrong with it. */
int slw_samples_describe(struct slw_samples *s);
int slw_samples_notes(struct slw_samples *s);

#endif

/* SPDX-License-Identifier: MIT */
/* Shared by the samples*.c files: one load in progress. */
#ifndef SLW_ANALYZER_SAMPLES_INT_H
#define SLW_ANALYZER_SAMPLES_INT_H

#include "analyzer/group_reads.h"
#include "analyzer/perfdata.h"
#include "analyzer/procstate.h"
#include "analyzer/samples.h"
#include "analyzer/symbols.h"

#include <stdint.h>

/* An address of a module (exact: that of an instruction that ran, not of one returned to), and the
 * frame it became. */
struct slw_location {
    uint64_t address;
    uint32_t module; /* top bit: exact; UINT32_MAX: the slot is free */
    uint32_t frame;
    uint32_t hits; /* as the leaf of a sample */
};

struct slw_locations {
    struct slw_location *slots;
    size_t mask, count; /* slot count - 1; 0 when there are none */
};

/* Where the weight of an event goes; -1: it has no samples. within: the first of the pair for what
 * began and ended in one function; -1: the event is in no group read. */
struct slw_event_columns {
    int count, period, within;
};
#define SLW_NO_SAMPLING SIZE_MAX

/* What the frames of a sample depend on. */
struct slw_memo_key {
    uint64_t hash; /* set by slw_memo_find */
    uint64_t generation, ip;
    uint32_t thread, event;
    uint16_t misc;
    bool has_ip;
    struct slw_perf_values chain; /* lent for the call; the memo keeps a copy */
};

struct slw_memo_entry {
    struct slw_memo_key key;
    size_t first_frame, first_word;
    uint32_t depth, foreign_frames; /* and what every such sample adds to the tallies */
    uint32_t leaf;                  /* frame; SLW_NO_LEAF: no stack */
    bool flat, copied;
};

struct slw_memo;

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
    uint32_t kernel_module, unknown_module; /* for addresses no mapping covers */
    struct slw_memo *memo;
    uint32_t frames[SLW_MAX_STACK_DEPTH];
    bool count_only;   /* first of two passes: find the hot addresses */
    uint32_t hot_hits; /* addresses with at least as many hits get a line; 0: none does */
    uint64_t delivered, foreign_frames, no_period, refused, copied_stacks;
    uint64_t backwards, implausible, overdrawn; /* of group reads */
    bool has_final;
};

/* samples_columns.c */
int slw_samples_make_columns(struct slw_samples *s, struct slw_error *err);

/* samples_frames.c: the frame of an address. mode: PERF_RECORD_MISC_* cpumode. 0 or -SLW_E_x. */
int slw_samples_frame(struct slw_samples *s, const struct slw_task *task, unsigned mode,
                      uint64_t ip, bool exact, bool leaf, uint32_t *ret_frame);
/* The least number of hits that at most `wanted` locations reach; 0: none. */
uint32_t slw_samples_hot_hits(const struct slw_samples *s, size_t wanted);
/* Forget the frames, keep the hits. */
void slw_samples_forget_frames(struct slw_samples *s);

/* samples_stack.c: one sample into the memo; the memo into the stacks. */
int slw_samples_add(struct slw_samples *s, const struct slw_perf_record *r);
int slw_samples_flush(struct slw_samples *s);

/* Add `samples` samples of together `weight` to the event's columns of s->weights. */
void slw_samples_weigh(struct slw_samples *s, size_t event, uint64_t samples, uint64_t weight);
/* s->weights into the totals of the run's samplings; clears them. */
void slw_samples_total(struct slw_samples *s, bool taken);

/* samples_reads.c: samples that carry counter values. */
int slw_samples_weigh_read(struct slw_samples *s, const struct slw_perf_record *r, uint32_t leaf);
void slw_samples_final_read(struct slw_samples *s, const struct slw_perf_record *r);
/* What was counted after the last sample of each thread becomes a stack of its own. */
int slw_samples_close_books(struct slw_samples *s);
int slw_samples_read_notes(struct slw_samples *s);

/* samples_memo.c. slw_memo_find and slw_memo_add return NULL for absent and out of memory; an entry
 * is valid until the next add or flush. slw_memo_weigh refuses (false) what would pass 2^63. */
struct slw_memo *slw_memo_new(size_t columns);
void slw_memo_free(struct slw_memo *m);
struct slw_memo_entry *slw_memo_find(struct slw_memo *m, struct slw_memo_key *key);
bool slw_memo_is_full(const struct slw_memo *m, size_t depth, uint64_t words);
struct slw_memo_entry *slw_memo_add(struct slw_memo *m, const struct slw_memo_entry *entry,
                                    const uint32_t *frames);
bool slw_memo_weigh(struct slw_memo *m, const struct slw_memo_entry *e, const uint64_t *weights);
/* Hand every entry to fn, in the order they were added, and forget them. */
typedef int (*slw_memo_flush_fn)(void *ctx, const struct slw_memo_entry *e, const uint32_t *frames,
                                 const uint64_t *weights);
int slw_memo_flush(struct slw_memo *m, slw_memo_flush_fn fn, void *ctx);

/* samples_notes.c: what the file says about the run, and what was wrong with it. */
int slw_samples_describe(struct slw_samples *s);
int slw_samples_notes(struct slw_samples *s);

#endif

/* SPDX-License-Identifier: MIT */
/* Reads what a carrier of the simulated tier wrote (docs/simulated.md, "The output file"). A
 * carrier is a program of its own that runs somebody else's code, so nothing in its file is
 * believed: every count is bounded, every sum is checked. Not for: starting a carrier, or what the
 * numbers mean. */
#ifndef SLW_COLLECTOR_SIM_OUTPUT_H
#define SLW_COLLECTOR_SIM_OUTPUT_H

#include "base/error.h"
#include "sim/result.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct slw_arena;

/* Past these a file is refused: more than any carrier writes. */
#define SLW_SIM_OUTPUT_MAX_BYTES   ((size_t)512 << 20)
#define SLW_SIM_OUTPUT_MAX_OBJECTS 4096u
#define SLW_SIM_OUTPUT_MAX_THREADS 512u
#define SLW_SIM_OUTPUT_MAX_COUNT   (UINT64_C(1) << 56) /* of anything: 2^56 slots are years */

/* A file that code was mapped from, when it was translated. */
struct slw_sim_object {
    uint64_t start, end; /* addresses */
    uint64_t offset;     /* in the file, of start */
    const char *path;    /* any bytes but 0 */
};

/* A calling context: its counts are its own, without those of what it called. */
struct slw_sim_context {
    uint32_t parent;  /* index in the same thread; of the root: itself */
    uint32_t object;  /* index; SLW_SIM_NO_OBJECT */
    uint64_t address; /* where the function was entered; 0: the root */
    uint64_t instructions, l1i_misses;
    uint64_t slots[SLW_SIM_SLOT_COUNT];
};

#define SLW_SIM_NO_OBJECT UINT32_MAX

struct slw_sim_thread {
    uint64_t number, cycles;
    uint64_t detailed;   /* instructions the slots and cycles are about */
    uint64_t unfollowed; /* calls that stayed in their caller: too deep, or too many contexts */
    uint64_t events[SLW_SIM_EVENT_COUNT];
    uint64_t slots[SLW_SIM_SLOT_COUNT]; /* sum: width * cycles */
    struct slw_sim_subsample *subsamples;
    size_t subsample_count;           /* 0: not known, or nothing was left out */
    struct slw_sim_context *contexts; /* parents first; the root is 0 */
    size_t context_count;
};

#define SLW_SIM_OUTPUT_MAX_STAGES 256u

struct slw_sim_output {
    const char *carrier; /* "valgrind" */
    const char *carrier_version;
    const char *core;
    uint32_t width;
    uint64_t period, detail; /* 0, 0: everything is in detail */
    const char *start;       /* "whole", "connect", "request", "auto" */
    const char *began;       /* what it then was that counting began with: also "program"; NULL:
                                not said */
    bool has_beside;         /* what the kernel did meanwhile, which is not simulated: */
    uint64_t kernel_ns, switches, bytes_in, bytes_out;
    bool has_started; /* false: it never got there, and every count is 0 */
    bool is_repeatable;
    bool has_timers;          /* it set some, which go off by the real clock */
    enum slw_sim_ended ended; /* all but SLW_SIM_ENDED_EXIT: the result is partial */
    uint64_t process;
    struct slw_sim_object *objects;
    size_t object_count;
    struct slw_sim_staged *stages;
    size_t stage_count;
    struct slw_sim_thread *threads;
    size_t thread_count;
    struct slw_arena *arena; /* owns all of it */
};

/* Read the whole of a file's bytes; `origin` names it in errors, whose `where` is origin:line.
 * SLW_E_FORMAT (also: cut short), SLW_E_VERSION (a later format), SLW_E_LIMIT, SLW_E_NOMEM.
 * Free with slw_sim_output_free (NULL allowed). */
int slw_sim_output_read(const char *bytes, size_t length, const char *origin,
                        struct slw_sim_output **ret_output, struct slw_error *err);
void slw_sim_output_free(struct slw_sim_output *output);

#endif

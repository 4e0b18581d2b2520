/* SPDX-License-Identifier: MIT */
/* What a carrier writes (docs/simulated.md, "The output file"), the same from each of them.
 * Freestanding, as the core is. Not for: opening files; reading (collector/sim_output.h). */
#ifndef SLW_SIM_RESULT_H
#define SLW_SIM_RESULT_H

#include "sim/core.h"

/* A file that code was mapped from, when it was translated. */
struct slw_sim_mapping {
    uint64_t start, end, offset;
    const char *path;
};

/* How the process stood when this was written. */
enum slw_sim_ended {
#define SLW_SIM_ENDED(NAME, text) SLW_SIM_ENDED_##NAME,
#include "sim/ended.def"
#undef SLW_SIM_ENDED
    SLW_SIM_ENDED_COUNT
};

extern const char *const slw_sim_ended_names[SLW_SIM_ENDED_COUNT];

/* What the kernel did for the client since counting began: not simulated, so it stands beside. */
struct slw_sim_beside {
    uint64_t kernel_ns;           /* CPU time in system calls */
    uint64_t switches;            /* times it waited in them */
    uint64_t bytes_in, bytes_out; /* that read and write, and their like, moved */
};

/* A stage the client marked: of calls whose begin and end were seen, and while it was the innermost
 * one of its thread. */
struct slw_sim_staged {
    const char *provider, *name; /* "slotwise" or "slotwise_mylib"; "decode" */
    uint64_t calls, requests, max_batch, missed_begins, missed_ends;
    uint64_t instructions, detailed, l1i_misses; /* detailed: those the slots are about */
    uint64_t slots[SLW_SIM_SLOT_COUNT];
};

struct slw_sim_result {
    const char *carrier, *carrier_version, *core_name, *start;
    const char *began;                   /* what counting began with */
    const struct slw_sim_beside *beside; /* NULL: not known */
    uint32_t width;
    uint64_t period, detail;
    bool has_started, is_repeatable, has_timers; /* as in sim/repeatable.h */
    enum slw_sim_ended ended;
    uint64_t process;
    const struct slw_sim_mapping *mappings;
    size_t mapping_count;
    const struct slw_sim_staged *stages;
    size_t stage_count;
    struct slw_sim_core *(*core_of)(uint32_t thread); /* NULL: no such thread */
    uint32_t thread_limit;
};

/* The counts of each core are closed (slw_sim_finish) and opened again: it can go on. */
void slw_sim_result_write(const struct slw_sim_result *result,
                          void (*put)(void *to, const char *bytes, size_t count), void *to);

#endif

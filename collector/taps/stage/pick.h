/* SPDX-License-Identifier: MIT */
/* Which events the counters of stages count. Pure: a model in, events out. Not for: opening them
 * (counters.h). */
#ifndef SLW_COLLECTOR_TAPS_STAGE_PICK_H
#define SLW_COLLECTOR_TAPS_STAGE_PICK_H

#include "record/run.h"

struct slw_model;
struct slw_model_vars;

struct slw_stage_counted {
    uint32_t type;
    uint64_t config, config1;
};

struct slw_stage_picks {
    struct slw_stage_counted events[SLW_STAGE_EVENT_COUNT]; /* cycles lead */
    size_t event_count;
    int counter[SLW_STAGE_EVENT_COUNT];        /* of events, by enum slw_stage_event; -1: none */
    const char *absent[SLW_STAGE_EVENT_COUNT]; /* why it is -1; static */
    uint64_t slots_per_cycle;                  /* > 0: slots are cycles times this */
};

/* Cycles, instructions, instruction-cache misses, and slots the front end left empty: those the
 * model's ipc, icache_mpki and frontend_bound are made of, where each is one event by the formula;
 * NULL: the kernel's generic events, of which none is slots. */
void slw_stage_pick(const struct slw_model *m, const struct slw_model_vars *vars,
                    struct slw_stage_picks *ret_picks);

#endif

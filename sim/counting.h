/* SPDX-License-Identifier: MIT */
/* When counting begins, and what is forgotten then: the same for every carrier. Freestanding. Not
 * for: finding out that a client connects or begins a stage, which each carrier does its own way.
 */
#ifndef SLW_SIM_COUNTING_H
#define SLW_SIM_COUNTING_H

#include "sim/stages.h"

/* AUTO: at once, and again from nothing when the program itself begins, and when it first connects
 * or begins a stage: what came before is forgotten, but for what is in caches and predictors. */
enum slw_sim_start {
    SLW_SIM_START_WHOLE,
    SLW_SIM_START_CONNECT,
    SLW_SIM_START_REQUEST,
    SLW_SIM_START_AUTO,
    SLW_SIM_START_COUNT
};

enum slw_sim_began {
    SLW_SIM_BEGAN_WHOLE,
    SLW_SIM_BEGAN_PROGRAM,
    SLW_SIM_BEGAN_CONNECT,
    SLW_SIM_BEGAN_REQUEST,
    SLW_SIM_BEGAN_STAGE,
    SLW_SIM_BEGAN_COUNT
};

extern const char *const slw_sim_start_names[SLW_SIM_START_COUNT];
extern const char *const slw_sim_began_names[SLW_SIM_BEGAN_COUNT];

/* SLW_SIM_START_COUNT: there is none of that name. */
enum slw_sim_start slw_sim_start_named(const char *name);

struct slw_sim_counting_host {
    struct slw_sim_core *(*core_of)(uint32_t thread); /* NULL: no such thread */
    uint32_t thread_limit;
    void (*forget_beside)(void);    /* what the kernel did until now */
    void (*let_tap_count)(bool on); /* requests are of what is counted, and of nothing before it */
};

struct slw_sim_counting {
    struct slw_sim_counting_host host;
    struct slw_sim_stages *stages;
    enum slw_sim_start start;
    uint64_t period, detail; /* as for slw_sim_sample, while counting */
    enum slw_sim_began began;
    bool is_counting;
};

/* All but `began` and `is_counting` is filled in. Begins where nothing is waited for. */
void slw_sim_counting_init(struct slw_sim_counting *counting);

/* Of a core that is new. */
void slw_sim_counting_set_mode(const struct slw_sim_counting *counting, struct slw_sim_core *core);

/* Of these the carrier tells when all that ran before is simulated. The first instruction of the
 * program itself is next: only told where it is awaited. */
bool slw_sim_counting_awaits_program(const struct slw_sim_counting *counting);
void slw_sim_counting_program_begins(struct slw_sim_counting *counting);
void slw_sim_counting_connects(struct slw_sim_counting *counting);
void slw_sim_counting_stage_begins(struct slw_sim_counting *counting);

/* The client asks for it; only SLW_SIM_START_REQUEST listens. */
void slw_sim_counting_requested(struct slw_sim_counting *counting);
/* Is what a client asks to be the end one? The carrier writes what there is, then tells `stops`. */
bool slw_sim_counting_may_stop(const struct slw_sim_counting *counting);
void slw_sim_counting_stops(struct slw_sim_counting *counting);

/* At the end, everything is simulated: where counting never started, what was kept warm is not the
 * answer to anything. */
void slw_sim_counting_ends(const struct slw_sim_counting *counting);

#endif

/* SPDX-License-Identifier: MIT */
#include "sim/counting.h"

const char *const slw_sim_start_names[SLW_SIM_START_COUNT] = {[SLW_SIM_START_WHOLE] = "whole",
                                                              [SLW_SIM_START_CONNECT] = "connect",
                                                              [SLW_SIM_START_REQUEST] = "request",
                                                              [SLW_SIM_START_AUTO] = "auto"};

const char *const slw_sim_began_names[SLW_SIM_BEGAN_COUNT] = {[SLW_SIM_BEGAN_WHOLE] = "whole",
                                                              [SLW_SIM_BEGAN_PROGRAM] = "program",
                                                              [SLW_SIM_BEGAN_CONNECT] = "connect",
                                                              [SLW_SIM_BEGAN_REQUEST] = "request",
                                                              [SLW_SIM_BEGAN_STAGE] = "stage"};

static bool are_same(const char *a, const char *b)
{
    while (*a && *a == *b) {
        a++;
        b++;
    }
    return *a == *b;
}

enum slw_sim_start slw_sim_start_named(const char *name)
{
    unsigned i = 0;

    while (i < SLW_SIM_START_COUNT && !are_same(name, slw_sim_start_names[i]))
        i++;
    return (enum slw_sim_start)i;
}

void slw_sim_counting_set_mode(const struct slw_sim_counting *counting, struct slw_sim_core *core)
{
    if (counting->is_counting)
        slw_sim_sample(core, counting->period, counting->detail);
    else
        slw_sim_sample(core, 1, 0); /* keep warm, time nothing */
}

static void set_modes(const struct slw_sim_counting *counting)
{
    for (uint32_t i = 0; i < counting->host.thread_limit; i++) {
        struct slw_sim_core *core = counting->host.core_of(i);

        if (core)
            slw_sim_counting_set_mode(counting, core);
    }
}

static void restart_cores(const struct slw_sim_counting *counting)
{
    for (uint32_t i = 0; i < counting->host.thread_limit; i++) {
        struct slw_sim_core *core = counting->host.core_of(i);

        if (core)
            slw_sim_restart(core);
    }
}

static void begin_with(struct slw_sim_counting *counting, enum slw_sim_began began)
{
    counting->began = began;
    counting->host.forget_beside();
    slw_sim_stages_forget(counting->stages);
    restart_cores(counting);
    if (counting->is_counting)
        return;
    counting->is_counting = true;
    set_modes(counting);
}

void slw_sim_counting_init(struct slw_sim_counting *counting)
{
    counting->began = SLW_SIM_BEGAN_WHOLE;
    counting->is_counting = false;
    if (counting->start == SLW_SIM_START_WHOLE || counting->start == SLW_SIM_START_AUTO)
        begin_with(counting, SLW_SIM_BEGAN_WHOLE);
}

bool slw_sim_counting_awaits_program(const struct slw_sim_counting *counting)
{
    return counting->start == SLW_SIM_START_AUTO && counting->began == SLW_SIM_BEGAN_WHOLE;
}

void slw_sim_counting_program_begins(struct slw_sim_counting *counting)
{
    if (slw_sim_stages_any(counting->stages)) /* the first of them is where it begins */
        counting->host.let_tap_count(false);
    begin_with(counting, SLW_SIM_BEGAN_PROGRAM);
}

void slw_sim_counting_connects(struct slw_sim_counting *counting)
{
    const bool is_first = counting->start == SLW_SIM_START_CONNECT && !counting->is_counting;
    const bool is_better = counting->start == SLW_SIM_START_AUTO &&
                           counting->began != SLW_SIM_BEGAN_CONNECT &&
                           counting->began != SLW_SIM_BEGAN_STAGE;

    if (!is_first && !is_better)
        return;
    counting->host.let_tap_count(true);
    begin_with(counting, SLW_SIM_BEGAN_CONNECT);
}

void slw_sim_counting_stage_begins(struct slw_sim_counting *counting)
{
    if (counting->start != SLW_SIM_START_AUTO ||
        (counting->began != SLW_SIM_BEGAN_PROGRAM && counting->began != SLW_SIM_BEGAN_WHOLE))
        return;
    counting->host.let_tap_count(true);
    begin_with(counting, SLW_SIM_BEGAN_STAGE);
}

void slw_sim_counting_requested(struct slw_sim_counting *counting)
{
    if (counting->start == SLW_SIM_START_REQUEST && !counting->is_counting)
        begin_with(counting, SLW_SIM_BEGAN_REQUEST);
}

bool slw_sim_counting_may_stop(const struct slw_sim_counting *counting)
{
    return counting->start == SLW_SIM_START_REQUEST && counting->is_counting;
}

void slw_sim_counting_stops(struct slw_sim_counting *counting)
{
    counting->is_counting = false;
    set_modes(counting);
}

void slw_sim_counting_ends(const struct slw_sim_counting *counting)
{
    if (!counting->is_counting)
        restart_cores(counting);
}

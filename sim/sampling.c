/* SPDX-License-Identifier: MIT */
/* What was timed, in subsamples. Windows as in Wunderlich et al., SMARTS, ISCA 2003. */
#include "sim/core_int.h"

static void read_now(const struct slw_sim_core *s, struct slw_sim_subsample *ret_now)
{
    ret_now->instructions = s->detailed;
    ret_now->cycles = slw_sim_cycle(s->backend.allocated);
    __builtin_memcpy(ret_now->slots, s->slots, sizeof(ret_now->slots));
}

void slw_sim_window_begins(struct slw_sim_core *s)
{
    read_now(s, &s->sampling.start);
}

void slw_sim_window_ends(struct slw_sim_core *s)
{
    const struct slw_sim_subsample *start = &s->sampling.start;
    struct slw_sim_subsample now, *into;

    read_now(s, &now);
    if (now.instructions <= start->instructions) /* counting began meanwhile */
        return;
    into = &s->sampling.subsamples[s->sampling.windows++ % SLW_SIM_SUBSAMPLES];
    into->windows++;
    into->instructions += now.instructions - start->instructions;
    into->cycles += now.cycles - start->cycles;
    for (unsigned i = 0; i < SLW_SIM_SLOT_COUNT; i++)
        into->slots[i] += now.slots[i] - start->slots[i];
}

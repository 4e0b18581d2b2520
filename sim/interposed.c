/* SPDX-License-Identifier: MIT */
#include "sim/interposed.h"

static uint32_t place_of(const struct slw_sim_interposed *interposed, uint64_t function)
{
    uint32_t at = (uint32_t)((function * UINT64_C(0x9e3779b97f4a7c15)) >> 54);

    while (interposed->functions[at] && interposed->functions[at] != function)
        at = (at + 1) % SLW_SIM_INTERPOSED_PLACES;
    return at;
}

void slw_sim_interpose(struct slw_sim_interposed *interposed, uint64_t function)
{
    const uint32_t at = place_of(interposed, function);

    if (!function || interposed->functions[at] ||
        interposed->count == SLW_SIM_INTERPOSED_PLACES / 2)
        return;
    interposed->functions[at] = function;
    interposed->count++;
}

bool slw_sim_is_interposed(const struct slw_sim_interposed *interposed, uint64_t function)
{
    return function && interposed->functions[place_of(interposed, function)] == function;
}

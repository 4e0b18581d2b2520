/* SPDX-License-Identifier: MIT */
/* What slots and events are called in files: apart from the model, so that who reads such a file
 * does not link it. */
#include "sim/result.h"

const char *const slw_sim_slot_names[SLW_SIM_SLOT_COUNT] = {
#define SLW_SIM_SLOT(NAME, text) text,
#include "sim/slots.def"
#undef SLW_SIM_SLOT
};

const char *const slw_sim_event_names[SLW_SIM_EVENT_COUNT] = {
#define SLW_SIM_EVENT(NAME, text) text,
#include "sim/events.def"
#undef SLW_SIM_EVENT
};

const char *const slw_sim_ended_names[SLW_SIM_ENDED_COUNT] = {
#define SLW_SIM_ENDED(NAME, text) text,
#include "sim/ended.def"
#undef SLW_SIM_ENDED
};

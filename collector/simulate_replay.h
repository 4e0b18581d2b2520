/* SPDX-License-Identifier: MIT */
/* The server of a simulated client, recorded or replayed: what the client needs in its environment,
 * and what became of it. The library that does it is in collector/taps/replay/. */
#ifndef SLW_COLLECTOR_SIMULATE_REPLAY_H
#define SLW_COLLECTOR_SIMULATE_REPLAY_H

#include "collector/simulate.h"

/* The environment of the client: `envp`, and what sim->record_server or sim->replay needs; `envp`
 * itself when neither is asked for. Makes the folder to record in, which must not be there or be
 * empty. In the arena. */
int slw_replay_environment(const struct slw_simulation *sim, char *const *envp,
                           struct slw_arena *arena, char ***ret_envp, struct slw_error *err);

/* Afterwards: notes on what was recorded, or on why a replay went wrong. */
void slw_replay_notes(const struct slw_simulation *sim, struct slw_run *run);

#endif

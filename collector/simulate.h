/* SPDX-License-Identifier: MIT */
/* One execution of a client on a described core: start the carrier, read what it wrote for each
 * process, make a run and stacks of it. Every number of the model is marked simulated; what the
 * kernel counted meanwhile stands beside. Not for: the model (sim/), names of functions
 * (analyzer/naming.h). */
#ifndef SLW_COLLECTOR_SIMULATE_H
#define SLW_COLLECTOR_SIMULATE_H

#include "collector/carriers/carrier.h"
#include "collector/session.h"
#include "collector/sim_output.h"
#include "record/stacks.h"

struct slw_core;

/* The model that reads the counts (models/simulated.json). */
#define SLW_SIM_MODEL "simulated"

/* Event and unit of the main column of the stacks. */
#define SLW_SIM_SLOTS "slots"

/* Code of a note: requests are not those of the whole simulation. */
#define SLW_SIM_NO_STAGE "simulation-no-stage"

struct slw_simulation {
    const struct slw_carrier *carrier;
    const char *launcher;        /* path of its program */
    const char *program;         /* of the client's; NULL: unknown */
    const struct slw_core *core; /* the described core */
    const char *directory;       /* absolute, exists, empty: for what goes between us */
    uint64_t period, detail;     /* as in struct slw_carrier_job */
    enum slw_sim_start start;
    bool repeatable;
    const char *record_server;  /* folder to save what servers answer in; NULL: do not */
    const char *replay;         /* folder to answer from; NULL: servers answer */
    const char *replay_library; /* path of what does it; with one of them only */
};

/* Run session->argv (SLW_TARGET_COMMAND) under the carrier. Fills *run as slw_session_run does, and
 * makes the stacks, with addresses instead of names; NULL where nothing was counted, which a note
 * explains. Errors as slw_session_run; SLW_E_NODATA: the carrier wrote nothing, or nothing that can
 * be read. */
int slw_simulate(const struct slw_simulation *sim, const struct slw_session_options *session,
                 struct slw_run *run, struct slw_stacks **ret_stacks, struct slw_error *err);

/* The parts, for tests. What several processes were counted -> the run and the stacks. */
struct slw_simulated {
    struct slw_sim_output **outputs; /* by process */
    size_t count;
    size_t unreadable; /* of processes that were killed while they wrote */
};
int slw_simulated_counts(const struct slw_simulated *s, uint64_t wall_ns, struct slw_run *run,
                         struct slw_error *err);
int slw_simulated_stacks(const struct slw_simulated *s, const struct slw_provenance *from,
                         struct slw_stacks **ret_stacks, struct slw_error *err);
int slw_simulated_stages(const struct slw_simulated *s, const struct slw_provenance *from,
                         struct slw_run *run, struct slw_error *err);
/* "reference core HASWELL, user mode", and for what `is_timed` how much was, where that is not all;
 * in the arena. NULL: out of memory. */
const char *slw_simulated_detail(const struct slw_simulated *s, bool is_timed, struct slw_run *run);

#endif

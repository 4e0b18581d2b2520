/* SPDX-License-Identifier: MIT */
/* --simulate, for the commands that measure: which core, which carrier, and one execution of the
 * client under it. What the options mean is in docs/simulated.md. */
#ifndef SLW_CLI_SIMULATE_H
#define SLW_CLI_SIMULATE_H

#include "cli/options.h"
#include "collector/doctor.h"
#include "collector/simulate.h"

struct slw_profile;

struct slw_simulate {
    struct slw_simulation simulation; /* lends from the rest */
    struct slw_core *core;
    char *launcher, *program;
    const char *core_name, *carrier_name; /* as asked for; NULL: choose */
};

void slw_simulate_free(struct slw_simulate *s);

/* --simulate and what belongs to it -> p->simulate, NULL where it was not given. SLW_E_USAGE. */
int slw_simulate_settings(struct slw_profile *p, struct slw_error *err);

/* Choose core and carrier for the command of p->session; p->run->host is filled, p->model chosen.
 * SLW_E_UNSUPPORTED: none works here, with what to do. SLW_E_NOTFOUND: no such core. */
int slw_simulate_choose(struct slw_simulate *s, struct slw_profile *p, struct slw_error *err);

/* Ask every carrier whether it can work here; for doctor. Room for slw_carrier_count of them. */
void slw_simulate_ask(struct slw_doctor_carrier *ret_carriers);

/* Times of an execution that was simulated say nothing of the client: take them out of the run. */
void slw_simulate_untime(struct slw_run *run);

/* Run the command of the session once. Files between us and the carrier are kept in a folder below
 * `dir` while it runs. As slw_simulate, with names in the stacks. */
int slw_simulate_run(struct slw_simulate *s, const char *dir,
                     const struct slw_session_options *session, struct slw_run *run,
                     struct slw_stacks **ret_stacks, struct slw_error *err);

#endif

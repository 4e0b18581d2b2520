/* SPDX-License-Identifier: MIT */
/* One connection that comes back when it breaks, and that can be made to fail on purpose. Belongs
 * to one thread at a time. Not for: deciding what is sent again (execute.h). */
#ifndef SLW_WORKLOADS_COALESCE_LANE_H
#define SLW_WORKLOADS_COALESCE_LANE_H

#include "workloads/load.h"
#include "workloads/workload.h"

struct slw_lane_options {
    const struct slw_driver *driver;
    const char *where, *table;
    const struct slw_choices *choices;
    uint64_t patience_ns;    /* how long a connection may be away */
    uint64_t fail_every;     /* each so many calls fail as a deadlock does, unsent; 0: none */
    const atomic_bool *stop; /* ends the waiting for a connection; or NULL */
};

struct slw_lane {
    struct slw_lane_options options;
    void *connection;          /* NULL: there is none */
    bool broken;               /* to be closed before the next call */
    struct slw_error given_up; /* code != 0: a connection was waited for, and will not be again */
    struct slw_random random;
    uint64_t calls, reconnects;
};

/* Errors are those of driver->open. */
int slw_lane_open(struct slw_lane *lane, const struct slw_lane_options *options, uint64_t seed,
                  struct slw_error *err);
void slw_lane_close(struct slw_lane *lane); /* also one that is all zero */

/* driver->run, with a new connection first where the last one broke. 0: all answers are there,
 * whatever they say. Negative: there is no way on (no connection within patience_ns, also in later
 * calls, or a driver that cannot do this); the answers say that nothing was done, or LOST. */
int slw_lane_run(struct slw_lane *lane, enum slw_batching how, const struct slw_request *requests,
                 size_t count, struct slw_answer *answers, struct slw_error *err);

/* Sleep for first_ns << round but not above cap_ns, between half and all of it at random. */
void slw_lane_back_off(struct slw_lane *lane, uint64_t first_ns, uint64_t cap_ns, unsigned round);

#endif

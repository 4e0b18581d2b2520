/* SPDX-License-Identifier: MIT */
/* The functions of the client that the libraries slotwise preloads stand in front of: what one of
 * those calls is the client's call when it is one of these. Freestanding, for both carriers. */
#ifndef SLW_SIM_INTERPOSED_H
#define SLW_SIM_INTERPOSED_H

#include <stdbool.h>
#include <stdint.h>

enum { SLW_SIM_INTERPOSED_PLACES = 1024 }; /* a power of two, of which half are taken at most */

/* All zero: none. */
struct slw_sim_interposed {
    uint64_t functions[SLW_SIM_INTERPOSED_PLACES]; /* by a hash of their addresses; 0: free */
    uint32_t count;
};

/* One more, by its address; 0 is none, and so are those past the last half. */
void slw_sim_interpose(struct slw_sim_interposed *interposed, uint64_t function);

bool slw_sim_is_interposed(const struct slw_sim_interposed *interposed, uint64_t function);

#endif

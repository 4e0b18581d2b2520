/* SPDX-License-Identifier: MIT */
/* A number of threads that do the same, start together and are waited for. */
#ifndef SLW_WORKLOADS_CREW_H
#define SLW_WORKLOADS_CREW_H

#include "base/error.h"

#include <stddef.h>

#define SLW_MAX_CREW 1024

/* Call work(ctx, i) for i = 0 .. count - 1, each on its own thread, all let go at the same moment;
 * returns when all have returned. SLW_E_NOMEM where threads cannot be made: then none has worked.
 */
int slw_crew_run(size_t count, void (*work)(void *ctx, size_t index), void *ctx,
                 struct slw_error *err);

#endif

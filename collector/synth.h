/* SPDX-License-Identifier: MIT */
/* Records the kernel did not send because they happened before we looked: the kernel image, its
 * modules, and the threads and mappings of processes that already run. Stamped with time 0, so that
 * every reader sorts them first. Source: linux tools/perf/util/synthetic-events.c. */
#ifndef SLW_COLLECTOR_SYNTH_H
#define SLW_COLLECTOR_SYNTH_H

#include "base/error.h"

#include <stdbool.h>

struct slw_spool;

/* The kernel and its modules. Writes nothing where kptr_restrict hides the addresses. */
int slw_synth_kernel(struct slw_spool *spool, struct slw_error *err);

/* One process with all its threads and executable mappings (data: also the others, where the tables
 * are that perf unwinds by); nothing when it is gone. */
int slw_synth_process(struct slw_spool *spool, int pid, bool data, struct slw_error *err);

/* Every process of the machine that may be read. */
int slw_synth_all(struct slw_spool *spool, bool data, struct slw_error *err);

#endif

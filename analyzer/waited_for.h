/* SPDX-License-Identifier: MIT */
/* What threads waited for by name, and which of it is no database. Not for: how long they waited in
 * all (waiting.h). */
#ifndef SLW_ANALYZER_WAITED_FOR_H
#define SLW_ANALYZER_WAITED_FOR_H

#include "base/buf.h"
#include "record/run.h"

#include <stdbool.h>

/* Of the time waited for answers and for sockets to take more, the part that went to sockets on
 * which no database connection was followed; 0 where nothing was followed, or nobody knows. */
double slw_waited_elsewhere(const struct slw_run *run);

/* The lock most of the waiting for locks went to, and its part of that with a name; NULL: unknown.
 */
const struct slw_waited_for *slw_waited_lock(const struct slw_run *run, double *ret_share);

/* "answer of 127.0.0.1:5432 71 % of the thread time, lock queue_lock (client) 8 %": the largest of
 * 1 % and more. */
void slw_waited_for_text(struct slw_buf *out, const struct slw_run *run);

#endif

/* SPDX-License-Identifier: MIT */
/* The same measurement several times, as one run: rounds, so that values come with intervals, and
 * passes, so that no group of events has to take turns with others. Drives sessions; what one of
 * them does is in session.h. */
#ifndef SLW_COLLECTOR_ROUNDS_H
#define SLW_COLLECTOR_ROUNDS_H

#include "collector/session.h"

struct slw_rounds_options {
    /* Of every execution. A command runs to its end (no duration_ms, no control_fifo); other
     * targets are measured in windows of duration_ms, which must be set. */
    const struct slw_session_options *session;
    int rounds;        /* 1 .. SLW_MAX_ROUNDS */
    bool no_multiplex; /* every round is one execution for each group of hardware events */
    /* Around every execution, which has a session and a run of its own: for what has to be opened
     * anew each time. `after` is called whenever `before` was, with what the session returned.
     * NULL: nothing. */
    int (*before)(void *ctx, struct slw_session_options *session, struct slw_run *run,
                  struct slw_error *err);
    int (*after)(void *ctx, struct slw_run *run, int rc, struct slw_error *err);
    void *ctx;
};

/* Passes of a round, or rounds, whose retired instructions (or requests) differ by more than this
 * part did not do the same work: a formula over counts of both would be off by as much. */
#define SLW_MAX_WORK_SPREAD 0.05

/* Measure. With sampling, one execution before the rounds is for the samples alone: they would take
 * a counter, and make one round unlike the others. The counts of all rounds that ended well go into
 * run->counts, each with its round and pass; run->rounds lists every execution and says why a round
 * was left out: a client that failed, was killed or interrupted, or counters that others took
 * meanwhile. Where every execution ends with one and the same exit status, that is how the client
 * ends, and the rounds are kept. If no round is left, the run holds the first execution as a plain
 * one, and a warning. *session->stop ends the rounds; what had ended before is kept.
 * Errors as slw_session_run, of the first execution; a later one that cannot be measured is a
 * note. SLW_E_NOMEM. */
int slw_rounds_run(const struct slw_rounds_options *opts, struct slw_run *run,
                   struct slw_error *err);

#endif

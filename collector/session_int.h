/* SPDX-License-Identifier: MIT */
/* The session with its seams open, for tests that play the kernel. */
#ifndef SLW_COLLECTOR_SESSION_INT_H
#define SLW_COLLECTOR_SESSION_INT_H

#include "collector/session.h"

struct slw_sys;

/* slw_session_run on another kernel. */
int slw_session_run_on(const struct slw_sys *sys, const struct slw_session_options *opts,
                       struct slw_run *run, struct slw_error *err);

struct slw_rounds_options;

/* slw_rounds_run on another kernel. */
int slw_rounds_run_on(const struct slw_sys *sys, const struct slw_rounds_options *opts,
                      struct slw_run *run, struct slw_error *err);

#endif

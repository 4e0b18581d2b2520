/* SPDX-License-Identifier: MIT */
/* The metrics of a run, for other tools than ours. */
#ifndef SLW_CLI_METRICS_H
#define SLW_CLI_METRICS_H

#include "base/buf.h"
#include "record/run.h"
#include "record/stacks.h"

/* Give a run that was saved without observations those its report has. stacks may be NULL. */
int slw_metrics_observe(struct slw_run *run, const struct slw_stacks *stacks,
                        struct slw_error *err);

/* Append all that Prometheus is told of a run: its counts and metrics, and where they are from. The
 * command line, in which there may be passwords, is left out. */
int slw_metrics_text(struct slw_run *run, const struct slw_stacks *stacks, struct slw_buf *out,
                     struct slw_error *err);

#endif

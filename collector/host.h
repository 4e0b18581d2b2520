/* SPDX-License-Identifier: MIT */
/* Facts about this machine, read from CPUID, /proc and /sys. Never fails: what cannot be read stays
 * unknown. */
#ifndef SLW_COLLECTOR_HOST_H
#define SLW_COLLECTOR_HOST_H

#include "models/model.h"
#include "record/run.h"

/* Fill run->host. root is prefixed to /proc and /sys ("" for the real ones), so that tests can
 * show a fake machine. Strings are owned by the run. -SLW_E_NOMEM is the only failure. */
int slw_host_read(struct slw_run *run, const char *root, struct slw_error *err);

/* The same CPU as slw_model_select wants it. Strings are lent from `cpu`. */
struct slw_model_cpu slw_host_model_cpu(const struct slw_cpu *cpu);

#endif

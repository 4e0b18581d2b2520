/* SPDX-License-Identifier: MIT */
/* Which CPU model imported counts are to be read with. A file of perf stat does not name its CPU;
 * its event names may, and often do not. Never assumes: a model is taken because somebody chose it,
 * or because every model that the events allow says the same. */
#ifndef SLW_COLLECTOR_IMPORT_MODEL_H
#define SLW_COLLECTOR_IMPORT_MODEL_H

#include "models/model.h"
#include "record/run.h"

/* Write run->model, and run->other_models where the counts are of several PMUs (cpu_core,
 * cpu_atom): one for each. chosen: that one, for the counts of its PMU. For others, or NULL: the
 * model inferred from the events of the counts, with a note that says so; where they allow models
 * that differ, none, and run->model.absent and a note name them. Runs without imported hardware
 * counts are left alone. -SLW_E_NOMEM, or what loading a built-in model fails with. */
int slw_import_model(struct slw_run *run, const struct slw_model *chosen, struct slw_error *err);

/* ret_vendors[i]: bits of the CPU vendors whose models know names[i]; 0: none does, or the name is
 * NULL or says nothing about the CPU. */
int slw_import_vendors(const char *const *names, size_t count, unsigned *ret_vendors,
                       struct slw_error *err);

#endif

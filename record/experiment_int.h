/* SPDX-License-Identifier: MIT */
/* The fields of experiment.json, for its reader and writer and the test of its schema. */
#ifndef SLW_RECORD_EXPERIMENT_INT_H
#define SLW_RECORD_EXPERIMENT_INT_H

#include "record/experiment.h"
#include "record/run_json_int.h"

/* Every key but "schema" and "order", in the order of the file. */
extern const struct slw_field slw_experiment_fields[];

#endif

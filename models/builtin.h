/* SPDX-License-Identifier: MIT */
/* What modelc writes for each models/NAME.json and select.c reads. Private to models/: a model is
 * parsed only when it is asked for, so that choosing one costs a walk over the match tables. */
#ifndef SLW_MODELS_BUILTIN_H
#define SLW_MODELS_BUILTIN_H

#include "models/model.h"

struct slw_builtin {
    const char *name, *arch, *pmu;
    const struct slw_model_match *matches;
    size_t match_count;
    const struct slw_model_relative *relatives;
    size_t relative_count;
    const char *const *nodes; /* their names, in the order of the model */
    size_t node_count;
    const unsigned char *json;
    size_t json_length;
};

#endif

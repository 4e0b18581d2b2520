/* SPDX-License-Identifier: MIT */
/* Described cores, for the simulated tier: data files that say how wide, how deep and how far away.
 * To add one: write models/cores/NAME.json (docs/simulated.md) with a source for every value, add
 * SLW_CORE(NAME) to models/cores/cores.def; modelc stops the build on any mistake. Not for:
 * counting on real CPUs (model.h). */
#ifndef SLW_MODELS_CORE_H
#define SLW_MODELS_CORE_H

#include "base/error.h"
#include "sim/core.h"

#include <stddef.h>

struct slw_buf;

/* How many values a core has: those of sim/parameters.def. */
enum {
#define SLW_SIM_PARAMETER(name, least, most, unit) SLW_CORE_HAS_##name,
#include "sim/parameters.def"
#undef SLW_SIM_PARAMETER
    SLW_CORE_PARAMETER_COUNT
};

#define SLW_CORE_MAX_LIKE 32 /* there are not more models */

struct slw_core {
    char *name;                    /* "haswell" */
    char *title;                   /* "Intel Haswell (client)" */
    char *like[SLW_CORE_MAX_LIKE]; /* names of the models of CPUs this core comes closest to */
    size_t like_count;
    struct slw_sim_config config;
    char *sources[SLW_CORE_PARAMETER_COUNT]; /* of each value, in the order of parameters.def */
};

const char *slw_core_parameter_name(size_t index);
const char *slw_core_parameter_unit(size_t index);
uint32_t slw_core_parameter(const struct slw_core *core, size_t index);

/* Load a core from JSON text; `origin` names it in errors, whose `where` is origin:line:column.
 * Every parameter has to be there, in range and with a source. SLW_E_FORMAT, SLW_E_LIMIT,
 * SLW_E_NOMEM. Free with slw_core_free (NULL allowed). */
int slw_core_parse(const char *json, size_t length, const char *origin, struct slw_core **ret_core,
                   struct slw_error *err);
void slw_core_free(struct slw_core *core);

/* Append the description in the form a carrier reads. */
void slw_core_text(const struct slw_core *core, struct slw_buf *to);

/* The cores compiled in, in the order of cores.def. SLW_E_NOTFOUND: none of that name. */
size_t slw_core_builtin_count(void);
const char *slw_core_builtin_name(size_t index);
int slw_core_builtin(const char *name, struct slw_core **ret_core, struct slw_error *err);

/* The core that comes closest to CPUs of this model (slw_model.name); NULL: none does. */
const char *slw_core_like(const char *model);

#endif

/* SPDX-License-Identifier: MIT */
/* The cores compiled in, and which of them is like the CPU of a model. */
#include "models/core.h"
#include "models/core_builtin.h"

#include <assert.h>
#include <string.h>

#define SLW_CORE(name) extern const struct slw_core_builtin slw_core_builtin_##name;
#include "models/cores/cores.def"
#undef SLW_CORE

/* clang-format off */
static const struct slw_core_builtin *const builtins[] = {
#define SLW_CORE(name) &slw_core_builtin_##name,
#include "models/cores/cores.def"
#undef SLW_CORE
};
/* clang-format on */

#define BUILTIN_COUNT (sizeof(builtins) / sizeof(builtins[0]))

size_t slw_core_builtin_count(void)
{
    return BUILTIN_COUNT;
}

const char *slw_core_builtin_name(size_t index)
{
    assert(index < BUILTIN_COUNT);
    return builtins[index]->name;
}

int slw_core_builtin(const char *name, struct slw_core **ret_core, struct slw_error *err)
{
    for (size_t i = 0; i < BUILTIN_COUNT; i++)
        if (strcmp(builtins[i]->name, name) == 0)
            return slw_core_parse((const char *)builtins[i]->json, builtins[i]->json_length, name,
                                  ret_core, err);
    return slw_fail(err, SLW_E_NOTFOUND, "no core is called '%.64s'", name);
}

const char *slw_core_like(const char *model)
{
    for (size_t i = 0; i < BUILTIN_COUNT; i++)
        for (const char *const *like = builtins[i]->like; *like; like++)
            if (strcmp(*like, model) == 0)
                return builtins[i]->name;
    return NULL;
}

/* SPDX-License-Identifier: MIT */
/* What modelc writes for each models/cores/NAME.json. Private to models/. */
#ifndef SLW_MODELS_CORE_BUILTIN_H
#define SLW_MODELS_CORE_BUILTIN_H

#include <stddef.h>

struct slw_core_builtin {
    const char *name;
    const char *const *like; /* NULL-terminated */
    const unsigned char *json;
    size_t json_length;
};

#endif

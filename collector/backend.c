/* SPDX-License-Identifier: MIT */
#include "collector/backend.h"

#define SLW_BACKEND(name) extern const struct slw_backend slw_backend_##name;
#include "collector/backends.def"
#undef SLW_BACKEND

#define SLW_BACKEND(name) &slw_backend_##name,
const struct slw_backend *const slw_backends[] = {
#include "collector/backends.def"
};
#undef SLW_BACKEND

const size_t slw_backend_count = sizeof(slw_backends) / sizeof(slw_backends[0]);

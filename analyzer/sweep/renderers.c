/* SPDX-License-Identifier: MIT */
/* The table of renderers of sweeps, made of renderers.def. */
#include "analyzer/sweep/sweep.h"

#include <string.h>

/* clang-format off */
#define SLW_SWEEP_RENDERER(name) extern const struct slw_sweep_renderer slw_sweep_renderer_##name;
#include "analyzer/sweep/renderers.def"
#undef SLW_SWEEP_RENDERER

const struct slw_sweep_renderer *const slw_sweep_renderers[] = {
#define SLW_SWEEP_RENDERER(name) &slw_sweep_renderer_##name,
#include "analyzer/sweep/renderers.def"
#undef SLW_SWEEP_RENDERER
};
/* clang-format on */
const size_t slw_sweep_renderer_count =
    sizeof(slw_sweep_renderers) / sizeof(slw_sweep_renderers[0]);

const struct slw_sweep_renderer *slw_sweep_renderer_find(const char *name)
{
    for (size_t i = 0; i < slw_sweep_renderer_count; i++)
        if (strcmp(slw_sweep_renderers[i]->name, name) == 0)
            return slw_sweep_renderers[i];
    return NULL;
}

/* SPDX-License-Identifier: MIT */
/* The table of renderers, made of renderers.def. */
#include "analyzer/renderer.h"

#include <string.h>

/* clang-format off */
#define SLW_RENDERER(name) extern const struct slw_renderer slw_renderer_##name;
#include "analyzer/renderers.def"
#undef SLW_RENDERER

const struct slw_renderer *const slw_renderers[] = {
#define SLW_RENDERER(name) &slw_renderer_##name,
#include "analyzer/renderers.def"
#undef SLW_RENDERER
};
/* clang-format on */
const size_t slw_renderer_count = sizeof(slw_renderers) / sizeof(slw_renderers[0]);

const struct slw_renderer *slw_renderer_find(const char *name)
{
    for (size_t i = 0; i < slw_renderer_count; i++)
        if (strcmp(slw_renderers[i]->name, name) == 0)
            return slw_renderers[i];
    return NULL;
}

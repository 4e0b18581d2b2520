/* SPDX-License-Identifier: MIT */
/* The table of comparison renderers, made of renderers.def. */
#include "analyzer/compare/renderer.h"

#include <string.h>

/* clang-format off */
#define SLW_COMPARISON_RENDERER(name)                                                              \
    extern const struct slw_comparison_renderer slw_comparison_renderer_##name;
#include "analyzer/compare/renderers.def"
#undef SLW_COMPARISON_RENDERER

const struct slw_comparison_renderer *const slw_comparison_renderers[] = {
#define SLW_COMPARISON_RENDERER(name) &slw_comparison_renderer_##name,
#include "analyzer/compare/renderers.def"
#undef SLW_COMPARISON_RENDERER
};
/* clang-format on */
const size_t slw_comparison_renderer_count =
    sizeof(slw_comparison_renderers) / sizeof(slw_comparison_renderers[0]);

const struct slw_comparison_renderer *slw_comparison_renderer_find(const char *name)
{
    for (size_t i = 0; i < slw_comparison_renderer_count; i++)
        if (strcmp(slw_comparison_renderers[i]->name, name) == 0)
            return slw_comparison_renderers[i];
    return NULL;
}

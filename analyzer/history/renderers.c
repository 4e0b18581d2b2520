/* SPDX-License-Identifier: MIT */
/* The table of renderers of histories, made of renderers.def. */
#include "analyzer/history/history.h"

#include <string.h>

/* clang-format off */
#define SLW_HISTORY_RENDERER(name) extern const struct slw_history_renderer slw_history_renderer_##name;
#include "analyzer/history/renderers.def"
#undef SLW_HISTORY_RENDERER

const struct slw_history_renderer *const slw_history_renderers[] = {
#define SLW_HISTORY_RENDERER(name) &slw_history_renderer_##name,
#include "analyzer/history/renderers.def"
#undef SLW_HISTORY_RENDERER
};
/* clang-format on */
const size_t slw_history_renderer_count =
    sizeof(slw_history_renderers) / sizeof(slw_history_renderers[0]);

const struct slw_history_renderer *slw_history_renderer_find(const char *name)
{
    for (size_t i = 0; i < slw_history_renderer_count; i++)
        if (strcmp(slw_history_renderers[i]->name, name) == 0)
            return slw_history_renderers[i];
    return NULL;
}

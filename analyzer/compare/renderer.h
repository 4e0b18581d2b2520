/* SPDX-License-Identifier: MIT */
/* A comparison as bytes. To add one: write compare/render/NAME.c that defines
 * `const struct slw_comparison_renderer slw_comparison_renderer_NAME`, add
 * SLW_COMPARISON_RENDERER(NAME) to compare/renderers.def. The same comparison gives the same bytes.
 */
#ifndef SLW_ANALYZER_COMPARE_RENDERER_H
#define SLW_ANALYZER_COMPARE_RENDERER_H

#include "analyzer/compare/comparison.h"
#include "analyzer/renderer.h"

struct slw_comparison_renderer {
    const char *name; /* "term", "md", "html", "json", "junit", "csv", "bencher", ... */
    const char *summary;
    const char *extension;
    int (*render)(const struct slw_comparison *comparison, const struct slw_render_options *opts,
                  struct slw_buf *out, struct slw_error *err);
};

extern const struct slw_comparison_renderer *const slw_comparison_renderers[];
extern const size_t slw_comparison_renderer_count;
const struct slw_comparison_renderer *slw_comparison_renderer_find(const char *name);

#endif

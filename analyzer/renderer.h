/* SPDX-License-Identifier: MIT */
/* A report as bytes. To add one: write render/NAME.c that defines
 * `const struct slw_renderer slw_renderer_NAME`, add SLW_RENDERER(NAME) to renderers.def. */
#ifndef SLW_ANALYZER_RENDERER_H
#define SLW_ANALYZER_RENDERER_H

#include "analyzer/report.h"
#include "base/buf.h"

struct slw_annotations;

struct slw_render_options {
    bool color;                         /* ANSI colours (term only) */
    int width;                          /* columns; 0: 80 */
    size_t function_max;                /* rows of the function table; 0: 20 */
    bool verbose;                       /* every count, note and provenance */
    const struct slw_annotations *code; /* of hot functions (html only); NULL: none */
};

struct slw_renderer {
    const char *name; /* "term", "md", "json" */
    const char *summary;
    const char *extension; /* "txt", "md", "json" */
    int (*render)(const struct slw_report *report, const struct slw_render_options *opts,
                  struct slw_buf *out, struct slw_error *err);
};

extern const struct slw_renderer *const slw_renderers[];
extern const size_t slw_renderer_count;
const struct slw_renderer *slw_renderer_find(const char *name); /* NULL: none */

#endif

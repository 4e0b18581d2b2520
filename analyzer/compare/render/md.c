/* SPDX-License-Identifier: MIT */
/* A comparison as one comment of a pull request: the most important first, details folded, and
 * always short enough to be posted. The first line is a marker by which a bot finds the comment it
 * wrote before; it stays the same for the same commands and labels. Foreign text is quoted by
 * md_text.h. The parts are md_head.c, md_tables.c and md_foot.c. */
#include "analyzer/compare/render_md_int.h"
#include "analyzer/compare/renderer.h"

#include <string.h>

/* Characters a comment of GitHub may have are 65,536. Bytes are counted here, of which there are
 * never fewer. Each part may write up to its line, so that no part can push out the next; what one
 * leaves over the next may use. */
static const struct {
    void (*put)(struct slw_md_page *page, const struct slw_comparison *c,
                const struct slw_render_options *opts);
    size_t up_to;
} parts[] = {
    {slw_md_put_head, 11000},        {slw_md_put_metrics, 21000},
    {slw_md_put_gates, 27000},       {slw_md_put_causes, 33000},
    {slw_md_put_functions, 39000},   {slw_md_put_warnings, 44000},
    {slw_md_put_all_metrics, 53000}, {slw_md_put_all_functions, 57000},
    {slw_md_put_notes, 60000},       {slw_md_put_provenance, 62000},
    {slw_md_put_reproduce, 64000},   {slw_md_put_left_out, 64900},
};

static int render(const struct slw_comparison *comparison, const struct slw_render_options *opts,
                  struct slw_buf *out, struct slw_error *err)
{
    struct slw_md_page page = {.out = out, .start = out->length};

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        page.limit = page.start + parts[i].up_to;
        parts[i].put(&page, comparison, opts);
    }
    return slw_buf_failed(out) ? slw_fail(err, SLW_E_NOMEM, "no memory for a comment") : 0;
}

const struct slw_comparison_renderer slw_comparison_renderer_md = {
    .name = "md",
    .summary = "Markdown for one comment of a pull request",
    .extension = "md",
    .render = render,
};

/* SPDX-License-Identifier: MIT */
/* A comparison as one self-contained HTML file. analyzer/page draws it. */
#include "analyzer/compare/comparison_json.h"
#include "analyzer/compare/renderer.h"
#include "analyzer/compare/words.h"
#include "analyzer/page/page.h"

#include <jansson.h>

static const char *absent_of(const struct slw_side_of *side)
{
    return side->stacks ? NULL : "this side has no samples";
}

static struct slw_page_side page_side(const struct slw_side_of *side, const char *letter)
{
    return (struct slw_page_side){.name = letter,
                                  .report = side->report,
                                  .stacks = side->stacks,
                                  .moments = side->moments,
                                  .absent = absent_of(side)};
}

/* "A: client --batch 1; B: client --batch 16", as much as a tab shows. */
static void put_title(struct slw_buf *out, const struct slw_comparison *c)
{
    struct slw_buf command = {0};

    slw_side_put_command(&command, c, "A");
    slw_buf_printf(out, "A: %.150s; B: ", command.length ? command.data : c->in.a.name);
    out->failed = out->failed || slw_buf_failed(&command);
    slw_buf_release(&command);
    slw_side_put_command(&command, c, "B");
    slw_buf_printf(out, "%.150s", command.length ? command.data : c->in.b.name);
    out->failed = out->failed || slw_buf_failed(&command);
    slw_buf_release(&command);
}

static int render_html(const struct slw_comparison *comparison,
                       const struct slw_render_options *opts, struct slw_buf *out,
                       struct slw_error *err)
{
    json_t *data = slw_comparison_json(comparison, 0);
    struct slw_buf title = {0};
    int rc;

    (void)opts;
    put_title(&title, comparison);
    const struct slw_page page = {
        .title = title.data,
        .kind = "comparison",
        .data = data,
        .sides = {page_side(&comparison->in.a, "A"), page_side(&comparison->in.b, "B")},
        .side_count = 2};
    rc = !data || slw_buf_failed(&title) ? slw_fail(err, SLW_E_NOMEM, "no memory for a comparison")
                                         : slw_page_write(&page, out, err);
    json_decref(data);
    slw_buf_release(&title);
    return rc;
}

const struct slw_comparison_renderer slw_comparison_renderer_html = {
    .name = "html",
    .summary = "one file for a browser, with three flame graphs (docs/html-report.md)",
    .extension = "html",
    .render = render_html};

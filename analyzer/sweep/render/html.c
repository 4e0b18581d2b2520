/* SPDX-License-Identifier: MIT */
/* A sweep as one self-contained HTML file. analyzer/page draws it. */
#include "analyzer/page/page.h"
#include "analyzer/sweep/json.h"

#include <jansson.h>

static int render(const struct slw_sweep_report *sweep, const struct slw_render_options *opts,
                  struct slw_buf *out, struct slw_error *err)
{
    json_t *data = slw_sweep_json(sweep);
    const char *command = sweep->point_count > 0 ? sweep->points[0].arm->command : NULL;
    struct slw_buf title = {0};
    int rc;

    (void)opts;
    slw_buf_printf(&title, "slotwise sweep: %.150s", command ? command : "arms");
    const struct slw_page page = {.title = title.data, .kind = "sweep", .data = data};
    rc = !data || slw_buf_failed(&title) ? slw_fail(err, SLW_E_NOMEM, "no memory for a sweep")
                                         : slw_page_write(&page, out, err);
    json_decref(data);
    slw_buf_release(&title);
    return rc;
}

const struct slw_sweep_renderer slw_sweep_renderer_html = {
    .name = "html",
    .summary = "one file for a browser, with the curves (docs/html-report.md)",
    .extension = "html",
    .render = render,
};

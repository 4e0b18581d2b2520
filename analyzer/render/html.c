/* SPDX-License-Identifier: MIT */
/* A report as one self-contained HTML file. analyzer/page draws it. */
#include "analyzer/page/page.h"
#include "analyzer/renderer.h"

/* "slotwise: pgbench -c 4", as much of the command as a tab shows. */
static void put_title(struct slw_buf *out, const struct slw_run *run)
{
    slw_buf_puts(out, "slotwise:");
    for (size_t i = 0; i < run->command.argc && out->length < 120; i++)
        slw_buf_printf(out, " %s", run->command.argv[i]);
    if (run->command.argc == 0)
        slw_buf_puts(out, " report");
}

static int render_html(const struct slw_report *report, const struct slw_render_options *opts,
                       struct slw_buf *out, struct slw_error *err)
{
    struct slw_buf title = {0};
    int rc;

    put_title(&title, report->run);
    const struct slw_page page = {
        .title = title.data,
        .kind = "run",
        .code = opts->code,
        .sides = {{.report = report, .stacks = report->stacks, .moments = report->moments}},
        .side_count = 1};
    rc = slw_buf_failed(&title) ? slw_fail(err, SLW_E_NOMEM, "no memory for a title")
                                : slw_page_write(&page, out, err);
    slw_buf_release(&title);
    return rc;
}

const struct slw_renderer slw_renderer_html = {
    .name = "html",
    .summary = "one file for a browser, with flame graph and time line (docs/html-report.md)",
    .extension = "html",
    .render = render_html};

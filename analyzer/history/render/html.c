/* SPDX-License-Identifier: MIT */
/* A history as one self-contained HTML file, made from what the json renderer writes. analyzer/page
 * draws it. */
#include "analyzer/history/history.h"
#include "analyzer/page/page.h"

#include <jansson.h>

static int as_json(const struct slw_history *h, const struct slw_render_options *opts,
                   json_t **ret_data, struct slw_error *err)
{
    struct slw_buf text = {0};
    json_t *data = NULL;
    int rc = slw_history_renderer_find("json")->render(h, opts, &text, err);

    if (rc == 0)
        data = json_loadb(text.data, text.length, 0, NULL);
    slw_buf_release(&text);
    if (rc == 0 && !data)
        rc = slw_fail(err, SLW_E_NOMEM, "no memory for a history");
    if (rc == 0)
        *ret_data = data;
    return rc;
}

static int render(const struct slw_history *history, const struct slw_render_options *opts,
                  struct slw_buf *out, struct slw_error *err)
{
    struct slw_buf title = {0};
    json_t *data = NULL;
    int rc = as_json(history, opts, &data, err);

    slw_buf_printf(&title, "slotwise history: %.100s", history->title);
    if (rc == 0 && slw_buf_failed(&title))
        rc = slw_fail(err, SLW_E_NOMEM, "no memory for a title");
    if (rc == 0) {
        const struct slw_page page = {.title = title.data, .kind = "history", .data = data};
        rc = slw_page_write(&page, out, err);
    }
    json_decref(data);
    slw_buf_release(&title);
    return rc;
}

const struct slw_history_renderer slw_history_renderer_html = {
    .name = "html",
    .summary = "one file for a browser, with the trend (docs/html-report.md)",
    .extension = "html",
    .render = render,
};

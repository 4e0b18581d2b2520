/* SPDX-License-Identifier: MIT */
#include "analyzer/page/page.h"
#include "analyzer/annotate.h"
#include "analyzer/json_value.h"
#include "analyzer/page/page_int.h"
#include "analyzer/report_json.h"
#include "analyzer/text.h"

#include <assert.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define NEAR_INSTRUCTIONS 8

/* For HTML text and quoted attributes; controls and what reorders text are written out. */
static void put_html(struct slw_buf *out, const char *text)
{
    struct slw_buf clean = {0};

    slw_text_clean(&clean, text);
    for (const char *c = clean.data ? clean.data : ""; *c; c++) {
        if (strchr("&<>\"'", *c))
            slw_buf_printf(out, "&#%d;", *c);
        else
            slw_buf_putc(out, *c);
    }
    out->failed = out->failed || slw_buf_failed(&clean);
    slw_buf_release(&clean);
}

/* JSON in a script element: whatever could end it, begin a comment or a tag, and what an editor
 * would hide stands inside strings only, where an escape means the same character. */
static void put_json(struct slw_buf *out, const char *text)
{
    const char *start = text;

    while (*text) {
        uint32_t code = 0;
        const size_t n = slw_text_decode(text, &code);

        if (n == 0) { /* jansson writes UTF-8 only */
            out->failed = true;
            return;
        }
        if (code == '<' || code == '>' || code == '&' || slw_text_is_unsafe(code)) {
            slw_buf_put(out, start, (size_t)(text - start));
            slw_json_put_escape(out, code);
            start = text + n;
        }
        text += n;
    }
    slw_buf_puts(out, start);
}

static void put_value(struct slw_buf *out, const json_t *value)
{
    char *text = value ? json_dumps(value, JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_ENCODE_ANY |
                                               JSON_REAL_PRECISION(SLW_REPORT_JSON_PRECISION))
                       : NULL;

    if (text)
        put_json(out, text);
    out->failed = out->failed || !text;
    free(text);
}

/* Takes the value. */
static void put_member(struct slw_buf *out, struct slw_json *j, const char *key, json_t *value)
{
    slw_buf_printf(out, "\"%s\":", key);
    put_value(out, value);
    j->failed = j->failed || !value;
    json_decref(value);
}

static void put_side(struct slw_buf *out, struct slw_json *j, const struct slw_page_side *side,
                     const struct slw_page_tree *tree, size_t index)
{
    const char *absent = tree->column[index] >= 0 ? NULL
                         : side->absent           ? side->absent
                                                  : "the run has no samples";

    slw_buf_puts(out, "{");
    put_member(out, j, "name", slw_json_text(side->name));
    slw_buf_puts(out, ",");
    put_member(out, j, "absent", slw_json_text(absent));
    slw_buf_puts(out, ",");
    put_member(out, j, "report", side->report ? slw_report_json(side->report, 0) : json_null());
    slw_buf_puts(out, ",");
    put_member(out, j, "run", side->report ? slw_page_run_json(j, side->report) : json_null());
    slw_buf_puts(out, ",");
    put_member(out, j, "moments", slw_page_moments_json(j, side, tree, index));
    slw_buf_puts(out, "}");
}

/* Of a long function only what is near a sample: a browser would be busy with the rest. */
static void put_code(struct slw_buf *out, struct slw_json *j, const struct slw_annotations *code)
{
    if (!code) {
        slw_buf_puts(out, "null");
        return;
    }
    slw_buf_putc(out, '[');
    for (size_t i = 0; i < code->count; i++) {
        json_t *one = slw_annotation_json(code->list[i], NEAR_INSTRUCTIONS);
        slw_buf_puts(out, i ? ",\n" : "");
        put_value(out, one);
        j->failed = j->failed || !one;
        json_decref(one);
    }
    slw_buf_putc(out, ']');
}

static void put_data(struct slw_buf *out, struct slw_json *j, const struct slw_page *page,
                     const struct slw_page_tree *tree)
{
    slw_buf_puts(out, "{");
    put_member(out, j, "kind", slw_json_text(page->kind));
    slw_buf_puts(out, ",");
    put_member(out, j, "title", slw_json_text(page->title));
    slw_buf_puts(out, ",\n\"data\":");
    if (page->data)
        put_value(out, page->data);
    else
        slw_buf_puts(out, "null");
    slw_buf_puts(out, ",\n\"sides\":[");
    for (size_t i = 0; i < page->side_count; i++) {
        slw_buf_puts(out, i ? ",\n" : "");
        put_side(out, j, &page->sides[i], tree, i);
    }
    slw_buf_puts(out, "],\n\"code\":");
    put_code(out, j, page->code);
    slw_buf_puts(out, ",\n");
    put_member(out, j, "samples", slw_page_tree_json(j, tree));
    slw_buf_puts(out, "}");
}

/* Nothing is loaded, not even from beside the file; of scripts and styles only these two run. */
static void put_head(struct slw_buf *out, const struct slw_page *page)
{
    slw_buf_printf(out,
                   "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                   "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                   "script-src '%s'; style-src '%s'; base-uri 'none'; form-action 'none'\">\n"
                   "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                   "<meta name=\"color-scheme\" content=\"light dark\">\n"
                   "<meta name=\"generator\" content=\"slotwise\">\n<title>",
                   slw_page_script_policy, slw_page_style_policy);
    put_html(out, page->title);
    slw_buf_puts(out, "</title>\n<style>");
    slw_buf_put(out, slw_page_style, slw_page_style_length);
    slw_buf_puts(out, "</style>\n</head>\n");
}

static void put_body(struct slw_buf *out, struct slw_json *j, const struct slw_page *page,
                     const struct slw_page_tree *tree)
{
    slw_buf_puts(out, "<body>\n<noscript><h1>");
    put_html(out, page->title);
    slw_buf_puts(out, "</h1><p>This report is drawn by the script inside this file. It loads "
                      "nothing. Allow it to run, or read the report with slotwise itself: "
                      "--format term, md or json.</p></noscript>\n"
                      "<script type=\"application/json\" id=\"slw-data\">");
    put_data(out, j, page, tree);
    slw_buf_puts(out, "</script>\n<script>");
    slw_buf_put(out, slw_page_script, slw_page_script_length);
    slw_buf_puts(out, "</script>\n</body>\n</html>\n");
}

int slw_page_write(const struct slw_page *page, struct slw_buf *out, struct slw_error *err)
{
    struct slw_page_tree tree = {0};
    struct slw_json j = {0};

    assert(page && page->title && page->kind && page->side_count <= SLW_MAX_PAGE_SIDES);
    int rc = slw_page_tree_build(&tree, page, err);
    if (rc == 0) {
        put_head(out, page);
        put_body(out, &j, page, &tree);
        if (j.failed || slw_buf_failed(out))
            rc = slw_fail(err, SLW_E_NOMEM, "no memory for a page");
    }
    slw_page_tree_release(&tree);
    return rc;
}

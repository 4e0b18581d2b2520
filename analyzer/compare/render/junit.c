/* SPDX-License-Identifier: MIT */
/* A comparison as JUnit XML: one test case for each metric the exit status depends on. Regressed is
 * a failure; inconclusive, and what could not be compared, is skipped with the reason, because it
 * neither passed nor failed. Elements and attributes are those that Jenkins' xUnit schema has.
 * Not for: metrics that are only shown. */
#include "analyzer/compare/renderer.h"
#include "analyzer/compare/tracked.h"
#include "analyzer/compare/words.h"
#include "analyzer/text.h"

#include <inttypes.h>
#include <string.h>

#define TITLE_COLUMNS 200

/* Text and quoted attributes. Clean text has no controls; two characters XML forbids are left. */
static void put_xml(struct slw_buf *out, const char *text)
{
    static const char special[] = "&<>\"'";
    static const char *const entities[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"};
    struct slw_buf clean = {0};
    uint32_t code = 0;

    slw_text_clean(&clean, text ? text : "");
    for (const char *c = clean.data ? clean.data : ""; *c;) {
        const size_t n = slw_text_decode(c, &code);

        if (strchr(special, *c))
            slw_buf_puts(out, entities[strchr(special, *c) - special]);
        else if ((code & 0xfffe) == 0xfffe)
            slw_buf_puts(out, "\xef\xbf\xbd");
        else
            slw_buf_put(out, c, n);
        c += n;
    }
    if (slw_buf_failed(&clean))
        out->failed = true;
    slw_buf_release(&clean);
}

static void put_attribute(struct slw_buf *out, const char *name, const char *value)
{
    slw_buf_printf(out, " %s=\"", name);
    put_xml(out, value);
    slw_buf_putc(out, '"');
}

/* The same for text that was put together in a buffer, which is released. */
static void put_built(struct slw_buf *out, const char *name, struct slw_buf *value)
{
    put_attribute(out, name, value->data);
    if (slw_buf_failed(value))
        out->failed = true;
    slw_buf_release(value);
}

static void put_property(struct slw_buf *out, const char *name, struct slw_buf *value)
{
    slw_buf_printf(out, "      <property name=\"%s\"", name);
    put_built(out, "value", value);
    slw_buf_puts(out, "/>\n");
}

static void put_properties(struct slw_buf *out, const struct slw_comparison *c)
{
    struct slw_buf text = {0};

    slw_buf_puts(out, "    <properties>\n");
    slw_side_put_command(&text, c, "A");
    put_property(out, "A", &text);
    slw_side_put_command(&text, c, "B");
    put_property(out, "B", &text);
    slw_buf_puts(&text, c->in.b.run->host.cpu.name ? c->in.b.run->host.cpu.name : "unknown");
    put_property(out, "cpu", &text);
    if (c->in.experiment) {
        slw_buf_printf(&text, "%" PRIu64, c->in.experiment->seed);
        put_property(out, "seed", &text);
        slw_buf_printf(&text, "%zu", c->in.experiment->block_count);
        put_property(out, "rounds", &text);
    }
    slw_buf_puts(out, "    </properties>\n");
}

/* ---- cases ---- */

static bool is_case(const struct slw_comparison *c, size_t row)
{
    return c->rows[row].rank == SLW_METRIC_GATED;
}

static void put_explanation(struct slw_buf *out, const struct slw_metric_row *row)
{
    slw_buf_puts(out, row->title);
    slw_buf_puts(out, ": A ");
    slw_row_put_value(out, row, &row->a_value);
    slw_buf_puts(out, ", B ");
    slw_row_put_value(out, row, &row->b_value);
    slw_buf_puts(out, ", change ");
    slw_row_put_change(out, row);
    slw_buf_putc(out, ' ');
    slw_row_put_interval(out, row);
    if (row->gate)
        slw_buf_printf(out, "; gate %s", row->gate->text);
    slw_buf_puts(out, "; ");
    slw_row_put_remark(out, row);
}

static void put_result(struct slw_buf *out, const struct slw_metric_row *row)
{
    const enum slw_judged word = row->gate_word;
    struct slw_buf text = {0};

    put_explanation(&text, row);
    if (word == SLW_JUDGED_REGRESSED) {
        slw_buf_puts(out, "      <failure type=\"regressed\"");
        put_built(out, "message", &text);
    } else if (word == SLW_JUDGED_INCONCLUSIVE) {
        struct slw_buf message = {0};

        slw_buf_puts(&message, "inconclusive; ");
        slw_buf_puts(&message, text.data ? text.data : "");
        slw_buf_puts(out, "      <skipped");
        put_built(out, "message", &message);
        slw_buf_release(&text);
    } else {
        slw_buf_puts(out, "      <system-out>");
        put_xml(out, slw_judged_text(word));
        slw_buf_puts(out, "; ");
        put_xml(out, text.data);
        slw_buf_puts(out, "</system-out>\n");
        out->failed |= slw_buf_failed(&text);
        slw_buf_release(&text);
        return;
    }
    slw_buf_puts(out, "/>\n");
}

static void put_case(struct slw_buf *out, const struct slw_metric_row *row)
{
    struct slw_buf name = {0};

    slw_text_fit(&name, row->title, TITLE_COLUMNS);
    if (row->gate)
        slw_buf_printf(&name, " (%s)", row->gate->text);
    slw_buf_puts(out, "    <testcase");
    put_built(out, "name", &name);
    slw_buf_puts(&name, "slotwise.");
    slw_buf_puts(&name, row->metric);
    put_built(out, "classname", &name);
    slw_buf_puts(out, ">\n");
    put_result(out, row);
    slw_buf_puts(out, "    </testcase>\n");
}

/* An empty suite would pass. */
static void put_no_case(struct slw_buf *out, const struct slw_comparison *c)
{
    slw_buf_puts(out, "    <testcase name=\"gate\" classname=\"slotwise.gate\">\n      <skipped");
    put_attribute(out, "message", c->gate_reason ? c->gate_reason : "no metric could be judged");
    slw_buf_puts(out, "/>\n    </testcase>\n");
}

struct tally {
    size_t tests, failures, skipped;
};

static struct tally count_cases(const struct slw_comparison *c)
{
    struct tally t = {0};

    for (size_t i = 0; i < c->row_count; i++) {
        if (!is_case(c, i))
            continue;
        const enum slw_judged word = c->rows[i].gate_word;
        t.tests++;
        t.failures += word == SLW_JUDGED_REGRESSED;
        t.skipped += word == SLW_JUDGED_INCONCLUSIVE;
    }
    if (t.tests == 0)
        t = (struct tally){1, 0, 1};
    return t;
}

static int render(const struct slw_comparison *c, const struct slw_render_options *opts,
                  struct slw_buf *out, struct slw_error *err)
{
    const struct slw_tracked series = slw_tracked_of_comparison(c);
    const struct tally t = count_cases(c);
    struct slw_buf title = {0};
    bool any = false;

    (void)opts;
    slw_tracked_title(&title, &series, TITLE_COLUMNS);
    slw_buf_printf(out,
                   "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                   "<testsuites name=\"slotwise compare\" tests=\"%zu\" failures=\"%zu\" "
                   "errors=\"0\">\n  <testsuite",
                   t.tests, t.failures);
    put_built(out, "name", &title);
    slw_buf_printf(out, " tests=\"%zu\" failures=\"%zu\" errors=\"0\" skipped=\"%zu\">\n", t.tests,
                   t.failures, t.skipped);
    put_properties(out, c);
    for (size_t i = 0; i < c->row_count; i++)
        if (is_case(c, i)) {
            put_case(out, &c->rows[i]);
            any = true;
        }
    if (!any)
        put_no_case(out, c);
    slw_buf_puts(out, "    <system-out>");
    put_xml(out, c->verdict);
    slw_buf_puts(out, "</system-out>\n  </testsuite>\n</testsuites>\n");
    return slw_buf_failed(out) ? slw_fail(err, SLW_E_NOMEM, "no memory for JUnit XML") : 0;
}

const struct slw_comparison_renderer slw_comparison_renderer_junit = {
    .name = "junit",
    .summary = "JUnit XML: one test for each gated metric",
    .extension = "xml",
    .render = render,
};

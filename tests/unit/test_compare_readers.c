/* SPDX-License-Identifier: MIT */
/* What comparisons are exported as, read by the programs it is for: promtool, the reference reader
 * of OpenMetrics, xmllint with the schema junit.xsd, Python's csv. Where one is not installed, its
 * test is skipped. */
#include "tests/comparison_fixture.h"
#include "tests/unit/run_observations_int.h"
#include "tests/unit/tool_int.h"

#include <unistd.h>

static const char *const hostile[] = {HOSTILE,
                                      "=HYPERLINK(\"http://x\")",
                                      "-1+cmd|' /C calc'!A0",
                                      "@SUM(1)",
                                      "<script>]]>&amp;",
                                      "\xef\xbf\xbe\xef\xbf\xbf",
                                      "",
                                      " ",
                                      "\\",
                                      "\"",
                                      "x_total",
                                      "count",
                                      "a\xff",
                                      "a\xfe",
                                      "A",
                                      "a,b\r\nc"};
#define HOSTILES (sizeof(hostile) / sizeof(hostile[0]))

/* All of it in one comparison: names of metrics that become equal have to be told apart. */
static struct hand hostile_comparison(void)
{
    static const char *units[] = {"ns", "requests/s", "1", "%", "total", "", "a b/c d", "\xff"};
    static const char *argv[] = {"x", "y"};
    struct hand h = hand_new();

    for (size_t i = 0; i < HOSTILES; i++)
        hand_metric(&h, hostile[i], hostile[i], units[i % 8],
                    i % 2 ? SLW_BETTER_LOWER : SLW_BETTER_HIGHER, i == 2 ? 0 : 100,
                    i == 3 ? -5 : 120);
    (void)hand_done(&h);
    for (size_t i = 0; i < HOSTILES; i++)
        assert_int_equal(slw_run_add_label(h.b, hostile[i], hostile[i], NULL), 0);
    h.a->command = (struct slw_command){.argv = argv, .argc = 2, .pid = -1};
    h.b->host.hostname = h.b->host.kernel = h.b->host.cpu.name = h.b->tool = hostile[0];
    h.c.verdict = hostile[0];
    hand_gate(&h, 0, "x>+3%");
    h.c.rows[1].absent = hostile[0];
    hand_gate(&h, 1, "<script>");
    return h;
}

/* Give the document to a shell command on its standard input. */
static void assert_reads(struct hand *h, const char *format, const char *command)
{
    char path[] = "/tmp/slotwise-export-XXXXXX", line[1024];
    const int fd = mkstemp(path);
    char *text = hand_rendered(h, format);
    const size_t length = strlen(text);
    struct slw_buf out = {0};

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, length), (ssize_t)length);
    (void)close(fd);
    (void)snprintf(line, sizeof(line), "( %s ) <%s 2>&1", command, path);
    if (run_tool(line, &out) != 0)
        fail_msg("%s: %.2000s", line, out.data ? out.data : "");
    (void)unlink(path);
    free(text);
    slw_buf_release(&out);
}

static void assert_both_read(const char *format, const char *command)
{
    struct hand usual = hand_batching(), bad = hostile_comparison();

    assert_reads(&usual, format, command);
    assert_reads(&bad, format, command);
    hand_free(&usual);
    hand_free(&bad);
}

static void need(const char *tool, const char *name)
{
    if (tool_works(tool))
        return;
    print_message("skipped: no %s\n", name);
    skip();
}

static void promtool_reads_openmetrics(void **state)
{
    (void)state;
    struct hand h = hand_batching();

    need("promtool --version 2>&1", "promtool");
    /* `check metrics` also has a taste, which names of other people may not meet. */
    assert_reads(&h, "openmetrics", "promtool check metrics");
    hand_free(&h);
    assert_both_read(
        "openmetrics",
        "dir=$(mktemp -d) && awk '/^#/ {print; next} {print $0, 1700000000}' >$dir/in && "
        "promtool tsdb create-blocks-from openmetrics $dir/in $dir/out; rc=$?; "
        "rm -rf $dir; exit $rc");
}

static void the_reference_reader_reads_openmetrics(void **state)
{
    (void)state;
    need("/usr/bin/python3 -c 'import prometheus_client'", "prometheus_client");
    assert_both_read(
        "openmetrics",
        "/usr/bin/python3 -c 'import sys; from prometheus_client.openmetrics import parser; "
        "families = list(parser.text_fd_to_metric_families(sys.stdin)); "
        "assert sum(len(f.samples) for f in families) > 20'");
}

static void xmllint_finds_junit_valid(void **state)
{
    (void)state;
    need("xmllint --version 2>&1", "xmllint");
    assert_both_read("junit", "xmllint --noout --schema " SLW_TEST_DIR "/unit/junit.xsd -");
}

static void python_reads_the_table(void **state)
{
    (void)state;
    need("python3 --version", "python3");
    assert_both_read("csv",
                     "python3 -c 'import csv, io, sys; "
                     "text = io.TextIOWrapper(sys.stdin.buffer, encoding=\"utf-8\", newline=\"\"); "
                     "rows = list(csv.DictReader(text, strict=True)); "
                     "assert len(rows) > 100 and all(None not in r for r in rows); "
                     "[float(r[\"value\"]) for r in rows]'");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(promtool_reads_openmetrics),
        cmocka_unit_test(the_reference_reader_reads_openmetrics),
        cmocka_unit_test(xmllint_finds_junit_valid),
        cmocka_unit_test(python_reads_the_table),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

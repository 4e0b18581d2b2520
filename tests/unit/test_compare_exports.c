/* SPDX-License-Identifier: MIT */
/* What comparisons and runs are written as for other tools, byte for byte (tests/unit/expected),
 * and what hostile names, absent values and many metrics do to it. */
#include "flamegraph/exporter.h"
#include "tests/compare_fixture.h"
#include "tests/comparison_fixture.h"
#include "tests/unit/expected_int.h"
#include "tests/unit/run_observations_int.h"
#include "tests/unit/xml_check_int.h"

#include <ctype.h>
#include <jansson.h>

static const char *const formats[] = {
    "md", "junit", "csv", "github-benchmark", "github-benchmark-bigger", "bencher", "openmetrics"};
#define FORMATS (sizeof(formats) / sizeof(formats[0]))

static void a_comparison_reads_as_expected(void **state)
{
    (void)state;
    const struct slw_render_options opts = {0};
    struct versus v = versus_batching(20);
    struct hand h = hand_batching();

    versus_gates(&v, "cpu_per_request>+3%,p99>+5%,requests_per_flush<-10%");
    for (size_t i = 0; i < FORMATS; i++) {
        char file[64];
        char *text = versus_render(&v, formats[i], &opts);

        (void)snprintf(file, sizeof(file), "compare-%s.%s", formats[i],
                       slw_comparison_renderer_find(formats[i])->extension);
        assert_expected(file, text);
        free(text);
    }
    versus_free(&v);
    char *all_parts = hand_rendered(&h, "md");
    assert_expected("compare-all-parts.md", all_parts);
    free(all_parts);
    hand_free(&h);
}

/* ---- what is written is what its readers read ---- */

static void check_json(const char *text)
{
    json_error_t error;
    json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, &error);

    if (!json)
        fail_msg("not JSON at line %d: %s", error.line, error.text);
    json_decref(json);
}

/* Fields of a record, quotes undone; the text is changed. Returns NULL past the last record. */
static char *csv_record(char *text, char *fields[16], size_t *ret_count)
{
    *ret_count = 0;
    if (!*text)
        return NULL;
    for (;;) {
        char *to = text;

        assert_true(*ret_count < 16);
        fields[(*ret_count)++] = text;
        if (*text == '"') {
            for (text++; *text != '"' || text[1] == '"'; text++) {
                assert_true(*text != '\0');
                text += *text == '"';
                *to++ = *text;
            }
            text++;
        } else {
            while (*text && !strchr(",\r\"", *text))
                *to++ = *text++;
        }
        const char end = *text++;
        *to = '\0';
        if (end == ',')
            continue;
        assert_int_equal(end, '\r');
        assert_int_equal(*text++, '\n');
        return text;
    }
}

static void check_csv(char *text)
{
    char *fields[16];
    size_t count, records = 0;

    for (; (text = csv_record(text, fields, &count)) != NULL; records++) {
        assert_int_equal(count, 10);
        for (size_t i = 0; i < count; i++)
            assert_true(i == 8 || !fields[i][0] || !strchr("=+-@\t\r", fields[i][0]));
        assert_true(records == 0 || (fields[8][0] != '\0') != (fields[9][0] != '\0'));
    }
    assert_true(records > 1);
}

/* A line is a comment or NAME{labels} value, values are numbers, and the last line ends it all. */
static void check_openmetrics(const char *text)
{
    const size_t length = strlen(text);

    assert_true(length > 6);
    assert_string_equal(text + length - 6, "# EOF\n");
    for (const char *line = text; *line; line = strchr(line, '\n') + 1) {
        char *end;

        if (*line == '#')
            continue;
        line += strspn(line, "abcdefghijklmnopqrstuvwxyz0123456789_");
        assert_int_equal(*line, '{');
        for (bool quoted = false; quoted || *line != '}'; line++) {
            assert_true(*line != '\n' && *line != '\0');
            if (quoted && *line == '\\')
                line++;
            else if (*line == '"')
                quoted = !quoted;
        }
        assert_true(isfinite(strtod(line + 1, &end)));
        assert_int_equal(*end, '\n');
    }
}

static size_t count_of(const char *text, const char *what)
{
    size_t count = 0;

    while ((text = strstr(text, what)) != NULL) {
        text += strlen(what);
        count++;
    }
    return count;
}

static void check_comment(const char *text)
{
    assert_true(strlen(text) < 65000);
    assert_int_equal(strncmp(text, "<!-- slotwise:compare ", 22), 0);
    assert_int_equal(count_of(text, "<details><summary>"), count_of(text, "\n</details>\n"));
    assert_int_equal(count_of(text, "<pre><code>"), count_of(text, "</code></pre>"));
}

static void check(const char *format, char *text)
{
    for (const char *c = text; *c; c++)
        assert_true((unsigned char)*c >= 0x20 || *c == '\n' ||
                    (*c == '\r' && strcmp(format, "csv") == 0));
    if (strcmp(format, "md") == 0)
        check_comment(text);
    else if (strcmp(format, "junit") == 0)
        assert_int_equal(
            xml_check(strstr(text, "<testsuites"), strlen(strstr(text, "<testsuites"))), -1);
    else if (strcmp(format, "csv") == 0)
        check_csv(text);
    else if (strcmp(format, "openmetrics") == 0)
        check_openmetrics(text);
    else
        check_json(text);
    assert_null(strstr(text, "(null)"));
}

static void check_all(struct hand *h)
{
    for (size_t i = 0; i < FORMATS; i++) {
        char *text = hand_rendered(h, formats[i]), *again = hand_rendered(h, formats[i]);

        assert_string_equal(text, again);
        check(formats[i], text);
        free(text);
        free(again);
    }
}

static const char *const hostile[] = {
    HOSTILE,
    "=HYPERLINK(\"http://x\")",
    "+1|2",
    "-1+cmd|' /C calc'!A0",
    "@SUM(1)",
    "\t=1",
    "<script>alert(1)</script>",
    "--><!-- slotwise:compare 0 -->",
    "]]>&#0;",
    "\xef\xbf\xbe\xef\xbf\xbf",
    "",
    " ",
    "\\",
    "\"",
    "count",
    "a/s",
    "####",
    "\xe2\x80\xae gnp.exe",
};
#define HOSTILES (sizeof(hostile) / sizeof(hostile[0]))

static void hostile_text_stays_text(void **state)
{
    (void)state;
    for (size_t n = 0; n < HOSTILES; n++) {
        const char *argv[] = {hostile[n], hostile[HOSTILES - 1 - n]}, *text = hostile[n];
        struct hand h = hand_new();

        hand_metric(&h, text, text, text, SLW_BETTER_LOWER, 100, 120);
        hand_metric(&h, "fine", text, text, SLW_BETTER_HIGHER, 100, 100);
        (void)hand_done(&h);
        h.b->command = (struct slw_command){.argv = argv, .argc = 2, .pid = -1};
        h.arms[0].command = h.arms[1].command = text;
        h.experiment.setup = h.experiment.gates = h.experiment.floor_absent = text;
        h.a->host.hostname = h.b->host.kernel = h.b->host.cpu.name = h.b->tool = text;
        assert_int_equal(slw_run_add_label(h.b, text, text, NULL), 0);
        hand_gate(&h, 0, text);
        hand_cause(&h, text);
        hand_function(&h, text, 1, 2, true);
        hand_note(&h, SLW_NOTE_WARNING, text, text);
        hand_note(&h, SLW_NOTE_INFO, text, text);
        hand_mismatch(&h, text, text, NULL, true);
        h.c.verdict = h.c.verdict_basis = h.c.gate_reason = text;
        check_all(&h);
        hand_free(&h);
    }
}

/* ---- absent stays absent ---- */

static void add_absent(struct hand *h, size_t rounds)
{
    const struct slw_observation like = {.metric = "p99.9",
                                         .title = "p99.9 latency",
                                         .unit = "ns",
                                         .from = {.source = SLW_SOURCE_SIMULATED, .imported = true},
                                         .absent = "fewer than 20,000 requests"};
    double values[HAND_ROUNDS];

    for (size_t i = 0; i < rounds; i++)
        values[i] = (double)NAN;
    hand_observation(h->a, &like, values, rounds);
    hand_observation(h->b, &like, values, rounds);
}

static void assert_no_nan(struct hand *h)
{
    for (size_t i = 0; i < FORMATS; i++) {
        char *text = hand_rendered(h, formats[i]);

        for (const char *c = text; *c; c++)
            if (strncmp(c, "nan", 3) == 0 || strncmp(c, "inf", 3) == 0)
                assert_true(isalpha((unsigned char)c[3]) || (c > text && isalpha(c[-1])));
        free(text);
    }
}

static void what_was_not_measured_is_said_and_never_zero(void **state)
{
    (void)state;
    struct hand h = hand_new();

    hand_metric(&h, "cpu_per_request", "CPU time per request", "ns", SLW_BETTER_LOWER, 100, 101);
    add_absent(&h, HAND_ROUNDS);
    (void)hand_done(&h);
    hand_gate(&h, 1, "p99.9>+5%");
    check_all(&h);
    assert_no_nan(&h);
    char *csv = hand_rendered(&h, "csv"), *junit = hand_rendered(&h, "junit");
    char *om = hand_rendered(&h, "openmetrics"), *bencher = hand_rendered(&h, "bencher");
    char *md = hand_rendered(&h, "md");
    assert_non_null(strstr(csv, "\"ns\",lower,simulated imported,,\"fewer than 20,000 requests\""));
    assert_non_null(strstr(junit, "<skipped message=\"inconclusive; p99.9 latency"));
    assert_non_null(strstr(junit, "failures=\"0\" errors=\"0\" skipped=\"1\""));
    assert_non_null(strstr(om, "reason=\"fewer than 20,000 requests\"} 1"));
    assert_null(strstr(om, "slotwise_metric_p99"));
    assert_null(strstr(bencher, "p99.9"));
    assert_non_null(strstr(md, "| unknown |"));
    free(csv);
    free(junit);
    free(om);
    free(bencher);
    free(md);
    hand_free(&h);
}

static void nothing_measured_is_told_with_its_reason(void **state)
{
    (void)state;
    struct hand h = hand_new();

    add_absent(&h, 3);
    (void)hand_done(&h);
    h.c.main_row = h.c.row_count;
    char *md = hand_rendered(&h, "md");
    check("md", md);
    assert_non_null(strstr(md, "Not compared:\n\n- no round has both values: p99.9 latency\n"));
    free(md);
    hand_free(&h);
}

static void a_run_without_observations_is_refused(void **state)
{
    (void)state;
    struct hand h = hand_new();
    struct slw_buf out = {0};
    struct slw_error err = {0};

    (void)hand_done(&h);
    for (size_t i = 0; i < slw_exporter_count; i++) {
        if (!slw_exporters[i]->needs_observations)
            continue;
        assert_int_equal(slw_exporters[i]->export(h.a, NULL, NULL, &out, &err), -SLW_E_NODATA);
        assert_int_equal(out.length, 0);
    }
    char *md = hand_rendered(&h, "md"), *junit = hand_rendered(&h, "junit");
    check("md", md);
    check("junit", junit);
    assert_non_null(strstr(junit, "tests=\"1\" failures=\"0\" errors=\"0\" skipped=\"1\""));
    free(md);
    free(junit);
    hand_free(&h);
}

static void one_round_makes_no_interval(void **state)
{
    (void)state;
    const struct slw_render_options opts = {0};
    struct versus v = versus_batching(1);

    versus_gates(&v, "cpu_per_request>+3%");
    for (size_t i = 0; i < FORMATS; i++) {
        char *text = versus_render(&v, formats[i], &opts);

        check(formats[i], text);
        free(text);
    }
    char *md = versus_render(&v, "md", &opts), *bencher = versus_render(&v, "bencher", &opts);
    char *junit = versus_render(&v, "junit", &opts);
    assert_non_null(strstr(md, "`cpu_per_request>+3%`: inconclusive"));
    assert_non_null(strstr(md, "needs \\>= 6 rounds"));
    assert_non_null(strstr(junit, "failures=\"0\" errors=\"0\" skipped=\"1\""));
    assert_null(strstr(bencher, "_value\": 12"));
    free(md);
    free(bencher);
    free(junit);
    versus_free(&v);
}

/* ---- much of everything ---- */

static void a_thousand_metrics_fit_one_comment(void **state)
{
    (void)state;
    static char names[1000][48];
    struct hand h = hand_new();

    for (size_t i = 0; i < 1000; i++) {
        (void)snprintf(names[i], sizeof(names[i]), "counter | %zu @user #%zu", i, i);
        hand_metric(&h, names[i], names[i], "events", SLW_BETTER_LOWER, 100, i % 3 ? 100 : 130);
    }
    (void)hand_done(&h);
    for (size_t i = 0; i < 32; i++)
        hand_gate(&h, i, "counter|>+3%");
    for (size_t i = 0; i < 10000; i++)
        hand_function(&h, names[i % 1000], 1, (double)i, i % 2);
    for (size_t i = 0; i < 1000; i++) {
        hand_cause(&h, names[i]);
        hand_note(&h, i % 2 ? SLW_NOTE_WARNING : SLW_NOTE_INFO, names[i], names[i]);
        hand_mismatch(&h, names[i], names[i], names[i], false);
    }
    check_all(&h);
    char *md = hand_rendered(&h, "md");
    assert_non_null(strstr(md, "Left out here, because a comment has to be short: "));
    assert_non_null(strstr(md, " functions"));
    assert_non_null(strstr(md, "How to reproduce"));
    free(md);
    hand_free(&h);
}

/* The longest strings everywhere: each part keeps to its share. */
static void long_strings_do_not_make_a_long_comment(void **state)
{
    (void)state;
    enum { LONG = 1 << 18 };
    static const char *const units[] = {"@",    "`", "<", "\xcc\x81", "\xf0\x9f\x98\x80",
                                        "\x01", "a "};

    for (size_t u = 0; u < sizeof(units) / sizeof(units[0]); u++) {
        struct slw_buf text = {0};
        struct hand h = hand_batching();

        while (text.length < LONG)
            slw_buf_puts(&text, units[u]);
        assert_false(slw_buf_failed(&text));
        for (size_t i = 0; i < h.c.row_count; i++)
            h.c.rows[i].title = text.data;
        for (size_t i = 0; i < 3; i++)
            h.c.functions[i].function = text.data;
        h.c.verdict = h.c.verdict_basis = h.c.gate_reason = h.c.causes[0].text = text.data;
        h.c.notes[0].text = h.c.notes[0].hint = h.c.notes[1].text = text.data;
        h.arms[0].command = h.arms[1].command = h.experiment.setup = text.data;
        h.experiment.prepare = h.experiment.cleanup = text.data;
        h.b->host.cpu.name = h.b->host.kernel = h.b->tool = text.data;
        char *md = hand_rendered(&h, "md");
        check("md", md);
        assert_non_null(strstr(md, "cpu_per_request>+3%"));
        free(md);
        hand_free(&h);
        slw_buf_release(&text);
    }
}

/* ---- the marker ---- */

static void marker(struct hand *h, char ret_line[64])
{
    char *md = hand_rendered(h, "md");
    const size_t length = strcspn(md, "\n");

    assert_true(length < 64);
    memcpy(ret_line, md, length);
    ret_line[length] = '\0';
    free(md);
}

static void the_marker_stays_for_the_same_commands_and_labels(void **state)
{
    (void)state;
    static const char *other[] = {"redis-benchmark", "-t", "set"};
    struct hand h = hand_batching(), again = hand_batching();
    char first[64], second[64];

    marker(&h, first);
    again.c.verdict = "other values";
    again.experiment.seed = 7;
    again.experiment.id = "fedcba9876543210";
    assert_int_equal(slw_run_add_label(again.b, "commit", "0a1b2c", NULL), 0);
    marker(&again, second);
    assert_string_equal(first, second);
    assert_int_equal(slw_run_add_label(again.b, "branch", "main", NULL), 0);
    marker(&again, second);
    assert_string_not_equal(first, second);
    h.b->command = (struct slw_command){.argv = other, .argc = 3, .pid = -1};
    marker(&h, second);
    assert_string_not_equal(first, second);
    hand_free(&h);
    hand_free(&again);
}

/* ---- exporters of a run say the same as the comparison says of B ---- */

static void a_run_alone_lines_up_with_the_candidate(void **state)
{
    (void)state;
    struct hand h = hand_batching();
    struct slw_buf out = {0};
    char *whole = hand_rendered(&h, "bencher");
    json_t *of_both = json_loads(whole, 0, NULL), *of_b;

    assert_int_equal(slw_exporter_find("bencher")->export(h.b, NULL, NULL, &out, NULL), 0);
    of_b = json_loads(out.data, 0, NULL);
    const char *title = "redis-benchmark -t get -P 16";
    assert_non_null(json_object_get(of_b, title));
    assert_true(json_equal(json_object_get(of_b, title), json_object_get(of_both, title)));
    assert_int_equal(json_object_size(of_b), 1);
    assert_int_equal(json_object_size(of_both), 2);
    json_decref(of_b);
    json_decref(of_both);
    free(whole);
    slw_buf_release(&out);
    hand_free(&h);
}

static void exporters_and_renderers_have_the_same_names(void **state)
{
    (void)state;
    for (size_t i = 0; i < slw_exporter_count; i++)
        if (slw_exporters[i]->needs_observations) {
            const struct slw_comparison_renderer *r =
                slw_comparison_renderer_find(slw_exporters[i]->name);

            assert_non_null(r);
            assert_string_equal(r->extension, slw_exporters[i]->extension);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_comparison_reads_as_expected),
        cmocka_unit_test(hostile_text_stays_text),
        cmocka_unit_test(what_was_not_measured_is_said_and_never_zero),
        cmocka_unit_test(nothing_measured_is_told_with_its_reason),
        cmocka_unit_test(a_run_without_observations_is_refused),
        cmocka_unit_test(one_round_makes_no_interval),
        cmocka_unit_test(a_thousand_metrics_fit_one_comment),
        cmocka_unit_test(long_strings_do_not_make_a_long_comment),
        cmocka_unit_test(the_marker_stays_for_the_same_commands_and_labels),
        cmocka_unit_test(a_run_alone_lines_up_with_the_candidate),
        cmocka_unit_test(exporters_and_renderers_have_the_same_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* What the renderers write, byte for byte (tests/unit/expected), and what names may do to them. */
#include "analyzer/text.h"
#include "tests/awkward_runs.h"
#include "tests/traffic_fixture.h"
#include "tests/unit/expected_int.h"

#include <jansson.h>

static char *rendered(struct fixture *f, const char *renderer, const struct slw_render_options *o)
{
    struct slw_buf b = {0};

    assert_int_equal(slw_renderer_find(renderer)->render(fixture_report(f), o, &b, NULL), 0);
    return slw_buf_take(&b);
}

static void sqlite_reads_as_expected(void **state)
{
    (void)state;
    static const struct {
        const char *file, *renderer;
        struct slw_render_options opts;
    } cases[] = {{"sqlite.txt", "term", {0}},
                 {"sqlite-narrow.txt", "term", {.width = 50, .function_max = 3}},
                 {"sqlite-color.txt", "term", {.color = true, .width = 100, .function_max = 3}},
                 {"sqlite.md", "md", {0}},
                 {"sqlite.json", "json", {0}}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fixture f = fixture_sqlite();
        char *text = rendered(&f, cases[i].renderer, &cases[i].opts);
        assert_expected(cases[i].file, text);
        free(text);
        fixture_free(&f);
    }
}

/* A client of one thread that sends one request after the other, counted and waited for. */
static struct fixture client_run(void)
{
    static const char *argv[] = {"pgbench", "-S", "-T", "1"};
    struct fixture f = fixture_new();
    struct slw_waiting w = {.wall_ns = 1190000000};

    f.run->command.argv = argv;
    f.run->command.argc = 4;
    f.run->self = (struct slw_self_cost){.user_ns = {.value = 120000},
                                         .system_ns = {.value = 480000},
                                         .ring_bytes = 1 << 20,
                                         .bpf_ns = 14000000};
    w.ns[SLW_WAIT_ON_CPU] = 300000000;
    w.ns[SLW_WAIT_ANSWER] = 830000000;
    w.ns[SLW_WAIT_RUNNABLE] = 60000000;
    w.waits[SLW_WAIT_ANSWER] = 8000;
    w.waits[SLW_WAIT_RUNNABLE] = 40;
    fixture_threads(&f, &w, 1);
    fixture_traffic(&f, &(struct slw_connection){.requests = 8000,
                                                 .flushes = 8000,
                                                 .rows = 8000,
                                                 .latency_count = 8000,
                                                 .latency_sum_ns = 960000000,
                                                 .latency_max_ns = 900000,
                                                 .batch_count = 8000,
                                                 .batch_sum_ns = 960000000,
                                                 .batch_max_ns = 900000});
    for (int of = 0; of < 2; of++) {
        const struct slw_latency l = {(enum slw_latency_of)of, 118000, 121000, 8000};
        assert_int_equal(slw_run_add_latency(f.run, &l, NULL), 0);
    }
    fixture_sampling(&f, SLW_MODE_ALL);
    fixture_count(&f, "task-clock", "ns", 300000000);
    fixture_count(&f, "context-switches", "events", 8040);
    fixture_add(&f, 900, SLW_NO_THREAD,
                "k:[kernel.kallsyms]:tcp_ack k:[kernel.kallsyms]:tcp_sendmsg");
    fixture_add(&f, 300, SLW_NO_THREAD, "u:/usr/lib/libpq.so.5:pqParseInput3");
    return f;
}

static void a_client_reads_as_expected(void **state)
{
    (void)state;
    static const struct {
        const char *file, *renderer;
        struct slw_render_options opts;
    } cases[] = {{"client.txt", "term", {0}},
                 {"client-narrow.txt", "term", {.width = 50, .function_max = 3}},
                 {"client-color.txt", "term", {.color = true, .width = 100, .function_max = 3}},
                 {"client.md", "md", {0}},
                 {"client.json", "json", {0}}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fixture f = client_run();
        char *text = rendered(&f, cases[i].renderer, &cases[i].opts);
        assert_expected(cases[i].file, text);
        free(text);
        fixture_free(&f);
    }
}

static struct fixture skylake_run(void)
{
    static const struct {
        const char *event;
        uint64_t raw;
    } counts[] = {
        {"cpu_clk_unhalted.thread", 1000000000},    {"cpu_clk_unhalted.thread_any", 1000000000},
        {"idq_uops_not_delivered.core", 400000000}, {"uops_issued.any", 1300000000},
        {"uops_retired.retire_slots", 1200000000},  {"int_misc.recovery_cycles_any", 10000000},
        {"int_misc.recovery_cycles", 10000000}};
    struct fixture f = fixture_new();

    fixture_sampling(&f, SLW_MODE_ALL);
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        const struct slw_count c = {.event = counts[i].event,
                                    .unit = "events",
                                    .group = 0,
                                    .pid = -1,
                                    .tid = -1,
                                    .cpu = -1,
                                    .raw = counts[i].raw,
                                    .enabled_ns = 1000000000,
                                    .running_ns = 900000000};
        assert_int_equal(slw_run_add_count(f.run, &c, NULL), 0);
    }
    fixture_add(&f, 500, SLW_NO_THREAD, "u:/usr/lib/libpq.so.5:pqParseInput3");
    f.run->requests = (struct slw_maybe_u64){.value = 1000};
    return f;
}

/* Columns of a line, colour sequences aside. */
static void assert_lines_fit(char *text, const char *what, int width)
{
    char *rest = text, *line;

    while ((line = strsep(&rest, "\n")) != NULL) {
        if (slw_text_columns(line) > (size_t)width)
            fail_msg("%s at %d: %s", what, width, line);
        size_t length = strlen(line);
        if (length > 0 && line[length - 1] == ' ' && strcmp(what, "hostile names") != 0)
            fail_msg("%s at %d ends in blanks: %s", what, width, line);
    }
}

static void a_top_down_tree_reads_as_expected(void **state)
{
    (void)state;
    static const char *const renderers[][2] = {{"term", "skylake.txt"}, {"md", "skylake.md"}};
    struct fixture f = skylake_run();
    struct slw_model *m = NULL;

    assert_int_equal(slw_model_builtin("skylake", &m, NULL), 0);
    assert_int_equal(slw_report_new(f.run, f.stacks, m, &f.report, NULL), 0);
    assert_int_equal(f.report->topdown.status, SLW_TOPDOWN_FOUND);
    for (size_t i = 0; i < 2; i++) {
        const struct slw_render_options opts = {0};
        struct slw_buf b = {0};
        assert_int_equal(slw_renderer_find(renderers[i][0])->render(f.report, &opts, &b, NULL), 0);
        assert_expected(renderers[i][1], b.data);
        if (i == 0)
            assert_lines_fit(b.data, "skylake", 80);
        slw_buf_release(&b);
    }
    fixture_free(&f);
    slw_model_free(m);
}

static void lines_fit_the_width(void **state)
{
    (void)state;
    static const int widths[] = {40, 60, 72, 80, 132};
    for (size_t i = 0; i < AWKWARD_RUN_COUNT; i++)
        for (size_t w = 0; w < sizeof(widths) / sizeof(widths[0]); w++) {
            struct fixture f = awkward_runs[i].make();
            const struct slw_render_options opts = {.width = widths[w]};
            char *text = rendered(&f, "term", &opts);
            if (strcmp(awkward_runs[i].name, "huge numbers") != 0)
                assert_lines_fit(text, awkward_runs[i].name, widths[w]);
            free(text);
            fixture_free(&f);
        }
}

/* A cell separator inside a name would add a column: every row of a table has as many as its head.
 */
static void names_add_no_columns_to_markdown_tables(void **state)
{
    (void)state;
    struct fixture f = awkward_hostile();
    const struct slw_render_options opts = {0};
    char *text = rendered(&f, "md", &opts), *rest = text, *line;
    int columns = 0, rows = 0;

    while ((line = strsep(&rest, "\n")) != NULL) {
        int bars = 0;
        if (line[0] != '|') {
            columns = 0;
            continue;
        }
        for (char *c = line; *c; c++)
            bars += *c == '|' && (c == line || c[-1] != '\\');
        if (columns == 0)
            columns = bars;
        assert_int_equal(bars, columns);
        rows++;
    }
    assert_true(rows > 20);
    free(text);
    fixture_free(&f);
}

static void names_make_no_markup_in_markdown(void **state)
{
    (void)state;
    struct fixture f = awkward_hostile();
    const struct slw_render_options opts = {0};
    char *text = rendered(&f, "md", &opts);
    const char *notes = strstr(text, "#### Notes");

    assert_non_null(notes);
    assert_null(strstr(notes, " <script>"));
    assert_null(strstr(notes, "@everyone"));
    assert_null(strstr(notes, "#1 "));
    assert_null(strstr(notes, "https://"));
    assert_null(strstr(notes, "www."));
    free(text);
    fixture_free(&f);
}

static json_t *json_of(struct fixture *f)
{
    const struct slw_render_options opts = {0};
    char *text = rendered(f, "json", &opts);
    json_error_t error;
    json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &error);

    if (!root)
        fail_msg("line %d: %s", error.line, error.text);
    free(text);
    return root;
}

static void every_run_is_valid_json_with_the_same_keys(void **state)
{
    (void)state;
    struct fixture first = fixture_sqlite();
    json_t *model = json_of(&first);

    for (size_t i = 0; i < AWKWARD_RUN_COUNT; i++) {
        struct fixture f = awkward_runs[i].make();
        json_t *root = json_of(&f);
        void *a = json_object_iter(model), *b = json_object_iter(root);
        for (; a && b; a = json_object_iter_next(model, a), b = json_object_iter_next(root, b))
            assert_string_equal(json_object_iter_key(a), json_object_iter_key(b));
        assert_true(!a && !b);
        json_decref(root);
        fixture_free(&f);
    }
    json_decref(model);
    fixture_free(&first);
}

static bool has_function(const json_t *root, const char *key, const char *name)
{
    size_t i;
    const json_t *row;

    json_array_foreach(json_object_get(root, "functions"), i, row)
    {
        const char *is = json_string_value(json_object_get(row, key));
        if (is && strcmp(is, name) == 0)
            return true;
    }
    return false;
}

static void json_keeps_names_whole(void **state)
{
    (void)state;
    struct fixture f = awkward_hostile();
    json_t *root = json_of(&f);
    assert_true(has_function(root, "function", "\033[2J\033]0;owned\007"));
    assert_true(has_function(root, "function", "line\nbreak\r\ttab"));
    assert_true(has_function(root, "function", "\xef\xbf\xbd\xef\xbf\xbd bytes \xef\xbf\xbd("));
    assert_true(has_function(root, "function",
                             "\xe2\x80\xae"
                             "rtl \xe2\x80\x8b zero"));
    assert_true(has_function(root, "function",
                             "\xc2\x9b"
                             "31m C1"));
    assert_true(has_function(root, "function_hex", "fffe20627974657320c328"));
    json_decref(root);
    fixture_free(&f);

    f = awkward_long_names();
    root = json_of(&f);
    assert_true(has_function(root, "function", f.report->functions[0].function));
    assert_true(strlen(f.report->functions[0].function) > 4000);
    json_decref(root);
    fixture_free(&f);
}

static void json_shows_absent_as_null_with_a_reason(void **state)
{
    (void)state;
    struct fixture f = awkward_all_absent();
    json_t *root = json_of(&f);
    const json_t *count = json_array_get(json_object_get(root, "counts"), 0);
    assert_true(json_is_null(json_object_get(count, "value")));
    assert_string_equal(json_string_value(json_object_get(count, "absent")),
                        "refused: perf_event_paranoid=3");
    assert_true(json_is_null(json_object_get(root, "samples")));
    json_decref(root);
    fixture_free(&f);
}

static void json_writes_what_passes_63_bits_as_digits(void **state)
{
    (void)state;
    struct fixture f = awkward_huge();
    json_t *root = json_of(&f);
    const json_t *count = json_array_get(json_object_get(root, "counts"), 0);
    assert_string_equal(json_string_value(json_object_get(count, "value")), "18446744073709551615");
    json_decref(root);
    fixture_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sqlite_reads_as_expected),
        cmocka_unit_test(a_client_reads_as_expected),
        cmocka_unit_test(a_top_down_tree_reads_as_expected),
        cmocka_unit_test(lines_fit_the_width),
        cmocka_unit_test(names_add_no_columns_to_markdown_tables),
        cmocka_unit_test(names_make_no_markup_in_markdown),
        cmocka_unit_test(every_run_is_valid_json_with_the_same_keys),
        cmocka_unit_test(json_keeps_names_whole),
        cmocka_unit_test(json_shows_absent_as_null_with_a_reason),
        cmocka_unit_test(json_writes_what_passes_63_bits_as_digits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "tests/unit/run_fixture_int.h"

#include "record/text.h"

static char *written(const struct slw_run *run)
{
    struct slw_buf out = {0};
    struct slw_error err = {0};

    if (slw_run_to_json(run, &out, &err) < 0)
        fail_msg("%s", err.text);
    return slw_buf_take(&out);
}

static struct slw_run *read_back(const char *text)
{
    struct slw_run *run = NULL;
    struct slw_error err = {0};

    if (slw_run_from_json(text, strlen(text), &run, &err) < 0)
        fail_msg("%s (%s)", err.text, err.where);
    return run;
}

static void every_field_travels(void **state)
{
    (void)state;
    struct slw_run *run = rich_run();
    char *text = written(run);
    struct slw_run *again = read_back(text);
    char *rewritten = written(again);

    assert_same_run(run, again);
    assert_string_equal(text, rewritten);
    assert_int_equal(text[strlen(text) - 1], '\n');
    assert_memory_equal(text, "{\n  \"schema\": 1,\n  \"tool\"", 25);
    free(text);
    free(rewritten);
    slw_run_free(run);
    slw_run_free(again);
}

static void add_scopes(struct slw_run *run)
{
    const struct slw_counted_task tasks[] = {
        {.pid = 7, .tid = 8, .comm = "a \xff", .task_count = 1},
        {.pid = 7, .tid = -1, .task_count = UINT64_MAX},
        {.pid = 0, .tid = 0, .task_count = 3}};
    const struct slw_time_slice intervals[] = {{0, 100}, {100, UINT64_MAX}};
    uint64_t raw[] = {1, UINT64_MAX}, enabled[] = {5, 6}, running[] = {5, 0};
    const struct slw_time_series s = {0, raw, enabled, running, 2};

    for (size_t i = 0; i < 3; i++)
        assert_int_equal(slw_run_add_task(run, &tasks[i], NULL), 0);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(slw_run_add_interval(run, &intervals[i], NULL), 0);
    assert_int_equal(slw_run_add_series(run, &s, NULL), 0);
}

static void tasks_and_the_time_line_travel(void **state)
{
    (void)state;
    struct slw_run *run = rich_run();
    add_scopes(run);
    assert_null(slw_run_check_series(run));
    char *text = written(run);
    struct slw_run *again = read_back(text);
    char *rewritten = written(again);

    assert_string_equal(text, rewritten);
    assert_int_equal(again->task_count, 3);
    assert_int_equal(again->tasks[1].tid, -1);
    assert_null(again->tasks[1].comm);
    assert_string_equal(again->tasks[0].comm, "a \xff");
    assert_true(again->tasks[1].task_count == UINT64_MAX);
    assert_int_equal(again->tasks[2].pid, 0);
    assert_true(again->intervals[1].length_ns == UINT64_MAX);
    assert_int_equal(again->series[0].length, 2);
    assert_true(again->series[0].raw[1] == UINT64_MAX && again->series[0].enabled_ns[0] == 5);
    free(text);
    free(rewritten);
    slw_run_free(run);
    slw_run_free(again);
}

/* Replace `from` once in the run with scopes; what reading it says. */
static void assert_refused(const char *from, const char *to, const char *why)
{
    struct slw_run *run = rich_run(), *again = NULL;
    struct slw_error err = {0};
    struct slw_buf changed = {0};

    add_scopes(run);
    char *text = written(run);
    char *at = strstr(text, "\"series\"");
    at = at ? strstr(at, from) : NULL;
    assert_non_null(at);
    slw_buf_put(&changed, text, (size_t)(at - text));
    slw_buf_puts(&changed, to);
    slw_buf_puts(&changed, at + strlen(from));
    assert_true(slw_run_from_json(changed.data, changed.length, &again, &err) < 0);
    if (!strstr(err.text, why))
        fail_msg("'%s' is not in '%s'", why, err.text);
    slw_buf_release(&changed);
    free(text);
    slw_run_free(run);
}

static void a_time_line_that_fits_nothing_is_refused(void **state)
{
    (void)state;
    assert_refused("\"count_index\": 0", "\"count_index\": 9999", "of no count");
    assert_refused("\"enabled_ns\": [", "\"enabled_ns\": [1,", "not as long");
    assert_refused("\"enabled_ns\": [\n        5,", "\"enabled_ns\": [\n        4,",
                   "running_ns is larger");
    assert_refused("\"raw\": [\n        1,", "\"raw\": [\n        -1,", "negative");
}

static void an_empty_run_stays_unknown(void **state)
{
    (void)state;
    struct slw_run *run = NULL;
    assert_int_equal(slw_run_new(&run, NULL), 0);
    char *text = written(run);
    struct slw_run *again = read_back(text);

    assert_same_run(run, again);
    assert_string_equal(again->wall_ns.absent, "not measured");
    assert_int_equal(again->host.cpu.family, -1);
    assert_int_equal(again->host.perf_event_paranoid, run->host.perf_event_paranoid);
    assert_null(strstr(text, "-1"));
    assert_null(strstr(text, "null"));
    free(text);
    slw_run_free(run);
    slw_run_free(again);
}

static void an_absent_count_has_no_number(void **state)
{
    (void)state;
    struct slw_run *run = NULL;
    const struct slw_count c = {.event = "x",
                                .unit = "events",
                                .group = -1,
                                .pid = -1,
                                .tid = -1,
                                .cpu = -1,
                                .absent = "never scheduled",
                                .raw = 77};
    assert_int_equal(slw_run_new(&run, NULL), 0);
    assert_int_equal(slw_run_add_count(run, &c, NULL), 0);
    char *text = written(run);

    assert_non_null(strstr(text, "\"absent\": \"never scheduled\""));
    assert_null(strstr(text, "77"));
    assert_null(strstr(text, "raw"));
    free(text);
    slw_run_free(run);
}

static void an_inconsistent_count_is_written_as_absent(void **state)
{
    (void)state;
    struct slw_run *run = NULL;
    const struct slw_count c = {.event = "x",
                                .group = -1,
                                .pid = -1,
                                .tid = -1,
                                .cpu = -1,
                                .raw = 77,
                                .enabled_ns = 5,
                                .running_ns = 6};
    assert_int_equal(slw_run_new(&run, NULL), 0);
    assert_int_equal(slw_run_add_count(run, &c, NULL), 0);
    char *text = written(run);
    struct slw_run *again = read_back(text);

    assert_non_null(again->counts[0].absent);
    assert_non_null(strstr(again->counts[0].absent, "running_ns is larger than enabled_ns"));
    assert_non_null(strstr(again->counts[0].absent, "raw 77, enabled 5, running 6"));
    free(text);
    slw_run_free(run);
    slw_run_free(again);
}

static void long_names_travel(void **state)
{
    (void)state;
    struct slw_run *run = NULL;
    char name[4097];
    memset(name, 'x', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    name[4000] = (char)0xe9; /* Latin-1 */
    const char *argv[] = {name};
    assert_int_equal(slw_run_new(&run, NULL), 0);
    run->command.argv = argv;
    run->command.argc = 1;
    assert_int_equal(slw_run_add_label(run, name, name, NULL), 0);
    char *text = written(run);
    struct slw_run *again = read_back(text);

    assert_same_run(run, again);
    free(text);
    slw_run_free(run);
    slw_run_free(again);
}

static void escaped_text_is_utf8_and_comes_back(void **state)
{
    (void)state;
    static const struct {
        const char *raw, *escaped;
    } cases[] = {{"", ""},
                 {"plain", "plain"},
                 {"\xc3\xa9", "\xc3\xa9"},
                 {"\xc3", "\xef\xbf\xbd"
                          "c3"},
                 {"a\xff"
                  "b",
                  "a\xef\xbf\xbd"
                  "ffb"},
                 {"\xef\xbf\xbd"
                  "ff",
                  "\xef\xbf\xbd"
                  "ef\xef\xbf\xbd"
                  "bf\xef\xbf\xbd"
                  "bdff"},
                 {"\xe2\x82", "\xef\xbf\xbd"
                              "e2\xef\xbf\xbd"
                              "82"},
                 {"\xed\xa0\x80", "\xef\xbf\xbd"
                                  "ed\xef\xbf\xbd"
                                  "a0\xef\xbf\xbd"
                                  "80"},
                 {"\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct slw_buf b = {0};
        slw_text_escape(&b, cases[i].raw);
        assert_string_equal(b.data, cases[i].escaped);
        slw_text_unescape(b.data);
        assert_string_equal(b.data, cases[i].raw);
        slw_buf_release(&b);
    }
    char foreign[] = "\xef\xbf\xbd"
                     "41 \xef\xbf\xbd"
                     "FF \xef\xbf\xbd"
                     "00 \xef\xbf\xbd";
    char kept[sizeof(foreign)];
    memcpy(kept, foreign, sizeof(foreign));
    slw_text_unescape(foreign);
    assert_string_equal(foreign, kept);
}

/* Replace `from` in the text of a rich run and expect the failure. */
static void expect_refusal(const char *from, const char *to, enum slw_code code, const char *where)
{
    struct slw_run *run = rich_run(), *again = NULL;
    struct slw_error err = {0};
    struct slw_buf changed = {0};
    char *text = written(run);
    const char *at = strstr(text, from);

    if (!at)
        fail_msg("'%s' is not in run.json", from);
    slw_buf_put(&changed, text, (size_t)(at - text));
    slw_buf_puts(&changed, to);
    slw_buf_puts(&changed, at + strlen(from));
    assert_int_equal(slw_run_from_json(changed.data, changed.length, &again, &err), -(int)code);
    assert_null(again);
    if (!strstr(err.where, where))
        fail_msg("'%s' says '%s', not '%s'", err.text, err.where, where);
    slw_buf_release(&changed);
    free(text);
    slw_run_free(run);
}

static void what_is_wrong_is_named(void **state)
{
    (void)state;
    expect_refusal("\"schema\": 1", "\"schema\": 2", SLW_E_VERSION, "schema");
    expect_refusal("\"schema\": 1", "\"schema\": 0", SLW_E_FORMAT, "schema");
    expect_refusal("\"schema\": 1", "\"schema\": \"1\"", SLW_E_FORMAT, "schema");
    expect_refusal("\"schema\": 1,", "", SLW_E_FORMAT, "schema");
    expect_refusal("{\n", "[", SLW_E_FORMAT, "run.json:1:");
    expect_refusal("\"raw\": 9223372036854775807", "\"raw\": 9223372036854775808", SLW_E_FORMAT,
                   "run.json:");
    expect_refusal("\"raw\": 9223372036854775807", "\"raw\": 1.5", SLW_E_FORMAT, "counts[0].raw");
    expect_refusal("\"raw\": 9223372036854775807", "\"raw\": -1", SLW_E_FORMAT, "counts[0].raw");
    expect_refusal("\"raw\": 9223372036854775807", "\"raw\": null", SLW_E_FORMAT, "counts[0].raw");
    expect_refusal("\"raw\": 9223372036854775807,", "", SLW_E_FORMAT, "counts[0].raw");
    expect_refusal("\"raw\": 9223372036854775807", "\"raw\": 1, \"raw\": 2", SLW_E_FORMAT,
                   "run.json:");
    expect_refusal("\"raw\": \"18446744073709551615\"", "\"raw\": \"18446744073709551616\"",
                   SLW_E_FORMAT, "counts[1].raw");
    expect_refusal("\"raw\": \"18446744073709551615\"", "\"raw\": \"-1\"", SLW_E_FORMAT,
                   "counts[1].raw");
    expect_refusal("\"running_ns\": 1999", "\"running_ns\": 2001", SLW_E_FORMAT, "counts[0]");
    expect_refusal("\"absent\": \"not supported\"", "\"absent\": \"not supported\", \"raw\": 1",
                   SLW_E_FORMAT, "counts[2].raw");
    expect_refusal("\"source\": \"simulated\"", "\"source\": \"guessed\"", SLW_E_FORMAT,
                   "counts[1].from.source");
    expect_refusal("\"name\": \"skylake\"", "\"name\": \"skylake\", \"absent\": \"x\"",
                   SLW_E_FORMAT, "model.absent");
    expect_refusal("\"exit_value\": 9", "\"exit_value\": 99999999999", SLW_E_FORMAT,
                   "command.exit_value");
    expect_refusal("\"exit\": \"signal\"", "\"exit\": \"unknown\"", SLW_E_FORMAT,
                   "command.exit_value");
    expect_refusal("\"argv\": [", "\"argv\": [7,", SLW_E_FORMAT, "command.argv[0]");
    expect_refusal("\"smt\": 1", "\"smt\": 2", SLW_E_FORMAT, "host.cpu.smt");
    expect_refusal("\"db-1\"", "\"\\u0000\"", SLW_E_FORMAT, "run.json:");
    expect_refusal("\"requests\": 42", "\"requests\": {\"value\": 42}", SLW_E_FORMAT, "requests");
}

static void unknown_keys_are_ignored(void **state)
{
    (void)state;
    struct slw_run *run = NULL;
    assert_int_equal(slw_run_new(&run, NULL), 0);
    char *text = written(run);
    struct slw_buf more = {0};
    slw_buf_puts(&more, "{\"later\": [{\"x\": 1.5}], ");
    slw_buf_puts(&more, text + 1);
    struct slw_run *again = read_back(more.data);

    assert_same_run(run, again);
    slw_buf_release(&more);
    free(text);
    slw_run_free(run);
    slw_run_free(again);
}

static void truncated_files_are_refused(void **state)
{
    (void)state;
    struct slw_run *run = rich_run(), *again = NULL;
    char *text = written(run);
    size_t length = strlen(text);

    for (size_t n = 0; n < length - 2; n++) {
        struct slw_error err = {0};
        assert_int_equal(slw_run_from_json(text, n, &again, &err), -SLW_E_FORMAT);
        assert_true(err.text[0] && err.where[0]);
    }
    assert_null(again);
    free(text);
    slw_run_free(run);
}

/* A flipped bit is refused or gives a run that can be written again: never a crash. */
static void flipped_bits_are_survived(void **state)
{
    (void)state;
    struct slw_run *run = rich_run();
    char *text = written(run);
    size_t length = strlen(text), refused = 0;

    for (size_t bit = 0; bit < length * 8; bit += 11) {
        struct slw_run *again = NULL;
        text[bit / 8] = (char)(text[bit / 8] ^ 1 << bit % 8);
        if (slw_run_from_json(text, length, &again, NULL) < 0)
            refused++;
        else
            free(written(again));
        text[bit / 8] = (char)(text[bit / 8] ^ 1 << bit % 8);
        slw_run_free(again);
    }
    assert_true(refused > length / 8);
    free(text);
    slw_run_free(run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_travels),
        cmocka_unit_test(tasks_and_the_time_line_travel),
        cmocka_unit_test(a_time_line_that_fits_nothing_is_refused),
        cmocka_unit_test(an_empty_run_stays_unknown),
        cmocka_unit_test(an_absent_count_has_no_number),
        cmocka_unit_test(an_inconsistent_count_is_written_as_absent),
        cmocka_unit_test(long_names_travel),
        cmocka_unit_test(escaped_text_is_utf8_and_comes_back),
        cmocka_unit_test(what_is_wrong_is_named),
        cmocka_unit_test(unknown_keys_are_ignored),
        cmocka_unit_test(truncated_files_are_refused),
        cmocka_unit_test(flipped_bits_are_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

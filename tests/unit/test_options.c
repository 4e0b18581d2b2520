/* SPDX-License-Identifier: MIT */
#include "cli/options.h"
#include "cli/suggest.h"
#include "tests/unit/cmocka_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *colours(size_t i)
{
    static const char *const all[] = {"red", "green", NULL};

    return all[i];
}

static const struct slw_option table[] = {
    {.name = "all", .letter = 'a'},
    {.name = "quiet", .letter = 'q'},
    {.name = "output", .letter = 'o', .kind = SLW_OPTION_FILE, .value = "FILE"},
    {.name = "count", .letter = 'n', .kind = SLW_OPTION_NUMBER, .value = "N"},
    {.name = "time", .kind = SLW_OPTION_TIME, .value = "TIME"},
    {.name = "size", .kind = SLW_OPTION_SIZE, .value = "BYTES"},
    {.name = "label", .kind = SLW_OPTION_TEXT, .value = "K=V", .repeated = true},
    {.name = "colour", .kind = SLW_OPTION_CHOICE, .choices = colours},
    {.name = "secret", .hidden = true},
    {.name = NULL},
};

/* Parse a line of words split at blanks. The words live until the next call. */
static int parse(const char *line, bool first_operand_ends, struct slw_args *args,
                 struct slw_error *err)
{
    static char copy[256];
    static char *words[32];
    int count = 1;

    words[0] = copy;
    (void)snprintf(copy, sizeof(copy), "%s", line);
    for (char *word = strtok(copy, " "); word && count < 31; word = strtok(NULL, " "))
        words[count++] = word;
    words[count] = NULL;
    return slw_args_parse(table, first_operand_ends, count, words, args, err);
}

static void refused(const char *line, const char *text, const char *hint)
{
    struct slw_error err = {0};
    struct slw_args args = {0};

    assert_int_equal(parse(line, false, &args, &err), -SLW_E_USAGE);
    assert_null(args.uses);
    if (!strstr(err.text, text) || (hint && !strstr(err.hint, hint)))
        fail_msg("'%s' said '%s', hint '%s'", line, err.text, err.hint);
    if (!hint)
        assert_string_equal(err.hint, "");
}

static void every_spelling_gives_the_same_value(void **state)
{
    (void)state;
    static const char *const lines[] = {"--output=x", "--output x", "-ox",
                                        "-o x",       "-aqox",      "-aq -o x"};
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        struct slw_args args;
        assert_int_equal(parse(lines[i], false, &args, NULL), 0);
        assert_string_equal(slw_args_get(&args, "output"), "x");
        assert_int_equal(args.operand_count, 0);
        slw_args_release(&args);
    }
}

static void flags_are_there_or_not(void **state)
{
    (void)state;
    struct slw_args args;
    assert_int_equal(parse("-q --secret", false, &args, NULL), 0);
    assert_true(slw_args_has(&args, "quiet"));
    assert_true(slw_args_has(&args, "secret"));
    assert_false(slw_args_has(&args, "all"));
    assert_null(slw_args_get(&args, "output"));
    assert_true(slw_args_knows(&args, "all"));
    assert_false(slw_args_knows(&args, "alles"));
    slw_args_release(&args);
}

static void options_may_follow_operands(void **state)
{
    (void)state;
    struct slw_args args;
    assert_int_equal(parse("run -o x - other", false, &args, NULL), 0);
    assert_int_equal(args.operand_count, 3);
    assert_string_equal(args.operands[0], "run");
    assert_string_equal(args.operands[1], "-");
    assert_null(args.operands[3]);
    assert_string_equal(slw_args_get(&args, "output"), "x");
    slw_args_release(&args);
}

static void a_command_keeps_its_own_options(void **state)
{
    (void)state;
    struct slw_args args;
    assert_int_equal(parse("-q psql -o x --all", true, &args, NULL), 0);
    assert_int_equal(args.operand_count, 4);
    assert_null(slw_args_get(&args, "output"));
    assert_false(slw_args_has(&args, "all"));
    assert_false(args.separated);
    slw_args_release(&args);
}

static void two_dashes_end_the_options(void **state)
{
    (void)state;
    struct slw_args args;
    assert_int_equal(parse("-q -- -o --nonsense --", false, &args, NULL), 0);
    assert_int_equal(args.operand_count, 3);
    assert_string_equal(args.operands[1], "--nonsense");
    assert_string_equal(args.operands[2], "--");
    assert_true(args.separated);
    slw_args_release(&args);
}

static void the_last_of_one_and_every_one_of_many(void **state)
{
    (void)state;
    struct slw_args args;
    assert_int_equal(parse("-o a -o b --label x=1 --label y=2", false, &args, NULL), 0);
    assert_string_equal(slw_args_get(&args, "output"), "b");
    assert_string_equal(slw_args_get_nth(&args, "label", 0), "x=1");
    assert_string_equal(slw_args_get_nth(&args, "label", 1), "y=2");
    assert_null(slw_args_get_nth(&args, "label", 2));
    slw_args_release(&args);
}

static void mistakes_are_usage_errors_that_help(void **state)
{
    (void)state;
    refused("--outptu x", "unknown option '--outptu'", "--output");
    refused("--outptu=x", "unknown option '--outptu'", "--output");
    refused("--secrt", "unknown option", NULL); /* hidden ones are not advertised */
    refused("--zzzzzz", "unknown option", NULL);
    refused("-z", "unknown option '-z'", NULL);
    refused("-qz", "unknown option '-z'", NULL);
    refused("--output", "--output needs a value: FILE", NULL);
    refused("-o", "--output needs a value: FILE", NULL);
    refused("--colour", "needs a value: red|green", NULL);
    refused("--all=1", "takes no value", NULL);
    refused("--colour gren", "it takes red|green", "green");
    refused("--colour=", "does not know ''", NULL);
}

static void numbers_times_and_sizes_are_checked(void **state)
{
    (void)state;
    struct slw_error err = {0};
    struct slw_args args;
    uint64_t n = 7, ms = 8, bytes = 9;
    assert_int_equal(parse("-n 12 --time 2s --size 16M", false, &args, NULL), 0);
    assert_int_equal(slw_args_u64(&args, "count", 1, 20, &n, NULL), 0);
    assert_int_equal(slw_args_duration_ms(&args, "time", &ms, NULL), 0);
    assert_int_equal(slw_args_bytes(&args, "size", 1 << 30, &bytes, NULL), 0);
    assert_int_equal(n, 12);
    assert_int_equal(ms, 2000);
    assert_int_equal(bytes, 16 << 20);
    assert_int_equal(slw_args_u64(&args, "count", 13, 20, &n, &err), -SLW_E_USAGE);
    assert_non_null(strstr(err.text, "--count"));
    assert_int_equal(slw_args_bytes(&args, "size", 1 << 20, &bytes, NULL), -SLW_E_USAGE);
    slw_args_release(&args);
    assert_int_equal(parse("", false, &args, NULL), 0);
    assert_int_equal(slw_args_u64(&args, "count", 1, 20, &n, NULL), 0);
    assert_int_equal(n, 12); /* not given: what it was */
    slw_args_release(&args);
}

static void sizes_have_known_units(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t bytes; /* 0: refused */
    } cases[] = {{"1", 1},
                 {"512K", 512 << 10},
                 {"1G", 1 << 30},
                 {"K", 0},
                 {"0", 0},
                 {"-1", 0},
                 {"1KB", 0},
                 {"1k", 0},
                 {"1.5M", 0},
                 {"18446744073709551616", 0},
                 {"99999999999999999999999999", 0}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char line[64];
        struct slw_args args;
        uint64_t bytes = 0;
        (void)snprintf(line, sizeof(line), "--size=%s", cases[i].text);
        assert_int_equal(parse(line, false, &args, NULL), 0);
        int rc = slw_args_bytes(&args, "size", UINT64_C(1) << 40, &bytes, NULL);
        assert_int_equal(rc, cases[i].bytes ? 0 : -SLW_E_USAGE);
        assert_int_equal(bytes, cases[i].bytes);
        slw_args_release(&args);
    }
}

static void operands_are_counted(void **state)
{
    (void)state;
    struct slw_error missing = {0}, extra = {0};
    struct slw_args args;
    assert_int_equal(parse("a b", false, &args, NULL), 0);
    assert_int_equal(slw_args_operands(&args, 1, 2, "a run", NULL), 0);
    assert_int_equal(slw_args_operands(&args, 3, 4, "a run", &missing), -SLW_E_USAGE);
    assert_string_equal(missing.text, "a run is missing");
    assert_int_equal(slw_args_operands(&args, 0, 1, "a run", &extra), -SLW_E_USAGE);
    assert_non_null(strstr(extra.text, "'b'"));
    slw_args_release(&args);
}

static void distance_is_a_metric_on_slips(void **state)
{
    (void)state;
    assert_int_equal(slw_edit_distance("", ""), 0);
    assert_int_equal(slw_edit_distance("profile", "profile"), 0);
    assert_int_equal(slw_edit_distance("profile", "porfile"), 1); /* swapped */
    assert_int_equal(slw_edit_distance("profile", "profil"), 1);
    assert_int_equal(slw_edit_distance("profile", "prrofile"), 1);
    assert_int_equal(slw_edit_distance("profile", "profite"), 1);
    assert_int_equal(slw_edit_distance("", "abc"), 3);
    assert_int_equal(slw_edit_distance("kitten", "sitting"), 3);
    char longer[200];
    memset(longer, 'x', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    assert_int_equal(slw_edit_distance(longer, "x"), 199);
}

static void suggestions_are_near_or_none(void **state)
{
    (void)state;
    struct slw_suggestion near = {.typed = "reprot"}, far = {.typed = "xyzzy"},
                          start = {.typed = "flam"};
    static const char *const names[] = {"export", "report", "import", "flamegraph"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        slw_suggest(&near, names[i]);
        slw_suggest(&far, names[i]);
        slw_suggest(&start, names[i]);
    }
    assert_string_equal(near.best, "report");
    assert_null(far.best);
    assert_string_equal(start.best, "flamegraph");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_spelling_gives_the_same_value),
        cmocka_unit_test(flags_are_there_or_not),
        cmocka_unit_test(options_may_follow_operands),
        cmocka_unit_test(a_command_keeps_its_own_options),
        cmocka_unit_test(two_dashes_end_the_options),
        cmocka_unit_test(the_last_of_one_and_every_one_of_many),
        cmocka_unit_test(mistakes_are_usage_errors_that_help),
        cmocka_unit_test(numbers_times_and_sizes_are_checked),
        cmocka_unit_test(sizes_have_known_units),
        cmocka_unit_test(operands_are_counted),
        cmocka_unit_test(distance_is_a_metric_on_slips),
        cmocka_unit_test(suggestions_are_near_or_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

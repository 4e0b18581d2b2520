/* SPDX-License-Identifier: MIT */
/* -P NAME=VALUES, and the commands made of it. */
#include "cli/sweep_arms.h"
#include "tests/unit/cmocka_int.h"

#include <stdio.h>
#include <string.h>

static const char *joined(const struct slw_sweep_parameter *p)
{
    static char text[SLW_MAX_SWEEP_VALUES * (SLW_MAX_PARAMETER_BYTES + 1) + 1];
    size_t at = 0;

    text[0] = '\0';
    for (size_t i = 0; i < p->count; i++)
        at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%s", i ? " " : "", p->values[i]);
    return text;
}

static void rows_go_on_as_they_are_read(void **state)
{
    static const char *const cases[][2] = {
        {"batch=1", "1"},
        {"batch=1,2,4,..64", "1 2 4 8 16 32 64"},
        {"batch=1,2,4,..,64", "1 2 4 8 16 32 64"},
        {"batch=1..64", "1 2 4 8 16 32 64"},
        {"batch=0.5..4", "0.5 1 2 4"},
        {"batch=3..24,100", "3 6 12 24 100"},
        {"batch=1,2,3,..8", "1 2 3 4 5 6 7 8"},
        {"batch=10,20,..50", "10 20 30 40 50"},
        {"batch=1,10,..10000", "1 10 100 1000 10000"},
        {"batch=64,32,16,..1", "64 32 16 8 4 2 1"},
        {"batch=9,6,3,..-3", "9 6 3 0 -3"},
        {"batch=0.1,0.2,0.3,..0.6", "0.1 0.2 0.3 0.4 0.5 0.6"},
        {"batch=1,3,9,..81,100,200,300,..500", "1 3 9 27 81 100 200 300 400 500"},
        {"mode=sync,async", "sync async"},
        {"b-2_x=a=b,{,}", "a=b { }"},
        {"batch=1e3,2e3", "1e3 2e3"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct slw_sweep_parameter p;
        struct slw_error err = {0};

        if (slw_sweep_parameter_parse(cases[i][0], &p, &err) < 0)
            fail_msg("%s: %s", cases[i][0], err.text);
        assert_string_equal(joined(&p), cases[i][1]);
        assert_memory_equal(p.name, cases[i][0], strlen(p.name));
    }
}

static void what_is_wrong_is_told(void **state)
{
    static const char *const cases[][2] = {
        {"", "not NAME=VALUES"},
        {"batch", "not NAME=VALUES"},
        {"=1", "not NAME=VALUES"},
        {"1x=1", "not NAME=VALUES"},
        {"a b=1", "not NAME=VALUES"},
        {"{a}=1", "not NAME=VALUES"},
        {"batch=", "empty value"},
        {"batch=1,,2", "empty value"},
        {"batch=1,2,", "empty value"},
        {"batch=1,1", "1 stands twice"},
        {"batch=1,2,1.0", "1.0 stands twice"},
        {"batch=1,2,4,..64,32", "32 stands twice"},
        {"batch=..64", "needs two values or more before it"},
        {"batch=1,..64", "needs two values or more before it"},
        {"batch=1,2,4,..", "needs the last value after it"},
        {"batch=1,2,4,..60", "does not meet 60"},
        {"batch=1,2,4,..4", "does not meet 4"},
        {"batch=1,2,4,..-4", "does not meet -4"},
        {"batch=1,2,5,..64", "neither adds nor multiplies"},
        {"batch=1,2,..64", "may be added or multiplied"},
        {"batch=0,1,2,..x", "'x' is none"},
        {"batch=a,b,..z", "'z' is none"},
        {"batch=1,b,..3", "'b' is none"},
        {"batch=1..60", "doubling 1 does not meet 60"},
        {"batch=0..8", "doubling 0 does not meet 8"},
        {"batch=8..1", "doubling 8 does not meet 1"},
        {"batch=a..b", "'a' is none"},
        {"batch=1,2,3,..1000", "does not meet 1000"},
        {"batch=1,2,3,..1e300", "'1e300' is none"},
        {"batch=1e16..2e16", "'1e16' is none"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct slw_sweep_parameter p = {.count = 77};
        struct slw_error err = {0};

        assert_int_equal(slw_sweep_parameter_parse(cases[i][0], &p, &err), -SLW_E_USAGE);
        assert_int_equal(p.count, 77);
        if (!strstr(err.text, cases[i][1]))
            fail_msg("%s: '%s' does not say '%s'", cases[i][0], err.text, cases[i][1]);
    }
}

static void an_ambiguous_row_is_spelt_out(void **state)
{
    struct slw_sweep_parameter p;
    struct slw_error err = {0};

    (void)state;
    assert_int_equal(slw_sweep_parameter_parse("batch=1,2,..64", &p, &err), -SLW_E_USAGE);
    assert_string_equal(err.hint, "write a third value: 1,2,3,.. or 1,2,4,..");
}

static void values_are_bounded(void **state)
{
    struct slw_sweep_parameter p;
    char text[1024] = "batch=";

    (void)state;
    for (int i = 1; i <= 64; i++)
        (void)snprintf(text + strlen(text), 8, "%s%d", i > 1 ? "," : "", i);
    assert_int_equal(slw_sweep_parameter_parse(text, &p, NULL), 0);
    assert_int_equal(p.count, 64);
    strcat(text, ",65");
    assert_int_equal(slw_sweep_parameter_parse(text, &p, NULL), -SLW_E_USAGE);
    assert_int_equal(slw_sweep_parameter_parse("batch=1,2,3,..64", &p, NULL), 0);
    assert_int_equal(p.count, 64);
    (void)snprintf(text, sizeof(text), "batch=%0200d", 1);
    assert_int_equal(slw_sweep_parameter_parse(text, &p, NULL), -SLW_E_USAGE);
    (void)snprintf(text, sizeof(text), "batch=%065d", 1);
    assert_int_equal(slw_sweep_parameter_parse(text, &p, NULL), -SLW_E_USAGE);
}

/* ---- several ---- */

static int add(struct slw_sweep_parameters *all, const char *text, struct slw_error *err)
{
    struct slw_sweep_parameter p;

    assert_int_equal(slw_sweep_parameter_parse(text, &p, NULL), 0);
    return slw_sweep_parameters_add(all, &p, err);
}

static void the_first_is_of_numbers(void **state)
{
    struct slw_sweep_parameters all = {.count = 0};
    struct slw_error err = {0};

    (void)state;
    assert_int_equal(add(&all, "mode=sync,async", &err), -SLW_E_USAGE);
    assert_non_null(strstr(err.text, "'sync' is no number above 0"));
    assert_int_equal(add(&all, "batch=0,1", NULL), -SLW_E_USAGE);
    assert_int_equal(add(&all, "batch=1,2", NULL), 0);
    assert_int_equal(add(&all, "mode=sync,async", NULL), 0);
    assert_int_equal(add(&all, "batch=4,8", NULL), -SLW_E_USAGE);
    assert_int_equal(all.count, 2);
    assert_int_equal(slw_sweep_parameters_arms(&all), 4);
}

static void parameters_are_bounded(void **state)
{
    struct slw_sweep_parameters all = {.count = 0};
    char text[] = "a=1";

    (void)state;
    for (size_t i = 0; i < SLW_MAX_PARAMETERS; i++, text[0]++)
        assert_int_equal(add(&all, text, NULL), 0);
    assert_int_equal(add(&all, text, NULL), -SLW_E_USAGE);
}

/* ---- commands ---- */

static int make(const char *first, const char *second, const char *const *words, size_t count,
                struct slw_sweep_commands *ret, struct slw_error *err)
{
    struct slw_sweep_parameters all = {.count = 0};
    char *argv[8] = {NULL};
    char space[8][64];

    assert_true(count <= 8);
    for (size_t i = 0; i < count; i++) {
        (void)snprintf(space[i], sizeof(space[i]), "%s", words[i]);
        argv[i] = space[i];
    }
    if (first)
        assert_int_equal(add(&all, first, NULL), 0);
    if (second)
        assert_int_equal(add(&all, second, NULL), 0);
    return slw_sweep_commands_make(&all, argv, count, ret, err);
}

static void each_combination_is_a_command(void **state)
{
    static const char *const words[] = {"./c{batch}", "--{batch}x{depth}", "{{\"a\":{batch}}}", ""};
    struct slw_sweep_commands c;

    (void)state;
    assert_int_equal(make("batch=1,2,3", "depth=8,9", words, 4, &c, NULL), 0);
    assert_int_equal(c.count, 6);
    assert_string_equal(c.all[0].name, "batch=1,depth=8");
    assert_string_equal(c.all[1].name, "batch=2,depth=8");
    assert_string_equal(c.all[5].name, "batch=3,depth=9");
    assert_string_equal(c.all[5].argv[0], "./c3");
    assert_string_equal(c.all[5].argv[1], "--3x9");
    assert_string_equal(c.all[5].argv[2], "{\"a\":3}");
    assert_string_equal(c.all[5].argv[3], "");
    assert_null(c.all[5].argv[4]);
    assert_int_equal(c.all[5].parameter_count, 2);
    assert_string_equal(c.all[5].parameters[1].name, "depth");
    assert_string_equal(c.all[5].parameters[1].value, "9");
    slw_sweep_commands_release(&c);
}

static void wrong_braces_are_told(void **state)
{
    static const char *const cases[][2] = {
        {"{batsh}", "{batsh}, which is no parameter"},
        {"{}", "{}, which is no parameter"},
        {"{batch", "is not closed"},
        {"{batch{", "is not closed"},
        {"{", "is not closed"},
        {"}", "closes nothing"},
        {"{batch}}", "closes nothing"},
        {"plain", "the command has no {batch}"},
        {"{{batch}}", "the command has no {batch}"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct slw_sweep_commands c;
        struct slw_error err = {0};

        assert_int_equal(make("batch=1,2", NULL, &cases[i][0], 1, &c, &err), -SLW_E_USAGE);
        if (!strstr(err.text, cases[i][1]))
            fail_msg("%s: '%s' does not say '%s'", cases[i][0], err.text, cases[i][1]);
    }
}

static void a_slip_is_named(void **state)
{
    static const char *const words[] = {"{batsh}"};
    struct slw_sweep_commands c;
    struct slw_error err = {0};

    (void)state;
    assert_int_equal(make("batch=1,2", NULL, words, 1, &c, &err), -SLW_E_USAGE);
    assert_non_null(strstr(err.hint, "did you mean '{batch}'?"));
}

static void commands_are_bounded(void **state)
{
    static const char *const words[] = {"{a}{b}"};
    struct slw_sweep_commands c;

    (void)state;
    assert_int_equal(make(NULL, NULL, words, 1, &c, NULL), -SLW_E_USAGE);
    assert_int_equal(make("a=1,2,3,..64", "b=1,2,3,4", words, 1, &c, NULL), 0);
    assert_int_equal(c.count, SLW_MAX_ARMS);
    slw_sweep_commands_release(&c);
    assert_int_equal(make("a=1,2,3,..64", "b=1,2,3,4,5", words, 1, &c, NULL), -SLW_E_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_go_on_as_they_are_read),
        cmocka_unit_test(what_is_wrong_is_told),
        cmocka_unit_test(an_ambiguous_row_is_spelt_out),
        cmocka_unit_test(values_are_bounded),
        cmocka_unit_test(the_first_is_of_numbers),
        cmocka_unit_test(parameters_are_bounded),
        cmocka_unit_test(each_combination_is_a_command),
        cmocka_unit_test(wrong_braces_are_told),
        cmocka_unit_test(a_slip_is_named),
        cmocka_unit_test(commands_are_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "analyzer/compare/gate.h"
#include "tests/unit/cmocka_int.h"

#include <stdio.h>
#include <string.h>

static void parses(const char *text, struct slw_gates *gates)
{
    struct slw_error err = {0};

    if (slw_gates_parse(text, gates, &err) < 0)
        fail_msg("'%s': %s", text, err.text);
}

static void the_rules_of_the_manual_are_read(void **state)
{
    (void)state;
    struct slw_gates g;

    parses("cpu_per_request>+3%,p99>+5%,requests_per_flush<-10%", &g);
    assert_int_equal(g.count, 3);
    assert_string_equal(g.all[0].metric, "cpu_per_request");
    assert_true(g.all[0].above && g.all[0].bound == .03);
    assert_string_equal(g.all[0].text, "cpu_per_request>+3%");
    assert_string_equal(g.all[2].metric, "requests_per_flush");
    assert_true(!g.all[2].above && g.all[2].bound == .1);
    assert_string_equal(g.all[2].text, "requests_per_flush<-10%");
}

static void blanks_and_signs_are_free(void **state)
{
    (void)state;
    struct slw_gates g;

    parses(" p99 > 2.5 % ,\tstage.decode: x.cpu_per_call<-0%", &g);
    assert_int_equal(g.count, 2);
    assert_true(g.all[0].bound == .025);
    assert_string_equal(g.all[0].text, "p99 > 2.5 %");
    assert_string_equal(g.all[1].metric, "stage.decode: x.cpu_per_call");
    parses("p99<10%", &g);
    assert_true(!g.all[0].above && g.all[0].bound == .1);
    parses("p99>.5%", &g);
    assert_true(g.all[0].bound == .005);
}

static void wrong_rules_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *text, *where, *why;
    } bad[] = {
        {"", "character 1", "an empty rule"},
        {"p99>1%,", "character 8", "an empty rule"},
        {"p99>1%,,p50>1%", "character 8", "an empty rule"},
        {"p99", "character 1", "neither '>' nor '<'"},
        {">3%", "character 1", "no metric"},
        {"p99>", "character 1", "no bound"},
        {"p99>3", "character 1", "ends with '%'"},
        {"p99>%", "character 1", "not a number"},
        {"p99>three%", "character 1", "not a number"},
        {"p99>1e3%", "character 1", "not a number"},
        {"p99>inf%", "character 1", "not a number"},
        {"p99>nan%", "character 1", "not a number"},
        {"p99>0x10%", "character 1", "not a number"},
        {"p99>1.2.3%", "character 1", "not a number"},
        {"p99>=3%", "character 1", "'>' or '<' alone"},
        {"p99>-3%", "character 1", "'>' takes a bound of 0 or more"},
        {"p99<+3%", "character 1", "'<' takes a bound of 0 or less"},
        {"p99<-100%", "character 1", "nothing falls by 100 %"},
        {"p99>99999999%", "character 1", "larger than any change"},
        {"p99>3%,p99>4%", "character 8", "has a rule already"},
        {"p\x01q>3%", "character 1", "control character"},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa>3%", "character 1",
         "too long"},
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct slw_gates g = {.count = 77};
        struct slw_error err = {0};

        assert_int_equal(slw_gates_parse(bad[i].text, &g, &err), -SLW_E_USAGE);
        if (!strstr(err.text, bad[i].why) || !strstr(err.where, bad[i].where))
            fail_msg("'%s': %s (%s)", bad[i].text, err.text, err.where);
        assert_int_equal(g.count, 77); /* written on success only */
    }
}

static void an_error_repeats_no_control_characters(void **state)
{
    (void)state;
    struct slw_gates g;
    struct slw_error err = {0};

    assert_int_equal(slw_gates_parse("\x1b[31mp99\x07", &g, &err), -SLW_E_USAGE);
    for (const char *s = err.text; *s; s++)
        assert_true((unsigned char)*s >= ' ');
}

static void there_is_a_most(void **state)
{
    (void)state;
    char text[SLW_MAX_GATES * 16 + 32] = "";
    struct slw_gates g;

    for (int i = 0; i < SLW_MAX_GATES; i++)
        (void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "%sm%d>1%%",
                       i > 0 ? "," : "", i);
    parses(text, &g);
    assert_int_equal(g.count, SLW_MAX_GATES);
    (void)strcat(text, ",more>1%");
    assert_int_equal(slw_gates_parse(text, &g, NULL), -SLW_E_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rules_of_the_manual_are_read),
        cmocka_unit_test(blanks_and_signs_are_free),
        cmocka_unit_test(wrong_rules_are_named),
        cmocka_unit_test(an_error_repeats_no_control_characters),
        cmocka_unit_test(there_is_a_most),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

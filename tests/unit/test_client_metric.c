/* SPDX-License-Identifier: MIT */
/* --metric NAME=REGEX, and which client a command line is about. */
#include "analyzer/client_output/client_output_int.h"

#include "tests/unit/cmocka_int.h"

#include <stdio.h>
#include <string.h>

static struct slw_client_readings readings;

static const struct slw_client_reading *find(const char *pattern, const char *text)
{
    struct slw_output_pattern *p = NULL;
    struct slw_error err = {0};

    if (slw_output_pattern_new(pattern, &p, &err) < 0)
        fail_msg("%s: %s", pattern, err.text);
    const struct slw_output_pattern *const all[] = {p};
    assert_int_equal(slw_client_output_read(0, NULL, text, strlen(text), all, 1, &readings, NULL),
                     0);
    slw_output_pattern_free(p);
    return readings.count ? &readings.all[0] : NULL;
}

static void assert_found(const char *pattern, const char *text, double value, double step)
{
    const struct slw_client_reading *r = find(pattern, text);

    if (!r)
        fail_msg("%s: %s", pattern, readings.left_out);
    assert_true(r->value == value);
    assert_true(r->step == step);
}

static void the_last_match_is_the_number(void **state)
{
    (void)state;
    assert_found("score=score: ([0-9.]+)", "score: 1\nscore: 2.50\nscore: 3.0\n", 3, .1);
    assert_found("score=score: ([0-9.]+)", "score: 1 score: 2.25\nother\n", 2.25, .01);
    assert_found("n=[0-9]+", "7 8 9", 9, 1);
    assert_found("n=^([0-9]+)$", "a1\n12\nb3\n", 12, 1);
    assert_found("n=(a|b)?([0-9]+)", "x17", 17, 1); /* the first group that matched */
    assert_found("n= *-[0-9]+", "t = -4", -4, 1);
}

static void a_name_may_carry_a_unit_and_a_direction(void **state)
{
    (void)state;
    const struct slw_client_reading *r = find("score[points]>=s ([0-9]+)", "s 4");

    assert_string_equal(r->key, "score");
    assert_string_equal(r->unit, "points");
    assert_int_equal(r->better, SLW_BETTER_HIGHER);
    r = find("t[ms]<=took ([0-9.]+)", "took 1.5");
    assert_string_equal(r->unit, "ns");
    assert_true(r->value == 1500000 && r->step == 100000);
    assert_int_equal(r->better, SLW_BETTER_LOWER);
    r = find("requests=ops ([0-9]+)", "ops 41\r\nops 42\r\n");
    assert_string_equal(r->key, "requests");
    assert_true(r->value == 42 && r->step == 0);
    assert_int_equal(r->better, SLW_BETTER_NEITHER);
}

static void what_is_no_number_is_left_out_and_said(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *text, *why;
    } cases[] = {
        {"n=x (.*)", "x 1,5", "is no number"},
        {"n=x (.*)", "x nan", "is no number"},
        {"n=x (.*)", "x 1e5", "is no number"},
        {"n=x (.*)", "x 0x10", "is no number"},
        {"n=x (.*)", "x 12 ms", "is no number"},
        {"n=x (.*)", "x ", "is no number"},
        {"n=x ([0-9]+)", "y 1", "matches nothing"},
        {"n=x([0-9]+)", "", "matches nothing"},
        {"requests=x ([-0-9.]+)", "x 1.5", "is no count"},
        {"requests=x ([-0-9.]+)", "x -1", "is no count"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_null(find(cases[i].pattern, cases[i].text));
        if (!strstr(readings.left_out, cases[i].why))
            fail_msg("%s: %s", cases[i].text, readings.left_out);
    }
}

static void two_that_are_left_out_are_both_said(void **state)
{
    struct slw_output_pattern *p[2] = {NULL, NULL};

    (void)state;
    assert_int_equal(slw_output_pattern_new("a=x", &p[0], NULL), 0);
    assert_int_equal(slw_output_pattern_new("b=y", &p[1], NULL), 0);
    assert_int_equal(slw_client_output_read(0, NULL, "", 0,
                                            (const struct slw_output_pattern *const *)p, 2,
                                            &readings, NULL),
                     0);
    assert_string_equal(readings.left_out, "metric a: its expression matches nothing; metric b: "
                                           "its expression matches nothing");
    slw_output_pattern_free(p[0]);
    slw_output_pattern_free(p[1]);
    slw_output_pattern_free(NULL);
}

static void a_bad_metric_says_what_is_wrong(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *why;
    } cases[] = {
        {"", "the name of a metric"},
        {"=x", "the name of a metric"},
        {"9x=1", "the name of a metric"},
        {"a b=1", "needs =, >= or <="},
        {"name", "needs =, >= or <="},
        {"name>x", "needs =, >= or <="},
        {"name[ms=x", "the unit of metric 'name'"},
        {"name[a\nb]=x", "control character"},
        {"name=", "it is empty"},
        {"name=(", "no regular expression"},
        {"name=[", "no regular expression"},
        {"name=(a*)\\1", "back reference"},
        {"name=((a{20}){20}){20}", "too many repetitions"},
        {"name=x{1,99999999999999999999}", "too many repetitions"},
        {"name=a++++++++++++", "too many repetitions"},
        {"name=((((((((((a+)+)+)+)+)+)+)+)+)+)", "too many repetitions"},
        {"name=((((((((((((((((((((((((((((((((((", "parentheses"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct slw_output_pattern *p = NULL;
        struct slw_error err = {0};
        assert_int_equal(slw_output_pattern_new(cases[i].pattern, &p, &err), -SLW_E_USAGE);
        assert_null(p);
        if (!strstr(err.text, cases[i].why))
            fail_msg("%s: %s", cases[i].pattern, err.text);
    }
}

static void ordinary_expressions_are_not_refused(void **state)
{
    (void)state;
    assert_found("n=[]{9}]+([0-9]+)", "]{9}3", 3, 1);
    assert_found("n=[[:digit:]]{2}", "xx12yy", 12, 1);
    assert_found("n=\\{([0-9]+)\\}", "{5}", 5, 1);
    assert_found("n=a+b+c+d+e+f+g+h+i+j+k+l+ +([0-9]+)", "abcdefghijkl 4", 4, 1);
    assert_found("n=\\(([0-9]{1,10})\\)", "(77)", 77, 1);
}

static void a_number_far_out_in_a_line_is_not_looked_at(void **state)
{
    static char text[SLW_MAX_MATCHED_LINE + 64];

    (void)state;
    memset(text, 'a', sizeof(text) - 1);
    memcpy(text + SLW_MAX_MATCHED_LINE - 2, "x7", 2);
    memcpy(text + SLW_MAX_MATCHED_LINE + 8, "x9", 2);
    assert_found("n=x([0-9])", text, 7, 1);
}

/* ---- command lines ---- */

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void assert_client(const char *const *argv, const char *client)
{
    struct slw_client_argv a;
    size_t argc = 0;

    while (argv[argc])
        argc++;
    slw_client_argv_of(argc, argv, &a);
    if (!client && a.argc == 0)
        return;
    assert_true(a.argc > 0);
    assert_string_equal(a.argv[0], client);
}

static void wrappers_are_taken_off(void **state)
{
    (void)state;
    assert_client(WORDS("pgbench", "-S"), "pgbench");
    assert_client(WORDS("env", "pgbench"), "pgbench");
    assert_client(WORDS("env", "-i", "-u", "HOME", "--chdir", "/", "A=b", "C=d", "pgbench"),
                  "pgbench");
    assert_client(WORDS("/usr/bin/nice", "-n", "5", "pgbench"), "pgbench");
    assert_client(WORDS("nice", "-5", "pgbench"), "pgbench");
    assert_client(WORDS("nice", "--adjustment=5", "pgbench"), "pgbench");
    assert_client(WORDS("taskset", "-c", "0,1", "pgbench"), "pgbench");
    assert_client(WORDS("taskset", "0x3", "pgbench"), "pgbench");
    assert_client(WORDS("taskset", "-ac", "1", "env", "X=1", "pgbench"), "pgbench");
    assert_client(WORDS("numactl", "-N", "0", "--membind=0", "--localalloc", "pgbench"), "pgbench");
    assert_client(WORDS("numactl", "-N0", "--membind", "0", "--", "pgbench"), "pgbench");
    assert_client(WORDS("chrt", "-f", "50", "pgbench"), "pgbench");
    assert_client(WORDS("time", "-v", "-o", "file", "pgbench"), "pgbench");
    assert_client(WORDS("timeout", "-k", "1", "10s", "pgbench"), "pgbench");
    assert_client(WORDS("stdbuf", "-oL", "nohup", "ionice", "-c2", "-n", "0", "pgbench"),
                  "pgbench");
}

static void interpreters_are_taken_off(void **state)
{
    (void)state;
    assert_client(WORDS("python3", "-u", "-m", "client"), "client");
    assert_client(WORDS("/usr/bin/python3.11", "load.py"), "load.py");
    assert_client(WORDS("python3", "-c", "print(1)"), NULL);
    assert_client(WORDS("bash", "/opt/bin/cassandra-stress", "write"), "/opt/bin/cassandra-stress");
    assert_client(WORDS("java", "-Xmx1g", "-cp", "a:b", "org.apache.cassandra.stress.Stress"),
                  "org.apache.cassandra.stress.Stress");
    assert_client(WORDS("java", "-jar", "x/cassandra-stress.jar", "write"),
                  "x/cassandra-stress.jar");
    assert_client(WORDS("sh", "-c", "exec  nice pgbench -S 'a b' \"c\""), "pgbench");
    assert_client(WORDS("bash", "-ec", "taskset -c 0 redis-benchmark"), "redis-benchmark");
}

static void scripts_of_several_commands_are_not_guessed(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "pgbench; pgbench", "pgbench | tail", "pgbench && true", "pgbench > f", "$(which pgbench)",
        "pgbench `x`",      "pgbench 'a",     "# pgbench",       "pgbench\nx",  "pg\\bench",
    };

    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        assert_client(WORDS("sh", "-c", lines[i]), NULL);
    assert_client(WORDS("env"), NULL);
    assert_client(WORDS("taskset", "-c"), NULL);
    assert_client(WORDS("sh"), NULL);
    assert_client(WORDS("java"), NULL);
}

static void every_reader_is_found_behind_a_wrapper(void **state)
{
    (void)state;
    const char *const argv[] = {"sh", "-c", "exec taskset -c 0 redis-benchmark -q"};

    assert_int_equal(slw_client_output_read(3, argv, "", 0, NULL, 0, &readings, NULL), 0);
    assert_string_equal(readings.reader, "redis_benchmark");
    const char *const other[] = {"redis-cli"};
    assert_int_equal(slw_client_output_read(1, other, "", 0, NULL, 0, &readings, NULL), 0);
    assert_null(readings.reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_match_is_the_number),
        cmocka_unit_test(a_name_may_carry_a_unit_and_a_direction),
        cmocka_unit_test(what_is_no_number_is_left_out_and_said),
        cmocka_unit_test(two_that_are_left_out_are_both_said),
        cmocka_unit_test(a_bad_metric_says_what_is_wrong),
        cmocka_unit_test(ordinary_expressions_are_not_refused),
        cmocka_unit_test(a_number_far_out_in_a_line_is_not_looked_at),
        cmocka_unit_test(wrappers_are_taken_off),
        cmocka_unit_test(interpreters_are_taken_off),
        cmocka_unit_test(scripts_of_several_commands_are_not_guessed),
        cmocka_unit_test(every_reader_is_found_behind_a_wrapper),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Commands as people type them: split like a shell does, given to a shell where it takes one, and
 * quoted so that a shell reads the same again. */
#include "tests/unit/cmocka_int.h"

#include "cli/experiment/experiment.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void splits(const char *text, const char *expected)
{
    struct slw_buf words = {0};
    char **argv = NULL;
    bool shell = true;

    assert_int_equal(slw_argv_split(text, &argv, &shell, NULL), 0);
    assert_false(shell);
    for (size_t i = 0; argv[i]; i++)
        slw_buf_printf(&words, "<%s>", argv[i]);
    assert_string_equal(words.data, expected);
    slw_buf_release(&words);
    slw_argv_free(argv);
}

static void plain_words_are_split_as_a_shell_would(void **state)
{
    (void)state;
    splits("a b  c\td", "<a><b><c><d>");
    splits("  a  ", "<a>");
    splits("a 'b c' \"d e\"", "<a><b c><d e>");
    splits("a b'c 'd\"e\"", "<a><bc de>");
    splits("a '' \"\"", "<a><><>");
    splits("a b\\ c \\\\ \\'", "<a><b c><\\><'>");
    splits("a \"\\\"\\\\x\\y\"", "<a><\"\\x\\y>");
    splits("a '$HOME `x` | ; *'", "<a><$HOME `x` | ; *>");
    splits("a b#c d~e {x}", "<a><b#c><d~e><{x}>");
    splits("a --set=1 x=y", "<a><--set=1><x=y>");
}

static void what_only_a_shell_can_do_is_given_to_one(void **state)
{
    static const char *const texts[] = {
        "a | b",    "a; b",  "a && b", "a > out", "a < in",  "a $HOME", "a \"$HOME\"",
        "a `b`",    "a *.c", "a ?",    "a [x]",   "a ~",     "a # b",   "X=1 a",
        "cd / a",   "(a)",   "exec a", "! a",     "a\nb",    "if a",    "a \"`b`\"",
        "export X", ": a",   "{ a",    "while a", "_x9=1 b", "a &",     "eval a"};

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        char **argv = NULL;
        bool shell = false;

        assert_int_equal(slw_argv_split(texts[i], &argv, &shell, NULL), 0);
        if (!shell)
            fail_msg("%s takes a shell", texts[i]);
        assert_string_equal(argv[0], "/bin/sh");
        assert_string_equal(argv[1], "-c");
        assert_string_equal(argv[2], texts[i]);
        assert_null(argv[3]);
        slw_argv_free(argv);
    }
}

static void what_is_no_command_is_refused(void **state)
{
    static const char *const texts[] = {"", "  ", "a 'b", "a \"b", "a b\\", "a \"b\\\""};

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct slw_error err = {0};
        char **argv = NULL;
        bool shell;

        assert_int_equal(slw_argv_split(texts[i], &argv, &shell, &err), -SLW_E_USAGE);
        assert_true(err.text[0]);
        assert_null(argv);
    }
}

static void what_is_quoted_is_split_again_and_read_by_a_shell(void **state)
{
    static const char *const argv[] = {"/bin/echo", "a b",  "it's",  "\"",    "",    "$x",
                                       "\\",        "*",    "a;b",   "~",     "x=1", "#",
                                       "-n+",       "|&<>", "\ttab", "!bang", NULL};
    struct slw_buf text = {0};
    char **again = NULL, line[256] = "";
    bool shell = true;
    size_t count = 0;

    (void)state;
    slw_argv_quote(&text, argv);
    assert_int_equal(slw_argv_split(text.data, &again, &shell, NULL), 0);
    assert_false(shell);
    for (; argv[count]; count++)
        assert_string_equal(again[count], argv[count]);
    assert_null(again[count]);
    slw_argv_free(again);
    /* And by a real one: printf shows each word it is given on a line. */
    struct slw_buf command = {0};
    slw_buf_printf(&command, "printf '%%s\\n' %s", text.data);
    FILE *f = popen(command.data, "r");
    assert_non_null(f);
    for (size_t i = 0; i < count; i++) {
        assert_non_null(fgets(line, sizeof(line), f));
        line[strcspn(line, "\n")] = '\0';
        assert_string_equal(line, argv[i]);
    }
    assert_int_equal(pclose(f), 0);
    slw_buf_release(&command);
    slw_buf_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_words_are_split_as_a_shell_would),
        cmocka_unit_test(what_only_a_shell_can_do_is_given_to_one),
        cmocka_unit_test(what_is_no_command_is_refused),
        cmocka_unit_test(what_is_quoted_is_split_again_and_read_by_a_shell),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

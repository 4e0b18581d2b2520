/* SPDX-License-Identifier: MIT */
#include "workloads/where.h"

#include "tests/unit/cmocka_int.h"

#include <string.h>

#define LONG_NAME                                                                                  \
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
    "a"

static void places_are_read(void **state)
{
    static const struct {
        const char *text, *host, *path;
        uint16_t port;
    } cases[] = {
        {NULL, "127.0.0.1", "", 5},
        {"localhost", "localhost", "", 5},
        {"db.example:1", "db.example", "", 1},
        {"127.0.0.1:65535", "127.0.0.1", "", 65535},
        {"[::1]", "::1", "", 5},
        {"[::1]:7", "::1", "", 7},
        {"[fe80::1%eth0]:007", "fe80::1%eth0", "", 7},
        {"/run/a:b.sock", "", "/run/a:b.sock", 5},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct slw_where w;
        struct slw_error err = {0};

        assert_int_equal(slw_where_parse(cases[i].text, 5, &w, &err), 0);
        assert_string_equal(w.host, cases[i].host);
        assert_string_equal(w.path, cases[i].path);
        assert_int_equal(w.port, cases[i].port);
    }
}

static void other_texts_are_refused_with_a_hint(void **state)
{
    static const char *const texts[] = {
        "",
        ":",
        ":1",
        "[",
        "[]",
        "[]:1",
        "[::1",
        "[::1]1",
        "::1",
        "a:",
        "a:0",
        "a:65536",
        "a:-1",
        "a:+1",
        "a: 1",
        "a:0x10",
        "a:1:2",
        "a b",
        "a\n",
        "a:1 ",
        "[a b]",
        "/a\tb",
        "[::1]:",
        "a:99999999999999999999",
        "/" LONG_NAME LONG_NAME LONG_NAME,
        LONG_NAME LONG_NAME LONG_NAME ":1",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct slw_where w = {.port = 77};
        struct slw_error err = {0};

        if (slw_where_parse(texts[i], 5, &w, &err) != -SLW_E_INVAL)
            fail_msg("'%s' was taken", texts[i]);
        assert_true(err.text[0] && err.hint[0]);
        assert_int_equal(w.port, 77); /* written only on success */
    }
}

static void places_are_told(void **state)
{
    struct slw_where w;
    char text[40];

    (void)state;
    assert_int_equal(slw_where_parse("[::1]:7", 5, &w, NULL), 0);
    slw_where_text(&w, text, sizeof(text));
    assert_string_equal(text, "::1 port 7");
    assert_int_equal(slw_where_parse("/run/x", 5, &w, NULL), 0);
    slw_where_text(&w, text, sizeof(text));
    assert_string_equal(text, "/run/x");
}

static void table_names_need_no_quotes(void **state)
{
    static const char *const good[] = {"a", "_", "Requests_2",
                                       "a23456789012345678901234567890123456789012345678"};
    static const char *const bad[] = {"",
                                      "2a",
                                      "a b",
                                      "a;b",
                                      "a\"",
                                      "a`",
                                      "a.b",
                                      "\xc3\xa4",
                                      "a*",
                                      "a:b",
                                      "a234567890123456789012345678901234567890123456789"};

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_int_equal(slw_table_check(good[i], NULL), 0);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct slw_error err = {0};
        assert_int_equal(slw_table_check(bad[i], &err), -SLW_E_INVAL);
        assert_true(err.hint[0] != '\0');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places_are_read),
        cmocka_unit_test(other_texts_are_refused_with_a_hint),
        cmocka_unit_test(places_are_told),
        cmocka_unit_test(table_names_need_no_quotes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

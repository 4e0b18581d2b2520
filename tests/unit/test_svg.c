/* SPDX-License-Identifier: MIT */
#include "collector/importer.h"
#include "flamegraph/amount.h"
#include "flamegraph/escape.h"
#include "tests/unit/cmocka_int.h"
#include "tests/unit/xml_check_int.h"

#include <stdio.h>
#include <stdlib.h>

extern const struct slw_importer slw_importer_folded;

static void check_escape(const char *text, int columns, const char *expected)
{
    struct slw_buf b = {0};

    slw_escape_put(&b, text, columns);
    assert_string_equal(b.data, expected);
    slw_buf_release(&b);
}

static void text_becomes_safe_and_visible(void **state)
{
    (void)state;
    static const char reordered[] = {'\xe2', '\x80', '\xae', 'g', '\0'};
    static const char *const table[][2] = {
        {"std::map<int, \"x\">", "std::map&lt;int, &quot;x&quot;&gt;"},
        {"a&b'c", "a&amp;b&#39;c"},
        {"]]>", "]]&gt;"},
        {"</script><script>alert(1)</script>",
         "&lt;/script&gt;&lt;script&gt;alert(1)&lt;/script&gt;"},
        {"a\nb\tc\x01\x7f", "a\u240ab\u2409c\u2401\u2421"},
        {"caf\xc3\xa9", "caf\u00e9"},
        {"\xff\xfe", "\ufffd\ufffd"},
        {"\xc3(", "\ufffd("},                             /* cut sequence */
        {"\xc0\xaf", "\ufffd\ufffd"},                     /* overlong '/' */
        {"\xe2\x82", "\ufffd\ufffd"},                     /* ends too early */
        {"\xed\xa0\x80", "\ufffd"},                       /* a surrogate */
        {"\xef\xbf\xbf", "\ufffd"},                       /* U+FFFF */
        {"\xf4\x90\x80\x80", "\ufffd\ufffd\ufffd\ufffd"}, /* past U+10FFFF */
        {reordered, "\ufffdg"},                           /* right-to-left override */
        {"\xc2\x85", "\ufffd"},                           /* C1 control */
        {"\xf0\x9f\x94\xa5", "\U0001F525"},
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        check_escape(table[i][0], 100, table[i][1]);
}

static void text_is_cut_to_its_columns(void **state)
{
    (void)state;
    check_escape("abcdef", 6, "abcdef");
    check_escape("abcdef", 5, "abcd\u2026");
    check_escape("abcdef", 1, "\u2026");
    check_escape("<<<<", 3, "&lt;&lt;\u2026");
    check_escape("\u6f22\u5b57", 4, "\u6f22\u5b57"); /* two columns each */
    check_escape("\u6f22\u5b57", 3, "\u6f22\u2026");
}

static void check_amount(uint64_t value, uint32_t scale, const char *expected)
{
    struct slw_buf b = {0};

    slw_amount_put(&b, value, scale);
    assert_string_equal(b.data, expected);
    slw_buf_release(&b);
}

static void amounts_are_exact(void **state)
{
    (void)state;
    check_amount(0, 1, "0");
    check_amount(999, 1, "999");
    check_amount(1000, 1, "1,000");
    check_amount(UINT64_MAX, 1, "18,446,744,073,709,551,615");
    check_amount(1234567890, 1000000, "1,234.568");
    check_amount(UINT64_MAX, 1000000, "18,446,744,073,709.552");
    assert_int_equal(slw_amount_share(1, 3, 100), 3333);
    assert_int_equal(slw_amount_share(UINT64_MAX, UINT64_MAX, 1180), 118000);
    assert_int_equal(slw_amount_share(0, 0, 100), 0);
}

static char *draw(const char *folded, size_t length, const struct slw_svg_options *opts)
{
    struct slw_imported imported;
    struct slw_tree *tree = NULL;
    struct slw_buf out = {0};

    assert_int_equal(slw_importer_folded.import("test", folded, length, &imported, NULL), 0);
    assert_int_equal(slw_tree_new(imported.stacks, 0, NULL, &tree, NULL), 0);
    assert_int_equal(slw_svg_render(tree, opts, &out, NULL), 0);
    assert_int_equal(xml_check(out.data, out.length), -1);
    slw_tree_free(tree);
    slw_stacks_free(imported.stacks);
    slw_run_free(imported.run);
    return slw_buf_take(&out);
}

static size_t count(const char *text, const char *what)
{
    size_t n = 0;

    for (const char *p = text; (p = strstr(p, what)) != NULL; p += strlen(what))
        n++;
    return n;
}

static void a_drawing_holds_every_frame_and_its_numbers(void **state)
{
    (void)state;
    static const char folded[] = "client;main;send 30\nclient;main;recv_[k] 60\nclient;main 10\n";
    char *svg = draw(folded, sizeof(folded) - 1, NULL);

    assert_int_equal(count(svg, "data-f="), 5);
    assert_non_null(strstr(svg, "data-f=\"3 0 60\"><title>recv\n60 samples, 60.00%</title>"));
    assert_non_null(strstr(svg, "data-f=\"3 60 30\"><title>send\n30 samples, 30.00%</title>"));
    assert_non_null(strstr(svg, "data-total=\"100\""));
    assert_non_null(strstr(svg, "software, imported"));
    assert_null(strstr(svg, "nan"));
    free(svg);
}

static enum slw_svg_category bound_by(const void *ctx, const char *function, const char *module)
{
    assert_string_equal(ctx, "mine");
    assert_string_equal(module, "");
    return strcmp(function, "send") == 0   ? SLW_SVG_FRONTEND
           : strcmp(function, "recv") == 0 ? SLW_SVG_BACKEND
                                           : SLW_SVG_UNKNOWN;
}

static void categories_colour_frames_and_are_told_in_words(void **state)
{
    (void)state;
    static const char folded[] = "client;main;send 30\nclient;main;recv 60\nclient;main 10\n";
    const struct slw_svg_options opts = {.category = bound_by, .category_ctx = "mine"};
    char *svg = draw(folded, sizeof(folded) - 1, &opts);

    assert_non_null(strstr(svg,
                           "<g class=\"cb\" data-f=\"3 0 60\"><title>recv\n60 samples, 60.00%; "
                           "itself: back-end bound</title>"));
    assert_non_null(strstr(svg, "<g class=\"cf\" data-f=\"3 60 30\""));
    assert_int_equal(count(svg, "<g class=\"cn\" data-f="), 3); /* the root, client, main */
    assert_non_null(strstr(svg, ">too few samples</text>"));
    assert_null(strstr(svg, ">inlined</text>"));
    free(svg);
}

static void hostile_names_and_titles_stay_text(void **state)
{
    (void)state;
    static const char folded[] =
        "</title></g></svg><script>window.pwned=1</script>;\"onload=\"x ;]]>;a\x01\xff&amp; 5\n";
    const struct slw_svg_options opts = {.title = "<b>\"]]>&\n", .subtitle = "</svg>\nx\xff<y"};
    char *svg = draw(folded, sizeof(folded) - 1, &opts);

    assert_int_equal(count(svg, "<script"), 1);
    assert_int_equal(count(svg, "</svg>"), 1);
    assert_null(strstr(svg, "\"onload"));
    free(svg);
}

static void a_very_long_name_is_kept_in_the_tooltip(void **state)
{
    (void)state;
    static const char count_line[] = {' ', '1', '2', '\n'};
    static const char count_in_tooltip[] = {'\n', '1', '2', '\0'};
    char folded[5000];

    memset(folded, 'T', sizeof(folded));
    memcpy(folded + sizeof(folded) - 4, count_line, 4);
    char *svg = draw(folded, sizeof(folded), NULL);
    memcpy(folded + sizeof(folded) - 4, count_in_tooltip, 4);
    assert_int_equal(count(svg, folded), 1);
    free(svg);
}

static void nothing_outside_is_referenced(void **state)
{
    (void)state;
    char *svg = draw("a;b 1\n", 6, NULL);

    /* The only addresses are the names of the SVG and XHTML vocabularies. */
    assert_int_equal(count(svg, "://"), count(svg, "http://www.w3.org/2000/svg") +
                                            count(svg, "http://www.w3.org/1999/xhtml"));
    assert_null(strstr(svg, "href"));
    assert_null(strstr(svg, "url("));
    assert_null(strstr(svg, "@import"));
    assert_null(strstr(svg, "eval("));
    assert_null(strstr(svg, "innerHTML"));
    free(svg);
}

static void no_samples_are_said_in_words(void **state)
{
    (void)state;
    char *svg = draw("a 0\n", 4, NULL);

    assert_non_null(strstr(svg, "No samples"));
    assert_int_equal(count(svg, "data-f="), 0);
    free(svg);
}

static void culling_is_said_in_words(void **state)
{
    (void)state;
    static const char folded[] = "m;a 1\nm;b 1\nm;c 99998\n";
    char *svg = draw(folded, sizeof(folded) - 1, NULL);

    assert_non_null(strstr(svg, "2 frames narrower than 0.10 px"));
    assert_non_null(strstr(svg, "data-culled=\"2\""));
    free(svg);
}

static void the_same_stacks_give_the_same_bytes(void **state)
{
    (void)state;
    static const char one[] = "m;a 1\nm;b 2\n", other[] = "m;b 2\nm;a 1\n";
    char *a = draw(one, sizeof(one) - 1, NULL), *b = draw(other, sizeof(other) - 1, NULL);

    assert_string_equal(a, b);
    free(a);
    free(b);
}

static void an_absurd_width_is_refused(void **state)
{
    (void)state;
    struct slw_imported imported;
    struct slw_tree *tree = NULL;
    struct slw_buf out = {0};
    const struct slw_svg_options opts = {.width_px = -5};

    assert_int_equal(slw_importer_folded.import("test", "a 1\n", 4, &imported, NULL), 0);
    assert_int_equal(slw_tree_new(imported.stacks, 0, NULL, &tree, NULL), 0);
    assert_int_equal(slw_svg_render(tree, &opts, &out, NULL), -SLW_E_INVAL);
    assert_int_equal(out.length, 0);
    slw_buf_release(&out);
    slw_tree_free(tree);
    slw_stacks_free(imported.stacks);
    slw_run_free(imported.run);
}

static void the_checker_finds_faults(void **state)
{
    (void)state;
    static const char good[] = "<a b=\"&lt;\">x&amp;<![CDATA[<&]]></a>\n";
    static const char *const bad[] = {"<a>",         "<a></b>",          "<a>&x;</a>",
                                      "<a>]]></a>",  "<a b=\"<\"/>",     "<a/><a/>",
                                      "<a>\x01</a>", "<a>\xff</a>",      "<a b=\"1\"c=\"2\"/>",
                                      "x<a/>",       "<a><![CDATA[</a>", ""};

    assert_int_equal(xml_check(good, strlen(good)), -1);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (xml_check(bad[i], strlen(bad[i])) < 0)
            fail_msg("taken for well-formed: %s", bad[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_checker_finds_faults),
        cmocka_unit_test(text_becomes_safe_and_visible),
        cmocka_unit_test(text_is_cut_to_its_columns),
        cmocka_unit_test(amounts_are_exact),
        cmocka_unit_test(a_drawing_holds_every_frame_and_its_numbers),
        cmocka_unit_test(categories_colour_frames_and_are_told_in_words),
        cmocka_unit_test(hostile_names_and_titles_stay_text),
        cmocka_unit_test(a_very_long_name_is_kept_in_the_tooltip),
        cmocka_unit_test(nothing_outside_is_referenced),
        cmocka_unit_test(no_samples_are_said_in_words),
        cmocka_unit_test(culling_is_said_in_words),
        cmocka_unit_test(the_same_stacks_give_the_same_bytes),
        cmocka_unit_test(an_absurd_width_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

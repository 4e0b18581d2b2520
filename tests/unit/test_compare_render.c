/* SPDX-License-Identifier: MIT */
/* A comparison for a terminal and for programs, byte for byte (tests/unit/expected). */
#include "analyzer/text.h"
#include "tests/awkward_comparisons.h"
#include "tests/unit/expected_int.h"

#include <jansson.h>

static struct versus gated(void)
{
    struct versus v = versus_batching(20);

    versus_gates(&v, "cpu_per_request>+3%,p99>+5%,requests_per_flush<-10%");
    return v;
}

static struct versus apart(void)
{
    struct versus v = versus_batching(8);

    versus_apart(&v);
    v.in.a.name = "main.slotwise";
    v.in.b.name = "branch.slotwise";
    v.b->host.kernel = "6.8.0";
    return v;
}

static struct versus few(void)
{
    struct versus v = versus_new(4);

    versus_both(&v, "cpu_per_request", 12300, 12200, 4);
    versus_both(&v, "p99", 90000, 91000, 4);
    return v;
}

static struct versus small(void)
{
    struct versus v = versus_new(6);

    versus_both(&v, "cpu_per_request", 12300, 4100, 6);
    versus_both(&v, "requests_per_flush", 1, 16, 6);
    versus_gates(&v, "cpu_per_request>+3%");
    return v;
}

static void comparisons_read_as_expected(void **state)
{
    (void)state;
    static const struct {
        const char *file, *renderer;
        struct versus (*make)(void);
        struct slw_render_options opts;
    } cases[] = {{"compare.txt", "term", gated, {0}},
                 {"compare-narrow.txt", "term", gated, {.width = 56}},
                 {"compare-color.txt", "term", gated, {.color = true, .width = 110}},
                 {"compare-verbose.txt", "term", awkward_gaps, {.verbose = true, .width = 100}},
                 {"compare-apart.txt", "term", apart, {0}},
                 {"compare-few.txt", "term", few, {0}},
                 {"compare.json", "json", small, {0}}};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct versus v = cases[i].make();
        char *text = versus_render(&v, cases[i].renderer, &cases[i].opts);

        assert_expected(cases[i].file, text);
        free(text);
        versus_free(&v);
    }
}

static void assert_lines_fit(char *text, const char *what, int width)
{
    char *rest = text, *line;

    while ((line = strsep(&rest, "\n")) != NULL)
        if (slw_text_columns(line) > (size_t)width)
            fail_msg("%s, width %d, %zu columns: %s", what, width, slw_text_columns(line), line);
}

static void terminal_lines_fit(void **state)
{
    (void)state;
    static const int widths[] = {50, 66, 79, 80, 81, 120};

    for (size_t i = 0; i < AWKWARD_COMPARISON_COUNT; i++)
        for (size_t w = 0; w < sizeof(widths) / sizeof(widths[0]); w++) {
            struct versus v = awkward_comparisons[i].make();
            struct slw_render_options opts = {.width = widths[w]};

            for (int verbose = 0; verbose < 2; verbose++) {
                opts.verbose = verbose;
                char *text = versus_render(&v, "term", &opts);
                assert_lines_fit(text, awkward_comparisons[i].name, widths[w]);
                free(text);
            }
            versus_free(&v);
        }
}

/* Names keep every byte in JSON, and the text is JSON. */
static void json_is_json(void **state)
{
    (void)state;
    for (size_t i = 0; i < AWKWARD_COMPARISON_COUNT; i++) {
        struct versus v = awkward_comparisons[i].make();
        char *text = versus_render(&v, "json", &(struct slw_render_options){0});
        json_error_t error;
        json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &error);

        if (!root)
            fail_msg("%s: line %d: %s", awkward_comparisons[i].name, error.line, error.text);
        assert_int_equal(json_array_size(json_object_get(root, "metrics")),
                         v.comparison->row_count);
        json_decref(root);
        free(text);
        versus_free(&v);
    }
}

/* Swapping the arms swaps the words: a report cannot be read backwards. */
static void swapped_arms_swap_the_words(void **state)
{
    (void)state;
    struct versus v = versus_new(20);
    char *text;

    versus_both(&v, "cpu_per_request", 1000, 800, 20);
    text = versus_render(&v, "term", &(struct slw_render_options){0});
    assert_non_null(strstr(text, "B uses 19.9 % less CPU time per request than A"));
    assert_non_null(strstr(text, "improved"));
    free(text);
    const struct slw_run *a = v.in.a.run;
    v.in.a.run = v.in.b.run;
    v.in.b.run = a;
    text = versus_render(&v, "term", &(struct slw_render_options){0});
    assert_non_null(strstr(text, "more CPU time per request than A"));
    assert_non_null(strstr(text, "regressed"));
    free(text);
    versus_free(&v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comparisons_read_as_expected),
        cmocka_unit_test(terminal_lines_fit),
        cmocka_unit_test(json_is_json),
        cmocka_unit_test(swapped_arms_swap_the_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

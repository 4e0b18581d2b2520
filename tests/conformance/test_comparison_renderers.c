/* SPDX-License-Identifier: MIT */
/* What every renderer of compare/renderers.def must do, over comparisons that are hard to render.
 */
#include "analyzer/text.h"
#include "tests/awkward_comparisons.h"

#include <ctype.h>

static void assert_clean(const struct slw_comparison_renderer *renderer, const char *name,
                         const char *text, bool color)
{
    while (*text) {
        uint32_t code = 0;
        size_t n = slw_text_decode(text, &code);

        if (n == 0)
            fail_msg("%s of %s is not UTF-8 at: %.20s", renderer->name, name, text);
        if (color && text[0] == '\033' && text[1] == '[') {
            for (text += 2; isdigit((unsigned char)*text); text++)
                ;
            n = 1;
        } else if (code == '\r' && text[1] == '\n') {
            n = 2; /* how lines of CSV end */
        } else if (code != '\n' && slw_text_is_unsafe(code)) {
            fail_msg("%s of %s holds U+%04x", renderer->name, name, (unsigned)code);
        }
        text += n;
    }
}

static bool stands_alone(const char *text, const char *at, const char *word)
{
    return (at == text || !isalpha((unsigned char)at[-1])) &&
           !isalpha((unsigned char)at[strlen(word)]);
}

static void assert_no_invented_numbers(const struct slw_comparison_renderer *renderer,
                                       const char *name, const char *text)
{
    static const char *const words[] = {"nan", "inf", "(null)"};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        for (const char *at = text; (at = strstr(at, words[i])) != NULL; at++)
            if (stands_alone(text, at, words[i]))
                fail_msg("%s of %s prints %s: %.60s", renderer->name, name, words[i],
                         at - text > 20 ? at - 20 : text);
}

static void render(const struct slw_comparison_renderer *renderer, const char *name,
                   const struct slw_comparison *c, const struct slw_render_options *opts)
{
    struct slw_buf first = {0}, second = {0};
    struct slw_error err = {0};

    if (renderer->render(c, opts, &first, &err) < 0)
        fail_msg("%s of %s: %s", renderer->name, name, err.text);
    assert_true(first.length > 0 && first.data[first.length - 1] == '\n');
    assert_int_equal(strlen(first.data), first.length);
    assert_clean(renderer, name, first.data, opts->color);
    assert_no_invented_numbers(renderer, name, first.data);
    assert_int_equal(renderer->render(c, opts, &second, NULL), 0);
    assert_string_equal(first.data, second.data); /* no hidden state */
    slw_buf_release(&first);
    slw_buf_release(&second);
}

static void every_renderer_survives_every_comparison(void **state)
{
    (void)state;
    static const int widths[] = {0, 1, 66, 100, 100000};

    for (size_t i = 0; i < AWKWARD_COMPARISON_COUNT; i++) {
        struct versus v = awkward_comparisons[i].make();
        const struct slw_comparison *c = versus_compare(&v);

        for (size_t n = 0; n < slw_comparison_renderer_count; n++)
            for (size_t w = 0; w < sizeof(widths) / sizeof(widths[0]); w++) {
                struct slw_render_options opts = {.width = widths[w]};

                render(slw_comparison_renderers[n], awkward_comparisons[i].name, c, &opts);
                opts.color = opts.verbose = true;
                render(slw_comparison_renderers[n], awkward_comparisons[i].name, c, &opts);
            }
        versus_free(&v);
    }
}

/* Equal runs give equal bytes, whatever was compared before. */
static void a_comparison_made_again_reads_the_same(void **state)
{
    (void)state;
    for (size_t n = 0; n < slw_comparison_renderer_count; n++) {
        const char *name = slw_comparison_renderers[n]->name;
        struct versus one = awkward_gated(), other = awkward_gated();
        char *first = versus_render(&one, name, &(struct slw_render_options){0});
        char *second = versus_render(&other, name, &(struct slw_render_options){0});

        assert_string_equal(first, second);
        free(first);
        free(second);
        versus_free(&one);
        versus_free(&other);
    }
}

static void every_renderer_is_found_by_its_name(void **state)
{
    (void)state;
    for (size_t n = 0; n < slw_comparison_renderer_count; n++) {
        const struct slw_comparison_renderer *r = slw_comparison_renderers[n];

        assert_ptr_equal(slw_comparison_renderer_find(r->name), r);
        assert_true(r->summary[0] && r->extension[0]);
    }
    assert_null(slw_comparison_renderer_find("no such format"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_renderer_survives_every_comparison),
        cmocka_unit_test(a_comparison_made_again_reads_the_same),
        cmocka_unit_test(every_renderer_is_found_by_its_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

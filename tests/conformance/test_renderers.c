/* SPDX-License-Identifier: MIT */
/* What every renderer of renderers.def must do, over runs that are hard to render. */
#include "analyzer/text.h"
#include "tests/awkward_runs.h"

#include <ctype.h>

static void assert_utf8(const struct slw_renderer *renderer, const char *run, const char *text)
{
    while (*text) {
        uint32_t code;
        size_t n = slw_text_decode(text, &code);

        if (n == 0)
            fail_msg("%s of %s is not UTF-8 at: %.20s", renderer->name, run, text);
        if (code >= 0x7f && slw_text_is_unsafe(code))
            fail_msg("%s of %s holds U+%04x", renderer->name, run, (unsigned)code);
        text += n;
    }
}

/* Newline and, with colour, "ESC [ digits m" are the only controls. */
static void assert_no_controls(const struct slw_renderer *renderer, const char *run,
                               const char *text, bool color)
{
    for (const char *c = text; *c; c++) {
        unsigned char byte = (unsigned char)*c;

        if (byte == '\033' && color && c[1] == '[') {
            c += 2;
            while (isdigit((unsigned char)*c))
                c++;
            if (*c == 'm')
                continue;
        } else if ((byte >= 0x20 && byte != 0x7f) || byte == '\n') {
            continue;
        }
        fail_msg("%s of %s has a control character before: %.20s", renderer->name, run, c);
    }
}

static void assert_no_invented_numbers(const char *text)
{
    for (const char *c = text; (c = strstr(c, "nan")) != NULL; c++)
        assert_true(isalpha((unsigned char)c[3])); /* "nanoseconds" */
    for (const char *c = text; (c = strstr(c, "inf")) != NULL; c++)
        assert_true(isalpha((unsigned char)c[3])); /* "info" */
    assert_null(strstr(text, "(null)"));
}

static void render(const struct slw_renderer *renderer, const char *run, const struct slw_report *r,
                   const struct slw_render_options *opts)
{
    struct slw_buf first = {0}, second = {0};
    struct slw_error err = {0};

    if (renderer->render(r, opts, &first, &err) < 0)
        fail_msg("%s of %s: %s", renderer->name, run, err.text);
    assert_true(first.length > 0 && first.data[first.length - 1] == '\n');
    assert_int_equal(strlen(first.data), first.length);
    assert_utf8(renderer, run, first.data);
    assert_no_controls(renderer, run, first.data, opts->color);
    assert_no_invented_numbers(first.data);
    assert_int_equal(renderer->render(r, opts, &second, NULL), 0);
    assert_string_equal(first.data, second.data); /* no hidden state */
    slw_buf_release(&first);
    slw_buf_release(&second);
}

static void every_renderer_survives_every_run(void **state)
{
    (void)state;
    static const int widths[] = {0, 1, 40, 64, 72, 80, 100, 240, 100000};

    for (size_t i = 0; i < AWKWARD_RUN_COUNT; i++) {
        struct fixture f = awkward_runs[i].make();
        const struct slw_report *r = fixture_report(&f);
        for (size_t n = 0; n < slw_renderer_count; n++)
            for (size_t w = 0; w < sizeof(widths) / sizeof(widths[0]); w++) {
                const struct slw_render_options plain = {.width = widths[w]};
                const struct slw_render_options all = {
                    .width = widths[w], .color = true, .verbose = true, .function_max = 3};
                render(slw_renderers[n], awkward_runs[i].name, r, &plain);
                render(slw_renderers[n], awkward_runs[i].name, r, &all);
            }
        fixture_free(&f);
    }
}

static void every_renderer_prints_the_verdict(void **state)
{
    (void)state;
    struct fixture f = fixture_sqlite();
    const struct slw_render_options opts = {.width = 240};
    for (size_t n = 0; n < slw_renderer_count; n++) {
        struct slw_buf b = {0};
        assert_int_equal(slw_renderers[n]->render(fixture_report(&f), &opts, &b, NULL), 0);
        assert_non_null(strstr(b.data, "mostly waits"));
        assert_non_null(strstr(b.data, "fdatasync system call"));
        assert_non_null(strstr(b.data, "no PMU in this VM (KVM)"));
        slw_buf_release(&b);
    }
    fixture_free(&f);
}

static void every_renderer_says_why_a_count_is_absent(void **state)
{
    (void)state;
    struct fixture f = awkward_all_absent();
    const struct slw_render_options opts = {.width = 120};
    for (size_t n = 0; n < slw_renderer_count; n++) {
        struct slw_buf b = {0};
        assert_int_equal(slw_renderers[n]->render(fixture_report(&f), &opts, &b, NULL), 0);
        assert_non_null(strstr(b.data, "refused: perf"));
        assert_non_null(strstr(b.data, "not supported"));
        slw_buf_release(&b);
    }
    fixture_free(&f);
}

static void every_renderer_marks_what_is_not_hardware(void **state)
{
    (void)state;
    static const char *const word[] = {"software", "simulated", "imported"};
    struct fixture runs[] = {fixture_sqlite(), awkward_imported(), awkward_imported()};
    for (size_t i = 0; i < 3; i++)
        for (size_t n = 0; n < slw_renderer_count; n++) {
            const struct slw_render_options opts = {.width = 120};
            struct slw_buf b = {0};
            assert_int_equal(slw_renderers[n]->render(fixture_report(&runs[i]), &opts, &b, NULL),
                             0);
            assert_non_null(strstr(b.data, word[i]));
            slw_buf_release(&b);
        }
    for (size_t i = 0; i < 3; i++)
        fixture_free(&runs[i]);
}

static void names_are_unique_and_found(void **state)
{
    (void)state;
    assert_true(slw_renderer_count >= 3);
    for (size_t n = 0; n < slw_renderer_count; n++) {
        assert_ptr_equal(slw_renderer_find(slw_renderers[n]->name), slw_renderers[n]);
        assert_true(strlen(slw_renderers[n]->summary) > 5);
        assert_true(strlen(slw_renderers[n]->extension) > 0);
    }
    assert_null(slw_renderer_find("no-such"));
    assert_string_equal(slw_renderers[0]->name, "term");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_renderer_survives_every_run),
        cmocka_unit_test(every_renderer_prints_the_verdict),
        cmocka_unit_test(every_renderer_says_why_a_count_is_absent),
        cmocka_unit_test(every_renderer_marks_what_is_not_hardware),
        cmocka_unit_test(names_are_unique_and_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

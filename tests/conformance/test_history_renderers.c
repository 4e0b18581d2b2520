/* SPDX-License-Identifier: MIT */
/* What every renderer of history/renderers.def must do, over histories that are hard to draw. */
#include "analyzer/text.h"
#include "tests/history_fixture.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>

static const char hostile[] = "\033[2J\"'<script>alert(1)</script>&amp;|`=1+1,\n\r\t\xff\xc3( "
                              "\xe2\x80\xae\xc2\x9b";

static void one_run(struct past *p)
{
    past_add_rounds(p, "cpu_per_request", 12345, 0, 1);
}

static void many_runs(struct past *p)
{
    for (size_t i = 0; i < PAST_RUNS; i++)
        past_add(p, (i < 20 ? 100 : i < 50 ? 170 : 90) + (double)(i * 7 % 5));
}

static void hostile_texts(struct past *p)
{
    for (size_t i = 0; i < 12; i++) {
        struct slw_run *run = past_add(p, i < 6 ? 1 : 1e12);
        (void)snprintf(p->paths[i], sizeof(p->paths[i]), "%s", hostile);
        run->experiment.arm = hostile;
        run->host.kernel = i % 2 ? hostile : NULL;
        run->tool = i % 3 ? hostile : "x";
        run->observations[0].title = hostile;
        run->observations[0].unit = i == 0 ? "other" : hostile;
        run->observations[0].from.detail = hostile;
        assert_int_equal(slw_run_add_label(run, hostile, hostile, NULL), 0);
    }
}

static void extreme_numbers(struct past *p)
{
    static const double values[] = {0, -1, 1e300, -1e300, 1e-300, 5e-324, 1, 1, 1, 1};

    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
        past_add_rounds(p, "cpu_per_request", values[i], 0, 1 + i % 8)->started_realtime_ns =
            i % 2 ? 0 : UINT64_MAX - i;
}

static void two_machines(struct past *p)
{
    for (size_t i = 0; i < 20; i++) {
        struct slw_run *run = past_add(p, 100);
        run->host.cpu.name = i % 2 ? "A" : "B";
        run->observations[0].from.source = i % 3 ? SLW_SOURCE_HARDWARE : SLW_SOURCE_SIMULATED;
        run->observations[0].better = SLW_BETTER_NEITHER;
    }
}

static const struct {
    const char *name;
    void (*make)(struct past *p);
} cases[] = {{"one run", one_run},
             {"many runs", many_runs},
             {"hostile texts", hostile_texts},
             {"extreme numbers", extreme_numbers},
             {"two machines", two_machines}};
#define CASES (sizeof(cases) / sizeof(cases[0]))

/* UTF-8, and no control characters but line ends and, with colour, "ESC [ digits m". */
static void assert_safe(const char *renderer, const char *name, const char *text, bool color)
{
    for (const char *c = text; *c;) {
        uint32_t code = 0;
        const size_t n = slw_text_decode(c, &code);

        if (n == 0)
            fail_msg("%s of %s is not UTF-8 at: %.20s", renderer, name, c);
        if (color && code == 033 && c[1] == '[') {
            c += 2 + strspn(c + 2, "0123456789");
            assert_true(*c == 'm');
        } else if (code != '\n' && code != '\r' && slw_text_is_unsafe(code)) {
            fail_msg("%s of %s holds U+%04x before: %.20s", renderer, name, (unsigned)code, c);
        }
        c += *c == 'm' ? 1 : n;
    }
}

static void assert_no_invented_numbers(const char *text)
{
    for (const char *c = text; (c = strstr(c, "nan")) != NULL; c++)
        assert_true(isalpha((unsigned char)c[3]));
    assert_null(strstr(text, "(null)"));
}

static void render(const struct slw_history_renderer *r, const char *name,
                   const struct slw_history *h, const struct slw_render_options *opts)
{
    struct slw_buf first = {0}, second = {0};
    struct slw_error err = {0};

    if (r->render(h, opts, &first, &err) < 0)
        fail_msg("%s of %s: %s", r->name, name, err.text);
    assert_true(first.length > 0 && first.data[first.length - 1] == '\n');
    assert_safe(r->name, name, first.data, opts->color);
    assert_no_invented_numbers(first.data);
    assert_int_equal(r->render(h, opts, &second, NULL), 0);
    assert_string_equal(first.data, second.data); /* no hidden state */
    slw_buf_release(&first);
    slw_buf_release(&second);
}

static void every_renderer_survives_every_history(void **state)
{
    static const int widths[] = {0, 1, 50, 69, 70, 80, 96, 160, 100000};

    (void)state;
    for (size_t i = 0; i < CASES; i++) {
        struct past p = {.count = 0};
        cases[i].make(&p);
        const struct slw_label label = {hostile, hostile};
        const struct slw_history *h =
            past_history(&p, "cpu_per_request", &label, cases[i].make == hostile_texts);
        if (!h)
            fail_msg("%s: %s", cases[i].name, p.err.text);
        for (size_t n = 0; n < slw_history_renderer_count; n++)
            for (size_t w = 0; w < sizeof(widths) / sizeof(widths[0]); w++) {
                const struct slw_render_options plain = {.width = widths[w]};
                const struct slw_render_options full = {
                    .width = widths[w], .color = true, .verbose = true};
                render(slw_history_renderers[n], cases[i].name, h, &plain);
                render(slw_history_renderers[n], cases[i].name, h, &full);
            }
        past_release(&p);
    }
}

static void lines_of_the_terminal_fit(void **state)
{
    static const int widths[] = {50, 69, 70, 80, 96, 120, 160};
    struct past p = {.count = 0};

    (void)state;
    many_runs(&p);
    const struct slw_history *h = past_history(&p, "cpu_per_request", NULL, 0);
    for (size_t w = 0; w < sizeof(widths) / sizeof(widths[0]); w++) {
        const struct slw_render_options opts = {.width = widths[w], .verbose = true};
        struct slw_buf out = {0};
        assert_int_equal(slw_history_renderers[0]->render(h, &opts, &out, NULL), 0);
        for (char *line = strtok(out.data, "\n"); line; line = strtok(NULL, "\n"))
            if (slw_text_columns(line) > (size_t)widths[w])
                fail_msg("%d columns: %s", widths[w], line);
        slw_buf_release(&out);
    }
    past_release(&p);
}

static void names_are_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < slw_history_renderer_count; i++) {
        const struct slw_history_renderer *r = slw_history_renderers[i];
        assert_true(r->name[0] && r->summary[0] && r->extension[0]);
        assert_ptr_equal(slw_history_renderer_find(r->name), r);
    }
    assert_null(slw_history_renderer_find("no such"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_renderer_survives_every_history),
        cmocka_unit_test(lines_of_the_terminal_fit),
        cmocka_unit_test(names_are_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* What every renderer of analyzer/sweep/renderers.def must do, over sweeps that are hard to render:
 * valid UTF-8 without controls, no number that nobody measured, the same bytes twice, and Markdown
 * that fits a comment. */
#include "analyzer/text.h"
#include "tests/sweep_fixture.h"

#include <ctype.h>

static const struct sweep_client good = {
    .fixed = 12000, .marginal = 3000, .batches = true, .slots = true};

/* Names that attack terminals, tables, HTML, JSON, spreadsheets and readers of UTF-8. */
static const char *const hostile[] = {
    "\033[2J\033]0;owned\007",
    "line\nbreak\r\ttab",
    "a|b`c``d",
    "<script>alert(1)</script>&amp;",
    "@everyone #1 www.example.com https://example.com",
    "=cmd|' /C calc'!A0",
    "+1\",\"-1",
    "\xff\xfe bytes \xc3(",
    "\xe2\x80\xaertl \xe2\x80\x8b zero",
    "\xc2\x9b[1m",
    "%s%n{{}}</details>",
    "",
};
#define HOSTILE (sizeof(hostile) / sizeof(hostile[0]))

static struct sweep_fixture *ordinary(void)
{
    return fixture_sweep(10, &good);
}

static struct sweep_fixture *one_block(void)
{
    return fixture_sweep(1, &good);
}

static struct sweep_fixture *one_point(void)
{
    struct sweep_fixture *f = fixture_new(7);

    fixture_client(f, fixture_arm(f, "batch", "1", NULL, NULL), 1, &good);
    return f;
}

static struct sweep_fixture *nothing_measured(void)
{
    struct sweep_fixture *f = fixture_new(0);

    for (size_t i = 0; i < FIXTURE_POINTS; i++)
        fixture_arm(f, "batch", fixture_batches[i], NULL, NULL);
    return f;
}

static struct sweep_fixture *zeros(void)
{
    struct sweep_fixture *f = fixture_sweep(8, &good);

    for (size_t i = 0; i < FIXTURE_POINTS; i++)
        for (size_t k = 0; k < f->runs[i]->observation_count; k++)
            for (size_t n = 0; n < 8; n++)
                f->runs[i]->observations[k].values[n] = 0;
    return f;
}

static struct sweep_fixture *extremes(void)
{
    static const double values[] = {1e300,  5e-324,      1e-300,          1e308,
                                    -1e300, (double)NAN, (double)INFINITY};
    struct sweep_fixture *f = fixture_sweep(8, &good);

    for (size_t i = 0; i < FIXTURE_POINTS; i++)
        for (size_t k = 0; k < f->runs[i]->observation_count; k++)
            for (size_t n = 0; n < 8; n++)
                f->runs[i]->observations[k].values[n] = values[(i + k * n) % 7];
    return f;
}

static struct sweep_fixture *gaps(void)
{
    struct sweep_fixture *f = fixture_sweep(8, &good);

    for (size_t i = 0; i < FIXTURE_POINTS; i++)
        for (size_t k = 0; k < f->runs[i]->observation_count; k++)
            for (size_t n = i; n < 8; n += 2)
                f->runs[i]->observations[k].values[n] = (double)NAN;
    return f;
}

static struct sweep_fixture *names_of_series(void)
{
    struct sweep_fixture *f = fixture_new(6);

    for (size_t k = 0; k < HOSTILE; k++)
        for (size_t i = 0; i < 5; i++)
            fixture_client(f, fixture_arm(f, "batch", fixture_batches[i], "mode", hostile[k]),
                           atof(fixture_batches[i]), &good);
    return f;
}

static struct sweep_fixture *names_everywhere(void)
{
    struct sweep_fixture *f = fixture_new(8);

    for (size_t i = 0; i < FIXTURE_POINTS; i++) {
        const size_t arm = fixture_arm(f, hostile[0], fixture_batches[i], hostile[5], hostile[3]);
        struct slw_run *run = f->runs[arm];

        fixture_client(f, arm, atof(fixture_batches[i]), &good);
        fixture_same(f, arm, "slots.\033[2J|<b>", hostile[i], hostile[i + 1], 1);
        f->arms[arm].name = hostile[i];
        f->arms[arm].command = hostile[i + 2];
        f->arms[arm].directory = hostile[i + 3];
        run->host.kernel = hostile[i];
        run->host.cpu.name = hostile[i + 1];
        run->host.hypervisor = hostile[i + 2];
        run->observations[0].from.detail = hostile[i + 4];
        for (size_t k = 0; k < HOSTILE; k++)
            assert_int_equal(slw_run_note(run, SLW_NOTE_WARNING, hostile[k], hostile[k], "%s",
                                          hostile[HOSTILE - 1 - k]),
                             0);
    }
    f->runs[2]->observations[0].values[0] = (double)NAN;
    f->runs[2]->observations[0].absent = hostile[3];
    f->experiment.tool = hostile[4];
    f->experiment.setup = hostile[0];
    return f;
}

#define LONG 2000 /* more than any renderer shows of a sentence */

/* As long as names and reasons may be, of what Markdown has to escape most. */
static struct sweep_fixture *long_names(void)
{
    struct sweep_fixture *f = fixture_new(6);
    char *at = slw_arena_alloc(f->arena, SLW_MAX_PARAMETER_BYTES + 1);
    char *text = slw_arena_alloc(f->arena, LONG + 1);

    memset(at, '@', SLW_MAX_PARAMETER_BYTES);
    memset(text, '@', LONG);
    for (size_t i = 0; i < FIXTURE_ARMS; i++) {
        const size_t batch = i / 16 + 1;
        const size_t arm = fixture_arm(f, "batch", slw_arena_printf(f->arena, "%zu", batch), at,
                                       slw_arena_printf(f->arena, "%zu%.60s", i % 16, at));

        fixture_client(f, arm, (double)batch, &good);
        f->arms[arm].command = text;
        f->runs[arm]->host.kernel = text;
        for (size_t k = 0; k < 8; k++)
            assert_int_equal(slw_run_note(f->runs[arm], SLW_NOTE_WARNING,
                                          slw_arena_printf(f->arena, "note-%zu", k), text, "%s",
                                          text),
                             0);
        f->runs[arm]->observations[0].values[i % 6] = (double)NAN;
        f->runs[arm]->observations[0].absent = text;
    }
    return f;
}

static struct sweep_fixture *no_command(void)
{
    struct sweep_fixture *f = fixture_sweep(8, &good);

    for (size_t i = 0; i < FIXTURE_POINTS; i++) {
        f->arms[i].command = NULL;
        f->arms[i].directory = NULL;
        f->runs[i]->host.kernel = NULL;
        f->runs[i]->host.cpu.name = NULL;
    }
    f->experiment.id = f->experiment.tool = NULL;
    return f;
}

static const struct {
    const char *name;
    struct sweep_fixture *(*make)(void);
} sweeps[] = {
    {"ordinary", ordinary},
    {"one block", one_block},
    {"one point", one_point},
    {"nothing measured", nothing_measured},
    {"zeros", zeros},
    {"extremes", extremes},
    {"gaps", gaps},
    {"names of series", names_of_series},
    {"names everywhere", names_everywhere},
    {"long names", long_names},
    {"no command", no_command},
};

static void assert_clean(const char *renderer, const char *sweep, const char *text, bool color)
{
    while (*text) {
        uint32_t code;
        const size_t n = slw_text_decode(text, &code);
        const bool end = *text == '\n' || (*text == '\r' && text[1] == '\n');
        const bool style = color && *text == '\033' && text[1] == '[' &&
                           text[2 + strspn(text + 2, "0123456789")] == 'm';

        if (n == 0)
            fail_msg("%s of %s is not UTF-8 at: %.20s", renderer, sweep, text);
        if (slw_text_is_unsafe(code) && !end && !style)
            fail_msg("%s of %s holds U+%04x before: %.20s", renderer, sweep, (unsigned)code, text);
        text += n;
    }
}

static void assert_no_invented_numbers(const char *text)
{
    for (const char *c = text; (c = strstr(c, "nan")) != NULL; c++)
        assert_true(isalpha((unsigned char)c[3]));
    for (const char *c = text; (c = strstr(c, "inf")) != NULL; c++)
        assert_true(isalpha((unsigned char)c[3]));
    assert_null(strstr(text, "(null)"));
}

static void render(const struct slw_sweep_renderer *renderer, const char *sweep,
                   const struct slw_sweep_report *r, const struct slw_render_options *opts)
{
    struct slw_buf first = {0}, second = {0};
    struct slw_error err = {0};

    if (renderer->render(r, opts, &first, &err) < 0)
        fail_msg("%s of %s: %s", renderer->name, sweep, err.text);
    assert_true(first.length > 0 && first.data[first.length - 1] == '\n');
    assert_int_equal(strlen(first.data), first.length);
    assert_clean(renderer->name, sweep, first.data, opts->color);
    assert_no_invented_numbers(first.data);
    if (strcmp(renderer->name, "md") == 0 && first.length > 65000)
        fail_msg("%s is a comment of %zu bytes", sweep, first.length);
    assert_int_equal(renderer->render(r, opts, &second, NULL), 0);
    assert_string_equal(first.data, second.data);
    slw_buf_release(&first);
    slw_buf_release(&second);
}

static void every_renderer_survives_every_sweep(void **state)
{
    static const int widths[] = {0, 1, 40, 72, 80, 100, 240, 100000};

    (void)state;
    for (size_t i = 0; i < sizeof(sweeps) / sizeof(sweeps[0]); i++) {
        struct sweep_fixture *f = sweeps[i].make();
        const struct slw_sweep_report *r = fixture_made(f);

        assert_clean("verdict", sweeps[i].name, r->verdict, false);
        for (size_t n = 0; n < slw_sweep_renderer_count; n++) {
            const bool has_width = strcmp(slw_sweep_renderers[n]->name, "term") == 0;
            const size_t most = has_width ? sizeof(widths) / sizeof(widths[0]) : 1;

            for (size_t w = 0; w < most; w++) {
                const struct slw_render_options plain = {.width = widths[w]};
                const struct slw_render_options full = {
                    .width = widths[w], .color = true, .verbose = true};

                render(slw_sweep_renderers[n], sweeps[i].name, r, w % 2 ? &full : &plain);
            }
        }
        fixture_free(f);
    }
}

/* Nothing of a name is markup, a mention, a link or a column. */
static void markdown_shows_names_as_they_are(void **state)
{
    (void)state;
    struct sweep_fixture *f = names_everywhere();
    const struct slw_sweep_renderer *md = slw_sweep_renderer_find("md");
    struct slw_buf b = {0};

    assert_non_null(md);
    assert_int_equal(
        md ? md->render(fixture_made(f), &(struct slw_render_options){0}, &b, NULL) : 1, 0);
    for (const char *c = b.data; (c = strstr(c, "<script")) != NULL; c++)
        assert_true(c > b.data && c[-1] == '\\');
    assert_null(strstr(b.data, "@everyone"));
    assert_null(strstr(b.data, "https://"));
    assert_null(strstr(b.data, "www."));
    assert_null(strstr(b.data, "}</details>"));
    slw_buf_release(&b);
    fixture_free(f);
}

static void spreadsheets_run_no_formulas(void **state)
{
    (void)state;
    struct sweep_fixture *f = names_everywhere();
    const struct slw_sweep_renderer *csv = slw_sweep_renderer_find("csv");
    struct slw_buf b = {0};

    assert_non_null(csv);
    assert_int_equal(
        csv ? csv->render(fixture_made(f), &(struct slw_render_options){0}, &b, NULL) : 1, 0);
    for (const char *c = b.data; (c = strchr(c, '"')) != NULL; c++)
        assert_false(c > b.data && (c[-1] == ',' || c[-1] == '\n') && strchr("=+-@", c[1]) && c[1]);
    assert_non_null(strstr(b.data, "\"'=cmd"));
    slw_buf_release(&b);
    fixture_free(f);
}

static void renderers_are_named(void **state)
{
    (void)state;
    assert_true(slw_sweep_renderer_count >= 4);
    for (size_t i = 0; i < slw_sweep_renderer_count; i++) {
        const struct slw_sweep_renderer *r = slw_sweep_renderers[i];

        assert_ptr_equal(slw_sweep_renderer_find(r->name), r);
        assert_true(r->summary[0] && r->extension[0]);
    }
    assert_null(slw_sweep_renderer_find("nothing"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_renderer_survives_every_sweep),
        cmocka_unit_test(markdown_shows_names_as_they_are),
        cmocka_unit_test(spreadsheets_run_no_formulas),
        cmocka_unit_test(renderers_are_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

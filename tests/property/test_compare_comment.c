/* SPDX-License-Identifier: MIT */
/* Whatever stands in commands, names and notes, the comment of a comparison has the structure of
 * one with harmless text: read by cmark-gfm, the library GitHub reads comments with. And nothing in
 * it is a mention, an issue or a picture for what GitHub looks for in the finished text. */
#include "tests/comparison_fixture.h"
#include "tests/unit/tool_int.h"

#include <ctype.h>
#include <unistd.h>

#define SEED   20240917u
#define CASES  300
#define PIECES 3

static const char *const fragments[] = {"|",
                                        "\\|",
                                        "`",
                                        "``",
                                        "```\n",
                                        "~~~",
                                        "`|`",
                                        "\\",
                                        "\n",
                                        "\r\n\r\n# heading\n",
                                        "\t",
                                        "x",
                                        "a b",
                                        "<script>alert(1)</script>",
                                        "<img src=x onerror=alert(1)>",
                                        "</details>",
                                        "</code></pre>",
                                        "<pre>",
                                        "<br>",
                                        "<!--",
                                        "-->",
                                        "--!>",
                                        "<!-- slotwise:compare 0123456789abcdef -->",
                                        "<!-- -->",
                                        "<a href=\"x\">",
                                        "&lt;",
                                        "&#64;user",
                                        "&",
                                        "@user",
                                        "@org/team",
                                        "a@b.example",
                                        "#1",
                                        "o/r#1",
                                        "GH-1",
                                        "gh-22",
                                        ":tada:",
                                        "http://e.example",
                                        "HTTPS://e.example/x",
                                        "www.e.example",
                                        "WWW.e.example",
                                        "ftp://e.example",
                                        "mailto:a@b.example",
                                        "[a](http://e.example)",
                                        "[x]",
                                        "[^1]",
                                        "[x]: http://e.example",
                                        "![i](http://e.example/i.png)",
                                        "<http://e.example>",
                                        "* * *",
                                        "---",
                                        "===",
                                        "> quote",
                                        "- item",
                                        "* item",
                                        "+ item",
                                        "1. item",
                                        "1) item",
                                        "    code",
                                        "# h",
                                        "| a | b |\n|---|---|\n",
                                        "*x*",
                                        "**x**",
                                        "_x_",
                                        "__x__",
                                        "~~x~~",
                                        "~x~",
                                        "$x$",
                                        "$$",
                                        "- [ ] t",
                                        "\xe2\x80\xae",
                                        "\xff",
                                        "\xf0\x9f\x98\x80",
                                        "\x1b[31m",
                                        "%s",
                                        "{{x}}",
                                        "!",
                                        "\xcc\x81"};
#define FRAGMENTS (sizeof(fragments) / sizeof(fragments[0]))

static uint32_t next(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*state >> 33);
}

struct words {
    char text[24][160];
};

/* All end in something visible, so that no sentence is blank. */
static void make_words(struct words *w, uint64_t *state)
{
    for (size_t i = 0; i < sizeof(w->text) / sizeof(w->text[0]); i++) {
        w->text[i][0] = '\0';
        for (size_t k = 0; k <= next(state) % PIECES; k++)
            (void)strcat(w->text[i], fragments[next(state) % FRAGMENTS]);
        (void)strcat(w->text[i], "x");
    }
}

static void harmless_words(struct words *w)
{
    for (size_t i = 0; i < sizeof(w->text) / sizeof(w->text[0]); i++)
        (void)strcpy(w->text[i], "word");
}

/* Every foreign string of a comparison is one of the words. */
static char *comment_of(struct words *w)
{
    const char *argv[] = {w->text[0], w->text[1]};
    struct hand h = hand_batching();

    h.c.verdict = w->text[2];
    h.c.verdict_basis = w->text[3];
    h.c.gate_reason = w->text[4];
    h.c.in.a.name = w->text[5];
    h.c.causes[0].text = w->text[6];
    h.c.notes[0].text = w->text[7];
    h.c.notes[0].hint = w->text[8];
    h.c.notes[1].text = h.c.notes[1].hint = w->text[9];
    h.arms[0].command = w->text[10];
    h.experiment.setup = w->text[11];
    h.experiment.floor_absent = w->text[12];
    h.b->command = (struct slw_command){.argv = argv, .argc = 2, .pid = -1};
    h.b->tool = w->text[13];
    h.b->host.cpu.name = w->text[14];
    h.b->host.kernel = h.b->host.os = h.b->host.hypervisor = w->text[15];
    hand_mismatch(&h, w->text[16], w->text[17], w->text[18], true);
    assert_int_equal(slw_run_add_label(h.b, w->text[19], w->text[20], NULL), 0);
    for (size_t i = 0; i < h.c.row_count; i++)
        h.c.rows[i].title = w->text[20 + i % 2];
    h.c.rows[4].absent = h.c.rows[4].a_value.absent = w->text[22];
    for (size_t i = 0; i < h.c.function_count; i++)
        h.c.functions[i].function = w->text[23];
    (void)snprintf(h.gates[0].text, sizeof(h.gates[0].text), "%.90s", w->text[21]);
    char *text = hand_rendered(&h, "md");
    hand_free(&h);
    return text;
}

/* What cmark-gfm makes of it, as XML: one element a line. */
static char *parsed(const char *markdown)
{
    char path[] = "/tmp/slotwise-comment-XXXXXX", command[256];
    const int fd = mkstemp(path);
    const size_t length = strlen(markdown);
    struct slw_buf out = {0};

    assert_true(fd >= 0);
    assert_int_equal(write(fd, markdown, length), (ssize_t)length);
    (void)close(fd);
    (void)snprintf(command, sizeof(command),
                   "cmark-gfm -e table -e autolink -e strikethrough -e tagfilter -t xml %s", path);
    assert_int_equal(run_tool(command, &out), 0);
    (void)unlink(path);
    return slw_buf_take(&out);
}

static bool starts(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static bool is_inline(const char *element)
{
    return starts(element, "<text ") || starts(element, "<code ") ||
           starts(element, "<html_inline ");
}

/* Past the element that starts at this line: blocks of HTML have several lines. */
static const char *past(const char *line)
{
    const char *c = line + strspn(line, " ");

    if (starts(c, "<html_block "))
        line = strstr(c, "</html_block>");
    return strchr(line, '\n') + 1;
}

/* Tags of blocks and of emphasis; words aside. */
static char *skeleton(const char *xml)
{
    struct slw_buf out = {0};

    for (const char *line = xml; *line; line = past(line)) {
        const char *c = line + strspn(line, " ");

        if (is_inline(c))
            continue;
        slw_buf_put(&out, c, strcspn(c, " >\n"));
        slw_buf_putc(&out, '\n');
    }
    return slw_buf_take(&out);
}

static bool one_of(const char *text, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (starts(text, words[i]))
            return true;
    return false;
}

/* HTML of which we wrote every tag. */
static void check_html(const char *text, const char *end)
{
    static const char *const ours[] = {"!-- slotwise:compare ",
                                       "!-- --&gt;",
                                       "details&gt;",
                                       "/details&gt;",
                                       "summary&gt;",
                                       "/summary&gt;",
                                       "pre&gt;",
                                       "/pre&gt;",
                                       "code&gt;",
                                       "/code&gt;",
                                       "sup&gt;",
                                       "/sup&gt;",
                                       "br&gt;"};

    for (const char *c = text; (c = strstr(c, "&lt;")) != NULL && c < end;) {
        c += 4;
        if (!one_of(c, ours, sizeof(ours) / sizeof(ours[0])))
            fail_msg("HTML that is not ours: %.60s", c);
    }
}

/* GitHub looks for these in the text of the finished page. */
static void check_text(const char *text, const char *end)
{
    for (const char *c = text; c + 1 < end; c++) {
        const bool mention = (*c == '@' || *c == '#') && isalnum((unsigned char)c[1]);
        const bool issue = starts(c, "GH-") || starts(c, "gh-");

        if (mention || (issue && isdigit((unsigned char)c[3])) || starts(c, ":tada:"))
            fail_msg("GitHub would act on: %.60s", c);
    }
}

static void check_inline(const char *xml)
{
    bool code = false;

    for (const char *line = xml; *line; line = past(line)) {
        const char *c = line + strspn(line, " "), *end = strchr(line, '\n');

        if (starts(c, "<html_inline ")) {
            code = strstr(c, ">&lt;code&gt;<") == strchr(c, '>') ||
                   (code && strstr(c, ">&lt;/code&gt;<") != strchr(c, '>'));
            check_html(c, end);
        } else if (starts(c, "<html_block ")) {
            check_html(c, strstr(c, "</html_block>"));
        } else if (starts(c, "<text ") && !code) {
            check_text(strchr(c, '>') + 1, strstr(c, "</text>"));
        }
    }
}

static void hostile_words_change_no_structure(void **state)
{
    (void)state;
    static struct words w;
    uint64_t random = SEED;

    if (!tool_works("cmark-gfm --version")) {
        print_message("skipped: no cmark-gfm\n");
        skip();
    }
    print_message("seed %u\n", SEED);
    harmless_words(&w);
    char *text = comment_of(&w), *xml = parsed(text), *expected = skeleton(xml);
    assert_non_null(strstr(expected, "<table_row"));
    free(text);
    free(xml);
    for (int i = 0; i < CASES; i++) {
        make_words(&w, &random);
        text = comment_of(&w);
        xml = parsed(text);
        char *found = skeleton(xml);
        size_t same = 0;
        while (found[same] && found[same] == expected[same])
            same++;
        if (found[same] != expected[same])
            fail_msg("case %d: after %zu bytes '%.40s' instead of '%.40s':\n%s", i, same,
                     found + same, expected + same, text);
        check_inline(xml);
        assert_null(strstr(text + 10, "<!-- slotwise:compare 0123456789abcdef -->\n#"));
        free(found);
        free(xml);
        free(text);
    }
    free(expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(hostile_words_change_no_structure)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "analyzer/md_text.h"

#include "analyzer/format.h"
#include "analyzer/text.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#define NAME_COLUMNS 80
/* GitHub looks for mentions, issue numbers and emoji in the finished HTML, where an escaped
 * character is itself again; an empty comment splits the text there. */
#define SPLIT "<!-- -->"

static bool starts_link(const char *text, const char *c)
{
    return (*c == ':' && c[1] == '/') ||
           (*c == '.' && c - text >= 3 && strncasecmp(c - 3, "www", 3) == 0);
}

/* Clean text inside <code>, every character that Markdown could act on as an entity; addresses of
 * mail are looked for after entities were read. */
static void put_entities(struct slw_buf *out, const char *clean)
{
    for (const char *c = clean; *c; c++)
        if (*c == '@')
            slw_buf_puts(out, "&#64;" SPLIT);
        else if (strchr("\\`*_{}[]<>#|~&!$:", *c) || starts_link(clean, c))
            slw_buf_printf(out, "&#%d;", (int)(unsigned char)*c);
        else
            slw_buf_putc(out, *c);
}

/* ":tada:" is a picture. */
static bool starts_emoji(const char *c)
{
    size_t n = 1;

    if (*c != ':')
        return false;
    while (isalnum((unsigned char)c[n]) || (c[n] && strchr("_+-", c[n])))
        n++;
    return n > 1 && c[n] == ':';
}

/* "GH-12" is an issue. */
static bool starts_issue(const char *text, const char *c)
{
    return *c == '-' && isdigit((unsigned char)c[1]) && c - text >= 2 &&
           strncasecmp(c - 2, "gh", 2) == 0;
}

/* "- x", "+ x", "12. x", "12) x", four blanks: lists and code where a line starts with them.
 * Returns the bytes of the mark up to the character that makes it one. */
static size_t starts_block(const char *text, bool *ret_blank)
{
    const size_t digits = strspn(text, "0123456789");
    const char c = text[digits], after = c ? text[digits + 1] : '\0';

    *ret_blank = text[0] == ' ';
    if (after != '\0' && after != ' ')
        return SIZE_MAX;
    if (digits == 0)
        return c == '-' || c == '+' || c == '=' ? 0 : SIZE_MAX;
    return c == '.' || c == ')' ? digits : SIZE_MAX;
}

static void put_character(struct slw_buf *out, const char *text, const char *c)
{
    if (starts_link(text, c) || *c == '&')
        slw_buf_printf(out, "&#%d;", (int)(unsigned char)*c);
    else if (starts_emoji(c) || starts_issue(text, c))
        slw_buf_printf(out, "%c" SPLIT, *c);
    else if (strchr("@#", *c))
        slw_buf_printf(out, "\\%c" SPLIT, *c);
    else if (strchr("\\`*_{}[]<>|~!$", *c))
        slw_buf_printf(out, "\\%c", *c);
    else
        slw_buf_putc(out, *c);
}

static void put_escaped(struct slw_buf *out, const char *clean)
{
    bool blank = false;
    const size_t block = starts_block(clean, &blank);

    for (const char *c = clean; *c; c++)
        if (c == clean && blank)
            slw_buf_puts(out, "&#32;");
        else if ((size_t)(c - clean) == block)
            slw_buf_printf(out, "\\%c", *c);
        else
            put_character(out, clean, c);
}

/* Blanks at the end of a line would break it. */
static void put_trimmed(struct slw_buf *out, struct slw_buf *clean)
{
    while (clean->length > 0 && clean->data[clean->length - 1] == ' ')
        clean->data[--clean->length] = '\0';
    put_escaped(out, clean->data ? clean->data : "");
    if (slw_buf_failed(clean))
        out->failed = true;
    slw_buf_release(clean);
}

/* Columns do not bound bytes: thousands of combining characters need no column. */
static void fit(struct slw_buf *clean, const char *text, size_t columns)
{
    const size_t most = 4 * columns;

    slw_text_fit(clean, text, columns);
    if (clean->length <= most)
        return;
    size_t end = most;
    while (end > 0 && ((unsigned char)clean->data[end] & 0xc0) == 0x80)
        end--;
    clean->length = end;
    slw_buf_puts(clean, "…");
}

void slw_md_prose(struct slw_buf *out, const char *text)
{
    struct slw_buf clean = {0};

    slw_text_clean(&clean, text);
    put_trimmed(out, &clean);
}

void slw_md_prose_fit(struct slw_buf *out, const char *text, size_t columns)
{
    struct slw_buf clean = {0};

    fit(&clean, text, columns);
    put_trimmed(out, &clean);
}

void slw_md_name(struct slw_buf *out, const char *name)
{
    slw_md_name_fit(out, name, NAME_COLUMNS);
}

/* A code span reads best, but inside one a '|' still splits table cells, a '`' ends it, and a
 * backslash before '|' cannot be written at all; those names go through HTML. */
void slw_md_name_fit(struct slw_buf *out, const char *name, size_t columns)
{
    struct slw_buf clean = {0};

    fit(&clean, name, columns);
    const char *text = clean.data ? clean.data : "";
    if (text[0] && text[0] != ' ' && !strpbrk(text, "|`\\")) {
        slw_buf_printf(out, "`%s`", text);
    } else {
        slw_buf_puts(out, "<code>");
        put_entities(out, text);
        slw_buf_puts(out, "</code>");
    }
    if (slw_buf_failed(&clean))
        out->failed = true;
    slw_buf_release(&clean);
}

void slw_md_pre_line(struct slw_buf *out, const char *text, size_t columns)
{
    struct slw_buf clean = {0};

    fit(&clean, text, columns);
    for (const char *c = clean.data ? clean.data : ""; *c; c++)
        if (strchr("&<>", *c))
            slw_buf_printf(out, "&#%d;", (int)*c);
        else
            slw_buf_putc(out, *c);
    slw_buf_putc(out, '\n');
    if (slw_buf_failed(&clean))
        out->failed = true;
    slw_buf_release(&clean);
}

void slw_md_mark(struct slw_buf *out, const struct slw_provenance *from)
{
    const char *mark = slw_format_mark(from);

    if (mark[0])
        slw_buf_printf(out, " <sup>%s</sup>", mark);
}

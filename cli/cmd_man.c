/* SPDX-License-Identifier: MIT */
/* slotwise man TEMPLATE: the manual page, written by the build. Prose comes from the template;
 * lines that read @COMMANDS@ or @EXITS@ are replaced by what the tables say. Source: mdoc(7). */
#include "base/cleanup.h"
#include "base/file.h"
#include "cli/command.h"
#include "cli/help.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define MAX_TEMPLATE_BYTES ((size_t)1 << 20)
#define LINE_WIDTH         72 /* of 80, as escapes take more than they show */

static const struct slw_option options[] = {
    SLW_OPTION_HELP,
    SLW_OPTION_END,
};

/* A word in roff text: no escapes, and no hyphen that could be broken or typeset as a minus. */
static void put_char(struct slw_buf *out, char c)
{
    if (c == '\\')
        slw_buf_puts(out, "\\e");
    else if (c == '-')
        slw_buf_puts(out, "\\-");
    else
        slw_buf_putc(out, c);
}

/* Is the next thing a sentence end? mdoc wants sentences to start lines. */
static bool ends_sentence(const char *text)
{
    return (*text == '.' || *text == '?') && text[1] == ' ' && isupper((unsigned char)text[2]);
}

/* Bytes from here to the next blank. */
static size_t word_length(const char *text)
{
    return strcspn(text, " \n");
}

static void put_text(struct slw_buf *out, const char *text)
{
    size_t column = 0;

    for (; *text; text++) {
        if (*text == '\n' && text[1] == '\n') {
            slw_buf_puts(out, "\n.Pp\n");
            column = 0;
            text++;
            continue;
        }
        if (*text == ' ' && column + word_length(text + 1) > LINE_WIDTH) {
            slw_buf_putc(out, '\n');
            column = 0;
            continue;
        }
        if (column == 0 && (*text == '.' || *text == '\''))
            slw_buf_puts(out, "\\&"); /* else it is taken for a request */
        put_char(out, *text);
        column = *text == '\n' ? 0 : column + 1;
        if (ends_sentence(text)) {
            slw_buf_putc(out, '\n');
            text++;
            column = 0;
        }
    }
    slw_buf_putc(out, '\n');
}

/* A word as the argument of a macro: quoted, so that blanks and names of macros stay text. */
static void put_argument(struct slw_buf *out, const char *text)
{
    slw_buf_puts(out, " \"");
    for (; *text; text++) {
        if (*text == '"')
            slw_buf_puts(out, "\"\"");
        else
            put_char(out, *text);
    }
    slw_buf_putc(out, '"');
}

static void put_option(struct slw_buf *out, const struct slw_option *o)
{
    char value[256];

    slw_option_value_name(o, value, sizeof(value));
    slw_buf_puts(out, ".It");
    if (o->letter)
        slw_buf_printf(out, " Fl %c , Fl Fl", o->letter);
    else
        slw_buf_puts(out, " Fl Fl");
    slw_buf_printf(out, " %s", o->name);
    if (value[0]) {
        slw_buf_puts(out, " Ar");
        put_argument(out, value);
    }
    slw_buf_putc(out, '\n');
    put_text(out, o->text);
}

static void put_examples(struct slw_buf *out, const struct slw_example *e)
{
    if (!e || !e->command)
        return;
    slw_buf_puts(out, ".Pp\nFor example:\n");
    for (; e->command; e++) {
        slw_buf_puts(out, ".Pp\n.Dl");
        put_argument(out, e->command);
        slw_buf_puts(out, "\n.Pp\n");
        put_text(out, e->text);
    }
}

static void put_command(struct slw_buf *out, const struct slw_command_entry *c)
{
    const char *line = c->usage;

    slw_buf_printf(out, ".Ss slotwise %s\n", c->name);
    put_text(out, c->summary);
    do {
        char usage[256];
        size_t length = strcspn(line, "\n");
        slw_buf_puts(out, ".Pp\n.Dl");
        (void)snprintf(usage, sizeof(usage), "slotwise %s %.*s", c->name, (int)length, line);
        put_argument(out, usage);
        slw_buf_putc(out, '\n');
        line += length;
    } while (*line++ == '\n');
    slw_buf_puts(out, ".Pp\n");
    put_text(out, c->about);
    slw_buf_puts(out, ".Bl -tag -width Ds\n");
    for (const struct slw_option *o = c->options; o->name; o++)
        if (!o->hidden)
            put_option(out, o);
    slw_buf_puts(out, ".El\n");
    put_examples(out, c->examples);
}

static void put_commands(struct slw_buf *out)
{
    for (size_t i = 0; i < slw_command_count; i++)
        if (!slw_commands[i]->hidden)
            put_command(out, slw_commands[i]);
}

static void put_exits(struct slw_buf *out)
{
    slw_buf_puts(out, ".Bl -tag -width Ds\n");
    for (const struct slw_exit_note *x = slw_help_exits; x->status; x++) {
        slw_buf_printf(out, ".It %s\n", x->status);
        put_text(out, x->when);
    }
    slw_buf_puts(out, ".El\n");
}

static void fill(const char *text, struct slw_buf *out)
{
    while (*text) {
        size_t length = strcspn(text, "\n");

        if (length == strlen("@COMMANDS@") && strncmp(text, "@COMMANDS@", length) == 0) {
            put_commands(out);
        } else if (length == strlen("@EXITS@") && strncmp(text, "@EXITS@", length) == 0) {
            put_exits(out);
        } else {
            slw_buf_put(out, text, length);
            slw_buf_putc(out, '\n');
        }
        text += length + (text[length] == '\n');
    }
}

static int run(const struct slw_args *args, const struct slw_terminal *t, struct slw_error *err)
{
    char *SLW_AUTO(free) text = NULL;
    struct slw_buf out = {0};
    int rc = slw_args_operands(args, 1, 1, "a template", err);

    if (rc >= 0)
        rc = slw_file_read(args->operands[0], MAX_TEMPLATE_BYTES, &text, NULL, err);
    if (rc < 0)
        return rc;
    fill(text, &out);
    rc = slw_terminal_write(&t->out, &out, err);
    slw_buf_release(&out);
    return rc;
}

const struct slw_command_entry slw_command_man = {
    .name = "man",
    .summary = "Print the manual page.",
    .usage = "TEMPLATE",
    .about = "Used by the build: TEMPLATE is docs/man/slotwise.1.in.",
    .options = options,
    .operand = SLW_OPERAND_FILE,
    .hidden = true,
    .run = run,
};

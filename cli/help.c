/* SPDX-License-Identifier: MIT */
#include "cli/help.h"

#include <string.h>

#define WIDTH       80
#define TEXT_COLUMN 26 /* where the text of options starts */

const struct slw_exit_note slw_help_exits[] = {
    {"0", "Done."},
    {"64", "The command line is wrong."},
    {"65", "The input is malformed, too new, or not there."},
    {"69", "What was asked for cannot be measured here; `slotwise doctor` says why."},
    {"70", "An internal error, an I/O error, a full disk, or no memory."},
    {NULL, NULL},
};

static void pad(struct slw_buf *out, size_t columns)
{
    for (size_t i = 0; i < columns; i++)
        slw_buf_putc(out, ' ');
}

static void newline(struct slw_buf *out, const char *next, size_t indent)
{
    slw_buf_putc(out, '\n');
    if (*next && *next != '\n')
        pad(out, indent);
}

void slw_help_wrap(struct slw_buf *out, const char *text, size_t column, size_t indent,
                   size_t width)
{
    bool fresh = true; /* nothing on this line yet */

    while (*text) {
        if (*text == '\n') {
            text++;
            newline(out, text, indent);
            column = indent;
            fresh = true;
            continue;
        }
        size_t length = strcspn(text, " \n");
        if (!fresh && column + 1 + length > width) {
            newline(out, text, indent);
            column = indent;
            fresh = true;
        }
        if (!fresh)
            slw_buf_putc(out, ' ');
        slw_buf_put(out, text, length);
        column += length + (fresh ? 0 : 1);
        fresh = false;
        text += length;
        text += strspn(text, " ");
    }
}

static void put_row(struct slw_buf *out, const char *left, const char *text, size_t column)
{
    size_t length = strlen(left);

    slw_buf_puts(out, left);
    if (length + 2 > column) {
        newline(out, " ", column);
    } else {
        pad(out, column - length);
    }
    slw_help_wrap(out, text, column, column, WIDTH);
    slw_buf_putc(out, '\n');
}

static void put_option(struct slw_buf *out, const struct slw_option *o)
{
    struct slw_buf left = {0};
    char value[256];

    slw_option_value_name(o, value, sizeof(value));
    if (o->letter)
        slw_buf_printf(&left, "  -%c, --%s", o->letter, o->name);
    else
        slw_buf_printf(&left, "      --%s", o->name);
    if (value[0])
        slw_buf_printf(&left, " %s", value);
    if (left.data)
        put_row(out, left.data, o->text, TEXT_COLUMN);
    slw_buf_release(&left);
}

static void put_options(struct slw_buf *out, const struct slw_option *options)
{
    slw_buf_puts(out, "\nOptions:\n");
    for (const struct slw_option *o = options; o->name; o++)
        if (!o->hidden)
            put_option(out, o);
}

/* "Usage: slotwise NAME ..." and its alternatives, aligned below each other. */
static void put_usage(struct slw_buf *out, const struct slw_command_entry *c)
{
    const char *line = c->usage;
    const char *lead = "Usage: ";

    do {
        size_t length = strcspn(line, "\n");
        slw_buf_printf(out, "%sslotwise %s%s", lead, c->name, length ? " " : "");
        slw_buf_put(out, line, length);
        slw_buf_putc(out, '\n');
        line += length;
        lead = "       ";
    } while (*line++ == '\n');
}

static void put_examples(struct slw_buf *out, const struct slw_example *e)
{
    if (!e || !e->command)
        return;
    slw_buf_puts(out, "\nExamples:\n");
    for (; e->command; e++)
        slw_buf_printf(out, "  %s\n      %s\n", e->command, e->text);
}

static void put_exits(struct slw_buf *out, const struct slw_exit_note *own)
{
    slw_buf_puts(out, "\nExit status:\n");
    for (const struct slw_exit_note *x = own; x && x->status; x++) {
        char left[16] = "  ";
        strncat(left, x->status, sizeof(left) - 3);
        put_row(out, left, x->when, 10);
    }
    for (const struct slw_exit_note *x = slw_help_exits; x->status; x++) {
        char left[16] = "  ";
        bool told = false;
        for (const struct slw_exit_note *o = own; o && o->status; o++)
            told = told || strcmp(o->status, x->status) == 0;
        strncat(left, x->status, sizeof(left) - 3);
        if (!told)
            put_row(out, left, x->when, 10);
    }
}

void slw_help_command(const struct slw_command_entry *c, struct slw_buf *out)
{
    slw_buf_printf(out, "slotwise %s: %s\n\n", c->name, c->summary);
    put_usage(out, c);
    slw_buf_putc(out, '\n');
    slw_help_wrap(out, c->about, 0, 0, WIDTH);
    slw_buf_putc(out, '\n');
    put_options(out, c->options);
    put_examples(out, c->examples);
    put_exits(out, c->exits);
}

void slw_help_program(struct slw_buf *out)
{
    slw_buf_puts(out, "slotwise: what one request costs a database client's CPU, and where\n\n"
                      "Usage: slotwise COMMAND [OPTION]... [ARGUMENT]...\n\nCommands:\n");
    for (size_t i = 0; i < slw_command_count; i++) {
        char left[32] = "  ";
        if (slw_commands[i]->hidden)
            continue;
        strncat(left, slw_commands[i]->name, sizeof(left) - 3);
        put_row(out, left, slw_commands[i]->summary, 16);
    }
    slw_buf_puts(out, "\nStart here:\n"
                      "  slotwise doctor                what can be measured on this machine\n"
                      "  slotwise profile -- CMD ...    profile a client\n"
                      "  slotwise help COMMAND          all options of a command, with examples\n");
    put_exits(out, NULL);
}

/* SPDX-License-Identifier: MIT */
/* The program: finds the command, parses its options, prints its error, maps it to an exit status.
 * Not for: what commands do (cmd_*.c). */
#include "cli/command.h"
#include "cli/help.h"
#include "cli/json_memory.h"

#include <malloc.h>
#include <string.h>

static int print_and_release(const struct slw_terminal *t, struct slw_buf *text,
                             struct slw_error *err)
{
    int rc = slw_terminal_write(&t->out, text, err);

    slw_buf_release(text);
    return rc;
}

static int print_help(const struct slw_terminal *t, const struct slw_command_entry *c,
                      struct slw_error *err)
{
    struct slw_buf text = {0};

    if (c)
        slw_help_command(c, &text);
    else
        slw_help_program(&text);
    return print_and_release(t, &text, err);
}

/* Nothing was asked for: the same text, but as an error, so that a script notices. */
static int print_bare_help(const struct slw_terminal *t, struct slw_error *err)
{
    struct slw_buf text = {0};

    slw_help_program(&text);
    (void)slw_terminal_write(&t->err, &text, err);
    slw_buf_release(&text);
    return slw_code_exit_status(SLW_E_USAGE);
}

static int print_version(const struct slw_terminal *t, struct slw_error *err)
{
    struct slw_buf text = {0};

    slw_buf_puts(&text, "slotwise " SLW_VERSION "\n");
    return print_and_release(t, &text, err);
}

static int run_command(const struct slw_command_entry *c, struct slw_terminal *t, int argc,
                       char **argv, struct slw_error *err)
{
    struct slw_args args = {0};
    int rc = slw_args_parse(c->options, c->operand == SLW_OPERAND_COMMAND, argc, argv, &args, err);

    if (rc < 0)
        return rc;
    if (slw_args_has(&args, "help")) {
        rc = print_help(t, c, err);
    } else {
        if (slw_args_knows(&args, "color"))
            slw_terminal_color(t, slw_args_get(&args, "color"));
        rc = c->run(&args, t, err);
    }
    slw_args_release(&args);
    return rc;
}

static int run_word(const char *word, struct slw_terminal *t, int argc, char **argv,
                    const struct slw_command_entry **ret_command, struct slw_error *err)
{
    if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0)
        return print_version(t, err);
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
        return print_help(t, NULL, err);
    if (word[0] == '-') {
        slw_error_hint(err, "options come after a command");
        return slw_fail(err, SLW_E_USAGE, "unknown option '%.60s'", word);
    }
    *ret_command = slw_command_find(word);
    if (!*ret_command)
        return slw_command_unknown(word, err);
    return run_command(*ret_command, t, argc - 1, argv + 1, err);
}

/* The allocator keeps what was freed once for the next of its size, up to tens of megabytes, and
 * copies where it then grows. Ours are a few large arrays that double: as mappings of their own
 * they grow in place and are given back. */
#define OWN_MAPPING_BYTES (128 * 1024)

int main(int argc, char **argv)
{
    const struct slw_command_entry *command = NULL;
    struct slw_error err = {0};
    struct slw_terminal terminal;
    int rc;

    (void)mallopt(M_MMAP_THRESHOLD, OWN_MAPPING_BYTES);
    slw_json_memory(); /* what a run measured is in perf.data by then */
    slw_terminal_read(&terminal);
    if (argc < 2)
        return print_bare_help(&terminal, &err);
    rc = run_word(argv[1], &terminal, argc, argv, &command, &err);
    if (rc >= 0)
        return rc;
    if (err.code == SLW_E_OK) /* a failure that had nothing to add to its code */
        err.code = (enum slw_code) - rc;
    slw_terminal_error(command ? command->name : NULL, &err);
    return slw_code_exit_status((enum slw_code) - rc);
}

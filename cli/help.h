/* SPDX-License-Identifier: MIT */
/* Help texts made from the tables of the commands, so that they cannot drift from the parser. */
#ifndef SLW_CLI_HELP_H
#define SLW_CLI_HELP_H

#include "base/buf.h"
#include "cli/command.h"

/* `slotwise help`: what it is, the commands, the exit statuses. */
void slw_help_program(struct slw_buf *out);

/* `slotwise NAME --help`. */
void slw_help_command(const struct slw_command_entry *c, struct slw_buf *out);

/* Append words of `text` broken at `width` columns; every line but the first starts with `indent`
 * blanks, and the first is taken to start at column `column`. A single \n in text breaks a line,
 * two make a new paragraph. No final newline. */
void slw_help_wrap(struct slw_buf *out, const char *text, size_t column, size_t indent,
                   size_t width);

/* The exit statuses of all commands, as data for the man page. NULL-status terminated. */
extern const struct slw_exit_note slw_help_exits[];

#endif

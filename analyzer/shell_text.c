/* SPDX-License-Identifier: MIT */
#include "analyzer/shell_text.h"

#include <string.h>

static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                            "%+,-./:=@_";

void slw_shell_word(struct slw_buf *out, const char *word)
{
    if (word[0] && word[strspn(word, plain)] == '\0') {
        slw_buf_puts(out, word);
        return;
    }
    slw_buf_putc(out, '\'');
    for (const char *c = word; *c; c++)
        if (*c == '\'')
            slw_buf_puts(out, "'\\''");
        else
            slw_buf_putc(out, *c);
    slw_buf_putc(out, '\'');
}

void slw_shell_command(struct slw_buf *out, const struct slw_command *command)
{
    for (size_t i = 0; i < command->argc; i++) {
        slw_buf_puts(out, i ? " " : "");
        slw_shell_word(out, command->argv[i]);
    }
}

/* SPDX-License-Identifier: MIT */
/* Arguments as a POSIX shell would have to be given them, for "how to reproduce". Quotes only; what
 * a terminal or a document could act on is still in there (text.h, md_text.h). */
#ifndef SLW_ANALYZER_SHELL_TEXT_H
#define SLW_ANALYZER_SHELL_TEXT_H

#include "base/buf.h"
#include "record/run.h"

/* One word: as it is where the shell would leave it so, else in single quotes. */
void slw_shell_word(struct slw_buf *out, const char *word);

/* All of argv, blanks between. Nothing where the target is no command. */
void slw_shell_command(struct slw_buf *out, const struct slw_command *command);

#endif

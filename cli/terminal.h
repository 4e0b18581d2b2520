/* SPDX-License-Identifier: MIT */
/* What the two output streams can show, and writing to them. The only place that looks at the
 * environment for it: NO_COLOR (https://no-color.org), TERM, COLUMNS. */
#ifndef SLW_CLI_TERMINAL_H
#define SLW_CLI_TERMINAL_H

#include "base/buf.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

struct slw_stream {
    int fd;
    bool is_terminal;
    bool color; /* what `--color auto` means here */
    int width;  /* columns; 80 when unknown */
};

struct slw_terminal {
    struct slw_stream out, err;
};

/* color: "auto", "always", "never", or NULL for auto. */
void slw_terminal_read(struct slw_terminal *ret_terminal);
void slw_terminal_color(struct slw_terminal *t, const char *color);

/* Write the whole buffer. SLW_E_NOMEM when it failed to grow, SLW_E_IO / SLW_E_FULL. */
int slw_terminal_write(const struct slw_stream *s, const struct slw_buf *text,
                       struct slw_error *err);

/* Print *err the way every error is shown: what and why, where, what to do. Control characters in
 * it (names of hostile files) are replaced. `command` may be NULL. */
void slw_terminal_error(const char *command, const struct slw_error *err);

/* One line on standard error: "slotwise: ..." */
__attribute__((format(printf, 1, 2))) void slw_terminal_say(const char *fmt, ...);

/* Write to `path`, or to standard output when path is "-" or NULL. Refuses to put bytes that are
 * not text on a terminal (SLW_E_USAGE). */
int slw_output_write(const char *path, const struct slw_terminal *t, const struct slw_buf *bytes,
                     struct slw_error *err);

#endif

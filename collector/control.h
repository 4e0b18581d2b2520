/* SPDX-License-Identifier: MIT */
/* The control FIFO: lines "start", "stop", "quit" from a script. Not for: acting on them. */
#ifndef SLW_COLLECTOR_CONTROL_H
#define SLW_COLLECTOR_CONTROL_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum slw_control_command { SLW_CONTROL_START, SLW_CONTROL_STOP, SLW_CONTROL_QUIT };

/* Lines of a byte stream. Zero-initialise. */
struct slw_control_lines {
    char line[16]; /* the longest command has 5 letters; longer lines are not commands */
    size_t length;
    uint64_t unknown_count; /* lines that were none of the commands */
};

/* Feed one byte. True when it completed a command. Spaces, tabs and carriage returns around it are
 * ignored, and so are empty lines. */
bool slw_control_feed(struct slw_control_lines *lines, char byte,
                      enum slw_control_command *ret_command);

/* Open the FIFO so that it never blocks and survives writers that come and go.
 * SLW_E_NOTFOUND, SLW_E_PERM; SLW_E_INVAL when it is not a FIFO. */
int slw_control_open(const char *path, int *ret_fd, struct slw_error *err);

#endif

/* SPDX-License-Identifier: MIT */
/* Run another program in a test and look at what it prints. */
#ifndef SLW_TESTS_TOOL_INT_H
#define SLW_TESTS_TOOL_INT_H

#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

/* Append the output of a shell command to out; its exit status, or -1. */
static inline int run_tool(const char *command, struct slw_buf *out)
{
    char piece[4096];
    size_t n;
    FILE *f = popen(command, "r");

    if (!f)
        return -1;
    while ((n = fread(piece, 1, sizeof(piece), f)) > 0)
        slw_buf_put(out, piece, n);
    int status = pclose(f);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static inline bool tool_works(const char *command)
{
    struct slw_buf out = {0};
    int status = run_tool(command, &out);

    slw_buf_release(&out);
    return status == 0;
}

#endif

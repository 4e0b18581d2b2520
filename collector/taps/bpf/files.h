/* SPDX-License-Identifier: MIT */
/* The files whose code a target runs, or will run: its executable and its shared libraries. Before
 * a command starts, the loader is asked what it would load; a process tells what it has mapped.
 * What a command starts further, or loads later by itself, is not known here. */
#ifndef SLW_COLLECTOR_TAPS_BPF_FILES_H
#define SLW_COLLECTOR_TAPS_BPF_FILES_H

#include "base/error.h"

#include <limits.h>
#include <stdbool.h>

struct slw_live_target;
struct slw_session_options;

/* Negative ends the walk. The path is lent. */
typedef int slw_tap_file_fn(void *ctx, const char *path, struct slw_error *err);

/* Each file once. What fn returned last; -SLW_E_NOMEM, -SLW_E_UNSUPPORTED (slw_tap_tasks). */
int slw_tap_files(const struct slw_session_options *opts, const struct slw_live_target *target,
                  slw_tap_file_fn *fn, void *ctx, struct slw_error *err);

/* The program a command runs: as execvp finds it, and for a script its interpreter. */
bool slw_tap_program(const char *name, char *const *envp, char ret_path[PATH_MAX]);

/* The path in a line of `ld.so --list`: "libc.so.6 => /lib/libc.so.6 (0x...)" or "/lib/ld.so
 * (0x...)"; NULL when it names no file. Cuts the line there. */
char *slw_tap_parse_list(char *line);

#endif

/* SPDX-License-Identifier: MIT */
/* The files whose code a target runs, or will run: its executable and its shared libraries. Before
 * a command starts, the loader is asked what it would load; a process tells what it has mapped.
 * What a command starts further, or loads later by itself, is not known here. */
#ifndef SLW_COLLECTOR_TAPS_STAGE_FILES_H
#define SLW_COLLECTOR_TAPS_STAGE_FILES_H

#include "base/error.h"

struct slw_live_target;
struct slw_session_options;
struct slw_stage_marks;

/* Add the marks of all of them. A file that cannot be read has none; one that is broken leaves its
 * error in *ret_broken (and is passed over). -SLW_E_NOMEM, -SLW_E_LIMIT. */
int slw_stage_files(const struct slw_session_options *opts, const struct slw_live_target *target,
                    struct slw_stage_marks *m, struct slw_error *ret_broken, struct slw_error *err);

/* The path in a line of `ld.so --list`: "libc.so.6 => /lib/libc.so.6 (0x...)" or "/lib/ld.so
 * (0x...)"; NULL when it names no file. Cuts the line there. */
char *slw_stage_parse_list(char *line);

#endif

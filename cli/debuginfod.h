/* SPDX-License-Identifier: MIT */
/* Files by build id from the servers in DEBUGINFOD_URLS, through elfutils' own client library,
 * which is loaded when it is asked for and keeps what it fetched where gdb and perf find it too.
 * Off unless asked for; bounded in time and bytes. */
#ifndef SLW_CLI_DEBUGINFOD_H
#define SLW_CLI_DEBUGINFOD_H

#include "analyzer/symbols.h"
#include "base/error.h"
#include "cli/options.h"

#define SLW_OPTIONS_DEBUGINFOD                                                                     \
    {.name = "debuginfod",                                                                         \
     .text = "Ask the servers in DEBUGINFOD_URLS for debug files that are not here, for files "    \
             "with at least 1 % of all frames (docs/names.md)."},                                  \
        {.name = "debuginfod-time",                                                                \
         .kind = SLW_OPTION_TIME,                                                                  \
         .value = "TIME",                                                                          \
         .text = "With --debuginfod: spend no longer than this on it (default 60s)."},             \
    {                                                                                              \
        .name = "debuginfod-size", .kind = SLW_OPTION_SIZE, .value = "BYTES",                      \
        .text = "With --debuginfod: fetch no more than this (default 512M)."                       \
    }

struct slw_debuginfod;

/* By the options above. *ret_client is NULL when it was not asked for. SLW_E_USAGE;
 * SLW_E_UNSUPPORTED: no servers are named, or the library is not installed. */
int slw_debuginfod_open(const struct slw_args *args, struct slw_debuginfod **ret_client,
                        struct slw_error *err);
void slw_debuginfod_close(struct slw_debuginfod *d); /* NULL allowed */

/* Lent; NULL for NULL. */
const struct slw_remote_files *slw_debuginfod_files(const struct slw_debuginfod *d);

#endif

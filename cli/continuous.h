/* SPDX-License-Identifier: MIT */
/* --every TIME --for TIME: measure again and again what goes on running. Each window is measured
 * and analysed by a process of its own, so that nothing of it stays: what waits between windows is
 * as small as on the first day. */
#ifndef SLW_CLI_CONTINUOUS_H
#define SLW_CLI_CONTINUOUS_H

#include "cli/options.h"

#include <signal.h>

struct slw_continuous {
    uint64_t every_ms, for_ms;
    uint64_t keep;                     /* windows left on the disk; older ones are removed */
    const char *folder;                /* holds the windows; there already */
    int32_t pid;                       /* what is watched; 0: nothing that ends */
    const volatile sig_atomic_t *stop; /* a signal asks for the end */
    bool quiet;
    /* Measure one window into `dir`, which is not there yet; called in the process of the window,
     * which slw_continuous_run then leaves with what this returned. */
    int (*window)(void *ctx, const char *dir, struct slw_error *err);
    void *ctx;
};

#define SLW_CONTINUOUS_MAX_KEEP 10000
#define SLW_CONTINUOUS_KEEP     10

/* Options -> every_ms, for_ms, keep; every_ms 0: not asked for. SLW_E_USAGE, also with options that
 * make no sense beside it. */
int slw_continuous_settings(const struct slw_args *a, struct slw_continuous *ret_continuous,
                            struct slw_error *err);

/* Until a signal, or the end of the watched process: 0. Windows that fail are told and gone past;
 * but when the first cannot be measured at all, or ten in a row, its exit status is returned. */
int slw_continuous_run(const struct slw_continuous *c, struct slw_error *err);

#define SLW_OPTIONS_CONTINUOUS                                                                     \
    {.name = "every",                                                                              \
     .kind = SLW_OPTION_TIME,                                                                      \
     .value = "TIME",                                                                              \
     .text = "Measure again each time this has passed, until stopped or the process ends: -p, -a " \
             "or --cgroup, with --for (docs/fleets.md)."},                                         \
        {.name = "for",                                                                            \
         .kind = SLW_OPTION_TIME,                                                                  \
         .value = "TIME",                                                                          \
         .text = "With --every: how long each time."},                                             \
    {                                                                                              \
        .name = "keep", .kind = SLW_OPTION_NUMBER, .value = "N",                                   \
        .text = "With --every: leave the last N runs on the disk (default 10)."                    \
    }

#endif

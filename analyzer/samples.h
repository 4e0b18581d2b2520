/* SPDX-License-Identifier: MIT */
/* From raw samples to symbolized stacks: perf.data reader -> process and mapping state -> symbols
 * -> struct slw_stacks. The same code reads our own spool and everybody else's perf.data. */
#ifndef SLW_ANALYZER_SAMPLES_H
#define SLW_ANALYZER_SAMPLES_H

#include "record/moments.h"
#include "record/run.h"
#include "record/stacks.h"

struct slw_remote_files; /* analyzer/symbols.h */

struct slw_samples_options {
    bool symbols;          /* false: addresses only */
    bool lines;            /* look up source lines (DWARF), for hot addresses only; slower */
    const char *debug_dir; /* separate debug files; NULL: /usr/lib/debug */
    const char *cache_dir; /* what is costly to find out again is kept there; NULL: nowhere */
    const struct slw_remote_files *remote; /* who has files that are not here; NULL: ask nobody */
    bool imported; /* numbers were measured elsewhere: mark provenance imported */
};

/* Read `path` and build the stacks. Adds to *run: losses, notes (truncated file, unknown events,
 * unreadable kernel symbols, ...), samplings for events the run does not list yet, command and host
 * when the run does not know them. Zero samples is not an error: *ret_stacks is then NULL and a
 * note says so. SLW_E_FORMAT (with the offset in err->where), SLW_E_IO, SLW_E_NOMEM. */
int slw_samples_load(const char *path, const struct slw_samples_options *opts, struct slw_run *run,
                     struct slw_stacks **ret_stacks, struct slw_error *err);

/* The same, and when each stack was sampled: since the file says that measuring began, else since
 * its first record. Of the first event only; samples without a time are in the stacks alone.
 * *ret_moments is NULL when *ret_stacks is, and when there are more moments than can be kept, which
 * a note says. */
int slw_samples_load_timed(const char *path, const struct slw_samples_options *opts,
                           struct slw_run *run, struct slw_stacks **ret_stacks,
                           struct slw_moments **ret_moments, struct slw_error *err);

#endif

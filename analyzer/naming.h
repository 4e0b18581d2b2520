/* SPDX-License-Identifier: MIT */
/* Names for the frames of a profile that has addresses only: what a carrier of the simulated tier
 * leaves to us. Only a symbol that covers the address gives its name; a function without one is
 * called by its file and where it begins in it. Not for: samples, which are named while they are
 * read (samples.h). */
#ifndef SLW_ANALYZER_NAMING_H
#define SLW_ANALYZER_NAMING_H

#include "record/stacks.h"

struct slw_naming_options {
    const char *debug_dir; /* separate debug files; NULL: /usr/lib/debug */
    const char *cache_dir; /* NULL: nowhere */
};

/* The same profile with names for frames without one; their addresses are offsets in the file of
 * their mapping, absolute where that is /tmp/perf-PID.map, which stands for code from no file.
 * Notes go to the run. -SLW_E_NOMEM, -SLW_E_LIMIT. */
int slw_stacks_name(const struct slw_stacks *from, const struct slw_naming_options *opts,
                    struct slw_run *run, struct slw_stacks **ret_stacks, struct slw_error *err);

#endif

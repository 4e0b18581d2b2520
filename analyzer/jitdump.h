/* SPDX-License-Identifier: MIT */
/* The file in which a JIT compiler tells what it made: jit-PID.dump. Source: linux
 * tools/perf/Documentation/jitdump-specification.txt, version 1; either byte order. */
#ifndef SLW_ANALYZER_JITDUMP_H
#define SLW_ANALYZER_JITDUMP_H

#include "analyzer/symtab.h"

#include <stdio.h>

struct slw_arena;

#define SLW_MAX_JIT_NAME 4096 /* longer names are cut */

/* Add the functions in the order in which they were made or moved: a later one may lie where an
 * earlier one was (slw_symtab_finish_latest). Names are put into the arena. Reads to the end, or to
 * where the file is cut off or broken: its writer may still be at work. 0, -SLW_E_FORMAT (no
 * jitdump of version 1, and then nothing was added), -SLW_E_NOMEM or -SLW_E_LIMIT. */
int slw_jitdump_read(FILE *f, struct slw_arena *arena, struct slw_symtab *t);

/* When each function of a table was made or moved there, by its position; on CLOCK_MONOTONIC. */
struct slw_jit_times {
    uint64_t *ns;
    size_t count, capacity;
    bool comparable; /* false: the compiler took another clock, and nothing was kept */
};

/* The same, with times; release them in any case. */
int slw_jitdump_read_timed(FILE *f, struct slw_arena *arena, struct slw_symtab *t,
                           struct slw_jit_times *times);
void slw_jit_times_release(struct slw_jit_times *times);

/* Is this what such a file is called? */
bool slw_jitdump_is_name(const char *path);

#endif

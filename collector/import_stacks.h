/* SPDX-License-Identifier: MIT */
/* What importers of stacks have in common: a run and a profile that fill up, and what becomes of
 * them when the file goes wrong half way: what was read is kept, and a note calls it partial. */
#ifndef SLW_COLLECTOR_IMPORT_STACKS_H
#define SLW_COLLECTOR_IMPORT_STACKS_H

#include "collector/importer.h"

struct slw_arena;

struct slw_stack_import {
    const char *path;
    struct slw_run *run;
    struct slw_stacks *stacks; /* NULL until there is a column */
    struct slw_arena *arena;   /* for what the importer keeps; gone at the end */
    struct slw_error stop;     /* why reading stopped */
    size_t line;               /* of slw_import_lines: being read, from 1 */
    uint64_t samples;          /* stacks added, equal ones too */
    uint64_t cut;              /* of those, deeper than SLW_MAX_STACK_DEPTH */
};

/* -SLW_E_NOMEM. slw_stack_import_end in any case. */
int slw_stack_import_start(struct slw_stack_import *in, const char *path);

/* One more column, in which all stacks so far weigh 0. -SLW_E_NOMEM, -SLW_E_LIMIT. */
int slw_stack_import_column(struct slw_stack_import *in, const struct slw_column *column,
                            uint32_t *ret_column);

/* Reading stops: says why and where, and returns -code. `offset` is a byte of the file. */
__attribute__((format(printf, 4, 5))) int slw_stack_import_stop(struct slw_stack_import *in,
                                                                enum slw_code code, size_t offset,
                                                                const char *fmt, ...);
/* The same at the line that is being read. */
__attribute__((format(printf, 3, 4))) int slw_import_stop(struct slw_stack_import *in,
                                                          enum slw_code code, const char *fmt, ...);

/* Reads a line, which it may cut up. `is_whole`: a newline ended it. */
typedef int (*slw_import_line_fn)(void *reader, char *line, bool is_whole);

/* Hand each line of a text to `read`, without its newline, until one is < 0, which is returned; a
 * NUL byte is -SLW_E_FORMAT. */
int slw_import_lines(struct slw_stack_import *in, const char *bytes, size_t length,
                     slw_import_line_fn read, void *reader);

/* `rc` of slw_stacks_x, as words; 0 stays 0. */
int slw_stack_import_check(struct slw_stack_import *in, int rc);

/* slw_stacks_add; deeper stacks lose their root end here. */
int slw_stack_import_add(struct slw_stack_import *in, const uint32_t *frames, size_t depth,
                         uint32_t thread, const uint64_t *weights);

/* The end: `rc` is what reading came to. When it failed for the sake of the data and there are
 * stacks already, they are what was imported, and a note says so; else nothing is. Releases all. */
int slw_stack_import_end(struct slw_stack_import *in, int rc, struct slw_imported *ret_imported,
                         struct slw_error *err);

/* The kind of code a module holds, by the names perf gives: "[kernel.kallsyms]", "x.ko". */
enum slw_frame_kind slw_import_kind(const char *module);

/* The samplings of a run whose columns these are. The column of summed periods carries the event;
 * its twin counts the samples. */
int slw_import_samplings(struct slw_run *run, const struct slw_stacks *s, struct slw_error *err);

#endif

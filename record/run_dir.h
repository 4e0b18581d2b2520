/* SPDX-License-Identifier: MIT */
/* NAME.slotwise/: run.json, profile.pb.gz, moments.pb.gz, perf.data. The files and nothing about
 * their meaning. docs/run-format.md describes them; docs/run.schema.json is the JSON Schema of
 * run.json. */
#ifndef SLW_RECORD_RUN_DIR_H
#define SLW_RECORD_RUN_DIR_H

#include "base/buf.h"
#include "record/moments.h"
#include "record/run.h"
#include "record/stacks.h"

/* run.json as bytes, keys in a fixed order, ending in a newline. Append to out. */
int slw_run_to_json(const struct slw_run *run, struct slw_buf *out, struct slw_error *err);

/* Parse run.json. A newer schema is SLW_E_VERSION; anything else wrong is SLW_E_FORMAT with the
 * JSON path or line:column in err->where. Unknown keys are ignored (a newer writer of the same
 * schema may add some). */
int slw_run_from_json(const char *text, size_t length, struct slw_run **ret_run,
                      struct slw_error *err);

/* pprof's Profile message, gzip-compressed. Source: the published profile.proto of pprof. Columns
 * become sample types; provenance travels as a comment; pid, tid and comm as labels. */
int slw_stacks_to_pprof(const struct slw_stacks *s, const struct slw_run *run_or_null,
                        struct slw_buf *out, struct slw_error *err);

/* The same for servers that make queries of the types: Pyroscope refuses a '-', Parca's selectors
 * part at a ':'. Types are letters, digits and '_' ("cpu_clock"; the comment keeps the event), and
 * there is a period, which such servers count as part of the type: that of the first event, 0 where
 * it is not known. */
int slw_stacks_to_pprof_plain(const struct slw_stacks *s, const struct slw_run *run,
                              struct slw_buf *out, struct slw_error *err);

/* Read a Profile message, gzip-compressed or plain, of any writer. */
int slw_stacks_from_pprof(const void *bytes, size_t length, struct slw_stacks **ret_stacks,
                          struct slw_error *err);

#define SLW_RUN_JSON      "run.json"
#define SLW_RUN_PROFILE   "profile.pb.gz"
#define SLW_RUN_PERF_DATA "perf.data"

/* Create the directory (parents must exist). SLW_E_EXISTS when there is something by that name. */
int slw_run_dir_create(const char *path, struct slw_error *err);

/* Write run.json and, when stacks is not NULL, profile.pb.gz into an existing directory. */
int slw_run_dir_save(const char *path, const struct slw_run *run, const struct slw_stacks *stacks,
                     struct slw_error *err);

/* Load a run directory, or a run.json alone. *ret_stacks is NULL when there is no profile.pb.gz;
 * an unreadable profile is an error, not an absence. */
int slw_run_dir_load(const char *path, struct slw_run **ret_run, struct slw_stacks **ret_stacks,
                     struct slw_error *err);

/* The same with moments.pb.gz. moments NULL: none are written; *ret_moments NULL: there are none.
 * Those that cannot be read, or that are of another profile, are an error. */
int slw_run_dir_save_all(const char *path, const struct slw_run *run,
                         const struct slw_stacks *stacks, const struct slw_moments *moments,
                         struct slw_error *err);
int slw_run_dir_load_all(const char *path, struct slw_run **ret_run, struct slw_stacks **ret_stacks,
                         struct slw_moments **ret_moments, struct slw_error *err);

/* path/name as a heap string the caller frees; NULL when out of memory. */
char *slw_run_dir_file(const char *path, const char *name);

#endif

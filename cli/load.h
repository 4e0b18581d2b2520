/* SPDX-License-Identifier: MIT */
/* Whatever a person points at, as a run: a run directory, its run.json, perf.data, folded stacks,
 * a pprof profile. */
#ifndef SLW_CLI_LOAD_H
#define SLW_CLI_LOAD_H

#include "models/model.h"
#include "record/moments.h"
#include "record/run.h"
#include "record/stacks.h"

struct slw_remote_files; /* analyzer/symbols.h */

struct slw_loaded {
    struct slw_run *run;
    struct slw_stacks *stacks;   /* NULL: no samples */
    struct slw_moments *moments; /* NULL: it is not known when stacks were sampled */
};

/* format: the name of an importer, or NULL to find out. Fails like slw_run_dir_load,
 * slw_import and slw_samples_load. Reads no moments. */
int slw_load(const char *path, const char *format, struct slw_loaded *ret_loaded,
             struct slw_error *err);

struct slw_load_options {
    const char *format;
    /* For files of other tools: the model their counts are to be read with (NULL: the one that the
     * events name beyond doubt, if any); notes of the run say what was assumed and whether the
     * tool's own metrics agree. */
    const struct slw_model *model;
    bool lines; /* source lines and inlined calls of hot addresses too: costs time */
    const struct slw_remote_files *remote; /* who has files that are not here; NULL: ask nobody */
    bool moments; /* when stacks were sampled too, where that is known: costs time */
};
int slw_load_with(const char *path, const struct slw_load_options *opts,
                  struct slw_loaded *ret_loaded, struct slw_error *err);
void slw_loaded_release(struct slw_loaded *l);

/* The names `format` may have; NULL past the last. */
const char *slw_load_formats(size_t i);

/* The model called `name`, or read from it when it is a path (holds '/' or ends in .json).
 * SLW_E_NOTFOUND with the nearest built-in name. */
int slw_load_model(const char *name, struct slw_model **ret_model, struct slw_error *err);

/* "path/to/pgbench.folded.txt" -> "pgbench": the stem of a file name for the files made of it. */
#define SLW_MAX_STEM 128
void slw_path_stem(const char *path, char ret_stem[SLW_MAX_STEM]);

#endif

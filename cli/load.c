/* SPDX-License-Identifier: MIT */
#include "cli/load.h"

#include "analyzer/crosscheck.h"
#include "analyzer/samples.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "cli/cache.h"
#include "cli/suggest.h"
#include "collector/import_model.h"
#include "collector/importer.h"
#include "collector/simulate.h"
#include "record/run_dir.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_directory(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Readers of bytes know an offset, but not whose. */
static void name_file(struct slw_error *err, const char *path)
{
    char inside[sizeof(err->where)];

    if (!err || strstr(err->text, path) || strstr(err->where, path))
        return;
    memcpy(inside, err->where, sizeof(inside));
    (void)snprintf(err->where, sizeof(err->where), inside[0] ? "%.150s, %.90s" : "%s%s", path,
                   inside);
}

/* What the tool that counted made of its counts, against what the model makes of them. */
static int check_printed(const struct slw_loaded *l, const struct slw_model *model,
                         struct slw_error *err)
{
    struct slw_report *report = NULL;
    struct slw_crosscheck result;
    int rc = slw_report_new(l->run, l->stacks, model, &report, err);

    if (rc >= 0)
        rc = slw_crosscheck_note(report, l->run, &result, err);
    slw_report_free(report);
    return rc;
}

/* The same for a model named in the run. */
static int check_named(const struct slw_loaded *l, const struct slw_model_ref *ref,
                       struct slw_error *err)
{
    struct slw_model *own = NULL;

    if (!ref->name)
        return 0;
    int rc = slw_model_builtin(ref->name, &own, err);
    if (rc >= 0)
        rc = check_printed(l, own, err);
    slw_model_free(own);
    return rc;
}

static int interpret(const struct slw_loaded *l, const struct slw_model *model,
                     struct slw_error *err)
{
    int rc = slw_import_model(l->run, model, err);

    if (rc >= 0 && model && l->run->model.name)
        rc = check_printed(l, model, err);
    else if (rc >= 0)
        rc = check_named(l, &l->run->model, err);
    for (size_t i = 0; i < l->run->other_model_count && rc >= 0; i++)
        rc = check_named(l, &l->run->other_models[i], err);
    return rc;
}

static int load_foreign(const char *path, const struct slw_load_options *how,
                        struct slw_loaded *ret_loaded, struct slw_error *err)
{
    char cache[PATH_MAX];
    const struct slw_samples_options opts = {.symbols = true,
                                             .lines = how->lines,
                                             .cache_dir = slw_cache_dir(cache),
                                             .remote = how->remote,
                                             .imported = true};
    struct slw_imported imported = {0};
    int rc = slw_import(path, how->format, &imported, err);

    if (rc < 0)
        return rc;
    struct slw_loaded l = {.run = imported.run, .stacks = imported.stacks};
    if (imported.raw_samples)
        rc = slw_samples_load_timed(path, &opts, l.run, &l.stacks, how->moments ? &l.moments : NULL,
                                    err);
    else
        rc = interpret(&l, how->model, err);
    if (rc < 0) {
        name_file(err, path);
        slw_loaded_release(&l);
        return rc;
    }
    *ret_loaded = l;
    return 0;
}

/* A run whose analysis was given up has samples, but no run.json yet. */
static int load_directory(const char *path, const struct slw_load_options *how,
                          struct slw_loaded *ret_loaded, struct slw_error *err)
{
    char *SLW_AUTO(free) json = slw_run_dir_file(path, SLW_RUN_JSON);
    char *SLW_AUTO(free) raw = slw_run_dir_file(path, SLW_RUN_PERF_DATA);

    if (!json || !raw)
        return slw_fail(err, SLW_E_NOMEM, "no memory for a path");
    if (access(json, F_OK) != 0 && access(raw, R_OK) == 0) {
        int rc =
            load_foreign(raw,
                         &(struct slw_load_options){
                             .lines = how->lines, .moments = how->moments, .remote = how->remote},
                         ret_loaded, err);
        if (rc == 0)
            (void)slw_run_note(ret_loaded->run, SLW_NOTE_WARNING, "run-json-missing", NULL,
                               "there is no run.json: only the samples of perf.data are known, "
                               "no counts, notes or cost");
        return rc;
    }
    if (!how->moments)
        return slw_run_dir_load(path, &ret_loaded->run, &ret_loaded->stacks, err);
    return slw_run_dir_load_all(path, &ret_loaded->run, &ret_loaded->stacks, &ret_loaded->moments,
                                err);
}

enum kind { KIND_RUN_JSON, KIND_FOREIGN };

/* What the first bytes say: '{' is a run.json unless another tool's JSON is recognised. */
static int sniff(const char *path, enum kind *ret_kind, struct slw_error *err)
{
    unsigned char head[SLW_IMPORT_HEAD_BYTES + 1] = {0};
    FILE *SLW_AUTO(fclose) f = fopen(path, "rbe");
    size_t i = 0;

    if (!f) {
        char *none = NULL;
        return slw_file_read(path, 0, &none, NULL, err); /* for its error */
    }
    size_t n = fread(head, 1, sizeof(head) - 1, f);
    while (i < n && (head[i] == ' ' || head[i] == '\n' || head[i] == '\t' || head[i] == '\r'))
        i++;
    if (head[i] == '{' && !slw_importer_of(head, n))
        *ret_kind = KIND_RUN_JSON;
    else
        *ret_kind = KIND_FOREIGN;
    return 0;
}

int slw_load(const char *path, const char *format, struct slw_loaded *ret_loaded,
             struct slw_error *err)
{
    return slw_load_with(path, &(struct slw_load_options){.format = format}, ret_loaded, err);
}

int slw_load_with(const char *path, const struct slw_load_options *opts,
                  struct slw_loaded *ret_loaded, struct slw_error *err)
{
    enum kind kind = KIND_FOREIGN;
    struct slw_loaded l = {0};
    int rc;

    if (is_directory(path) && !opts->format) {
        rc = load_directory(path, opts, &l, err);
    } else {
        rc = sniff(path, &kind, err);
        if (rc < 0)
            return rc;
        if (opts->format)
            kind = KIND_FOREIGN;
        if (kind == KIND_RUN_JSON)
            rc = slw_run_dir_load(path, &l.run, &l.stacks, err);
        else
            rc = load_foreign(path, opts, &l, err);
    }
    if (rc < 0)
        return rc;
    *ret_loaded = l;
    return 0;
}

void slw_loaded_release(struct slw_loaded *l)
{
    slw_moments_free(l->moments);
    slw_stacks_free(l->stacks);
    slw_run_free(l->run);
    *l = (struct slw_loaded){0};
}

const char *slw_load_formats(size_t i)
{
    return i < slw_importer_count ? slw_importers[i]->name : NULL;
}

static bool is_model_path(const char *name)
{
    size_t length = strlen(name);

    return strchr(name, '/') || (length > 5 && strcmp(name + length - 5, ".json") == 0);
}

#define MAX_MODEL_BYTES ((size_t)16 << 20) /* the largest of ours has 100 KiB */

static int load_model_file(const char *path, struct slw_model **ret_model, struct slw_error *err)
{
    char *SLW_AUTO(free) text = NULL;
    size_t length = 0;
    int rc = slw_file_read(path, MAX_MODEL_BYTES, &text, &length, err);

    return rc < 0 ? rc : slw_model_parse(text, length, path, ret_model, err);
}

int slw_load_model(const char *name, struct slw_model **ret_model, struct slw_error *err)
{
    struct slw_suggestion s = {.typed = name};

    if (is_model_path(name))
        return load_model_file(name, ret_model, err);
    if (strcmp(name, SLW_SIM_MODEL) == 0) /* of no CPU, so that it is in no list */
        return slw_model_builtin(name, ret_model, err);
    for (size_t i = 0; i < slw_model_builtin_count(); i++) {
        if (strcmp(slw_model_builtin_name(i), name) == 0)
            return slw_model_builtin(name, ret_model, err);
        slw_suggest(&s, slw_model_builtin_name(i));
    }
    if (s.best)
        slw_error_hint(err, "did you mean %s?", s.best);
    else
        slw_error_hint(err, "'slotwise models list' names them; a file needs a '/' or .json");
    return slw_fail(err, SLW_E_NOTFOUND, "there is no CPU model '%.60s'", name);
}

void slw_path_stem(const char *path, char ret_stem[SLW_MAX_STEM])
{
    size_t length = strlen(path);

    while (length > 1 && path[length - 1] == '/')
        length--;
    const char *start = path;
    for (size_t i = 0; i + 1 < length; i++)
        if (path[i] == '/')
            start = path + i + 1;
    length -= (size_t)(start - path);
    for (size_t i = 1; i < length; i++)
        if (start[i] == '.')
            length = i;
    if (length == 0 || (length == 1 && start[0] == '/')) {
        start = "run";
        length = 3;
    }
    if (length >= SLW_MAX_STEM)
        length = SLW_MAX_STEM - 1;
    memcpy(ret_stem, start, length);
    ret_stem[length] = '\0';
}

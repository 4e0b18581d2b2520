/* SPDX-License-Identifier: MIT */
/* pprof's Profile message, gzip-compressed as all tools write it. record/ reads it, because a run
 * directory holds one too. A bare message has nothing to be recognised by: it must be named. */
#include "collector/import_stacks.h"
#include "record/gunzip.h"
#include "record/run_dir.h"

#include <string.h>

static int fill(const char *path, struct slw_imported *imported, struct slw_error *err)
{
    int rc = slw_run_new(&imported->run, err);

    if (rc < 0)
        return rc;
    imported->run->command.kind = SLW_TARGET_IMPORT;
    imported->run->tool = slw_run_str(imported->run, "slotwise " SLW_VERSION);
    if (!imported->run->tool)
        return slw_fail(err, SLW_E_NOMEM, "no memory for the run of '%s'", path);
    return slw_import_samplings(imported->run, imported->stacks, err);
}

/* The reader of bytes knows an offset, but not whose. */
static void name_file(struct slw_error *err, const char *path)
{
    char inside[sizeof(err->where)];

    if (!err)
        return;
    memcpy(inside, err->where, sizeof(inside));
    err->where[0] = '\0';
    if (inside[0])
        slw_error_at(err, "%.150s, %.90s", path, inside);
    else
        slw_error_at(err, "%s", path);
}

static int import(const char *path, const void *bytes, size_t length,
                  struct slw_imported *ret_imported, struct slw_error *err)
{
    struct slw_imported imported = {0};
    int rc = slw_stacks_from_pprof(bytes, length, &imported.stacks, err);

    if (rc >= 0)
        rc = fill(path, &imported, err);
    if (rc < 0) {
        name_file(err, path);
        slw_stacks_free(imported.stacks);
        slw_run_free(imported.run);
        return rc;
    }
    *ret_imported = imported;
    return 0;
}

const struct slw_importer slw_importer_pprof = {
    .name = "pprof",
    .summary = "pprof profile",
    .recognise = slw_gzip_recognise,
    .import = import,
};

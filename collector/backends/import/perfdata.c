/* SPDX-License-Identifier: MIT */
/* Recognises perf.data of every kind; the analyzer reads it (analyzer/samples.h), because it is the
 * same file our own spool writes. Source: tools/perf/util/header.c of Linux. */
#include "collector/importer.h"

#include <string.h>

/* "PERFILE2" read as a 64-bit number and written in the writer's byte order; "PERFFILE" is the
 * format before Linux 2.6.37. A pipe starts with the same magic. */
static const char *const magics[] = {"PERFILE2", "2ELIFREP", "PERFFILE", "ELIFFREP"};
#define MAGIC_BYTES 8

static bool recognise(const void *head, size_t length)
{
    for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++)
        if (length >= MAGIC_BYTES && memcmp(head, magics[i], MAGIC_BYTES) == 0)
            return true;
    return false;
}

static int import(const char *path, const void *bytes, size_t length,
                  struct slw_imported *ret_imported, struct slw_error *err)
{
    struct slw_imported imported = {.raw_samples = true};

    if (!recognise(bytes, length)) {
        slw_error_at(err, "%s, offset 0x0", path);
        return slw_fail(err, SLW_E_FORMAT, "'%s' is not a perf.data: its magic is missing", path);
    }
    int rc = slw_run_new(&imported.run, err);
    if (rc < 0)
        return rc;
    imported.run->tool = slw_run_str(imported.run, "slotwise " SLW_VERSION);
    imported.run->command.kind = SLW_TARGET_IMPORT;
    if (!imported.run->tool) {
        slw_run_free(imported.run);
        return slw_fail(err, SLW_E_NOMEM, "no memory for an imported run");
    }
    *ret_imported = imported;
    return 0;
}

const struct slw_importer slw_importer_perfdata = {
    .name = "perfdata",
    .summary = "perf.data of perf record",
    .recognise = recognise,
    .head_only = true,
    .import = import,
};

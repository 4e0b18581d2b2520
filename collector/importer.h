/* SPDX-License-Identifier: MIT */
/* Other tools' files made into a run. To add one: write backends/import/NAME.c that defines
 * `const struct slw_importer slw_importer_NAME`, add SLW_IMPORTER(NAME) to importers.def. */
#ifndef SLW_COLLECTOR_IMPORTER_H
#define SLW_COLLECTOR_IMPORTER_H

#include "record/run.h"
#include "record/stacks.h"

/* What an importer made of a file: a filled run, and stacks unless the file holds raw samples that
 * the analyzer must read itself (raw_samples). */
struct slw_imported {
    struct slw_run *run;       /* owned by the caller after success */
    struct slw_stacks *stacks; /* the same; may be NULL */
    bool raw_samples;          /* the file is perf.data: hand its path to slw_samples_load */
};

struct slw_importer {
    const char *name;
    const char *summary;
    /* Is it ours? Looks at up to 4 KiB from the start; never reads past `length`. */
    bool (*recognise)(const void *head, size_t length);
    /* The importer does not read the file itself: `bytes` is its head only, however large it is. */
    bool head_only;
    /* `bytes` is the whole file. Every number is marked imported. */
    int (*import)(const char *path, const void *bytes, size_t length,
                  struct slw_imported *ret_imported, struct slw_error *err);
};

extern const struct slw_importer *const slw_importers[];
extern const size_t slw_importer_count;

/* What recognise() gets to see. */
#define SLW_IMPORT_HEAD_BYTES 4096

/* The first importer that recognises a file by its head; NULL: none. */
const struct slw_importer *slw_importer_of(const void *head, size_t length);

/* Import with the named importer, or with the first that recognises the file (name NULL). An
 * unrecognised file is SLW_E_FORMAT and the text lists what is understood; an
 * unknown name is SLW_E_INVAL, an empty file SLW_E_NODATA. */
#define SLW_MAX_IMPORT_BYTES                                                                       \
    ((size_t)4 << 30) /* larger files do not fit the machines we target                            \
                       */
/* The same for what a gzip file unpacks to; files of any format may be compressed. */
#define SLW_MAX_IMPORT_PLAIN_BYTES ((size_t)1 << 30)
int slw_import(const char *path, const char *name_or_null, struct slw_imported *ret_imported,
               struct slw_error *err);

#endif

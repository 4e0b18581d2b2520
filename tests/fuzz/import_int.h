/* SPDX-License-Identifier: MIT */
/* Any bytes as a file of stacks: refused with a reason and a place, or imported, written in the
 * same format and imported again with no weight lost. */
#ifndef SLW_TESTS_FUZZ_IMPORT_INT_H
#define SLW_TESTS_FUZZ_IMPORT_INT_H

#include "collector/importer.h"
#include "flamegraph/exporter.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void fuzz_check(int ok)
{
    if (!ok)
        abort();
}

static inline uint64_t fuzz_total(const struct slw_stacks *s)
{
    const int column = slw_stacks_find_column(s, NULL, NULL);

    return column < 0 ? 0 : slw_stacks_total(s, (size_t)column);
}

static inline void fuzz_again(const struct slw_importer *importer, const char *exporter,
                              const struct slw_stacks *stacks)
{
    struct slw_imported again = {0};
    struct slw_buf text = {0};

    if (fuzz_total(stacks) > 0 &&
        slw_exporter_find(exporter)->export(NULL, stacks, NULL, &text, NULL) == 0) {
        fuzz_check(importer->import("again", text.data, text.length, &again, NULL) == 0);
        fuzz_check(fuzz_total(again.stacks) == fuzz_total(stacks));
    }
    slw_buf_release(&text);
    slw_stacks_free(again.stacks);
    slw_run_free(again.run);
}

static inline int fuzz_import(const struct slw_importer *importer, const uint8_t *data, size_t size)
{
    struct slw_imported imported = {0};
    struct slw_error err = {0};

    (void)importer->recognise(data, size < SLW_IMPORT_HEAD_BYTES ? size : SLW_IMPORT_HEAD_BYTES);
    if (importer->import("bytes", data, size, &imported, &err) < 0) {
        fuzz_check(err.code != SLW_E_OK && err.text[0] && err.where[0]);
        return 0;
    }
    fuzz_again(importer, importer->name, imported.stacks);
    slw_stacks_free(imported.stacks);
    slw_run_free(imported.run);
    return 0;
}

#endif

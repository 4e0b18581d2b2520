/* SPDX-License-Identifier: MIT */
/* Any bytes as folded stacks: refused with a reason, or imported, written and imported again with
 * no weight lost. */
#include "collector/importer.h"
#include "flamegraph/exporter.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

extern const struct slw_importer slw_importer_folded;
extern const struct slw_exporter slw_exporter_folded;

static void check(int ok)
{
    if (!ok)
        abort();
}

static void write_and_read_again(const struct slw_stacks *stacks)
{
    struct slw_imported again = {0};
    struct slw_buf text = {0};

    if (slw_exporter_folded.export(NULL, stacks, NULL, &text, NULL) == 0 && text.length > 0) {
        check(slw_importer_folded.import("again", text.data, text.length, &again, NULL) == 0);
        check(slw_stacks_total(again.stacks, 0) == slw_stacks_total(stacks, 0));
    }
    slw_buf_release(&text);
    slw_stacks_free(again.stacks);
    slw_run_free(again.run);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slw_imported imported = {0};
    struct slw_error err = {0};
    const size_t head = size < SLW_IMPORT_HEAD_BYTES ? size : SLW_IMPORT_HEAD_BYTES;

    (void)slw_importer_folded.recognise(data, head);
    if (slw_importer_folded.import("bytes", data, size, &imported, &err) < 0) {
        check(err.code != SLW_E_OK && err.text[0] && err.where[0]);
        return 0;
    }
    write_and_read_again(imported.stacks);
    slw_stacks_free(imported.stacks);
    slw_run_free(imported.run);
    return 0;
}

/* SPDX-License-Identifier: MIT */
/* Any bytes as the text of perf script. */
#include "tests/fuzz/import_int.h"

extern const struct slw_importer slw_importer_perf_script;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return fuzz_import(&slw_importer_perf_script, data, size);
}

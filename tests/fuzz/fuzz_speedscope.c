/* SPDX-License-Identifier: MIT */
/* Any bytes as speedscope's JSON. */
#include "tests/fuzz/import_int.h"

extern const struct slw_importer slw_importer_speedscope;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return fuzz_import(&slw_importer_speedscope, data, size);
}

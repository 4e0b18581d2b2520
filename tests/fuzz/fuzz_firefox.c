/* SPDX-License-Identifier: MIT */
/* Any bytes as a Firefox profile. */
#include "tests/fuzz/import_int.h"

extern const struct slw_importer slw_importer_firefox;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return fuzz_import(&slw_importer_firefox, data, size);
}

/* SPDX-License-Identifier: MIT */
/* The description of a core as a carrier reads it: refused with a reason and a line, or one that
 * has no fault. */
#include "sim/core.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slw_sim_config config;
    const char *why = NULL;

    if (slw_sim_config_parse((const char *)data, size, &config, &why) != 0) {
        if (!why || !*why)
            abort();
    } else if (slw_sim_config_fault(&config)) {
        abort();
    }
    return 0;
}

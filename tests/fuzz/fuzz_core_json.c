/* SPDX-License-Identifier: MIT */
/* Any text is a described core without a fault, or is refused with a reason. */
#include "models/core.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slw_core *core = NULL;
    struct slw_error err = {0};

    if (slw_core_parse((const char *)data, size, "fuzz", &core, &err) < 0) {
        if (core || !*err.text)
            abort();
        return 0;
    }
    if (slw_sim_config_fault(&core->config))
        abort();
    slw_core_free(core);
    return 0;
}

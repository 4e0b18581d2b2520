/* SPDX-License-Identifier: MIT */
/* Any bytes are an instruction of a length within them, described within its bounds, or none; a
 * core executes a segment of whatever was decoded. */
#include "sim/core.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct slw_sim_instruction *in, size_t length, size_t left)
{
    if (length > left || length > 15 || in->length != length || in->unit >= SLW_SIM_UNIT_COUNT ||
        in->branch > SLW_SIM_SYSCALL || in->source_count > 4 || in->address_count > 2)
        abort();
    for (unsigned i = 0; i < 4; i++)
        if (in->sources[i] >= SLW_SIM_REGISTER_COUNT)
            abort();
    for (unsigned i = 0; i < 2; i++)
        if (in->targets[i] >= SLW_SIM_REGISTER_COUNT || in->addresses[i] >= SLW_SIM_REGISTER_COUNT)
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (size_t at = 0; at < size;) {
        struct slw_sim_instruction in;
        const size_t length = slw_sim_decode(data + at, size - at, 0x1000 + at, &in);

        if (length)
            check(&in, length, size - at);
        at += length ? length : 1;
    }
    return 0;
}

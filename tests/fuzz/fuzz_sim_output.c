/* SPDX-License-Identifier: MIT */
/* Whatever a carrier leaves behind is either refused with a reason, or adds up. */
#include "collector/sim_output.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct slw_sim_output *o)
{
    for (size_t i = 0; i < o->thread_count; i++) {
        const struct slw_sim_thread *t = &o->threads[i];
        uint64_t sum = 0;

        for (size_t k = 0; k < t->context_count; k++) {
            const struct slw_sim_context *c = &t->contexts[k];

            if (c->parent > k || (c->object != SLW_SIM_NO_OBJECT && c->object >= o->object_count))
                abort();
            sum += c->slots[SLW_SIM_RETIRING];
        }
        if (sum != t->slots[SLW_SIM_RETIRING])
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slw_sim_output *o = NULL;
    struct slw_error err = {0};

    if (slw_sim_output_read((const char *)data, size, "fuzz", &o, &err) < 0) {
        if (o || !*err.text)
            abort();
        return 0;
    }
    check(o);
    slw_sim_output_free(o);
    return 0;
}

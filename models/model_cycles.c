/* SPDX-License-Identifier: MIT */
/* Which event of a model counts core cycles of one thread, whatever its vendor calls it. */
#include "models/model.h"

#include <linux/perf_event.h>
#include <string.h>

int slw_model_cycles_event(const struct slw_model *m)
{
    /* Sources: Intel SDM vol. 3 (CPU_CLK_UNHALTED.THREAD), AMD PPR (LS_NOT_HALTED_CYC), Arm ARM
     * (CPU_CYCLES); the kernel's tables of PERF_COUNT_HW_CPU_CYCLES name the same. */
    static const struct {
        const char *vendor;
        uint64_t config;
    } codes[] = {{"GenuineIntel", 0x3c}, {"AuthenticAMD", 0x76}, {"ARM", 0x11}};
    const char *vendor = m->match_count > 0 ? m->matches[0].vendor : NULL;

    for (size_t i = 0; i < m->event_count; i++) {
        const struct slw_model_event *e = &m->events[i];

        if (e->type == PERF_TYPE_HARDWARE && e->config == PERF_COUNT_HW_CPU_CYCLES)
            return (int)i;
        for (size_t k = 0; k < sizeof(codes) / sizeof(codes[0]) && vendor; k++)
            if (e->type == PERF_TYPE_RAW && e->config == codes[k].config && e->config1 == 0 &&
                strcmp(vendor, codes[k].vendor) == 0)
                return (int)i;
    }
    return -1;
}

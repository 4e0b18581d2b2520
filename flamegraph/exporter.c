/* SPDX-License-Identifier: MIT */
#include "flamegraph/exporter.h"

#include <string.h>

#define SLW_EXPORTER(name) extern const struct slw_exporter slw_exporter_##name;
#include "flamegraph/exporters.def"
#undef SLW_EXPORTER

const struct slw_exporter *const slw_exporters[] = {
#define SLW_EXPORTER(name) &slw_exporter_##name,
#include "flamegraph/exporters.def"
#undef SLW_EXPORTER
};
const size_t slw_exporter_count = sizeof(slw_exporters) / sizeof(slw_exporters[0]);

const struct slw_exporter *slw_exporter_find(const char *name)
{
    for (size_t i = 0; i < slw_exporter_count; i++)
        if (strcmp(slw_exporters[i]->name, name) == 0)
            return slw_exporters[i];
    return NULL;
}

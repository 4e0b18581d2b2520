/* SPDX-License-Identifier: MIT */
/* The tables of workloads and drivers. One that was built without its library is a file made by
 * CMake that says so. */
#include "workloads/workload.h"

#include <string.h>

#define SLW_WORKLOAD(name, packages) extern const struct slw_workload slw_workload_##name;
#include "workloads/workloads.def"
#undef SLW_WORKLOAD
#define SLW_DRIVER(name, packages) extern const struct slw_driver slw_driver_##name;
#include "workloads/drivers.def"
#undef SLW_DRIVER

const struct slw_workload *const slw_workloads[] = {
#define SLW_WORKLOAD(name, packages) &slw_workload_##name,
#include "workloads/workloads.def"
#undef SLW_WORKLOAD
};
const size_t slw_workload_count = sizeof(slw_workloads) / sizeof(slw_workloads[0]);

const struct slw_driver *const slw_drivers[] = {
#define SLW_DRIVER(name, packages) &slw_driver_##name,
#include "workloads/drivers.def"
#undef SLW_DRIVER
};
const size_t slw_driver_count = sizeof(slw_drivers) / sizeof(slw_drivers[0]);

const struct slw_workload *slw_workload_find(const char *name)
{
    for (size_t i = 0; i < slw_workload_count; i++)
        if (strcmp(slw_workloads[i]->name, name) == 0)
            return slw_workloads[i];
    return NULL;
}

const struct slw_driver *slw_driver_find(const char *name)
{
    for (size_t i = 0; i < slw_driver_count; i++)
        if (strcmp(slw_drivers[i]->name, name) == 0)
            return slw_drivers[i];
    return NULL;
}

/* SPDX-License-Identifier: MIT */
/* What the kernel says in sysfs about one PMU of the CPU: its number for perf_event_attr.type and
 * which events it lists. Not for: opening events, and PMUs of the memory or the bus.
 * Source: Documentation/ABI/testing/sysfs-bus-event_source-devices-{events,format}. */
#ifndef SLW_COLLECTOR_PMU_H
#define SLW_COLLECTOR_PMU_H

#include <stdbool.h>
#include <stdint.h>

#define SLW_MAX_PMU_NAME   64
#define SLW_MAX_PMU_EVENTS 1024 /* names under events/; the longest list has about 150 */

/* Arm: an event number of which the CPU tells whether it counts it (PMCEID0/1_EL0), in words of 64:
 * 0x0000 to 0x003f and 0x4000 to 0x403f. */
#define SLW_PMU_CODE_WORDS 2

/* The kernel's generic names (PERF_TYPE_HARDWARE, _HW_CACHE) mean the first PMU that has them,
 * unless the upper half of attr.config says whose. Source: PERF_PMU_TYPE_SHIFT, since Linux 5.13.
 */
#define SLW_PMU_TYPE_SHIFT 32

struct slw_pmu {
    char name[SLW_MAX_PMU_NAME]; /* directory under /sys/bus/event_source/devices */
    uint32_t type;               /* attr.type */
    bool common_codes;           /* listed[] is filled: an Arm PMU of architected events */
    uint64_t listed[SLW_PMU_CODE_WORDS];
};

enum slw_pmu_listing {
    SLW_PMU_NO_WORD,  /* the list says nothing about such an event */
    SLW_PMU_LISTED,   /* the CPU counts it */
    SLW_PMU_UNLISTED, /* it does not, though it can be opened and would read 0 */
};

/* The PMU called `wanted` (NULL: "cpu"), or, where Arm machines call it otherwise (by device tree
 * or ACPI, by core type), that of CPU 0. `root` is put before /sys; "" is this machine. False when
 * there is none. */
bool slw_pmu_find(const char *root, const char *wanted, struct slw_pmu *ret_pmu);

/* Is `event` a file under events/? */
bool slw_pmu_has_event(const char *root, const struct slw_pmu *pmu, const char *event);

/* What the list of the PMU says about a raw code. */
enum slw_pmu_listing slw_pmu_lists(const struct slw_pmu *pmu, uint64_t config);

/* Does this kernel (uname release) know a name for every architected Arm event, so that one it does
 * not list is not there? Since 5.9. */
bool slw_pmu_kernel_lists_all(const char *release);

#endif

/* SPDX-License-Identifier: MIT */
#include "models/perf_name.h"

#include <assert.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>

/* Bits of a raw code on x86: /sys/bus/event_source/devices/cpu/format. */
#define EDGE_BIT    18
#define ANY_BIT     21
#define INV_BIT     23
#define CMASK_SHIFT 24

/* What the kernel's generic names stand for. Source: arch/x86/events/intel/core.c
 * intel_perfmon_event_map, arch/x86/events/amd/core.c amd_zen2_perfmon_event_map,
 * drivers/perf/arm_pmuv3.c armv8_pmuv3_perf_map. */
#define NO_CODE UINT64_MAX
static const struct generic {
    const char *name, *also;
    uint64_t intel, amd, arm;
} generics[] = {
    {"cycles", "cpu-cycles", 0x3c, 0x76, 0x11},
    {"instructions", NULL, 0xc0, 0xc0, 0x08},
    {"branches", "branch-instructions", 0xc4, 0xc2, NO_CODE},
    {"branch-misses", NULL, 0xc5, 0xc3, 0x10},
    {"stalled-cycles-frontend", "idle-cycles-frontend", NO_CODE, 0xa9, 0x23},
    {"stalled-cycles-backend", "idle-cycles-backend", NO_CODE, NO_CODE, 0x24},
    {"cache-references", NULL, 0x4f2e, 0xff60, NO_CODE},
    {"cache-misses", NULL, 0x412e, 0x0964, NO_CODE},
    {"bus-cycles", NULL, 0x013c, NO_CODE, NO_CODE},
    {"ref-cycles", NULL, NO_CODE, NO_CODE, NO_CODE},
};
static const char *const cache_prefixes[] = {"l1-dcache-", "l1-icache-", "llc-",  "dtlb-",
                                             "itlb-",      "branch-",    "node-", NULL};

static const struct {
    const char *model, *perf;
} same[] = {
#define SLW_SAME(model, perf) {model, perf},
#include "models/perf_names.def"
#undef SLW_SAME
};

static const struct generic *find_generic(const char *name)
{
    for (size_t i = 0; i < sizeof(generics) / sizeof(generics[0]); i++)
        if (strcmp(generics[i].name, name) == 0 ||
            (generics[i].also && strcmp(generics[i].also, name) == 0))
            return &generics[i];
    return NULL;
}

bool slw_perf_name_is_generic(const char *name)
{
    if (find_generic(name))
        return true;
    for (size_t i = 0; cache_prefixes[i]; i++)
        if (strncmp(name, cache_prefixes[i], strlen(cache_prefixes[i])) == 0)
            return true;
    return false;
}

static const char *vendor_of(const struct slw_model *m)
{
    if (m->match_count > 0)
        return m->matches[0].vendor;
    for (size_t i = 0; i < m->event_count; i++)
        if (m->events[i].role == SLW_EVENT_SLOTS)
            return "GenuineIntel"; /* chosen by name only, but nobody else has PERF_METRICS */
    return m->relative_count > 0 ? m->relatives[0].match.vendor : "";
}

static int find_code(const struct slw_model *m, uint64_t config, uint64_t config1)
{
    for (size_t i = 0; i < m->event_count; i++)
        if (m->events[i].type == PERF_TYPE_RAW && m->events[i].config == config &&
            m->events[i].config1 == config1)
            return (int)i;
    return -1;
}

/* "branch-misses" against "branch_misses": the generic model cannot write a '-' in a formula. */
static bool same_word(const char *a, const char *b)
{
    for (; *a && *b; a++, b++)
        if (*a != *b && !(*a == '_' && *b == '-'))
            return false;
    return *a == *b;
}

static int find_generic_event(const struct slw_model *m, const char *name)
{
    const struct generic *g = find_generic(name);
    const char *vendor = vendor_of(m);
    uint64_t code = NO_CODE;

    for (size_t i = 0; i < m->event_count; i++)
        if (m->events[i].type != PERF_TYPE_RAW && same_word(m->events[i].name, g ? g->name : name))
            return (int)i;
    if (!g)
        return -1;
    if (strcmp(vendor, "GenuineIntel") == 0)
        code = g->intel;
    else if (strcmp(vendor, "AuthenticAMD") == 0)
        code = g->amd;
    else if (strcmp(vendor, "ARM") == 0)
        code = g->arm;
    return code == NO_CODE ? -1 : find_code(m, code, 0);
}

/* Put one ":c1" into an x86 code. False: it is not such a modifier, or not of an x86 event. */
static bool apply_modifier(const char *text, size_t length, uint64_t *config)
{
    char *end;
    const uint64_t value = strtoull(text + 1, &end, 0);

    if (length < 2 || end != text + length)
        return false;
    switch (text[0]) {
    case 'c':
        *config = (*config & ~(UINT64_C(0xff) << CMASK_SHIFT)) | (value & 0xff) << CMASK_SHIFT;
        return value <= 0xff;
    case 'e':
        *config |= (value & 1) << EDGE_BIT;
        return value <= 1;
    case 'i':
        *config |= (value & 1) << INV_BIT;
        return value <= 1;
    case 't':
        *config |= (value & 1) << ANY_BIT;
        return value <= 1;
    case 'u':
        *config = (*config & ~UINT64_C(0xff00)) | (value & 0xff) << 8;
        return value <= 0xff;
    default:
        return false;
    }
}

/* base:c1:e1 -> the code of base with these bits -> the event that has it. */
static int find_modified(const struct slw_model *m, const char *name)
{
    const char *colon = strchr(name, ':');
    char base[128];

    if (!colon || (size_t)(colon - name) >= sizeof(base) || strcmp(m->arch, "x86_64") != 0)
        return -1;
    memcpy(base, name, (size_t)(colon - name));
    base[colon - name] = '\0';
    const int index = slw_model_find_event(m, base);
    if (index < 0 || m->events[index].type != PERF_TYPE_RAW)
        return -1;
    uint64_t config = m->events[index].config;
    for (const char *p = colon; *p == ':';) {
        const size_t length = strcspn(p + 1, ":");
        if (!apply_modifier(p + 1, length, &config))
            return -1;
        p += 1 + length;
    }
    return find_code(m, config, m->events[index].config1);
}

static int find_raw(const struct slw_model *m, const char *name)
{
    char *end;

    if (name[0] != 'r' || !name[1])
        return -1;
    const uint64_t config = strtoull(name + 1, &end, 16);
    return *end ? -1 : find_code(m, config, 0);
}

static int find_same(const struct slw_model *m, const char *name)
{
    for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
        if (strcmp(same[i].perf, name) == 0) {
            const int index = slw_model_find_event(m, same[i].model);
            if (index >= 0)
                return index;
        }
    return -1;
}

static int find_sysfs(const struct slw_model *m, const char *name)
{
    for (size_t i = 0; i < m->event_count; i++)
        if (m->events[i].sysfs && strcmp(m->events[i].sysfs, name) == 0)
            return (int)i;
    return -1;
}

int slw_model_find_perf_event(const struct slw_model *m, const char *name)
{
    int (*const ways[])(const struct slw_model *, const char *) = {
        slw_model_find_event, find_sysfs, find_generic_event, find_modified, find_raw, find_same};
    int index = -1;

    assert(m && name);
    for (size_t i = 0; index < 0 && i < sizeof(ways) / sizeof(ways[0]); i++)
        index = ways[i](m, name);
    return index;
}

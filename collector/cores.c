/* SPDX-License-Identifier: MIT */
#include "collector/cores.h"

#include "collector/host.h"
#include "collector/host_int.h"
#include "collector/procfs.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#define DEVICES     "/sys/bus/event_source/devices"
#define MAX_DEVICES 4096 /* a large server has about 300, most of the uncore */

/* Other PMUs (of the memory, the bus, tracing) list CPUs too, or none: the name tells. */
static bool is_core_pmu(const char *name)
{
    static const char *const prefixes[] = {"cpu_", "armv8_", "armv9_", "apple_"};

    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
        if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0)
            return strlen(name) < SLW_MAX_PMU_NAME;
    return false;
}

static void read_cpus(const char *root, struct slw_core_kind *k)
{
    char path[PATH_MAX], text[4096];
    int cpus[SLW_CORE_CPUS];

    k->first_cpu = -1;
    if (snprintf(path, sizeof(path), DEVICES "/%s/cpus", k->pmu) >= (int)sizeof(path) ||
        slw_host_text(root, path, text, sizeof(text)) <= 0)
        return;
    size_t count = slw_proc_parse_cpu_list(text, cpus, SLW_CORE_CPUS);
    for (size_t i = 0; i < count; i++) {
        if (cpus[i] < 0 || cpus[i] >= SLW_CORE_CPUS)
            continue;
        k->cpus[cpus[i] / 64] |= UINT64_C(1) << (cpus[i] % 64);
        if (k->first_cpu < 0 || cpus[i] < k->first_cpu)
            k->first_cpu = cpus[i];
    }
}

static bool read_kind(const char *root, const char *name, struct slw_core_kind *ret_kind)
{
    struct slw_core_kind k = {.type = 0};
    struct slw_pmu pmu;

    if (!is_core_pmu(name) || !slw_pmu_find(root, name, &pmu) || strcmp(pmu.name, name) != 0)
        return false;
    (void)snprintf(k.pmu, sizeof(k.pmu), "%.63s", name);
    k.type = pmu.type;
    read_cpus(root, &k);
    *ret_kind = k;
    return true;
}

/* By the first CPU, unknown ones last, then by name: a folder lists in any order. */
static bool comes_before(const struct slw_core_kind *a, const struct slw_core_kind *b)
{
    const unsigned x = (unsigned)a->first_cpu, y = (unsigned)b->first_cpu;

    return x != y ? x < y : strcmp(a->pmu, b->pmu) > 0; /* cpu_core before cpu_atom */
}

static void insert(struct slw_core_kind *kinds, size_t count, const struct slw_core_kind *k)
{
    size_t at = count;

    for (; at > 0 && comes_before(k, &kinds[at - 1]); at--)
        kinds[at] = kinds[at - 1];
    kinds[at] = *k;
}

size_t slw_core_kinds(const char *root, struct slw_core_kind kinds[SLW_MAX_CORE_KINDS])
{
    char path[PATH_MAX];
    struct dirent *e;
    size_t count = 0;

    if (snprintf(path, sizeof(path), "%s" DEVICES, root) >= (int)sizeof(path))
        return 0;
    DIR *d = opendir(path);
    for (int i = 0; d && i < MAX_DEVICES && count < SLW_MAX_CORE_KINDS && (e = readdir(d)); i++) {
        struct slw_core_kind k;

        if (read_kind(root, e->d_name, &k))
            insert(kinds, count++, &k);
    }
    if (d)
        (void)closedir(d);
    return count > 1 ? count : 0;
}

bool slw_core_kind_has(const struct slw_core_kind *k, int cpu)
{
    if (k->first_cpu < 0)
        return true;
    return cpu >= 0 && cpu < SLW_CORE_CPUS && (k->cpus[cpu / 64] >> (cpu % 64) & 1);
}

bool slw_core_kind_visit(const struct slw_core_kind *k, cpu_set_t *ret_before)
{
    cpu_set_t wanted;

    if (!k || k->first_cpu < 0 || sched_getaffinity(0, sizeof(*ret_before), ret_before) < 0)
        return false;
    CPU_ZERO(&wanted);
    for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (slw_core_kind_has(k, (int)cpu))
            CPU_SET(cpu, &wanted);
    return sched_setaffinity(0, sizeof(wanted), &wanted) == 0;
}

void slw_core_kind_leave(bool moved, const cpu_set_t *before)
{
    if (moved)
        (void)sched_setaffinity(0, sizeof(*before), before);
}

struct slw_model_cpu slw_core_kind_cpu(const struct slw_core_kind *k, const char *root,
                                       const struct slw_cpu *first)
{
    struct slw_cpuinfo info = {0};
    struct slw_cpu own = *first;
    char path[PATH_MAX], midr[32];

    (void)snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%d/regs/identification/midr_el1",
                   k->first_cpu);
    if (k->first_cpu > 0 && slw_host_text(root, path, midr, sizeof(midr)) > 0 &&
        slw_host_parse_midr(midr, &info)) {
        own.implementer = info.implementer;
        own.part = info.part;
        own.variant = info.variant;
        own.revision = info.revision;
    }
    return slw_host_model_cpu(&own);
}

const struct slw_core_kind *slw_core_kind_of(const struct slw_model *m,
                                             const struct slw_core_kind *kinds, size_t count)
{
    for (size_t i = 0; m && i < count; i++)
        if (strcmp(kinds[i].pmu, m->pmu) == 0)
            return &kinds[i];
    return count > 0 ? &kinds[0] : NULL;
}

int slw_core_kind_model(const struct slw_core_kind *k, const struct slw_model_cpu *cpu,
                        struct slw_model **ret_model)
{
    const bool x86 = cpu->arch && strcmp(cpu->arch, "x86_64") == 0;

    return slw_model_select(cpu, x86 ? k->pmu : NULL, ret_model, NULL);
}

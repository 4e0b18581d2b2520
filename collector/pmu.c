/* SPDX-License-Identifier: MIT */
#include "collector/pmu.h"

#include "collector/host_int.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEVICES          "/sys/bus/event_source/devices"
#define MAX_DEVICES      4096 /* a large server has about 300, most of the uncore */
#define CODES_PER_WORD   64
#define EXTENDED_COMMONS 0x4000 /* Source: Arm ARM, D13.10: the second range of common events */

/* Read DEVICES/pmu/file; false when it is not there. */
static bool read_attribute(const char *root, const char *pmu, const char *file, char *text,
                           size_t size)
{
    char path[PATH_MAX];

    if (snprintf(path, sizeof(path), DEVICES "/%s/%s", pmu, file) >= (int)sizeof(path))
        return false;
    return slw_host_text(root, path, text, size) > 0;
}

static bool read_type(const char *root, const char *pmu, uint32_t *ret_type)
{
    char text[32], *end = NULL;

    if (!read_attribute(root, pmu, "type", text, sizeof(text)))
        return false;
    unsigned long long type = strtoull(text, &end, 10);
    if (*end != '\0' || type > UINT32_MAX)
        return false;
    *ret_type = (uint32_t)type;
    return true;
}

/* "armv8_pmuv3", "armv8_pmuv3_0", "armv8_cortex_a72", "armv9_cortex_a510", "apple_avalanche_pmu".
 */
static bool is_arm_core(const char *name)
{
    return strncmp(name, "armv8_", 6) == 0 || strncmp(name, "armv9_", 6) == 0 ||
           strncmp(name, "apple_", 6) == 0;
}

/* Is CPU 0 in "0-3,8"? The model was chosen by what CPU 0 is. */
static bool has_first_cpu(const char *root, const char *pmu)
{
    char text[256];

    if (!read_attribute(root, pmu, "cpus", text, sizeof(text)))
        return true; /* a kernel that does not say has one kind of core */
    return strtoul(text, NULL, 10) == 0;
}

static bool find_arm(const char *root, struct slw_pmu *pmu)
{
    char path[PATH_MAX];
    struct dirent *e;
    bool found = false;

    if (snprintf(path, sizeof(path), "%s" DEVICES, root) >= (int)sizeof(path))
        return false;
    DIR *d = opendir(path);
    for (int i = 0; d && !found && i < MAX_DEVICES && (e = readdir(d)) != NULL; i++) {
        found = is_arm_core(e->d_name) && strlen(e->d_name) < sizeof(pmu->name) &&
                has_first_cpu(root, e->d_name);
        if (found)
            (void)snprintf(pmu->name, sizeof(pmu->name), "%.63s", e->d_name);
    }
    if (d)
        (void)closedir(d);
    return found;
}

/* Where the CPU says by a bit whether it counts an event of this code: *ret_word, *ret_bit. */
static bool common_code(uint64_t config, size_t *ret_word, uint64_t *ret_bit)
{
    size_t word = config >= EXTENDED_COMMONS ? 1 : 0;
    uint64_t index = config - (word == 1 ? EXTENDED_COMMONS : 0);

    if (index >= CODES_PER_WORD)
        return false;
    *ret_word = word;
    *ret_bit = UINT64_C(1) << index;
    return true;
}

/* The codes of "event=0x0011". */
static void read_codes(const char *root, struct slw_pmu *pmu)
{
    char path[PATH_MAX], file[NAME_MAX + 8], text[256];
    struct dirent *e;

    if (snprintf(path, sizeof(path), "%s" DEVICES "/%s/events", root, pmu->name) >=
        (int)sizeof(path))
        return;
    DIR *d = opendir(path);
    for (int i = 0; d && i < SLW_MAX_PMU_EVENTS && (e = readdir(d)) != NULL; i++) {
        size_t word = 0;
        uint64_t bit = 0;

        (void)snprintf(file, sizeof(file), "events/%s", e->d_name);
        if (e->d_name[0] == '.' || !read_attribute(root, pmu->name, file, text, sizeof(text)) ||
            strncmp(text, "event=0x", 8) != 0)
            continue;
        if (common_code(strtoull(text + 6, NULL, 16), &word, &bit)) {
            pmu->listed[word] |= bit;
            pmu->common_codes = true; /* an empty list would be no list */
        }
    }
    if (d)
        (void)closedir(d);
}

bool slw_pmu_find(const char *root, const char *wanted, struct slw_pmu *ret_pmu)
{
    struct slw_pmu pmu = {.type = 0};
    const char *name = wanted ? wanted : "cpu";

    if (strlen(name) >= sizeof(pmu.name))
        return false;
    (void)snprintf(pmu.name, sizeof(pmu.name), "%s", name);
    if (!read_type(root, pmu.name, &pmu.type)) {
        if (!is_arm_core(name) || !find_arm(root, &pmu) || !read_type(root, pmu.name, &pmu.type))
            return false;
    }
    if (is_arm_core(pmu.name))
        read_codes(root, &pmu);
    *ret_pmu = pmu;
    return true;
}

bool slw_pmu_has_event(const char *root, const struct slw_pmu *pmu, const char *event)
{
    char path[PATH_MAX];

    if (snprintf(path, sizeof(path), "%s" DEVICES "/%s/events/%s", root, pmu->name, event) >=
        (int)sizeof(path))
        return false;
    return access(path, F_OK) == 0;
}

enum slw_pmu_listing slw_pmu_lists(const struct slw_pmu *pmu, uint64_t config)
{
    size_t word = 0;
    uint64_t bit = 0;

    if (!pmu->common_codes || !common_code(config, &word, &bit))
        return SLW_PMU_NO_WORD;
    return pmu->listed[word] & bit ? SLW_PMU_LISTED : SLW_PMU_UNLISTED;
}

bool slw_pmu_kernel_lists_all(const char *release)
{
    char *rest = NULL;

    if (!release)
        return false;
    unsigned long major = strtoul(release, &rest, 10);
    unsigned long minor = *rest == '.' ? strtoul(rest + 1, NULL, 10) : 0;
    return major > 5 || (major == 5 && minor >= 9);
}

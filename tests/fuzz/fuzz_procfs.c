/* SPDX-License-Identifier: MIT */
/* Whatever /proc and /sys may hold: names are chosen by the processes we look at. */
#include "collector/procfs.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1); /* exact size, so that a sanitizer sees a read past the end */
    struct slw_proc_mapping mapping;
    struct slw_proc_module module;
    struct slw_proc_stat stat;
    uint64_t value;
    int cpus[64];

    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    if (slw_proc_parse_mapping((const char *)data, size, &mapping)) {
        assert(mapping.start < mapping.end);
        assert(mapping.name + mapping.name_length == (const char *)data + size);
    }
    if (slw_proc_parse_module((const char *)data, size, &module))
        assert(module.name_length > 0 && module.name_length < size);
    (void)slw_proc_parse_stat((const char *)data, size, &stat);
    (void)slw_proc_parse_symbol((const char *)data, size, "_stext", &value);
    (void)slw_proc_parse_field(text, "VmHWM", &value);
    size_t count = slw_proc_parse_cpu_list(text, cpus, 64);
    assert(count <= 64);
    for (size_t i = 0; i < count; i++)
        assert(cpus[i] >= 0);
    free(text);
    return 0;
}

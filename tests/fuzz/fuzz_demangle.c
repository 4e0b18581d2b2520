/* SPDX-License-Identifier: MIT */
/* A linker's name from anywhere: bounded in memory, time and stack, and asked twice the same. */
#include "analyzer/demangle.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slw_demangler *d = slw_demangler_new();
    const char *shown, *again;
    char *name = malloc(size + 1);

    if (d && name) {
        memcpy(name, data, size);
        name[size] = '\0';
        if (slw_demangle(d, name, &shown) == 0) {
            if (shown != name && strlen(shown) > SLW_MAX_DEMANGLED + sizeof("@plt") &&
                strcmp(shown, name) != 0)
                abort();
            if (slw_demangle(d, name, &again) == 0 && again != shown)
                abort();
        }
    }
    free(name);
    slw_demangler_free(d);
    return 0;
}
